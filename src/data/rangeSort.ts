/** Entries written to the ranges of rows that they belong to, as they come, and sorted a range at a time. */
import { type EntryFile, entryBytesOf, type OwnedLists, ownerBytes, readEntries, writeEntries } from './entryFile.js';
import type { RealArray } from './input.js';
import { emptyLists, type FiledOrientation, sliceEntries } from './storedRows.js';

/** Rows first … last−1, whose entries have their place from entry `start` on. */
export interface Range {
  readonly first: number;
  readonly last: number;
  readonly start: number;
  /** Entries that have come. */
  count: number;
}

export interface Scatter {
  readonly ranges: readonly Range[];
  add(owner: number, index: number, value: number, weight: number): void;
  /** Writes what waits. */
  flush(): void;
}

/** Ranges of whole rows with at most so many entries, or one row. */
export function rangesOf(pointers: Float64Array, mostEntries: number): Range[] {
  const rows = pointers.length - 1;
  const ranges: Range[] = [];
  for (let first = 0; first < rows; ) {
    const start = pointers[first] as number;
    let last = first + 1;
    while (last < rows && (pointers[last + 1] as number) - start <= mostEntries) last++;
    ranges.push({ first, last, start, count: 0 });
    first = last;
  }
  return ranges;
}

export function longestOf(ranges: readonly Range[], pointers: Float64Array): number {
  return ranges.reduce((most, { last, start }) => Math.max(most, (pointers[last] as number) - start), 0);
}

/** The most entries of a range that wait together. */
const mostWaiting = 2 ** 14;

/** Entries wait in memory, of at most `waitingBytes`, until there are enough of a range to be written at once. */
export function openScatter(
  { pointers, file }: FiledOrientation,
  ranges: readonly Range[],
  waitingBytes: number,
): Scatter {
  const bytes = ranges.length * (entryBytesOf(file) + ownerBytes);
  const each = Math.max(1, Math.min(mostWaiting, Math.floor(waitingBytes / bytes)));
  const { indices, values, weights, owners } = emptyOwned(file, ranges.length * each);
  const rangeOf = new Uint32Array(pointers.length - 1);
  ranges.forEach(({ first, last }, number) => {
    rangeOf.fill(number, first, last);
  });
  const waiting = new Uint32Array(ranges.length);
  const write = (number: number) => {
    const range = ranges[number] as Range;
    const [from, to] = [number * each, number * each + (waiting[number] as number)];
    writeEntries(file, range.start + range.count, {
      indices: indices.subarray(from, to),
      values: values.subarray(from, to),
      weights: weights?.subarray(from, to),
      owners: owners.subarray(from, to),
    });
    range.count += to - from;
    waiting[number] = 0;
  };
  return {
    ranges,
    add(owner, index, value, weight) {
      const number = rangeOf[owner] as number;
      const count = waiting[number] as number;
      const at = number * each + count;
      owners[at] = owner;
      indices[at] = index;
      values[at] = value;
      if (weights) weights[at] = weight;
      waiting[number] = count + 1;
      if (count + 1 === each) write(number);
    },
    flush() {
      for (let number = 0; number < ranges.length; number++) write(number);
    },
  };
}

export function emptyOwned(file: EntryFile, length: number): OwnedLists {
  return { ...emptyLists(file, length), owners: new Uint32Array(length) };
}

/** The entries of a range that were written, in `room`. */
export function readRange(file: EntryFile, { start, count }: Range, room: OwnedLists): OwnedLists {
  const lists = firstOf(room, count);
  readEntries(file, start, lists);
  return lists;
}

function firstOf({ owners, ...lists }: OwnedLists, count: number): OwnedLists {
  return { ...sliceEntries(lists, 0, count), owners: owners.subarray(0, count) };
}

/** A stable counting sort of `from` into `room` by a key that is first … last−1. */
export function sortBy(
  key: 'owners' | 'indices',
  from: OwnedLists,
  room: OwnedLists,
  first: number,
  last: number,
): OwnedLists {
  const keys = from[key];
  const to = firstOf(room, keys.length);
  const cursor = new Uint32Array(last - first);
  for (let t = 0; t < keys.length; t++) {
    const place = (keys[t] as number) - first;
    cursor[place] = (cursor[place] as number) + 1;
  }
  for (let place = 0, sum = 0; place < cursor.length; place++) {
    const count = cursor[place] as number;
    cursor[place] = sum;
    sum += count;
  }
  for (let t = 0; t < keys.length; t++) {
    const place = (keys[t] as number) - first;
    const at = cursor[place] as number;
    cursor[place] = at + 1;
    to.indices[at] = from.indices[t] as number;
    to.owners[at] = from.owners[t] as number;
    to.values[at] = from.values[t] as number;
    if (to.weights) to.weights[at] = (from.weights as RealArray)[t] as number;
  }
  return to;
}
