/**
 * The observed entries of A with their weights, compressed by row and by column.
 *
 * Two passes over the caller's data and no copy of it: `survey` checks and counts, `place` scatters the entries straight
 * into storage that the plan has set aside. Both orientations come out sorted (columns ascending within a row, rows
 * within a column) whatever the order they were listed in, so the fit does not depend on it.
 */
import type { NdArray } from 'ndarray';
import { HadamardError } from '../errors.js';
import { type Orientation, placeDense, placeEach, placeTriples, startPointers, transpose } from './countingSort.js';
import { isIntegerArray, shapeOf, visitEntries } from './entries.js';
import { isCompressed, isTriples } from './forms.js';
import type { MatrixInput, RealArray, Triples, WeightsInput } from './input.js';

export type { Orientation };

export interface Observations {
  readonly rows: number;
  readonly columns: number;
  readonly observed: number;
  readonly byRow: Orientation;
  readonly byColumn: Orientation;
}

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
}

/** Rows that have entries. */
export function filledRows(pointers: Float64Array): number {
  return pointers.reduce((count, end, i) => count + (i > 0 && end > (pointers[i - 1] as number) ? 1 : 0), 0);
}

export type Duplicates = 'refuse' | 'keep' | 'sum' | 'last';

/**
 * Checks every entry and counts the observed ones; with a background, entries of weight 0 as well: they are excluded from it.
 *
 * @throws HadamardError as `visitEntries`.
 */
export function survey(A: MatrixInput, weights: WeightsInput | undefined, isZeroKept = false): Survey {
  const [rows, columns] = shapeOf(A);
  const plain = weights === undefined ? surveyPlain(A) : undefined;
  if (plain) return plain;
  const rowCounts = new Uint32Array(rows);
  const columnCounts = new Uint32Array(columns);
  let observed = 0;
  let excluded = 0;
  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  visitEntries(
    A,
    weights,
    (row, column, value, weight) => {
      rowCounts[row] = (rowCounts[row] as number) + 1;
      columnCounts[column] = (columnCounts[column] as number) + 1;
      observed++;
      if (weight === 0) excluded++;
      else if (weight < smallest) smallest = weight;
      if (weight > largest) largest = weight;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    },
    isZeroKept,
  );
  return {
    rows,
    columns,
    observed,
    rowCounts,
    columnCounts,
    excluded,
    weightRange: [smallest, largest],
    valueRange: [lowest, highest],
  };
}

/** {@link survey} of data without weights, without a call an entry; undefined where an entry is to be refused, by that. */
function surveyPlain(A: MatrixInput): Survey | undefined {
  if (isDense(A)) return surveyDense(A);
  return isPlain(A) ? surveyTriples(A) : undefined;
}

/** Triples whose indices need not be looked at to know that they are integers. */
function isPlain(A: MatrixInput): A is Triples {
  return isTriples(A) && isIntegerArray(A.rows) && isIntegerArray(A.columns);
}

function isDense(A: MatrixInput): A is NdArray<RealArray> {
  return 'data' in A && !isTriples(A) && !isCompressed(A);
}

function surveyDense(A: NdArray<RealArray>): Survey | undefined {
  const { data, offset } = A;
  const [m, n] = shapeOf(A);
  const [rowStride = 0, columnStride = 0] = A.stride;
  const rowCounts = new Uint32Array(m);
  const columnCounts = new Uint32Array(n);
  let observed = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < m; row++) {
    const before = observed;
    for (let column = 0, at = offset + row * rowStride; column < n; column++, at += columnStride) {
      const value = data[at] as number;
      if (Number.isNaN(value)) continue;
      if (!Number.isFinite(value)) return undefined;
      columnCounts[column] = (columnCounts[column] as number) + 1;
      observed++;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
    rowCounts[row] = observed - before;
  }
  return unweighted({ rows: m, columns: n, observed, rowCounts, columnCounts, valueRange: [lowest, highest] });
}

function surveyTriples({ rows, columns, values, shape }: Triples): Survey | undefined {
  const rowCounts = new Uint32Array(shape[0]);
  const columnCounts = new Uint32Array(shape[1]);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let t = 0; t < values.length; t++) {
    const row = rows[t] as number;
    const column = columns[t] as number;
    const value = values[t] as number;
    if (!(row >= 0 && row < rowCounts.length && column >= 0 && column < columnCounts.length)) return undefined;
    if (!Number.isFinite(value)) return undefined;
    rowCounts[row] = (rowCounts[row] as number) + 1;
    columnCounts[column] = (columnCounts[column] as number) + 1;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return unweighted({
    rows: shape[0],
    columns: shape[1],
    observed: values.length,
    rowCounts,
    columnCounts,
    valueRange: [lowest, highest],
  });
}

function unweighted(found: Omit<Survey, 'excluded' | 'weightRange'>): Survey {
  const isEmpty = found.observed === 0;
  return { ...found, excluded: 0, weightRange: [isEmpty ? Number.POSITIVE_INFINITY : 1, isEmpty ? 0 : 1] };
}

/**
 * Fills both orientations with A − shift; the storage must hold `survey.observed` entries each (`pointers` one more than
 * the rows).
 *
 * @throws HadamardError `duplicate-entry` with both places in the caller's listing, unless `duplicates` allows it.
 */
export function place(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  found: Survey,
  storage: { readonly byRow: Orientation; readonly byColumn: Orientation },
  duplicates: Duplicates,
  shift = 0,
  isZeroKept = false,
): Observations {
  const { byRow, byColumn } = storage;
  startPointers(byColumn.pointers, found.columnCounts);
  startPointers(byRow.pointers, found.rowCounts);
  const isByRow =
    (weights === undefined ? placePlain(A, byColumn, shift) : undefined) ??
    placeEach(A, weights, byColumn, shift, isZeroKept);
  transpose(byColumn, byRow);
  const observed = isDense(A) ? found.observed : settleDuplicates(byRow, duplicates, A, weights, shift);
  const hasLess = observed < found.observed;
  if (hasLess) byColumn.pointers.set(recount(byRow, observed, found.columns));
  // What was listed row after row, such as CSR and dense data, stands sorted in the columns already.
  if (hasLess || !isByRow) transpose(byRow, byColumn);
  return { rows: found.rows, columns: found.columns, observed, byRow, byColumn };
}

function placePlain(A: MatrixInput, byColumn: Orientation, shift: number): boolean | undefined {
  if (isDense(A)) return placeDense(A, byColumn, shift);
  return isPlain(A) ? placeTriples(A, byColumn, shift) : undefined;
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
  return place(A, weights, found, storage, duplicates, 0, isZeroKept);
}

/** Applies the rule for entries that are listed twice to sorted rows, in place; returns the number of entries left. */
function settleDuplicates(
  byRow: Orientation,
  duplicates: Duplicates,
  A: MatrixInput,
  weights: WeightsInput | undefined,
  shift: number,
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
      if (next - t > 1 && duplicates === 'refuse') throw duplicateEntry(row, column, A, weights);
      const isSum = next - t > 1 && duplicates === 'sum';
      if (isSum && squareRoots?.subarray(t, next).some((weight) => weight !== squareRoots[t]))
        throw unequalWeights(row, column, A, weights);
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
  const [first, index] = twoPlaces(row, column, A, weights, () => true);
  return new HadamardError({
    code: 'duplicate-entry',
    what: `Entry (${row}, ${column}) is listed at ${first} and again at ${index}.`,
    position: { row, column, first, index },
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
  const [first, index] = twoPlaces(row, column, A, weights, (weight, firstWeight) => weight !== firstWeight);
  return new HadamardError({
    code: 'duplicate-entry',
    what: `Entry (${row}, ${column}) is listed at ${first} and again at ${index} with another weight.`,
    position: { row, column, first, index },
    rule: "Under duplicates: 'sum' all values of an entry have the same weight, which is that of their sum.",
    remedy: "Give them one weight, or say duplicates: 'keep' (separate observations) or 'last'.",
  });
}

/** Where in the caller's listing an entry stands first, and next with a weight that is wanted. */
function twoPlaces(
  row: number,
  column: number,
  A: MatrixInput,
  weights: WeightsInput | undefined,
  isWanted: (weight: number, firstWeight: number) => boolean,
): [first: number, index: number] {
  const places: { index: number; weight: number }[] = [];
  visitEntries(A, weights, (r, c, _value, weight, index) => {
    if (r !== row || c !== column || places.length === 2) return;
    if (!places[0] || isWanted(weight, places[0].weight)) places.push({ index, weight });
  });
  return [places[0]?.index ?? 0, places[1]?.index ?? 0];
}
