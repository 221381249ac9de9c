/** Arrays that cannot hold what they say are refused whole, for A and for W, before an entry is read. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { shapeOf, visitEntries } from '../../dist/src/data/entries.js';
import type { MatrixInput } from '../../dist/src/data/input.js';

const A = ndarray(new Float64Array(6), [3, 2]);
const triples = {
  rows: Uint32Array.of(0, 1),
  columns: Uint32Array.of(0, 1),
  values: Float64Array.of(5, 6),
  shape: [3, 2] as const,
};
const csr = {
  rowPointers: Uint32Array.of(0, 1, 2, 2),
  columnIndices: Uint32Array.of(0, 1),
  values: Float64Array.of(5, 6),
  shape: [3, 2] as const,
};

/** As A and as the weights of A. */
function refused(given: unknown, error: object): void {
  expect(() => shapeOf(given as MatrixInput)).toThrow(expect.objectContaining({ ...error, position: {} }));
  expect(() => visitEntries(A, { weight: given as MatrixInput }, () => undefined)).toThrow(
    expect.objectContaining({ ...error, position: { option: 'weights' } }),
  );
}

function detached<T extends ArrayBufferView<ArrayBuffer>>(array: T): T {
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

describe('a dense matrix', () => {
  const view = (stride: unknown, offset: unknown, length = 6) => ({
    data: new Float64Array(length).fill(1),
    shape: [3, 2],
    stride,
    offset,
  });

  test('of any strides that stay within its data', () => {
    const six = new Float64Array(6);
    for (const of of [
      ndarray(six, [3, 2]).transpose(1, 0),
      ndarray(six, [3, 2]).step(-1, -1),
      ndarray(six, [3, 2]).step(1, -1),
      ndarray(six, [6, 1], [1, 1000]),
      ndarray(six, [3, 2], [0, 0], 5),
    ])
      expect(shapeOf(of)).toEqual(of.shape);
  });

  test.each([
    ['too short', view([2, 1], 0, 3), '0 … 5'],
    ['one too short', view([2, 1], 0, 5), '0 … 5'],
    ['moved off its end', view([2, 1], 1), '1 … 6'],
    ['in strides too long', view([3, 1], 0), '0 … 7'],
    ['before its beginning', view([-2, 1], 3), '-1 … 4'],
    ['all before its beginning', view([2, 1], -9), '-9 … -4'],
  ])('%s', (_name, given, elements) => {
    refused(given, { code: 'invalid-input', what: expect.stringContaining(`lead to elements ${elements}.`) });
  });

  test.each([
    ['a broken offset', view([2, 1], 0.5)],
    ['no offset', view([2, 1], undefined)],
    ['a broken stride', view([1.5, 1], 0)],
    ['one stride', view([2], 0)],
    ['no stride', view(null, 0)],
    ['big integers', { ...view([2, 1], 0), data: new BigInt64Array(6) }],
    ['bytes without a type', { ...view([2, 1], 0), data: new DataView(new ArrayBuffer(48)) }],
    ['text', { ...view([2, 1], 0), data: ['a', 'b', 'c', 'd', 'e', 'f'] }],
    ['null', { ...view([2, 1], 0), data: null }],
  ])('%s', (_name, given) => {
    refused(given, { code: 'invalid-input' });
  });

  test('a hole in the weights is no weight', () => {
    const weight = ndarray([1, 1, 1, undefined as never, 1, 1], [3, 2]);
    expect(() => visitEntries(A, { weight }, () => undefined)).toThrow(
      expect.objectContaining({ code: 'invalid-weight', position: { row: 1, column: 1, index: 3 } }),
    );
  });
});

describe('lists', () => {
  const bad = [null, undefined, 5, 'ab', { length: 2 }, BigInt64Array.of(0n, 1n), new DataView(new ArrayBuffer(16))];

  test.each(['rows', 'columns', 'values'])('%s of triples that are no numbers', (name) => {
    for (const list of bad)
      refused({ ...triples, [name]: list }, { code: 'invalid-input', what: expect.stringMatching(`^${name} is `) });
  });

  test.each(['rowPointers', 'columnIndices', 'values'])('%s of CSR that are no numbers', (name) => {
    for (const list of bad) {
      if (name === 'rowPointers' && list instanceof BigInt64Array) continue;
      refused({ ...csr, [name]: list }, { code: 'invalid-input', what: expect.stringMatching(`^${name} is `) });
    }
  });

  test('of different lengths', () => {
    for (const name of ['rows', 'columns', 'values'])
      refused({ ...triples, [name]: Uint32Array.of(0) }, { code: 'shape-mismatch' });
    for (const name of ['columnIndices', 'values'])
      refused({ ...csr, [name]: Uint32Array.of(0) }, { code: 'shape-mismatch' });
  });

  test('weights that list the entries of A with fewer values', () => {
    const weight = { ...triples, values: Float64Array.of(1) };
    expect(() => visitEntries(triples, { weight }, () => undefined)).toThrow(
      expect.objectContaining({ code: 'shape-mismatch', position: { option: 'weights' } }),
    );
  });
});

describe('detached arrays', () => {
  const error = { code: 'invalid-input', what: expect.stringContaining('detached') };

  test('are told from empty ones', () => {
    const none = { ...triples, rows: new Uint32Array(0), columns: new Uint32Array(0), values: new Float64Array(0) };
    expect(shapeOf(none)).toEqual([3, 2]);
    refused(
      {
        rows: detached(Uint32Array.of(0)),
        columns: detached(Uint32Array.of(0)),
        values: detached(Float64Array.of(1)),
        shape: [3, 2],
      },
      error,
    );
    refused({ ...none, values: detached(new Float64Array(3)) }, error);
    refused({ ...csr, rowPointers: detached(Uint32Array.of(0, 1, 2, 2)) }, error);
    const weight = detached(Float64Array.of(1));
    expect(() => visitEntries(none, { weight }, () => undefined)).toThrow(expect.objectContaining(error));
  });

  test('dense', () => {
    refused({ data: detached(new Float64Array(6)), shape: [3, 2], stride: [2, 1], offset: 0 }, error);
  });
});
