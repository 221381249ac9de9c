/** Entries sorted by column or by row, in the order in which they are listed within each. */
import type { NdArray } from 'ndarray';
import { visitEntries } from './entries.js';
import type { MatrixInput, RealArray, Triples, WeightsInput } from './input.js';

/** One orientation: row i holds entries pointers[i] … pointers[i+1]−1. Pointers are doubles: exact beyond 2³² entries. */
export interface Orientation {
  readonly pointers: Float64Array;
  readonly indices: Uint32Array;
  readonly values: RealArray;
  /** W, the square root of what multiplies the squared residual; undefined where every weight is 1. */
  readonly weights: RealArray | undefined;
}

/** Writes the running sum of `counts` to `pointers`. */
export function startPointers(pointers: Float64Array, counts: Uint32Array): void {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    pointers[i] = sum;
    sum += counts[i] as number;
  }
  pointers[counts.length] = sum;
}

/** Sorts the entries into columns, in the order in which they are listed; true where that is row by row. */
export function placeEach(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  byColumn: Orientation,
  shift: number,
  isZeroKept: boolean,
): boolean {
  const cursor = byColumn.pointers.slice();
  let lastRow = 0;
  let isByRow = true;
  visitEntries(
    A,
    weights,
    (row, column, value, weight) => {
      const at = cursor[column] as number;
      cursor[column] = at + 1;
      if (row < lastRow) isByRow = false;
      lastRow = row;
      byColumn.indices[at] = row;
      byColumn.values[at] = value - shift;
      if (byColumn.weights) byColumn.weights[at] = weight;
    },
    isZeroKept,
  );
  return isByRow;
}

/** The same of a dense A without weights, without a call an entry; undefined where a value is to be refused, by that. */
export function placeDense(A: NdArray<RealArray>, to: Orientation, shift: number): boolean | undefined {
  const { data, offset } = A;
  const [m = 0, n = 0] = A.shape;
  const [rowStride = 0, columnStride = 0] = A.stride;
  const { indices, values } = to;
  const cursor = to.pointers.slice();
  for (let row = 0; row < m; row++)
    for (let column = 0, from = offset + row * rowStride; column < n; column++, from += columnStride) {
      const value = data[from] as number;
      if (Number.isNaN(value)) continue;
      if (!Number.isFinite(value)) return undefined;
      const at = cursor[column] as number;
      cursor[column] = at + 1;
      indices[at] = row;
      values[at] = value - shift;
    }
  to.weights?.fill(1);
  return true;
}

/**
 * The same of plain triples, without a call an entry; undefined where an index is out of range: what has changed since it was
 * surveyed is for {@link placeEach} to refuse.
 */
export function placeTriples(
  { rows, columns, values, shape }: Triples,
  to: Orientation,
  shift: number,
): boolean | undefined {
  const cursor = to.pointers.slice();
  let lastRow = 0;
  let isByRow = true;
  for (const [first, last] of rangesOf(to.pointers)) {
    for (let t = 0; t < values.length; t++) {
      const column = columns[t] as number;
      if (column < first || column >= last) continue;
      const row = rows[t] as number;
      if (!(row >= 0 && row < shape[0])) return undefined;
      const at = cursor[column] as number;
      cursor[column] = at + 1;
      to.indices[at] = row;
      to.values[at] = (values[t] as number) - shift;
    }
  }
  for (const column of columns) if (!(column >= 0 && column < shape[1])) return undefined;
  for (let t = 0; t < rows.length && isByRow; t++) {
    isByRow = (rows[t] as number) >= lastRow;
    lastRow = rows[t] as number;
  }
  to.weights?.fill(1);
  return isByRow;
}

/** Entries that are sorted at a time: what is written to then stays nearly in the cache, for a pass more over the rest. */
const entriesAtATime = 2 ** 21;
const mostRanges = 4;

/** Rows parted so that each range has about as many entries. */
function rangesOf(pointers: Float64Array): (readonly [first: number, last: number])[] {
  const rows = pointers.length - 1;
  const entries = pointers[rows] as number;
  const count = Math.max(1, Math.min(mostRanges, Math.ceil(entries / entriesAtATime)));
  const ranges: (readonly [number, number])[] = [];
  for (let i = 1, first = 0; i <= count; i++) {
    let last = i < count ? first : rows;
    while (last < rows && (pointers[last] as number) < (entries * i) / count) last++;
    ranges.push([first, last]);
    first = last;
  }
  return ranges;
}

/** A stable counting sort of `from` into `to`, whose pointers are already set. */
export function transpose(from: Orientation, to: Orientation): void {
  const { pointers, indices, values } = from;
  const weights = to.weights && from.weights;
  const target = to.weights;
  const cursor = to.pointers.slice();
  const rows = pointers.length - 1;
  for (const [first, last] of rangesOf(to.pointers))
    for (let row = 0; row < rows; row++) {
      const end = pointers[row + 1] as number;
      for (let t = pointers[row] as number; t < end; t++) {
        const other = indices[t] as number;
        if (other < first || other >= last) continue;
        const at = cursor[other] as number;
        cursor[other] = at + 1;
        to.indices[at] = row;
        to.values[at] = values[t] as number;
        if (weights && target) target[at] = weights[t] as number;
      }
    }
}
