/** Small random problems in every form in which A and W may be given. */
import ndarray, { type NdArray } from 'ndarray';
import type { CompressedRows, RealArray, Triples } from '../../dist/src/data/input.js';
import { uniform } from './random.js';

/** An observed entry; `weight` is W. */
export interface Entry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly weight: number;
}

export interface Problem {
  readonly m: number;
  readonly n: number;
  /** Sorted by row, then column. */
  readonly entries: readonly Entry[];
}

export interface ProblemOptions {
  readonly m: number;
  readonly n: number;
  /** Share of entries observed. */
  readonly density?: number;
  /** Rank of the matrix under the noise. */
  readonly rank?: number;
  readonly noise?: number;
  readonly offset?: number;
  readonly isWeighted?: boolean;
  readonly seed?: number;
}

/** A noisy low-rank matrix with every row and column observed at least once; values and W² are exact in f32. */
export function problem(options: ProblemOptions): Problem {
  const { m, n, density = 1, rank = 3, noise = 0.1, offset = 0, isWeighted = false, seed = 1 } = options;
  const next = uniform(seed);
  const factor = (rows: number) =>
    Array.from({ length: rows }, () => Array.from({ length: rank }, () => 2 * next() - 1));
  const [U, V] = [factor(m), factor(n)];
  const entries: Entry[] = [];
  for (let row = 0; row < m; row++)
    for (let column = 0; column < n; column++) {
      const isForced = column === row % n || row === column % m;
      if (next() >= density && !isForced) continue;
      const u = U[row] as number[];
      const v = V[column] as number[];
      const product = u.reduce((sum, x, c) => sum + x * (v[c] as number), 0);
      const value = Math.fround(offset + product + noise * (2 * next() - 1));
      const weight = isWeighted ? Math.fround(Math.round((0.25 + 2 * next()) * 64) / 64) : 1;
      entries.push({ row, column, value, weight });
    }
  return { m, n, entries };
}

type Select = (entry: Entry) => number;
const real = (entries: readonly Entry[], select: Select) => Float64Array.from(entries, select);
const index = (entries: readonly Entry[], select: Select) => Uint32Array.from(entries, select);

export function triples({ m, n, entries }: Problem, select: Select = (e) => e.value): Triples {
  return {
    rows: index(entries, (e) => e.row),
    columns: index(entries, (e) => e.column),
    values: real(entries, select),
    shape: [m, n],
  };
}

/** Sorted entries as CSR. */
export function compressed({ m, n, entries }: Problem, select: Select = (e) => e.value): CompressedRows {
  const rowPointers = new Float64Array(m + 1);
  for (const { row } of entries) rowPointers[row + 1] = (rowPointers[row + 1] as number) + 1;
  for (let i = 0; i < m; i++) rowPointers[i + 1] = (rowPointers[i + 1] as number) + (rowPointers[i] as number);
  return {
    rowPointers,
    columnIndices: index(entries, (e) => e.column),
    values: real(entries, select),
    shape: [m, n],
  };
}

/** As a dense matrix; `missing` stands where nothing is observed. */
export function dense(
  { m, n, entries }: Problem,
  select: Select = (e) => e.value,
  missing = Number.NaN,
): NdArray<RealArray> {
  const data = new Float64Array(m * n).fill(missing);
  for (const entry of entries) data[entry.row * n + entry.column] = select(entry);
  return ndarray(data, [m, n]);
}

/** W as it goes into `weights`, one number per entry. */
export function sqrtWeights({ entries }: Problem): { sqrtWeight: Float64Array } {
  return { sqrtWeight: real(entries, (e) => e.weight) };
}

export function withEntries(of: Problem, change: (entry: Entry) => Partial<Entry>): Problem {
  return { ...of, entries: of.entries.map((entry) => ({ ...entry, ...change(entry) })) };
}

/** The same entries listed in another order. */
export function reordered(of: Problem, order: Uint32Array): Problem {
  return { ...of, entries: Array.from(order, (t) => of.entries[t] as Entry) };
}
