/** Triples in the order of a compressed matrix: by row, then by column. */
import type { Triples } from '../data/input.js';
import { HadamardError } from '../errors.js';

export interface SortedEntries {
  /** Where each row begins, and the end. */
  readonly rowStarts: Float64Array;
  readonly columns: Uint32Array;
  readonly values: Float64Array;
}

/** @throws HadamardError `duplicate-entry`: what is listed twice means its sum to scipy, and nothing to hadamard. */
export function sortEntries({ rows, columns, values, shape: [m, n] }: Triples, path: string): SortedEntries {
  const count = values.length;
  // Two stable counting sorts, by column and then by row.
  const byColumn = order(columns, n, (t) => t, count);
  const byRow = order(rows, m, (t) => byColumn.places[t] as number, count);
  const sorted = {
    rowStarts: byRow.starts,
    columns: Uint32Array.from(byRow.places, (t) => columns[t] as number),
    values: Float64Array.from(byRow.places, (t) => values[t] as number),
  };
  for (let i = 0; i < m; i++)
    for (let t = (sorted.rowStarts[i] as number) + 1; t < (sorted.rowStarts[i + 1] as number); t++)
      if (sorted.columns[t] === sorted.columns[t - 1]) throw listedTwice(path, i, sorted.columns[t] as number);
  return sorted;
}

function order(keys: ArrayLike<number>, size: number, from: (t: number) => number, count: number) {
  const starts = new Float64Array(size + 1);
  for (let t = 0; t < count; t++) {
    const after = (keys[t] as number) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let k = 0; k < size; k++) starts[k + 1] = (starts[k + 1] as number) + (starts[k] as number);
  const next = starts.slice();
  const places = new Uint32Array(count);
  for (let t = 0; t < count; t++) {
    const entry = from(t);
    const key = keys[entry] as number;
    const place = next[key] as number;
    places[place] = entry;
    next[key] = place + 1;
  }
  return { starts, places };
}

export function listedTwice(path: string, row: number, column: number): HadamardError {
  return new HadamardError({
    code: 'duplicate-entry',
    what: `Entry (${row}, ${column}) is listed twice.`,
    position: { file: path, row, column },
    rule: 'A matrix that is written by position has one value at a place.',
    remedy: 'Write a format of labelled entries: .csv, .jsonl, .parquet or .arrow.',
  });
}
