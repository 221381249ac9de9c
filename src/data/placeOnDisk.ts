/**
 * The observed entries of A in two files, compressed by row and by column, with the bits that they have in memory.
 *
 * An external counting sort. The entries of each row have been counted, so it is known where each range of rows begins in
 * the file: one pass over A writes every entry to its range, then each range is read, sorted and written back, and its
 * entries go on to the ranges of columns, which are sorted likewise.
 */
import { chunked, refuse } from './chunks.js';
import {
  closeEntryFile,
  createEntryFile,
  dropOwners,
  type EntryFile,
  type EntryForm,
  type EntryLists,
  entryBytesOf,
  ownerBytes,
  writeEntries,
} from './entryFile.js';
import { freeEntries } from './handOver.js';
import type { MatrixInput, WeightsInput } from './input.js';
import { type Duplicates, factsOf, type Survey, settleDuplicates } from './observations.js';
import { emptyOwned, longestOf, openScatter, rangesOf, readRange, type Scatter, sortBy } from './rangeSort.js';
import { startPointers } from './rowOrder.js';
import { type FiledOrientation, type StoredObservations, sliceEntries } from './storedRows.js';

export interface FiledObservations extends StoredObservations {
  readonly byRow: FiledOrientation;
  readonly byColumn: FiledOrientation;
}

/** Bytes that placing works in. */
export interface PlacingRoom {
  /** Of a range that is sorted, before and after; more where a row is longer. */
  readonly sort: number;
  /** Of what waits to be written to the ranges of rows, and as much to those of columns. */
  readonly waiting: number;
}

const placingRoom: PlacingRoom = { sort: 2 ** 27, waiting: 2 ** 25 };

/** What placing is for: its form, and how long its rows and columns are. */
interface PlacingSize extends EntryForm {
  readonly observed: number;
  /** Of rows or columns. */
  readonly longest: number;
  /** Rows and columns together. */
  readonly rows: number;
}

/** Bytes of memory that placing takes at the most beside pointers. */
export function placingBytes({ observed, longest, rows, ...form }: PlacingSize): number {
  const both = 2 * (entryBytesOf(form) + ownerBytes);
  return 4 * rows + Math.min(both * observed, Math.max(placingRoom.sort, both * longest)) + 2 * placingRoom.waiting;
}

/** Bytes of both files while they are made, and of a third of the same entries after that. */
export function diskBytesOf(form: EntryForm, observed: number, hasGrid: boolean): number {
  const sorting = 2 * (entryBytesOf(form) + ownerBytes);
  return observed * Math.max(sorting, hasGrid ? 3 * entryBytesOf(form) : 0);
}

export interface Filing extends EntryForm {
  readonly folder: string;
  readonly duplicates: Duplicates;
  readonly shift: number;
  readonly isZeroKept: boolean;
  readonly isHandedOver: boolean;
  /** Between ranges, for timers and signals. */
  readonly pause: () => Promise<void>;
}

/**
 * {@link place} into files; the caller closes them. Where this throws they are closed.
 *
 * @throws HadamardError as `place`; `not-found`, `output-failed`, `not-enough-disk`; what `pause` throws.
 */
export async function placeOnDisk(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  found: Survey,
  filing: Filing,
  { sort, waiting }: PlacingRoom = placingRoom,
): Promise<FiledObservations> {
  const { folder, elementBytes, isWeighted, shift, isZeroKept, pause } = filing;
  const opened: EntryFile[] = [];
  const open = (counts: Uint32Array): FiledOrientation => {
    const pointers = new Float64Array(new SharedArrayBuffer((counts.length + 1) * 8));
    startPointers(pointers, counts);
    const file = createEntryFile(folder, { elementBytes, isWeighted, capacity: found.observed });
    opened.push(file);
    return { pointers, file };
  };
  try {
    const byRow = open(found.rowCounts);
    const byColumn = open(found.columnCounts);
    const mostEntries = Math.floor(sort / (2 * (entryBytesOf(filing) + ownerBytes)));
    const ranges = { rows: rangesOf(byRow.pointers, mostEntries), columns: rangesOf(byColumn.pointers, mostEntries) };
    const toRows = openScatter(byRow, ranges.rows, waiting);
    chunked(A, weights, isZeroKept, filing.isHandedOver).each((chunk) => {
      const { rows, columns, values } = chunk;
      for (let t = 0; t < values.length; t++) {
        const [row, column] = [rows[t] as number, columns[t] as number];
        if (!(row >= 0 && row < found.rows && column >= 0 && column < found.columns)) refuse(A, weights);
        toRows.add(row, column, (values[t] as number) - shift, chunk.weights ? (chunk.weights[t] as number) : 1);
      }
    });
    toRows.flush();
    await pause();
    const longest = Math.max(longestOf(ranges.rows, byRow.pointers), longestOf(ranges.columns, byColumn.pointers));
    const [room, spare] = [emptyOwned(byRow.file, longest), emptyOwned(byRow.file, longest)];
    const toColumns = openScatter(byColumn, ranges.columns, waiting);
    const columnCounts = new Uint32Array(found.columns);
    let kept = 0;
    for (const range of ranges.rows) {
      const { first, last, start } = range;
      // Stable sorts by column and then by row keep entries that are listed twice in the order of their listing.
      const byIndex = sortBy('indices', readRange(byRow.file, range, room), spare, 0, found.columns);
      const entries = sortBy('owners', byIndex, room, first, last);
      const pointers = byRow.pointers.slice(first, last + 1).map((pointer) => pointer - start);
      const count = settleDuplicates({ pointers, ...entries }, filing.duplicates, A, weights, shift, first);
      // Where the next range began is still to be read.
      for (let row = first; row < last; row++) byRow.pointers[row] = kept + (pointers[row - first] as number);
      writeEntries(byRow.file, kept, sliceEntries(entries, 0, count));
      spread(entries, pointers, first, toColumns, columnCounts);
      kept += count;
      await pause();
    }
    if (filing.isHandedOver) freeEntries(A, weights);
    byRow.pointers[found.rows] = kept;
    toColumns.flush();
    startPointers(byColumn.pointers, columnCounts);
    for (const range of ranges.columns) {
      const sorted = sortBy('owners', readRange(byColumn.file, range, room), spare, range.first, range.last);
      writeEntries(byColumn.file, byColumn.pointers[range.first] as number, sliceEntries(sorted, 0, range.count));
      await pause();
    }
    for (const file of opened) dropOwners(file);
    return { ...factsOf(found), observed: kept, byRow, byColumn };
  } catch (error) {
    for (const file of opened) closeEntryFile(file);
    throw error;
  }
}

/** Sends sorted rows to their columns, and counts these. */
function spread(
  { indices, values, weights }: EntryLists,
  pointers: Float64Array,
  firstRow: number,
  to: Scatter,
  columnCounts: Uint32Array,
): void {
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const column = indices[t] as number;
      columnCounts[column] = (columnCounts[column] as number) + 1;
      to.add(column, firstRow + i, values[t] as number, weights ? (weights[t] as number) : 1);
    }
}
