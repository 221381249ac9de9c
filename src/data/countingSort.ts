/** Entries sorted by column or by row, in the order in which they are listed within each. */
import { visitEntries } from './entries.js';
import type { MatrixInput, RealArray, WeightsInput } from './input.js';
import { type PlainEntries, plainEntries } from './plainEntries.js';

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

/** Writes entries that are listed row by row, columns ascending. */
export function placeRows(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  to: Orientation,
  shift: number,
  isZeroKept: boolean,
  columnCount: number,
): void {
  const entries = plainEntries(A, weights);
  if (entries && placePlainRows(entries, to, shift, isZeroKept, columnCount)) return;
  let at = 0;
  visitEntries(
    A,
    weights,
    (_row, column, value, weight) => {
      to.indices[at] = column;
      to.values[at] = value - shift;
      if (to.weights) to.weights[at] = weight;
      at++;
    },
    isZeroKept,
  );
}

/** @returns false where an index is out of range: what has changed since it was surveyed is for `visitEntries` to refuse. */
function placePlainRows(
  { chunks }: PlainEntries,
  to: Orientation,
  shift: number,
  isZeroKept: boolean,
  columnCount: number,
): boolean {
  const { indices, values: placed, weights: squareRoots } = to;
  let at = 0;
  for (const { columns, values, weights } of chunks())
    for (let t = 0; t < values.length; t++) {
      const weight = weights ? (weights[t] as number) : 1;
      if (weight === 0 && !isZeroKept) continue;
      const column = columns[t] as number;
      if (!(column >= 0 && column < columnCount)) return false;
      indices[at] = column;
      placed[at] = (values[t] as number) - shift;
      if (squareRoots) squareRoots[at] = weight;
      at++;
    }
  return true;
}

/** Sorts the entries into columns, in the order in which they are listed; true where that is row by row. */
export function placeColumns(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  to: Orientation,
  shift: number,
  isZeroKept: boolean,
): boolean {
  const entries = plainEntries(A, weights);
  const isPlainByRow = entries && placePlainColumns(entries, to, shift, isZeroKept);
  if (isPlainByRow !== undefined) return isPlainByRow;
  const cursor = to.pointers.slice();
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
      to.indices[at] = row;
      to.values[at] = value - shift;
      if (to.weights) to.weights[at] = weight;
    },
    isZeroKept,
  );
  return isByRow;
}

/** The same without a call an entry; undefined where an index is out of range. */
function placePlainColumns(
  { shape, chunks }: PlainEntries,
  to: Orientation,
  shift: number,
  isZeroKept: boolean,
): boolean | undefined {
  const { indices, values: placed, weights: squareRoots } = to;
  const cursor = to.pointers.slice();
  let isByRow = true;
  for (const [first, last] of rangesOf(to.pointers)) {
    let lastRow = 0;
    for (const { rows, columns, values, weights } of chunks())
      for (let t = 0; t < values.length; t++) {
        const column = columns[t] as number;
        if (column < first || column >= last) {
          if (!(column >= 0 && column < shape[1])) return undefined;
          continue;
        }
        const row = rows[t] as number;
        const weight = weights ? (weights[t] as number) : 1;
        if (!(row >= 0 && row < shape[0])) return undefined;
        if (weight === 0 && !isZeroKept) continue;
        const at = cursor[column] as number;
        cursor[column] = at + 1;
        if (row < lastRow) isByRow = false;
        lastRow = row;
        indices[at] = row;
        placed[at] = (values[t] as number) - shift;
        if (squareRoots) squareRoots[at] = weight;
      }
  }
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
