/** What the page does in the browser: themes, charts at the width there is, reading and zooming them, listening to a fit. */
import { type Chart, drawChart, type Frame, frameOf, tickText } from './chart.js';
import { type Course, type CourseCharts, courseCharts, firstView, joined, type View } from './convergence.js';

interface PageData {
  readonly course?: Course;
  readonly charts: Readonly<Record<string, Chart>>;
  /** Listen to the server that the page came from. */
  readonly isLive?: boolean;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

interface Plot {
  draw(): void;
  readonly frame: Frame;
  clear(): void;
}

const data = JSON.parse(document.querySelector('#data')?.textContent ?? '{}') as PageData;

function all<E extends HTMLElement>(selector: string, within: ParentNode = document): E[] {
  return [...within.querySelectorAll<E>(selector)];
}

/** The theme is the system's until the reader chooses. */
function offerThemes(): void {
  const button = document.querySelector<HTMLButtonElement>('#theme');
  if (!button) return;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
  const name = () => {
    button.textContent = isDark() ? 'Light theme' : 'Dark theme';
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    name();
  });
  system.addEventListener('change', name);
  name();
}

/** What can be pointed at: named dots, else the points of the line, else the bars. */
function pointsOf({ marks, x, y }: Chart): Point[] {
  const say = (at: number, value: number) => `${x.label} ${tickText(at)} · ${y.label} ${tickText(value)}`;
  for (const mark of [...marks].reverse()) {
    if (mark.kind === 'rule' || mark.kind === 'cells') continue;
    const points: Point[] = [];
    mark.y.forEach((value, i) => {
      const start = mark.x[i];
      if (typeof start !== 'number' || typeof value !== 'number') return;
      const at = mark.kind === 'bars' ? (start + (mark.x[i + 1] as number)) / 2 : start;
      const name = mark.kind === 'dots' ? mark.names?.[i] : undefined;
      points.push({
        x: at,
        y: value,
        text: name === undefined ? say(at, value) : `${name} · ${tickText(at)}, ${tickText(value)}`,
      });
    });
    return points;
  }
  return [];
}

/** The line below a plot that says what is pointed at. */
function readoutOf(element: HTMLElement): HTMLElement {
  const own = element.closest('figure')?.querySelector<HTMLElement>('output.readout');
  if (own) return own;
  const made = document.createElement('output');
  made.className = 'readout';
  element.after(made);
  return made;
}

/** Draws a chart whenever its room changes, and lets its points be read by pointer and arrow keys. */
function mount(element: HTMLElement, chartOf: () => Chart): Plot {
  const readout = readoutOf(element);
  let width = 0;
  let points: Point[] = [];
  let frame = frameOf(chartOf(), 600);
  let at = -1;
  const draw = () => {
    const chart = chartOf();
    width = Math.max(240, Math.round(element.clientWidth));
    frame = frameOf(chart, width);
    points = pointsOf(chart);
    element.innerHTML = drawChart(chart, width);
    element.setAttribute('aria-label', `${chart.title}; arrow keys move from point to point`);
    at = -1;
  };
  const clear = () => {
    at = -1;
    const cursor = element.querySelector('.cursor');
    if (cursor) cursor.innerHTML = '';
    readout.textContent = '';
  };
  const show = (index: number) => {
    const point = points[index];
    const cursor = element.querySelector('.cursor');
    if (!point || !cursor) return;
    at = index;
    const x = frame.x(point.x).toFixed(1);
    cursor.innerHTML = `<path d="M${x} 0v${frame.height}"/><circle cx="${x}" cy="${frame.y(point.y).toFixed(1)}" r="6"/>`;
    readout.textContent = point.text;
  };
  const isMap = () => chartOf().marks.some((mark) => mark.kind === 'dots');
  element.addEventListener('pointermove', (event) => {
    if (event.buttons !== 0) return;
    const box = element.getBoundingClientRect();
    const scale = width / box.width;
    const x = (event.clientX - box.left) * scale - frame.left;
    const y = (event.clientY - box.top) * scale - frame.top;
    const wayUp = isMap() ? 1 : 0;
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    points.forEach((point, index) => {
      const distance = (frame.x(point.x) - x) ** 2 + wayUp * (frame.y(point.y) - y) ** 2;
      if (distance < least) [nearest, least] = [index, distance];
    });
    show(nearest);
  });
  element.addEventListener('pointerleave', clear);
  element.addEventListener('keydown', (event) => {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -10,
      ArrowDown: 10,
      Home: -points.length,
      End: points.length,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      show(Math.max(0, Math.min(points.length - 1, at < 0 && step > 0 ? step - 1 : at + step)));
    } else if (event.key === 'Escape') clear();
  });
  element.tabIndex = 0;
  element.setAttribute('role', 'application');
  element.setAttribute('aria-roledescription', 'chart');
  draw();
  new ResizeObserver(() => {
    if (Math.abs(element.clientWidth - width) > 1) draw();
  }).observe(element);
  return {
    draw,
    clear,
    get frame() {
      return frame;
    },
  };
}

/** The charts of the fit's way: what is shown across and up, log axes, and zoom by dragging, buttons and keys. */
function mountCourse(first: Course): ((course: Course) => void) | undefined {
  const figure = document.querySelector<HTMLElement>('#course-figure');
  if (!figure) return undefined;
  let course = first;
  let view = firstView(first);
  const parts = all('[data-course]', figure).map((element) => {
    const part = element.dataset.course as keyof CourseCharts;
    // The page has a place for each chart that there is.
    return { element, plot: mount(element, () => courseCharts(course, view)[part] as Chart) };
  });
  const controls = figure.querySelector<HTMLElement>('.controls');
  const change = (next: View) => {
    view = next;
    for (const button of all<HTMLButtonElement>('button[aria-pressed]', figure)) {
      const { across, height, log } = button.dataset;
      const isPressed = across
        ? across === view.across
        : height
          ? height === view.height
          : log !== undefined && view.isLog;
      button.setAttribute('aria-pressed', String(isPressed));
    }
    for (const { plot } of parts) plot.draw();
  };
  const zoom = (factor: number) => {
    const frame = parts[0]?.plot.frame;
    if (!frame) return;
    // Around the middle of the plot, in its own pixels.
    const reach = (frame.width / 2) * factor;
    change({ ...view, range: [frame.valueAt(frame.width / 2 - reach), frame.valueAt(frame.width / 2 + reach)] });
  };
  const whole = () => change({ ...view, range: undefined });
  if (controls) controls.hidden = false;
  figure.addEventListener('click', (event) => {
    const button = (event.target as Element).closest('button');
    const { across, height, log, zoom: way } = button?.dataset ?? {};
    if (across) change({ ...view, across: across as View['across'], range: undefined });
    if (height) change({ ...view, height: height as View['height'] });
    if (log) change({ ...view, isLog: !view.isLog, range: undefined });
    if (way === 'in') zoom(0.5);
    if (way === 'out') zoom(2);
    if (way === 'all') whole();
  });
  for (const { element, plot } of parts) {
    let from: number | undefined;
    const place = (event: PointerEvent) => {
      const box = element.getBoundingClientRect();
      return Math.max(0, Math.min(plot.frame.width, event.clientX - box.left - plot.frame.left));
    };
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      from = place(event);
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener('pointermove', (event) => {
      const cursor = element.querySelector('.cursor');
      if (from === undefined || event.buttons === 0 || !cursor) return;
      const to = place(event);
      cursor.innerHTML = `<rect x="${Math.min(from, to)}" y="0" width="${Math.abs(to - from)}" height="${plot.frame.height}"/>`;
    });
    element.addEventListener('pointerup', (event) => {
      if (from === undefined) return;
      const [low, high] = [from, place(event)].sort((a, b) => a - b) as [number, number];
      from = undefined;
      plot.clear();
      if (high - low > 8) change({ ...view, range: [plot.frame.valueAt(low), plot.frame.valueAt(high)] });
    });
    element.addEventListener('pointercancel', () => {
      from = undefined;
      plot.clear();
    });
    element.addEventListener('dblclick', whole);
    element.addEventListener('keydown', (event) => {
      if (event.key === '+') zoom(0.5);
      if (event.key === '-') zoom(2);
      if (event.key === '0') whole();
    });
  }
  return (next) => {
    course = next;
    for (const { plot } of parts) plot.draw();
  };
}

/** What the server of a running fit sends. */
interface News {
  readonly phase: string;
  readonly texts: Readonly<Record<string, string>>;
  /** 0…1 of the budget. */
  readonly share: number;
  /** The whole way at first, then what is new. */
  readonly course: Course;
  readonly isWhole: boolean;
}

function listen(draw: (course: Course) => void): void {
  let course: Course | undefined;
  const source = new EventSource('events');
  source.addEventListener('news', (event) => {
    const news = JSON.parse((event as MessageEvent<string>).data) as News;
    for (const [id, text] of Object.entries(news.texts)) {
      const element = document.getElementById(id);
      if (element) element.textContent = text;
    }
    const bar = document.querySelector('progress');
    if (bar) bar.value = news.share;
    course = news.isWhole || !course ? news.course : joined(course, news.course);
    draw(course);
  });
  source.addEventListener('done', () => {
    source.close();
    location.reload();
  });
  source.addEventListener('error', () => {
    const phase = document.getElementById('live-phase');
    if (phase) phase.textContent = 'no longer connected';
  });
}

offerThemes();
for (const element of all('[data-chart]')) {
  const chart = data.charts[element.dataset.chart as string];
  if (chart) mount(element, () => chart);
}
if (data.course) {
  const draw = mountCourse(data.course);
  if (data.isLive && draw) listen(draw);
}
