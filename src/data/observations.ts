/**
 * The observed entries of A with their weights, compressed by row and by column.
 *
 * Two passes over the caller's data and no copy of it: `survey` checks and counts, `place` scatters the entries straight
 * into storage that the plan has set aside. Both orientations come out sorted (columns ascending within a row, rows
 * within a column) whatever the order they were listed in, so the fit does not depend on it.
 */
import { HadamardError } from '../errors.js';
import { type ChunkedEntries, chunked, refuse } from './chunks.js';
import { type Orientation, placeColumns, placeRows, transpose } from './countingSort.js';
import { shapeOf, visitEntries } from './entries.js';
import { isTriples } from './forms.js';
import { freeEntries, withoutValues } from './handOver.js';
import type { IndexArray, MatrixInput, RealArray, WeightsInput } from './input.js';
import { areGone } from './pieces.js';
import { startPointers } from './rowOrder.js';

export type { Orientation };

export interface Observations extends Facts {
  readonly observed: number;
  readonly byRow: Orientation;
  readonly byColumn: Orientation;
}

/** What a survey found that stays true of its entries wherever they are placed, though some that were listed twice may be gone. */
export type Facts = Pick<Survey, 'rows' | 'columns' | 'excluded' | 'weightRange'>;

export interface Survey {
  readonly rows: number;
  readonly columns: number;
  /** Entries with a positive weight, duplicates counted. */
  readonly observed: number;
  readonly rowCounts: Uint32Array;
  readonly columnCounts: Uint32Array;
  /** Entries of weight 0 among them, kept for a background to leave out. */
  readonly excluded: number;
  /** Smallest and largest positive W. */
  readonly weightRange: readonly [number, number];
  /** Smallest and largest value. */
  readonly valueRange: readonly [number, number];
  /** Whether they are listed row by row, columns ascending, none twice. */
  readonly isSorted: boolean;
}

/** Rows that have entries. */
export function filledRows(pointers: Float64Array): number {
  return pointers.reduce((count, end, i) => count + (i > 0 && end > (pointers[i - 1] as number) ? 1 : 0), 0);
}

/** What is handed out to be done before it goes on, and is answered with the sum of what was found. */
export type Steps<Step, Result> = Generator<Step, Result, number>;

/** How many entries are sorted, where there is a faster way. */
export interface Sorter<Step> {
  /**
   * Into rows, columns ascending, entries of one place in the order of their listing; how many follow one of the same place, and
   * undefined where one has changed since the survey.
   *
   * @param afterReading is called when the listing has been read.
   */
  rows(
    entries: ChunkedEntries,
    to: Orientation,
    shift: number,
    afterReading: () => void,
  ): Steps<Step, number | undefined>;
  /** Sorted rows into columns. */
  columns(from: Orientation, to: Orientation): Steps<Step, void>;
}

export type Duplicates = 'refuse' | 'keep' | 'sum' | 'last';

/**
 * Checks every entry and counts the observed ones; with a background, entries of weight 0 as well: they are excluded from it.
 *
 * @throws HadamardError as `visitEntries`.
 */
export function survey(A: MatrixInput, weights: WeightsInput | undefined, isZeroKept = false): Survey {
  const [m, n] = shapeOf(A);
  const rowCounts = new Uint32Array(m);
  const columnCounts = new Uint32Array(n);
  let observed = 0;
  let excluded = 0;
  const weightRange: [number, number] = [Number.POSITIVE_INFINITY, 0];
  const valueRange: [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const last: [row: number, column: number] = [-1, -1];
  let isSorted = true;
  let isSound = true;
  chunked(A, weights, isZeroKept).each((chunk) => {
    const { rows, columns, values } = chunk;
    if (!count(rows, rowCounts) || !count(columns, columnCounts) || !widen(values, valueRange)) isSound = false;
    if (chunk.weights) {
      const zeros = widenWeights(chunk.weights, weightRange);
      if (Number.isNaN(zeros)) isSound = false;
      else excluded += zeros;
    } else if (values.length > 0) weightRange.splice(0, 2, Math.min(weightRange[0], 1), Math.max(weightRange[1], 1));
    isSorted &&= isAscending(rows, columns, last);
    last.splice(0, 2, rows.at(-1) ?? last[0], columns.at(-1) ?? last[1]);
    observed += values.length;
  });
  if (!isSound) refuse(A, weights);
  return { rows: m, columns: n, observed, rowCounts, columnCounts, excluded, weightRange, valueRange, isSorted };
}

// A loop each: the compiler of Node 20 keeps the state of one in registers, and of all in one in memory.

/** Counts each number; false where one has no count. */
function count(numbers: IndexArray, counts: Uint32Array): boolean {
  let isSound = true;
  for (let t = 0; t < numbers.length; t++) {
    const number = numbers[t] as number;
    if (number >= 0 && number < counts.length) counts[number] = (counts[number] as number) + 1;
    else isSound = false;
  }
  return isSound;
}

/** Widens a range by values; false where one is not finite. */
function widen(values: RealArray, range: [lowest: number, highest: number]): boolean {
  let lowest = range[0];
  let highest = range[1];
  let isSound = true;
  for (let t = 0; t < values.length; t++) {
    const value = values[t] as number;
    if (!(value - value === 0)) isSound = false;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  range[0] = lowest;
  range[1] = highest;
  return isSound;
}

/** Widens a range by positive weights; how many are 0, NaN where one is no weight. */
function widenWeights(weights: Float64Array, range: [lowest: number, highest: number]): number {
  let lowest = range[0];
  let highest = range[1];
  let zeros = 0;
  let isSound = true;
  for (let t = 0; t < weights.length; t++) {
    const weight = weights[t] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) isSound = false;
    if (weight === 0) zeros++;
    else if (weight < lowest) lowest = weight;
    if (weight > highest) highest = weight;
  }
  range[0] = lowest;
  range[1] = highest;
  return isSound ? zeros : Number.NaN;
}

/** Whether entries follow `last` and one another, row by row, columns ascending. */
function isAscending(rows: IndexArray, columns: IndexArray, [row, column]: readonly [number, number]): boolean {
  let [lastRow, lastColumn] = [row, column];
  for (let t = 0; t < rows.length; t++) {
    const row = rows[t] as number;
    const column = columns[t] as number;
    if (row < lastRow || (row === lastRow && column <= lastColumn)) return false;
    lastRow = row;
    lastColumn = column;
  }
  return true;
}

/** What is placed, and by which rules. */
export interface Placing {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  readonly found: Survey;
  /** Of `found.observed` entries each; `pointers` are one more than the rows. */
  readonly storage: { readonly byRow: Orientation; readonly byColumn: Orientation };
  readonly duplicates: Duplicates;
  /** Taken from the values. */
  readonly shift?: number;
  readonly isZeroKept?: boolean;
  /** Whether the caller's lists may be freed on the way. */
  readonly isHandedOver?: boolean | undefined;
}

/**
 * Fills both orientations with A − shift.
 *
 * @throws HadamardError `duplicate-entry` with both places in the caller's listing, unless `duplicates` allows it.
 */
export function place(placing: Placing): Observations {
  // Without a sorter there are no steps.
  return placeInSteps(placing).next(0).value as Observations;
}

/** {@link place} by a sorter for many entries. */
export function* placeInSteps<Step>(
  { A, weights, found, storage, duplicates, shift = 0, isZeroKept = false, isHandedOver = false }: Placing,
  sorter?: Sorter<Step>,
): Steps<Step, Observations> {
  const { byRow, byColumn } = storage;
  startPointers(byColumn.pointers, found.columnCounts);
  startPointers(byRow.pointers, found.rowCounts);
  const entries = chunked(A, weights, isZeroKept, isHandedOver);
  if (found.isSorted) {
    if (!placeRows(entries, byRow, shift, found.columns)) refuse(A, weights);
    if (isHandedOver) freeEntries(A, weights);
    if (sorter) yield* sorter.columns(byRow, byColumn);
    else transpose(byRow, byColumn);
    return { ...factsOf(found), observed: found.observed, byRow, byColumn };
  }
  let isByRow = false;
  let repeats: number | undefined;
  let listing = A;
  const freeValues = () => {
    // An error says where entries stand in the listing, for which their values are not needed.
    if (isHandedOver && isTriples(A) && weights === undefined) listing = withoutValues(A, byColumn.values);
  };
  if (sorter && entries.isPlain) {
    repeats = (yield* sorter.rows(entries, byRow, shift, freeValues)) ?? refuse(A, weights);
  } else {
    isByRow = placeColumns(entries, byColumn, shift, found.rows) ?? refuse(A, weights);
    freeValues();
    transpose(byColumn, byRow);
  }
  const observed = repeats === 0 ? found.observed : settleDuplicates(byRow, duplicates, listing, weights, shift);
  if (isHandedOver) freeEntries(A, weights);
  const hasLess = observed < found.observed;
  if (hasLess) byColumn.pointers.set(recount(byRow, observed, found.columns));
  // What was listed row after row, such as CSR and dense data, stands sorted in the columns already.
  if (hasLess || !isByRow) {
    if (sorter) yield* sorter.columns(byRow, byColumn);
    else transpose(byRow, byColumn);
  }
  return { ...factsOf(found), observed, byRow, byColumn };
}

export function factsOf({ rows, columns, excluded, weightRange }: Survey): Facts {
  return { rows, columns, excluded, weightRange };
}

/** A in both orientations with W on every entry, float64 and in memory of its own. @throws HadamardError as {@link survey} and {@link place}. */
export function observationsOf(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  duplicates: Duplicates,
  isZeroKept: boolean,
): Observations {
  const found = survey(A, weights, isZeroKept);
  const room = (rows: number): Orientation => ({
    pointers: new Float64Array(rows + 1),
    indices: new Uint32Array(found.observed),
    values: new Float64Array(found.observed),
    weights: new Float64Array(found.observed),
  });
  const storage = { byRow: room(found.rows), byColumn: room(found.columns) };
  return place({ A, weights, found, storage, duplicates, isZeroKept });
}

/**
 * Applies the rule for entries that are listed twice to sorted rows, in place; returns the number of entries left.
 *
 * @param firstRow what the first of these rows is in A.
 */
export function settleDuplicates(
  byRow: Orientation,
  duplicates: Duplicates,
  A: MatrixInput,
  weights: WeightsInput | undefined,
  shift: number,
  firstRow = 0,
): number {
  const { pointers, indices, values, weights: squareRoots } = byRow;
  const rows = pointers.length - 1;
  if (duplicates === 'keep') return pointers[rows] as number;
  let kept = 0;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = pointers[row + 1] as number;
    pointers[row] = kept;
    for (let t = start, next = t; t < end; t = next) {
      const column = indices[t] as number;
      do next++;
      while (next < end && indices[next] === column);
      if (next - t > 1 && duplicates === 'refuse') throw duplicateEntry(firstRow + row, column, A, weights);
      const isSum = next - t > 1 && duplicates === 'sum';
      if (isSum && squareRoots?.subarray(t, next).some((weight) => weight !== squareRoots[t]))
        throw unequalWeights(firstRow + row, column, A, weights);
      values[kept] = isSum ? sumOf(values.subarray(t, next)) + (next - t - 1) * shift : (values[next - 1] as number);
      if (squareRoots) squareRoots[kept] = squareRoots[next - 1] as number;
      indices[kept++] = column;
    }
    start = end;
  }
  pointers[rows] = kept;
  return kept;
}

/** Sorted first, so that the last bit does not depend on the order in which they were listed. */
function sumOf(values: RealArray): number {
  let sum = 0;
  for (const value of values.sort()) sum += value;
  return sum;
}

/** Column pointers of `observed` sorted entries. */
function recount(byRow: Orientation, observed: number, columns: number): Float64Array {
  const counts = new Uint32Array(columns);
  for (let t = 0; t < observed; t++) {
    const column = byRow.indices[t] as number;
    counts[column] = (counts[column] as number) + 1;
  }
  const pointers = new Float64Array(columns + 1);
  startPointers(pointers, counts);
  return pointers;
}

export function duplicateEntry(
  row: number,
  column: number,
  A: MatrixInput,
  weights: WeightsInput | undefined,
): HadamardError {
  const places = areGone(A) ? undefined : twoPlaces(row, column, A, weights, () => true);
  return new HadamardError({
    code: 'duplicate-entry',
    what: `Entry (${row}, ${column}) is listed ${places ? `at ${places[0]} and again at ${places[1]}` : 'more than once'}.`,
    position: { row, column, ...(places && { first: places[0], index: places[1] }) },
    rule: "Each entry is listed once, unless `duplicates` is 'keep', 'sum' or 'last'.",
    remedy: "Remove one, or say duplicates: 'keep' (separate observations), 'sum' or 'last'.",
  });
}

export function unequalWeights(
  row: number,
  column: number,
  A: MatrixInput,
  weights: WeightsInput | undefined,
): HadamardError {
  const isOther = (weight: number, firstWeight: number) => weight !== firstWeight;
  const [first, index] = twoPlaces(row, column, A, weights, isOther) as [first: number, index: number];
  return new HadamardError({
    code: 'duplicate-entry',
    what: `Entry (${row}, ${column}) is listed at ${first} and again at ${index} with another weight.`,
    position: { row, column, first, index },
    rule: "Under duplicates: 'sum' all values of an entry have the same weight, which is that of their sum.",
    remedy: "Give them one weight, or say duplicates: 'keep' (separate observations) or 'last'.",
  });
}

/** Where in the caller's listing an entry stands first, and next with a weight that is wanted; undefined where it does not. */
function twoPlaces(
  row: number,
  column: number,
  A: MatrixInput,
  weights: WeightsInput | undefined,
  isWanted: (weight: number, firstWeight: number) => boolean,
): [first: number, index: number] | undefined {
  const places: { index: number; weight: number }[] = [];
  visitEntries(A, weights, (r, c, _value, weight, index) => {
    if (r !== row || c !== column || places.length === 2) return;
    if (!places[0] || isWanted(weight, places[0].weight)) places.push({ index, weight });
  });
  const [first, second] = places;
  return first && second && [first.index, second.index];
}
