/** The forms of a matrix from outside: which one it is, and whether its arrays can hold what they say. No entry is looked at. */
import type { NdArray } from 'ndarray';
import { type ErrorPosition, HadamardError } from '../errors.js';
import type { CompressedRows, RealArray, Triples } from './input.js';

const tripleLists = ['rows', 'columns', 'values'] as const;
const compressedLists = ['rowPointers', 'columnIndices', 'values'] as const;

export function isTriples(A: unknown): A is Triples {
  return isObject(A) && tripleLists.every((name) => name in A);
}

export function isCompressed(A: unknown): A is CompressedRows {
  return isObject(A) && compressedLists.every((name) => name in A);
}

/** @throws HadamardError `invalid-input` for what are no arrays of numbers, `shape-mismatch` where they differ in length. */
export function checkTriples(A: Triples, position: ErrorPosition): void {
  for (const name of tripleLists) checkArray(name, A[name], position);
  const { rows, columns, values } = A;
  if (rows.length !== values.length || columns.length !== values.length)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `There are ${rows.length} rows, ${columns.length} columns and ${values.length} values.`,
      position,
      rule: 'Triples list one row and one column for every value.',
      remedy: 'Give three arrays of one length.',
    });
}

/** As {@link checkTriples}; the row pointers alone may be big integers. */
export function checkCompressed(A: CompressedRows, position: ErrorPosition): void {
  for (const name of compressedLists) checkArray(name, A[name], position, name === 'rowPointers');
  const { columnIndices, values } = A;
  if (columnIndices.length !== values.length)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `There are ${columnIndices.length} column indices and ${values.length} values.`,
      position,
      rule: 'CSR lists one column index for every value.',
      remedy: 'Give columnIndices and values of one length.',
    });
}

/** @throws HadamardError `invalid-input` where it is no ndarray of numbers, or its strides lead out of its data. */
export function checkDense(A: NdArray<RealArray>, position: ErrorPosition): void {
  const { data, shape, stride, offset } = A;
  checkArray('data', data, position);
  const strides = isObject(stride) ? Array.from(stride as ArrayLike<number>) : [];
  if (strides.length !== 2 || ![offset, ...strides].every(Number.isInteger))
    throw invalidInput(`stride is [${strides}] and offset ${String(offset)}.`, denseRule, position);
  let [lowest, highest] = [offset, offset];
  strides.forEach((step, axis) => {
    const end = step * ((shape[axis] as number) - 1);
    lowest += Math.min(end, 0);
    highest += Math.max(end, 0);
  });
  if (lowest < 0 || highest >= data.length)
    throw invalidInput(
      `data has ${data.length} elements; shape [${shape}], stride [${strides}] and offset ${offset} lead to elements ${lowest} … ${highest}.`,
      denseRule,
      position,
    );
  if (typeof data[offset] !== 'number')
    throw invalidInput(`data holds ${describe(data[offset])} at ${offset}.`, denseRule, position);
}

const denseRule =
  'A dense matrix is an ndarray over numbers, whose data reaches as far as shape, stride and offset say.';

/** @throws HadamardError `invalid-input` */
export function checkArray(name: string, list: unknown, position: ErrorPosition, mayBeBig = false): void {
  const isTyped = ArrayBuffer.isView(list) && !(list instanceof DataView);
  const isBig = list instanceof BigInt64Array || list instanceof BigUint64Array;
  if (!(Array.isArray(list) || isTyped) || (isBig && !mayBeBig))
    throw invalidInput(
      `${name} is ${describe(list)}.`,
      `${name} is an array of numbers, as a rule a typed one.`,
      position,
    );
  if (isTyped && isDetached(list))
    throw invalidInput(
      `${name} is detached: its memory was handed to another thread.`,
      'Arrays hold what they are given for until the fit has read them.',
      position,
    );
}

/** No view can be made over a detached buffer; Node 20 has no other way to tell it from an empty one. */
function isDetached(array: ArrayBufferView): boolean {
  if (array.byteLength > 0) return false;
  try {
    return new Uint8Array(array.buffer).length < 0;
  } catch {
    return true;
  }
}

export function invalidInput(what: string, rule: string, position: ErrorPosition = {}): HadamardError {
  const remedy = 'Bring the data into one of the forms that the documentation of factorize lists.';
  return new HadamardError({ code: 'invalid-input', what, rule, position, remedy });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a plain array';
  return isObject(value) ? (value.constructor?.name ?? 'an object') : String(value);
}
