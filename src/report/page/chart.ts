/**
 * Draws a chart as the text of an SVG: once when the page is written, and again in the browser for its width and zoom. It
 * imports nothing, since the page carries it.
 */

export type Tone = 'first' | 'second' | 'quiet';

export interface Axis {
  readonly label: string;
  readonly scale: 'linear' | 'log';
  readonly range: readonly [number, number];
  /** Ticks at whole numbers alone. */
  readonly isWhole?: boolean;
}

/** null is no point: a line has a gap there. */
export type Numbers = readonly (number | null)[];

export type Mark =
  | { readonly kind: 'line'; readonly x: Numbers; readonly y: Numbers; readonly tone: Tone; readonly dots?: boolean }
  /** `names` are shown beside the points where there is room, the outermost first. */
  | {
      readonly kind: 'dots';
      readonly x: Numbers;
      readonly y: Numbers;
      readonly tone: Tone;
      readonly names?: readonly string[];
    }
  /** One edge more in x than heights in y. */
  | { readonly kind: 'bars'; readonly x: readonly number[]; readonly y: readonly number[]; readonly tone: Tone }
  /** Counts of a grid, row after row from the lowest y, shaded by their roots. */
  | {
      readonly kind: 'cells';
      readonly x: readonly number[];
      readonly y: readonly number[];
      readonly counts: readonly number[];
    }
  | { readonly kind: 'rule'; readonly axis: 'x' | 'y'; readonly at: number; readonly text: string };

export interface Chart {
  /** What a screen reader says. */
  readonly title: string;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  /** Room for the numbers at the left, in characters, where charts below each other are to begin at one place. */
  readonly room?: number;
}

/** The plot within the drawing, in pixels, and the way from values to its own pixels and back. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  x(value: number): number;
  y(value: number): number;
  valueAt(x: number): number;
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const characterWidth = 6.7;
const bleed = 4;

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** 0.002, 84,973.6, 10⁻⁶, 2.5×10⁹ */
export function tickText(value: number): string {
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude >= 1e6 || magnitude < 1e-3)) {
    const [mantissa = '', exponent = ''] = value.toExponential(3).split('e');
    const digits = [...String(Math.abs(Number(exponent)))].map((digit) => superscripts[Number(digit)]).join('');
    const power = `10${exponent.startsWith('-') ? '⁻' : ''}${digits}`;
    const factor = String(Number(mantissa)).replace('-', '−');
    return factor === '1' ? power : `${factor}×${power}`;
  }
  return Number(value.toPrecision(5)).toLocaleString('en-US', { maximumFractionDigits: 8 }).replace('-', '−');
}

export function frameOf(chart: Chart, width: number): Frame {
  const widest = Math.max(
    chart.room ?? 0,
    ...ticksOf(chart.y, chart.height / 50).map((value) => tickText(value).length),
  );
  const left = Math.ceil(widest * characterWidth) + 12;
  const top = 26;
  const inner = { width: Math.max(40, width - left - 14), height: chart.height - top - 44 };
  const across = shareOf(chart.x);
  const up = shareOf(chart.y);
  const [low, high] = chart.x.range;
  return {
    left,
    top,
    ...inner,
    x: (value) => across(value) * inner.width,
    y: (value) => (1 - up(value)) * inner.height,
    valueAt: (x) => {
      const share = x / inner.width;
      return chart.x.scale === 'log' ? low * (high / low) ** share : low + share * (high - low);
    },
  };
}

export function drawChart(chart: Chart, width: number): string {
  const frame = frameOf(chart, width);
  const { left, top, width: w, height: h } = frame;
  const parts = [
    `<svg class="chart" viewBox="0 0 ${width} ${chart.height}" width="${width}" height="${chart.height}" role="img" aria-label="${escapeText(chart.title)}">`,
  ];
  for (const value of ticksOf(chart.y, chart.height / 50)) {
    const y = round(top + frame.y(value));
    parts.push(`<path class="grid" d="M${left} ${y}h${w}"/>`);
    parts.push(
      `<text class="tick" x="${left - 8}" y="${y}" dy=".32em" text-anchor="end">${escapeText(tickText(value))}</text>`,
    );
  }
  for (const value of ticksOf(chart.x, w / 85)) {
    const x = round(left + frame.x(value));
    parts.push(`<path class="axis" d="M${x} ${top + h}v5"/>`);
    parts.push(
      `<text class="tick" x="${x}" y="${top + h + 18}" text-anchor="middle">${escapeText(tickText(value))}</text>`,
    );
  }
  parts.push(`<path class="axis" d="M${left} ${top + h}h${w}"/>`);
  parts.push(`<text class="label" x="${left}" y="14">${escapeText(chart.y.label)}</text>`);
  parts.push(
    `<text class="label" x="${left + w}" y="${top + h + 36}" text-anchor="end">${escapeText(chart.x.label)}</text>`,
  );
  // A drawing within the drawing, so that what lies outside the plot is cut off, but no dot on its border.
  parts.push(
    `<svg x="${left - bleed}" y="${top - bleed}" width="${w + 2 * bleed}" height="${h + 2 * bleed}" viewBox="${-bleed} ${-bleed} ${w + 2 * bleed} ${h + 2 * bleed}" overflow="hidden">`,
  );
  for (const mark of chart.marks) parts.push(drawMark(mark, frame));
  parts.push('<g class="cursor"></g></svg></svg>');
  return parts.join('');
}

function drawMark(mark: Mark, frame: Frame): string {
  switch (mark.kind) {
    case 'line':
      return drawLine(mark, frame) + (mark.dots ? drawDots(mark, frame, 2.6) : '');
    case 'dots':
      return drawDots(mark, frame, mark.x.length > 400 ? 2 : 3.2) + drawNames(mark, frame);
    case 'bars': {
      const base = frame.height;
      const bars = mark.y.map((height, i) => {
        const start = frame.x(mark.x[i] as number);
        const width = Math.max(0.5, frame.x(mark.x[i + 1] as number) - start - 1);
        const top = frame.y(height);
        return height > 0 ? `M${round(start)} ${round(base)}V${round(top)}h${round(width)}V${round(base)}z` : '';
      });
      return `<path class="fill ${mark.tone}" d="${bars.join('')}"/>`;
    }
    case 'cells':
      return drawCells(mark, frame);
    case 'rule': {
      const isAcross = mark.axis === 'y';
      const at = round(isAcross ? frame.y(mark.at) : frame.x(mark.at));
      const line = isAcross ? `M0 ${at}h${frame.width}` : `M${at} 0v${frame.height}`;
      const place = isAcross ? `x="4" y="${at - 5}"` : `x="${at + 5}" y="12"`;
      return `<path class="rule" d="${line}"/><text class="note" ${place}>${escapeText(mark.text)}</text>`;
    }
  }
}

function drawLine({ x, y, tone }: { x: Numbers; y: Numbers; tone: Tone }, frame: Frame): string {
  let path = '';
  let isGap = true;
  y.forEach((value, i) => {
    const at = x[i];
    if (at === null || at === undefined || value === null) {
      isGap = true;
      return;
    }
    path += `${isGap ? 'M' : 'L'}${round(frame.x(at))} ${round(frame.y(value))}`;
    isGap = false;
  });
  return `<path class="line ${tone}" d="${path}"/>`;
}

/** A stroke of no length with round ends is a dot. */
function drawDots({ x, y, tone }: { x: Numbers; y: Numbers; tone: Tone }, frame: Frame, radius: number): string {
  let path = '';
  y.forEach((value, i) => {
    const at = x[i];
    if (typeof at === 'number' && value !== null) path += `M${round(frame.x(at))} ${round(frame.y(value))}h0`;
  });
  return `<path class="dots ${tone}" stroke-width="${2 * radius}" d="${path}"/>`;
}

/** Names where there is room for them, points far from the middle of the plot first. */
function drawNames({ x, y, names = [] }: { x: Numbers; y: Numbers; names?: readonly string[] }, frame: Frame): string {
  const points = names
    .map((name, i) => ({ name, x: frame.x(x[i] as number), y: frame.y(y[i] as number) }))
    .filter((point) => point.x >= 0 && point.x <= frame.width && point.y >= 0 && point.y <= frame.height);
  const apart = (point: { x: number; y: number }) =>
    Math.hypot(point.x - frame.width / 2, (point.y - frame.height / 2) * (frame.width / frame.height));
  const taken: { left: number; right: number; top: number; bottom: number }[] = points
    .slice(0, 400)
    .map((point) => ({ left: point.x - 2, right: point.x + 2, top: point.y - 2, bottom: point.y + 2 }));
  const most = Math.min(40, (frame.width * frame.height) / 5000);
  const drawn: string[] = [];
  for (const point of points.sort((a, b) => apart(b) - apart(a))) {
    if (drawn.length >= most) break;
    const letters = [...point.name];
    const text = letters.length > 22 ? `${letters.slice(0, 21).join('')}…` : point.name;
    const width = textWidth(text);
    const isLeft = point.x + 7 + width > frame.width;
    const left = isLeft ? point.x - 7 - width : point.x + 7;
    const box = { left, right: left + width, top: point.y - 7, bottom: point.y + 7 };
    if (left < 0 || box.top < 0 || box.bottom > frame.height) continue;
    if (taken.some((t) => t.left < box.right && box.left < t.right && t.top < box.bottom && box.top < t.bottom))
      continue;
    taken.push(box);
    // Isolated, so that a name written from right to left stays where it belongs.
    drawn.push(
      `<text class="note" x="${round(isLeft ? point.x - 7 : point.x + 7)}" y="${round(point.y)}" dy=".32em"${isLeft ? ' text-anchor="end"' : ''}>\u2068${escapeText(text)}\u2069</text>`,
    );
  }
  return drawn.join('');
}

/** At least that of the text: characters of East Asia and pictures are twice as wide. */
function textWidth(text: string): number {
  return [...text].reduce((width, character) => width + ((character.codePointAt(0) as number) < 0x2e80 ? 6.9 : 13), 0);
}

const shades = 6;

function drawCells(mark: Extract<Mark, { kind: 'cells' }>, frame: Frame): string {
  const columns = mark.x.length - 1;
  const largest = Math.max(...mark.counts, 1);
  const paths = new Array<string>(shades + 1).fill('');
  mark.counts.forEach((count, at) => {
    if (count === 0) return;
    const shade = Math.ceil(shades * Math.sqrt(count / largest));
    const i = at % columns;
    const j = Math.floor(at / columns);
    const left = frame.x(mark.x[i] as number);
    const top = frame.y(mark.y[j + 1] as number);
    const width = round(frame.x(mark.x[i + 1] as number) - left);
    const height = round(frame.y(mark.y[j] as number) - top);
    paths[shade] += `M${round(left)} ${round(top)}h${width}v${height}h${-width}z`;
  });
  return paths
    .map((path, shade) =>
      path ? `<path class="fill first" opacity="${round(0.15 + (0.85 * shade) / shades)}" d="${path}"/>` : '',
    )
    .join('');
}

/** 0 at the lower end of the range, 1 at the upper. */
function shareOf({ scale, range: [low, high] }: Axis): (value: number) => number {
  if (scale === 'log') return (value) => Math.log(value / low) / Math.log(high / low);
  return (value) => (value - low) / (high - low);
}

/** Round values within the range, about `most` of them. */
function ticksOf({ scale, range: [low, high], isWhole }: Axis, most: number): number[] {
  if (scale === 'log' && high / low >= 10) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    const step = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, most)));
    const parts = last - first + 1 < 2 ? [1, 2, 5] : last - first + 1 <= most / 2 ? [1, 3] : [1];
    const ticks: number[] = [];
    for (let power = first - 1; power <= last; power++)
      for (const part of parts) {
        const value = part * Number(`1e${power}`);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9) && (power - first) % step === 0) ticks.push(value);
      }
    return ticks;
  }
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const rounded = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) as number);
  const step = isWhole ? Math.max(1, rounded) : rounded;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
  return ticks;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
