/** Entries sorted by column or by row, in the order in which they are listed within each. */
import type { ChunkedEntries } from './chunks.js';
import type { IndexArray, RealArray } from './input.js';

/** One orientation: row i holds entries pointers[i] … pointers[i+1]−1. Pointers are doubles: exact beyond 2³² entries. */
export interface Orientation {
  readonly pointers: Float64Array;
  readonly indices: Uint32Array;
  readonly values: RealArray;
  /** W, the square root of what multiplies the squared residual; undefined where every weight is 1. */
  readonly weights: RealArray | undefined;
}

/**
 * Writes entries that are listed row by row, columns ascending.
 *
 * @returns false where one has changed since it was surveyed.
 */
export function placeRows({ each }: ChunkedEntries, to: Orientation, shift: number, columnCount: number): boolean {
  const entries = to.pointers.at(-1) as number;
  let at = 0;
  let isSame = true;
  const { indices, values: target, weights: W } = to;
  each(({ columns, values, weights }) => {
    const start = at;
    at += values.length;
    isSame &&= at <= entries && areBelow(columns, columnCount);
    if (!isSame) return;
    indices.set(columns, start);
    if (shift === 0) target.set(values, start);
    else for (let t = 0; t < values.length; t++) target[start + t] = (values[t] as number) - shift;
    if (weights) W?.set(weights, start);
    else W?.fill(1, start, at);
  });
  return isSame && at === entries;
}

function areBelow(numbers: IndexArray, limit: number): boolean {
  for (let t = 0; t < numbers.length; t++) {
    const number = numbers[t] as number;
    if (!(number >= 0 && number < limit)) return false;
  }
  return true;
}

/**
 * Sorts the entries into columns, in the order in which they are listed.
 *
 * @returns whether that is row by row; undefined where one has changed since it was surveyed.
 */
export function placeColumns(
  { each, isPlain }: ChunkedEntries,
  to: Orientation,
  shift: number,
  rowCount: number,
): boolean | undefined {
  const cursor = to.pointers.slice();
  let isByRow = true;
  let isSame = true;
  const end = to.pointers.length - 1;
  for (const [first, last] of isPlain ? rangesOf(to.pointers) : [[0, end] as const]) {
    let before = 0;
    each(({ rows, columns, values, weights }) => {
      let lastRow = before;
      for (let t = 0; t < values.length; t++) {
        const column = columns[t] as number;
        if (!(column >= first && column < last)) continue;
        const row = rows[t] as number;
        if (!(row >= 0 && row < rowCount)) isSame = false;
        const at = cursor[column] as number;
        cursor[column] = at + 1;
        if (row < lastRow) isByRow = false;
        lastRow = row;
        to.indices[at] = row;
        to.values[at] = (values[t] as number) - shift;
        if (to.weights) to.weights[at] = weights ? (weights[t] as number) : 1;
      }
      before = lastRow;
    }, last === end);
  }
  isSame &&= to.pointers.every((end, column) => column === 0 || cursor[column - 1] === end);
  return isSame ? isByRow : undefined;
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
  const { indices: toIndices, values: toValues, weights: toWeights } = to;
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
        toIndices[at] = row;
        toValues[at] = values[t] as number;
        if (weights && toWeights) toWeights[at] = weights[t] as number;
      }
    }
}
