/** Walks over the observed entries of A with their weights, whatever form the caller gave them in, checking each. */
import type { NdArray } from 'ndarray';
import { type ErrorPosition, HadamardError } from '../errors.js';
import {
  checkArray,
  checkCompressed,
  checkDense,
  checkTriples,
  describe,
  invalidInput,
  isCompressed,
  isObject,
  isTriples,
} from './forms.js';
import type { CompressedRows, MatrixInput, RealArray, Triples, WeightsInput, WeightValues } from './input.js';
import { piecesOf } from './pieces.js';
import { rowByRow, startPointers } from './rowOrder.js';

/** `weight` is W, the square root of what multiplies the squared residual; `index` is the entry's place in the caller's listing. */
export type EntryVisitor = (row: number, column: number, value: number, weight: number, index: number) => void;

type RawVisitor = (row: number, column: number, value: number, index: number) => void;

/**
 * The shape [m, n] of any accepted form. Its arrays are looked at once here, at the door, so that what follows may read them.
 *
 * @param position of what it is, where that is not A.
 * @throws HadamardError `invalid-input`, `shape-mismatch`
 */
export function shapeOf(A: MatrixInput, position: ErrorPosition = {}): readonly [number, number] {
  const shape = isObject(A) && Array.isArray(A.shape) ? (A.shape as unknown[]) : [];
  const [rows, columns] = shape;
  const name = position.option ?? 'A';
  if (shape.length !== 2 || !isCount(rows) || !isCount(columns))
    throw invalidInput(
      isObject(A) && 'shape' in A ? `The shape of ${name} is [${String(A.shape)}].` : `${name} is ${describe(A)}.`,
      `${name} is an ndarray of two dimensions, { rows, columns, values, shape } or { rowPointers, columnIndices, values, shape }, with shape [m, n], m and n at least 1.`,
      position,
    );
  // What a reader made of pieces is sound, and is not to be joined for this.
  if (piecesOf(A)) return [rows, columns];
  if (isTriples(A)) checkTriples(A, position);
  else if (isCompressed(A)) checkCompressed(A, position);
  else if ('data' in A) checkDense(A as NdArray<RealArray>, position);
  return [rows, columns];
}

/** The number of entries listed (sparse forms) or m·n (dense), before unobserved ones are left out. */
export function listedCount(A: MatrixInput): number {
  const pieces = piecesOf(A);
  if (pieces) return pieces.length;
  if (isTriples(A) || isCompressed(A)) return A.values.length;
  const [rows, columns] = shapeOf(A);
  return rows * columns;
}

/**
 * Calls `visit` for every observed entry: listed (or not NaN in a dense A) and of positive weight, or of weight 0 as well.
 *
 * @throws HadamardError `invalid-input`, `shape-mismatch`, `index-out-of-range`, `invalid-value`, `invalid-weight`,
 *   `ambiguous-weights`, each with the position of the entry.
 */
export function visitEntries(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  visit: EntryVisitor,
  isZeroVisited = false,
): void {
  const shape = shapeOf(A);
  if (weights === undefined) {
    visitValues(A, shape, (row, column, value, index) => visit(row, column, value, 1, index));
    return;
  }
  const { kind, values } = checkWeights(A, weights);
  const read = weightReader(A, values, shape[0]);
  const toSqrtWeight = { sqrtWeight: (x: number) => x, weight: Math.sqrt, sigma: (x: number) => 1 / x }[kind];
  visitValues(A, shape, (row, column, value, index) => {
    const given = read(row, column, index);
    if (given === undefined) return;
    const weight = toSqrtWeight(given);
    if (!(given >= 0 && Number.isFinite(given) && Number.isFinite(weight)))
      throw invalidWeight(kind, given, row, column, index);
    if (weight > 0 || isZeroVisited) visit(row, column, value, weight, index);
  });
}

/**
 * What the weights mean, once it is known that they belong to A. No weight is looked at.
 *
 * @throws HadamardError `ambiguous-weights`, `shape-mismatch`, `invalid-input`
 */
export function checkWeights(
  A: MatrixInput,
  weights: WeightsInput,
): { kind: 'sqrtWeight' | 'weight' | 'sigma'; values: WeightValues } {
  const given = isObject(weights) ? Object.entries(weights).filter(([, values]) => values !== undefined) : [];
  const [kind, values] = given[0] ?? [];
  if (given.length !== 1 || (kind !== 'sqrtWeight' && kind !== 'weight' && kind !== 'sigma'))
    throw new HadamardError({
      code: 'ambiguous-weights',
      what: 'The weights do not say what they are.',
      position: { option: 'weights' },
      rule: 'The objective is Σ W²(A − u·v)²; weights are given as exactly one of { sqrtWeight: W }, { weight: W² } or { sigma: 1/W }.',
      remedy: 'Wrap them, for example weights: { sigma: uncertainties }.',
    });
  const isPlain = isRealArray(values);
  if (isPlain) checkArray(kind, values, ofWeights);
  const [m, n] = shapeOf(A);
  const expected = isPlain ? [listedCount(A)] : [m, n];
  const found = isPlain ? [values.length] : shapeOf(values as MatrixInput, ofWeights);
  if (String(found) !== String(expected))
    throw new HadamardError({
      code: 'shape-mismatch',
      what: isPlain
        ? `There are ${found} weights and ${expected} values.`
        : `The weights are ${found.join('×')} and A is ${m}×${n}.`,
      position: ofWeights,
      rule: 'W has the shape of A; a plain array of weights has one for every value of A, in the same order.',
      remedy: 'Transpose, complete or shorten the weights.',
    });
  return { kind, values: values as WeightValues };
}

const ofWeights = { option: 'weights' } as const;

function isRealArray(values: unknown): values is RealArray {
  return Array.isArray(values) || values instanceof Float32Array || values instanceof Float64Array;
}

function invalidWeight(kind: string, value: number, row: number, column: number, index: number): HadamardError {
  return new HadamardError({
    code: 'invalid-weight',
    what: `The ${kind} of entry (${row}, ${column}) is ${value}.`,
    position: { row, column, index },
    rule:
      kind === 'sigma'
        ? 'A sigma is a positive finite number.'
        : 'A weight is a finite number of at least 0; 0 means unobserved.',
    remedy: 'Correct it, or leave the entry out.',
  });
}

/** Calls `visit` for every listed or not-NaN value of A. */
function visitValues(A: MatrixInput, shape: readonly [number, number], visit: RawVisitor): void {
  if (isTriples(A)) visitTriples(A, shape, visit);
  else if (isCompressed(A)) visitCompressed(A, shape, visit);
  else visitDense(A as NdArray<RealArray>, shape, visit);
}

function visitTriples(A: Triples, [m, n]: readonly [number, number], visit: RawVisitor): void {
  const { rows, columns, values } = A;
  const isWhole = isIntegerArray(rows) && isIntegerArray(columns);
  for (let t = 0; t < values.length; t++) {
    const row = rows[t] as number;
    const column = columns[t] as number;
    const value = values[t] as number;
    if (!(row >= 0 && row < m && column >= 0 && column < n)) throw outOfRange(row, column, t, [m, n]);
    if (!isWhole && !(Number.isInteger(row) && Number.isInteger(column))) throw outOfRange(row, column, t, [m, n]);
    if (!Number.isFinite(value)) throw invalidValue(value, row, column, t, false);
    visit(row, column, value, t);
  }
}

function visitCompressed(A: CompressedRows, [m, n]: readonly [number, number], visit: RawVisitor): void {
  const { rowPointers, columnIndices, values } = A;
  checkPointers(rowPointers, m, values.length);
  const isWhole = isIntegerArray(columnIndices);
  for (let row = 0; row < m; row++) {
    const end = Number(rowPointers[row + 1]);
    for (let t = Number(rowPointers[row]); t < end; t++) {
      const column = columnIndices[t] as number;
      const value = values[t] as number;
      if (!(column >= 0 && column < n)) throw outOfRange(row, column, t, [m, n]);
      if (!isWhole && !Number.isInteger(column)) throw outOfRange(row, column, t, [m, n]);
      if (!Number.isFinite(value)) throw invalidValue(value, row, column, t, false);
      visit(row, column, value, t);
    }
  }
}

/**
 * CSR pointers begin at 0, never fall and end at the number of values. They are compared as doubles, so that they are
 * exact up to 2⁵³.
 *
 * @throws HadamardError `shape-mismatch`, `invalid-input` with the row.
 */
export function checkPointers(pointers: CompressedRows['rowPointers'], rows: number, entries: number): void {
  const last = Number(pointers[rows]);
  if (pointers.length !== rows + 1 || Number(pointers[0]) !== 0 || last !== entries)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `There are ${pointers.length} row pointers from ${pointers[0]} to ${pointers[pointers.length - 1]} for ${rows} rows and ${entries} values.`,
      rule: 'CSR has m + 1 row pointers, the first 0 and the last the number of values.',
      remedy: 'Correct the pointers, or the shape.',
    });
  for (let row = 0; row < rows; row++) {
    const start = Number(pointers[row]);
    const end = Number(pointers[row + 1]);
    if (!(start <= end && end <= entries && Number.isInteger(end)))
      throw invalidInput(
        `Row pointer ${row + 1} is ${end} after ${start}.`,
        'Row pointers are integers that never fall.',
        { row },
      );
  }
}

function visitDense(A: NdArray<RealArray>, [m, n]: readonly [number, number], visit: RawVisitor): void {
  checkDense(A, {});
  const { data, offset } = A;
  const [rowStride = 0, columnStride = 0] = A.stride;
  for (let row = 0; row < m; row++)
    for (let column = 0; column < n; column++) {
      const value = data[offset + row * rowStride + column * columnStride] as number;
      if (Number.isNaN(value)) continue;
      if (!Number.isFinite(value)) throw invalidValue(value, row, column, row * n + column, true);
      visit(row, column, value, row * n + column);
    }
}

/** How to read the given weight of an entry; undefined means that there is none, so the entry is unobserved. */
function weightReader(
  A: MatrixInput,
  weights: WeightValues,
  m: number,
): (row: number, column: number, index: number) => number | undefined {
  // A hole in a plain array is no weight: only what is not listed may be left out.
  if (isRealArray(weights)) return (_row, _column, index) => weights[index] ?? Number.NaN;
  if (!isTriples(weights) && !isCompressed(weights)) {
    checkDense(weights as NdArray<RealArray>, ofWeights);
    const { data, stride, offset } = weights as NdArray<RealArray>;
    const [rowStride = 0, columnStride = 0] = stride;
    return (row, column) => data[offset + row * rowStride + column * columnStride] ?? Number.NaN;
  }
  if (isSamePattern(A, weights)) return (_row, _column, index) => weights.values[index];
  return sparseLookup(weights, m);
}

/** True where both list the same entries in the same order, so that one index serves both. */
function isSamePattern(A: MatrixInput, W: Triples | CompressedRows): boolean {
  if (isTriples(A) && isTriples(W)) return isEqual(A.rows, W.rows) && isEqual(A.columns, W.columns);
  if (isCompressed(A) && isCompressed(W))
    return isEqual(A.rowPointers, W.rowPointers) && isEqual(A.columnIndices, W.columnIndices);
  return false;
}

function isEqual(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A lookup in sparse weights that are listed in another order than A: sorted row by row, then a binary search. */
function sparseLookup(W: Triples | CompressedRows, m: number): (row: number, column: number) => number | undefined {
  const length = W.values.length;
  const rows = new Uint32Array(length);
  const columns = new Uint32Array(length);
  const order = new Uint32Array(length);
  const counts = new Uint32Array(m);
  visitTriplesOrRows(W, (row, column, _value, index) => {
    order[index] = index;
    rows[index] = row;
    columns[index] = column;
    counts[row] = (counts[row] as number) + 1;
  });
  const starts = new Float64Array(m + 1);
  startPointers(starts, counts);
  const sorted = rowByRow(order, rows, columns, shapeOf(W));
  // Those of a row stand together, which a search is fast in.
  const listed = new Uint32Array(length);
  for (let t = 0; t < length; t++) {
    const column = columns[sorted[t] as number] as number;
    const row = rows[sorted[t] as number] as number;
    listed[t] = column;
    if (t > (starts[row] as number) && column === listed[t - 1])
      throw new HadamardError({
        code: 'duplicate-entry',
        what: `The weight of entry (${row}, ${column}) is given twice.`,
        position: { option: 'weights', row, column },
        rule: 'Weights that are listed in another order than A name each entry once.',
        remedy: 'Remove one, or list the weights in the order of A.',
      });
  }
  return (row, column) => {
    let low = starts[row] as number;
    const end = starts[row + 1] as number;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((listed[middle] as number) < column) low = middle + 1;
      else high = middle;
    }
    return low < end && listed[low] === column ? W.values[sorted[low] as number] : undefined;
  };
}

/** Like {@link visitValues} for weights, whose values are checked by the reader's caller and may be anything here. */
function visitTriplesOrRows(W: Triples | CompressedRows, visit: RawVisitor): void {
  const pattern = { ...W, values: new Float64Array(W.values.length) };
  visitValues(pattern, shapeOf(W), (row, column, _zero, index) => visit(row, column, W.values[index] as number, index));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < 2 ** 32;
}

/** Whether the type of the array lets it hold nothing but integers, so that they need not be looked at one by one. */
export function isIntegerArray(indices: ArrayLike<number>): boolean {
  return /^(Int|Uint)/.test((indices as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '');
}

function outOfRange(row: number, column: number, index: number, [m, n]: readonly [number, number]): HadamardError {
  return new HadamardError({
    code: 'index-out-of-range',
    what: `Entry ${index} is at (${row}, ${column}) of a ${m}×${n} matrix.`,
    position: { row, column, index },
    rule: `Rows are the integers 0…${m - 1} and columns 0…${n - 1}, counted from 0.`,
    remedy: 'Correct the index (1-based ones need 1 taken off), or the shape.',
  });
}

function invalidValue(value: number, row: number, column: number, index: number, dense: boolean): HadamardError {
  return new HadamardError({
    code: 'invalid-value',
    what: `The value at (${row}, ${column}) is ${value}.`,
    position: { row, column, index },
    rule: dense ? 'Values are finite; NaN means unobserved.' : 'Listed values are finite numbers.',
    remedy: 'Leave the entry out if it is unknown.',
  });
}
