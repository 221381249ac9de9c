/** Observations where they are, in memory or in a file, read a stretch of rows at a time. */
import type { Orientation } from './countingSort.js';
import { type EntryFile, type EntryLists, readEntries } from './entryFile.js';
import type { Facts } from './observations.js';

/** An orientation whose entries stand in a file; the pointers are in memory. */
export interface FiledOrientation {
  readonly pointers: Float64Array;
  readonly file: EntryFile;
}

export type StoredOrientation = Orientation | FiledOrientation;

/** {@link Observations}, wherever they are. */
export interface StoredObservations extends Facts {
  readonly observed: number;
  readonly byRow: StoredOrientation;
  readonly byColumn: StoredOrientation;
  /** Room for the same entries in a third order. */
  readonly grid?: EntryFile | undefined;
}

/** Entries of some rows; entry t of the orientation is number t − start here. */
export interface RowEntries extends EntryLists {
  readonly start: number;
}

export interface Stretch extends RowEntries {
  /** Rows first … last−1. */
  readonly first: number;
  readonly last: number;
}

export function isFiled(stored: StoredOrientation): stored is FiledOrientation {
  return 'file' in stored;
}

/** Whether there is a list of weights; without one all are 1. */
export function isWeighted(stored: StoredOrientation): boolean {
  return isFiled(stored) ? stored.file.isWeighted : stored.weights !== undefined;
}

/**
 * The entries of rows first … last−1: of those in memory all, where they are.
 *
 * @throws HadamardError `malformed-file`, `unreadable-file`
 */
export function readRows(stored: StoredOrientation, first: number, last: number): RowEntries {
  if (!isFiled(stored)) return { start: 0, ...listsOf(stored) };
  const start = stored.pointers[first] as number;
  const lists = emptyLists(stored.file, (stored.pointers[last] as number) - start);
  readEntries(stored.file, start, lists);
  return { start, ...lists };
}

const listsOf = ({ indices, values, weights }: Orientation): EntryLists => ({ indices, values, weights });

export function emptyLists({ elementBytes, isWeighted }: EntryFile, length: number): EntryLists {
  const reals = () => (elementBytes === 4 ? new Float32Array(length) : new Float64Array(length));
  return { indices: new Uint32Array(length), values: reals(), weights: isWeighted ? reals() : undefined };
}

/** Entries first … last−1, where they are. */
export function sliceEntries({ indices, values, weights }: EntryLists, first: number, last: number): EntryLists {
  return {
    indices: indices.subarray(first, last),
    values: values.subarray(first, last),
    weights: weights?.subarray(first, last),
  };
}

/** Copies entries first … last−1 of `from` to place `at` on of `to`. */
export function copyEntries(to: EntryLists, at: number, from: EntryLists, first: number, last: number): void {
  to.indices.set(from.indices.subarray(first, last), at);
  to.values.set(from.values.subarray(first, last), at);
  if (from.weights) to.weights?.set(from.weights.subarray(first, last), at);
}

/** Entries that are read at a time, rows being whole. */
const stretchEntries = 2 ** 20;

/** All rows in order; those in memory at once. @throws HadamardError as {@link readRows} */
export function* stretchesOf(stored: StoredOrientation): Generator<Stretch, void, undefined> {
  const { pointers } = stored;
  const rows = pointers.length - 1;
  if (!isFiled(stored)) {
    yield { first: 0, last: rows, ...readRows(stored, 0, rows) };
    return;
  }
  for (let first = 0; first < rows; ) {
    const end = (pointers[first] as number) + stretchEntries;
    let last = first + 1;
    while (last < rows && (pointers[last + 1] as number) <= end) last++;
    yield { first, last, ...readRows(stored, first, last) };
    first = last;
  }
}

/** All entries in order, without what stands behind them; those in memory at once. @throws HadamardError as {@link readRows} */
export function* entriesOf(stored: StoredOrientation): Generator<EntryLists, void, undefined> {
  for (const { first, last, start, ...lists } of stretchesOf(stored))
    yield sliceEntries(lists, (stored.pointers[first] as number) - start, (stored.pointers[last] as number) - start);
}
