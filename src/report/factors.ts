/** The factors: their spectrum, what is large in each, and a map of the first two components. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { type Canonical, canonicalForm } from '../model/canonical.js';
import type { Model } from '../model/model.js';
import { count, counted, real } from './format.js';
import { html, plainName } from './html.js';
import type { Chart } from './page/chart.js';
import { type BarRow, bars, type Charts, figure, labelOf, numbers, percent, plot, short, table } from './parts.js';
import type { Section } from './shell.js';

/** Beyond so many operations a page would take minutes: it is made without spectrum and map. */
const mostWork = 2e10;
const mostComponents = 12;
const shownAtOnce = 4;
const mostEntries = 8;
const mostPoints = 800;
const outermost = 60;

/** The canonical form of UVᵀ, whatever bounds the factors have: only what does not depend on the factors is shown of it. */
export function canonicalOf({ U, V, shape: [m, n], rank }: Model): Canonical | undefined {
  return (m + n) * rank * rank * 4 + 40 * rank ** 3 > mostWork ? undefined : canonicalForm(U, V);
}

/** Whether the factors mean something only up to a rotation. */
function isFree({ fit: { options } }: Model): boolean {
  const { bounds, hold, l1Rows, l1Columns, freeColumns } = options;
  return !bounds && !hold && l1Rows + l1Columns === 0 && freeColumns === 0;
}

/** What is no more than this is rounding. */
function leastOf({ d }: Pick<Canonical, 'd'>): number {
  return Math.max(...d) * 1e-12;
}

export function spectrumSection({ fit }: Model, { d }: Canonical, charts: Charts): Section | undefined {
  const total = d.reduce((sum, value) => sum + value * value, 0);
  if (total === 0) return undefined;
  const least = leastOf({ d });
  const shown = Array.from(d, (value, i) => [i + 1, value] as const).filter(([, value]) => value > least);
  const values = shown.map(([, value]) => value);
  const kept = shown.filter((_, i) => i % Math.ceil(shown.length / 400) === 0);
  const chart: Chart = {
    title: 'Singular values of UVᵀ',
    height: 250,
    x: { label: 'component', scale: 'linear', range: [0.5, d.length + 0.5], isWhole: true },
    y: { label: 'singular value', scale: 'log', range: [Math.min(...values) / 1.3, Math.max(...values) * 1.3] },
    marks: [
      {
        kind: 'line',
        x: kept.map(([i]) => i),
        y: kept.map(([, value]) => Number(value.toPrecision(5))),
        tone: 'first',
        dots: kept.length <= 100,
      },
    ],
  };
  let sum = 0;
  const rows = Array.from(d, (value, i) => {
    sum += value * value;
    const explained = fit.explained?.[i];
    return [
      String(i + 1),
      real(value),
      percent((value * value) / total),
      percent(sum / total),
      ...(fit.explained ? [explained === undefined ? '–' : percent(explained)] : []),
    ];
  }).slice(0, 64);
  const columns = ['component', 'singular value', 'of Σd²', 'together', ...(fit.explained ? ['explained'] : [])].map(
    (title) => ({
      title,
      isNumber: title !== 'component',
    }),
  );
  return {
    id: 'spectrum',
    title: 'Spectrum',
    body: figure(
      plot(charts, 'spectrum', chart),
      'The singular values of UVᵀ, which do not depend on how the factors were reached. A gap tells where fewer components would do; a last value that is not small, that a higher rank may find more.',
      numbers('The values', table('Squared singular values are shares of ‖UVᵀ‖²', columns, rows)),
    ),
  };
}

/** What is large in each latent column, of the columns of A and of its rows. */
export function loadingsSection(model: Model, canonical: Canonical | undefined): Section {
  const form = isFree(model) ? canonical : undefined;
  const [U, V]: NdArray<RealArray>[] = form ? [form.U, form.V] : [model.U, model.V];
  // Of a component that is 0 the canonical columns say nothing.
  const some = form ? Math.max(1, form.d.filter((value) => value > leastOf(form)).length) : model.rank;
  const k = Math.min(some, mostComponents);
  const tops = (X: NdArray<RealArray> | undefined, labels: readonly string[] | undefined, most: number) =>
    Array.from({ length: k }, (_, c) => largest(X as NdArray<RealArray>, c, labels, most));
  const columns = tops(V, model.labels.columns, mostEntries);
  const rows = tops(U, model.labels.rows, 5);
  const fromZero = (side: 'rows' | 'columns') => (model.labels[side] ? '' : ', from 0');
  const isSigned = [...columns, ...rows].flat().some(({ share }) => share < 0);
  const words = form
    ? 'The factors are known only up to a rotation, so this is the canonical form: UVᵀ = U·diag(d)·Vᵀ with orthonormal columns, the largest entry of each column of V positive.'
    : isFree(model)
      ? 'U and V as they are: known only up to a rotation.'
      : 'U and V as they are.';
  const cards = Array.from(
    { length: k },
    (_, c) => html`<div><h3>Component ${c + 1}${form && html` <small>d = ${short(form.d[c] as number)}</small>`}</h3>
${bars(`columns of A${fromZero('columns')}`, columns[c] as BarRow[], isSigned)}${bars(`rows of A${fromZero('rows')}`, rows[c] as BarRow[], isSigned)}</div>`,
  );
  const more = cards.slice(shownAtOnce);
  return {
    id: 'factors',
    title: 'Factors',
    body: html`<p>${words} The largest entries of each column, by magnitude${some > k && `; the first ${k} of ${some} columns`}.</p>
<div class="cards">${cards.slice(0, shownAtOnce)}</div>${
      more.length > 0 &&
      html`<details><summary>${counted(more.length, 'more component')}</summary><div class="cards">${more}</div></details>`
    }`,
  };
}

function largest(
  X: NdArray<RealArray>,
  c: number,
  labels: readonly string[] | undefined,
  most = mostEntries,
): BarRow[] {
  const [rows = 0] = X.shape;
  const top: number[] = [];
  const size = (i: number) => Math.abs(X.get(i, c));
  // Few of many: the list stays short, and is kept in order.
  for (let i = 0; i < rows; i++) {
    if (top.length === most && size(i) <= size(top[most - 1] as number)) continue;
    let at = top.length;
    while (at > 0 && size(top[at - 1] as number) < size(i)) at--;
    top.splice(at, 0, i);
    if (top.length > most) top.pop();
  }
  const scale = size(top[0] as number) || 1;
  return top.map((i) => ({ label: labelOf(labels, i), share: X.get(i, c) / scale, text: short(X.get(i, c)) }));
}

/** Rows and columns of A in the plane of the first two canonical components. */
export function mapSection(model: Model, { U, d, V }: Canonical, charts: Charts): Section | undefined {
  if (!(d.length >= 2 && (d[1] as number) > 0)) return undefined;
  const show = (X: NdArray<RealArray>, side: 'rows' | 'columns') => {
    const points = pointsOf(X, d);
    const noun = side === 'rows' ? 'row' : 'column';
    const names = points.map(({ index }) => plainName(model.labels[side]?.[index] ?? `${noun} ${index}`));
    charts[`map-${side}`] = mapChart(points, names, side === 'rows' ? 'first' : 'second', noun);
    return plot(charts, `map-${side}`, charts[`map-${side}`] as Chart);
  };
  const part = (total: number) => (total > mostPoints ? `, ${count(mostPoints)} of ${count(total)}` : '');
  return {
    id: 'map',
    title: 'Map',
    body: html`<div class="pair">${figure(show(V, 'columns'), `The columns of A${part(model.shape[1])}.`)}${figure(show(U, 'rows'), `The rows of A${part(model.shape[0])}.`)}</div>
<p>The first two canonical components, each scaled by √d. What lies in the same direction goes together; what lies at the middle has little to do with either. Point at a dot, or move with the arrow keys, to read its name.</p>`,
  };
}

interface MapPoint {
  readonly index: number;
  readonly x: number;
  readonly y: number;
}

/** All points where there are few; else those far out, and of the others as many as there is room for, evenly. */
function pointsOf(X: NdArray<RealArray>, d: Float64Array): MapPoint[] {
  const [rows = 0] = X.shape;
  const [a, b] = [Math.sqrt(d[0] as number), Math.sqrt(d[1] as number)];
  const at = (index: number): MapPoint => ({ index, x: X.get(index, 0) * a, y: X.get(index, 1) * b });
  if (rows <= mostPoints) return Array.from({ length: rows }, (_, index) => at(index));
  const far = (index: number) => Math.hypot(at(index).x, at(index).y);
  const distances = Float64Array.from({ length: rows }, (_, index) => far(index));
  const limit = distances.slice().sort()[rows - outermost] as number;
  const chosen = new Set<number>();
  for (let index = 0; index < rows && chosen.size < outermost; index++)
    if ((distances[index] as number) >= limit) chosen.add(index);
  const others = mostPoints - chosen.size;
  for (let t = 0; t < others; t++) chosen.add(Math.floor((t * rows) / others));
  return [...chosen].sort((one, other) => one - other).map(at);
}

function mapChart(
  points: readonly MapPoint[],
  names: readonly string[],
  tone: 'first' | 'second',
  noun: string,
): Chart {
  const range = (values: readonly number[]): [number, number] => {
    const low = Math.min(0, ...values);
    const high = Math.max(0, ...values);
    const margin = 0.06 * (high - low) || 1;
    return [low - margin, high + margin];
  };
  const x = points.map((point) => Number(point.x.toPrecision(4)));
  const y = points.map((point) => Number(point.y.toPrecision(4)));
  return {
    title: `Map of the ${noun}s by their first two components`,
    height: 400,
    x: { label: 'component 1', scale: 'linear', range: range(x) },
    y: { label: 'component 2', scale: 'linear', range: range(y) },
    marks: [
      { kind: 'rule', axis: 'x', at: 0, text: '' },
      { kind: 'rule', axis: 'y', at: 0, text: '' },
      { kind: 'dots', x, y, tone, names },
    ],
  };
}
