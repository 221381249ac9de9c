/** One walk over the data with its predictions: everything that the page says about residuals, in memory of O(m + n). */
import { listedCount, visitEntries } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { type Duplicates, observationsOf } from '../data/observations.js';
import type { Model } from '../model/model.js';
import { predictEntry } from '../model/objective.js';
import { lossOf } from '../objective/losses.js';

/** Counts in bins between edges; what lies outside is counted apart. */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: number[];
  outside: number;
}

export interface Grid {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Row after row from the lowest y. */
  readonly counts: number[];
  /** Of all residuals over each bin of x. */
  readonly sums: Float64Array;
  readonly entries: Float64Array;
  readonly isLog: boolean;
}

/** Of every row or every column. */
export interface SideSums {
  readonly squares: Float64Array;
  readonly counts: Uint32Array;
}

/** Both sides of the matrix cut into at most so many parts each. */
export interface Heat {
  readonly rows: number;
  readonly columns: number;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

export interface ResidualStatistics {
  readonly observed: number;
  /** Σz² */
  readonly squares: number;
  readonly mean: number;
  /** Least, quartiles and largest of a sample of z. */
  readonly quantiles: {
    readonly q01: number;
    readonly q25: number;
    readonly q50: number;
    readonly q75: number;
    readonly q99: number;
  };
  readonly largest: number;
  readonly histogram: Histogram;
  readonly grid: Grid;
  readonly rows: SideSums;
  readonly columns: SideSums;
  readonly heat: Heat;
}

const sampleSize = 20_000;
const mostBins = 61;
const gridBins = { x: 48, y: 32 } as const;
const heatBins = 160;

type Visit = (row: number, column: number, value: number, weight: number) => void;

/**
 * z = W(A − p) of every observed entry, p = mean + b_i + c_j + u_i·v_j (tanh(p/2), the expected value, where the loss is
 * logistic). Ranges come from an even sample of at most 20,000 entries, everything else from all of them.
 *
 * @throws HadamardError as `factorize` for data that is not sound.
 */
export function residualStatistics(
  model: Model,
  A: MatrixInput,
  weights: WeightsInput | undefined,
  duplicates: Duplicates,
): ResidualStatistics | undefined {
  const [m, n] = model.shape;
  const isLogistic = lossOf(model.fit.options.loss).name === 'logistic';
  const predict = (i: number, j: number) => {
    const p = predictEntry(model, i, j);
    return isLogistic ? Math.tanh(p / 2) : p;
  };
  const visit = visitor(A, weights, duplicates);
  const sample = sampled(visit, listedCount(A), predict);
  if (sample.z.length === 0) return undefined;

  const edges = symmetricEdges(sample.z);
  const histogram: Histogram = { edges, counts: new Array(edges.length - 1).fill(0), outside: 0 };
  const grid = emptyGrid(sample.p, edges);
  const rows: SideSums = { squares: new Float64Array(m), counts: new Uint32Array(m) };
  const columns: SideSums = { squares: new Float64Array(n), counts: new Uint32Array(n) };
  const heat: Heat = {
    rows: Math.min(m, heatBins),
    columns: Math.min(n, heatBins),
    sums: new Float64Array(Math.min(m, heatBins) * Math.min(n, heatBins)),
    counts: new Float64Array(Math.min(m, heatBins) * Math.min(n, heatBins)),
  };
  const across = binner(grid.x, grid.isLog);
  const up = binner(grid.y, false);
  const along = binner(histogram.edges, false);
  let observed = 0;
  let squares = 0;
  let sum = 0;
  let largest = 0;
  visit((i, j, value, weight) => {
    const p = predict(i, j);
    const z = weight * (value - p);
    observed++;
    squares += z * z;
    sum += z;
    if (Math.abs(z) > Math.abs(largest)) largest = z;
    rows.squares[i] = (rows.squares[i] as number) + z * z;
    rows.counts[i] = (rows.counts[i] as number) + 1;
    columns.squares[j] = (columns.squares[j] as number) + z * z;
    columns.counts[j] = (columns.counts[j] as number) + 1;
    const cell = Math.floor((i * heat.rows) / m) * heat.columns + Math.floor((j * heat.columns) / n);
    heat.sums[cell] = (heat.sums[cell] as number) + z;
    heat.counts[cell] = (heat.counts[cell] as number) + 1;
    const bin = along(z);
    if (bin < 0) histogram.outside++;
    else histogram.counts[bin] = (histogram.counts[bin] as number) + 1;
    const x = across(p);
    if (x < 0) return;
    grid.sums[x] = (grid.sums[x] as number) + z;
    grid.entries[x] = (grid.entries[x] as number) + 1;
    const y = up(z);
    if (y >= 0) grid.counts[y * gridBins.x + x] = (grid.counts[y * gridBins.x + x] as number) + 1;
  });
  const q = (share: number) => quantile(sample.z, share);
  return {
    observed,
    squares,
    mean: sum / observed,
    quantiles: { q01: q(0.01), q25: q(0.25), q50: q(0.5), q75: q(0.75), q99: q(0.99) },
    largest,
    histogram,
    grid,
    rows,
    columns,
    heat,
  };
}

/** Walks over the observed entries as the fit saw them: as listed, or with the rule for duplicates applied. */
function visitor(A: MatrixInput, weights: WeightsInput | undefined, duplicates: Duplicates): (visit: Visit) => void {
  if (duplicates === 'refuse' || duplicates === 'keep') return (visit) => visitEntries(A, weights, visit);
  const { rows, byRow } = observationsOf(A, weights, duplicates, false);
  return (visit) => {
    for (let i = 0; i < rows; i++)
      for (let t = byRow.pointers[i] as number; t < (byRow.pointers[i + 1] as number); t++)
        visit(i, byRow.indices[t] as number, byRow.values[t] as number, byRow.weights?.[t] as number);
  };
}

/** z and p of entries at even steps, sorted. */
function sampled(visit: (visit: Visit) => void, listed: number, predict: (i: number, j: number) => number) {
  const step = Math.ceil(listed / sampleSize);
  const z: number[] = [];
  const p: number[] = [];
  let t = 0;
  visit((i, j, value, weight) => {
    if (t++ % step !== 0) return;
    const prediction = predict(i, j);
    p.push(prediction);
    z.push(weight * (value - prediction));
  });
  return { z: Float64Array.from(z).sort(), p: Float64Array.from(p).sort() };
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] as number;
}

/** Around 0, so wide that all but a few of a thousand are within; the fewer the entries, the wider the bins. */
function symmetricEdges(z: Float64Array): number[] {
  // An odd number, so that 0 is in the middle of one.
  const bins = Math.min(mostBins, 2 * Math.ceil(Math.sqrt(z.length) / 2) + 5);
  const width = 1.15 * Math.max(Math.abs(quantile(z, 0.002)), Math.abs(quantile(z, 0.998))) || 1;
  return Array.from({ length: bins + 1 }, (_, i) => width * ((2 * i) / bins - 1));
}

/** Predictions that spread over powers of ten are cut on a logarithmic axis; the few that are not above 0 lie outside of it. */
function emptyGrid(p: Float64Array, edges: readonly number[]): Grid {
  const positive = p.filter((prediction) => prediction > 0);
  const isLog = positive.length > 0.9 * p.length && quantile(p, 0.998) / quantile(positive, 0.5) > 10;
  const [low, high] = isLog
    ? [quantile(positive, 0.01), quantile(positive, 0.998)]
    : [quantile(p, 0.002), quantile(p, 0.998)];
  const margin = high > low ? 0.02 * (high - low) : Math.abs(low) * 0.1 || 1;
  const [from, to] = isLog ? [low, high] : [low - margin, high + margin];
  const width = edges.at(-1) as number;
  return {
    x: Array.from({ length: gridBins.x + 1 }, (_, i) =>
      isLog ? from * (to / from) ** (i / gridBins.x) : from + ((to - from) * i) / gridBins.x,
    ),
    y: Array.from({ length: gridBins.y + 1 }, (_, i) => width * ((2 * i) / gridBins.y - 1)),
    counts: new Array(gridBins.x * gridBins.y).fill(0),
    sums: new Float64Array(gridBins.x),
    entries: new Float64Array(gridBins.x),
    isLog,
  };
}

/** The bin of a value between even edges, −1 outside of them. */
function binner(edges: readonly number[], isLog: boolean): (value: number) => number {
  const low = edges[0] as number;
  const high = edges.at(-1) as number;
  const count = edges.length - 1;
  return (value) => {
    if (!(value >= low && value <= high)) return -1;
    const share = isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Math.min(count - 1, Math.floor(share * count));
  };
}
