/** The forms of A and W: what is visited, and every refusal with its position. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { checkPointers, listedCount, shapeOf, visitEntries } from '../../dist/src/data/entries.js';
import type { CompressedRows, MatrixInput, Triples, WeightsInput } from '../../dist/src/data/input.js';
import { isHadamardError } from '../../dist/src/errors.js';

const A: Triples = {
  rows: Uint32Array.of(2, 0, 1),
  columns: Uint32Array.of(1, 3, 0),
  values: Float64Array.of(5, 6, 7),
  shape: [3, 4],
};
const csr: CompressedRows = {
  rowPointers: Uint32Array.of(0, 1, 2, 3),
  columnIndices: Uint32Array.of(3, 0, 1),
  values: Float64Array.of(6, 7, 5),
  shape: [3, 4],
};

type Visit = [row: number, column: number, value: number, weight: number, index: number];

function visits(matrix: MatrixInput, weights?: WeightsInput): Visit[] {
  const seen: Visit[] = [];
  visitEntries(matrix, weights, (...visit) => seen.push(visit));
  return seen;
}

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    expect(isHadamardError(error)).toBe(true);
    return error;
  }
  return undefined;
}

describe('forms of A', () => {
  test('triples in the order of their listing', () => {
    expect(visits(A)).toEqual([
      [2, 1, 5, 1, 0],
      [0, 3, 6, 1, 1],
      [1, 0, 7, 1, 2],
    ]);
  });

  test('CSR', () => {
    expect(visits(csr)).toEqual([
      [0, 3, 6, 1, 0],
      [1, 0, 7, 1, 1],
      [2, 1, 5, 1, 2],
    ]);
  });

  test('dense: NaN is unobserved, 0 is observed, strides and offset count', () => {
    const data = Float32Array.of(99, 1, Number.NaN, 0, 4);
    expect(visits(ndarray(data, [2, 2], [2, 1], 1))).toEqual([
      [0, 0, 1, 1, 0],
      [1, 0, 0, 1, 2],
      [1, 1, 4, 1, 3],
    ]);
    expect(visits(ndarray(data, [2, 2], [1, 2], 1)).map(([, , value]) => value)).toEqual([1, 0, 4]);
    expect(visits(ndarray(Int8Array.of(1, -2), [1, 2]) as never)).toEqual([
      [0, 0, 1, 1, 0],
      [0, 1, -2, 1, 1],
    ]);
  });

  test('a listed 0 is an observed 0', () => {
    expect(visits({ ...A, values: new Float64Array(3) })).toHaveLength(3);
  });

  test('listedCount', () => {
    expect(listedCount(A)).toBe(3);
    expect(listedCount(csr)).toBe(3);
    expect(listedCount(ndarray(new Float64Array(6), [2, 3]))).toBe(6);
  });
});

describe('weights', () => {
  const W = (values: number[]) => ({ ...A, values: Float64Array.from(values) });
  const weightsOf = (matrix: MatrixInput, weights: WeightsInput) =>
    visits(matrix, weights).map(([, , , weight]) => weight);

  test('sqrtWeight is W, weight its square, sigma its reciprocal', () => {
    const given = Float64Array.of(4, 1, 0.25);
    expect(weightsOf(A, { sqrtWeight: given })).toEqual([4, 1, 0.25]);
    expect(weightsOf(A, { weight: given })).toEqual([2, 1, 0.5]);
    expect(weightsOf(A, { sigma: given })).toEqual([0.25, 1, 4]);
  });

  test('a plain array like a typed one, but for its holes', () => {
    const plain = [4, 1, 0.25];
    expect(weightsOf(A, { sqrtWeight: plain as never })).toEqual([4, 1, 0.25]);
    delete plain[1];
    expect(errorOf(() => visits(A, { sqrtWeight: plain as never }))).toMatchObject({
      code: 'invalid-weight',
      position: { row: 0, column: 3, index: 1 },
    });
  });

  test('0 is unobserved', () => {
    expect(visits(A, { sqrtWeight: Float32Array.of(1, 0, 2) }).map(([, , , , index]) => index)).toEqual([0, 2]);
    expect(visits(A, { weight: Float32Array.of(1, -0, 2) })).toHaveLength(2);
  });

  test('of any form, by position', () => {
    const dense = ndarray(new Float64Array(12), [3, 4]);
    dense.set(2, 1, 4);
    dense.set(0, 3, 1);
    dense.set(1, 0, 0.25);
    const other = {
      rows: Uint32Array.of(0, 1, 2, 2),
      columns: Uint32Array.of(3, 0, 1, 2),
      values: Float64Array.of(1, 0.25, 4, 9),
      shape: [3, 4],
    } as const;
    for (const weights of [W([4, 1, 0.25]), dense, other, { ...csr, values: Float64Array.of(1, 0.25, 4) }])
      expect(weightsOf(A, { sqrtWeight: weights })).toEqual([4, 1, 0.25]);
    expect(weightsOf(csr, { sqrtWeight: W([4, 1, 0.25]) })).toEqual([1, 0.25, 4]);
    expect(weightsOf(csr, { sqrtWeight: { ...csr, values: Float64Array.of(1, 2, 3) } })).toEqual([1, 2, 3]);
  });

  test('an entry that sparse weights do not list is unobserved', () => {
    const partial = {
      rows: Uint32Array.of(1),
      columns: Uint32Array.of(0),
      values: Float64Array.of(3),
      shape: [3, 4],
    } as const;
    expect(visits(A, { sqrtWeight: partial })).toEqual([[1, 0, 7, 3, 2]]);
  });

  test.each([
    ['sqrtWeight', -1],
    ['sqrtWeight', Number.NaN],
    ['sqrtWeight', Number.POSITIVE_INFINITY],
    ['weight', -1e-300],
    ['weight', Number.NaN],
    ['weight', Number.POSITIVE_INFINITY],
    ['sigma', 0],
    ['sigma', -2],
    ['sigma', Number.NaN],
    ['sigma', Number.POSITIVE_INFINITY],
    // Its reciprocal is infinite.
    ['sigma', 1e-310],
  ] as const)('a %s of %s is refused with its position', (kind, bad) => {
    const given = (values: Float64Array | MatrixInput) => ({ [kind]: values }) as unknown as WeightsInput;
    const position = { row: 0, column: 3, index: 1 };
    for (const values of [Float64Array.of(1, bad, 1), W([1, bad, 1])])
      expect(errorOf(() => visits(A, given(values)))).toMatchObject({ code: 'invalid-weight', position });
    const dense = ndarray(new Float64Array(12).fill(1), [3, 4]);
    dense.set(0, 3, bad);
    expect(errorOf(() => visits(A, given(dense)))).toMatchObject({ code: 'invalid-weight', position });
    const sorted = { ...csr, values: Float64Array.of(bad, 1, 1) };
    expect(errorOf(() => visits(A, given(sorted)))).toMatchObject({ code: 'invalid-weight', position });
    if (bad === 1e-310) expect((errorOf(() => visits(A, given(sorted))) as Error).message).toContain('1e-310');
  });

  test.each([
    ['a bare array', Float64Array.of(1, 2, 3)],
    ['a bare matrix', A],
    ['two meanings', { weight: Float64Array.of(1, 2, 3), sigma: Float64Array.of(1, 2, 3) }],
    ['no meaning', {}],
    ['an unknown meaning', { variance: Float64Array.of(1, 2, 3) }],
    ['null', null],
    ['a number', 3],
  ])('%s is ambiguous', (_name, weights) => {
    expect(errorOf(() => visits(A, weights as unknown as WeightsInput))).toMatchObject({
      code: 'ambiguous-weights',
      position: { option: 'weights' },
    });
  });

  test('of another length, shape or twice the same entry', () => {
    const position = { option: 'weights' };
    expect(errorOf(() => visits(A, { weight: new Float64Array(2) }))).toMatchObject({
      code: 'shape-mismatch',
      position,
    });
    expect(errorOf(() => visits(A, { weight: { ...A, shape: [4, 4] } }))).toMatchObject({
      code: 'shape-mismatch',
      position,
    });
    expect(errorOf(() => visits(A, { weight: ndarray(new Float64Array(12), [4, 3]) }))).toMatchObject({
      code: 'shape-mismatch',
      position,
    });
    const twice = {
      rows: Uint32Array.of(1, 1),
      columns: Uint32Array.of(0, 0),
      values: Float64Array.of(3, 3),
      shape: [3, 4],
    } as const;
    expect(errorOf(() => visits(A, { weight: twice }))).toMatchObject({
      code: 'duplicate-entry',
      position: { ...position, row: 1, column: 0 },
    });
    const outside = {
      rows: Uint32Array.of(1),
      columns: Uint32Array.of(4),
      values: Float64Array.of(3),
      shape: [3, 4],
    } as const;
    expect(errorOf(() => visits(A, { weight: outside }))).toMatchObject({ code: 'index-out-of-range' });
  });
});

describe('refused', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('a listed value of %s', (bad) => {
    expect(errorOf(() => visits({ ...A, values: Float64Array.of(1, 2, bad) }))).toMatchObject({
      code: 'invalid-value',
      position: { row: 1, column: 0, index: 2 },
    });
    expect(errorOf(() => visits({ ...csr, values: Float64Array.of(1, 2, bad) }))).toMatchObject({
      code: 'invalid-value',
      position: { row: 2, column: 1, index: 2 },
    });
    // Also where its weight is 0: the value is checked before it is passed over.
    expect(
      errorOf(() => visits({ ...A, values: Float64Array.of(1, 2, bad) }, { weight: Float64Array.of(1, 1, 0) })),
    ).toMatchObject({ code: 'invalid-value' });
  });

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('a dense value of %s', (bad) => {
    const dense = ndarray(Float64Array.of(1, Number.NaN, 2, 3, bad, 4), [2, 3]);
    expect(errorOf(() => visits(dense))).toMatchObject({
      code: 'invalid-value',
      position: { row: 1, column: 1, index: 4 },
    });
  });

  test('an index out of range', () => {
    const range = (change: Partial<Triples>) => errorOf(() => visits({ ...A, ...change }));
    expect(range({ rows: Uint32Array.of(2, 0, 3) })).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 3, column: 0, index: 2 },
    });
    expect(range({ columns: Uint32Array.of(4, 0, 0) })).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 2, column: 4, index: 0 },
    });
    expect(range({ rows: Int32Array.of(0, -1, 0) })).toMatchObject({
      code: 'index-out-of-range',
      position: { row: -1, index: 1 },
    });
    expect(errorOf(() => visits({ ...csr, columnIndices: Int32Array.of(0, -1, 0) }))).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 1, column: -1, index: 1 },
    });
    expect(errorOf(() => visits({ ...csr, columnIndices: Uint32Array.of(0, 1, 4) }))).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 2, column: 4 },
    });
  });

  test.each([
    ['a Float64Array', (list: number[]) => Float64Array.from(list) as never],
    ['a Float32Array', (list: number[]) => Float32Array.from(list) as never],
    ['a plain array', (list: number[]) => list as never],
  ])('an index between two rows or columns, in %s', (_name, listOf) => {
    const whole = listOf([2, 0, 1]);
    const broken = listOf([1, 1.5, 0]);
    expect(visits({ ...A, rows: whole, columns: whole })).toHaveLength(3);
    expect(errorOf(() => visits({ ...A, rows: broken }))).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 1.5, column: 3, index: 1 },
      rule: 'Rows are the integers 0…2 and columns 0…3, counted from 0.',
    });
    expect(errorOf(() => visits({ ...A, columns: broken }))).toMatchObject({ position: { row: 0, column: 1.5 } });
    expect(errorOf(() => visits({ ...csr, columnIndices: broken }))).toMatchObject({
      code: 'index-out-of-range',
      position: { row: 1, column: 1.5, index: 1 },
    });
  });

  test('indices that are no numbers', () => {
    const rows = ['0', '1', '2'] as never;
    expect(errorOf(() => visits({ ...A, rows }))).toMatchObject({ code: 'index-out-of-range' });
  });

  test.each(['rows', 'columns', 'values'] as const)('%s that are no array', (name) => {
    for (const bad of [null, 5, 'abc', { length: 3 }])
      expect(errorOf(() => visits({ ...A, [name]: bad }))).toMatchObject({
        code: 'invalid-input',
        what: expect.stringContaining(name),
      });
  });

  test('arrays of different lengths', () => {
    expect(errorOf(() => visits({ ...A, rows: Uint32Array.of(0, 1) }))).toMatchObject({ code: 'shape-mismatch' });
    expect(errorOf(() => visits({ ...A, columns: Uint32Array.of(0, 1, 2, 3) }))).toMatchObject({
      code: 'shape-mismatch',
    });
    expect(errorOf(() => visits({ ...csr, columnIndices: Uint32Array.of(0, 1) }))).toMatchObject({
      code: 'shape-mismatch',
    });
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    [
      'nested arrays',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a typed array', Float64Array.of(1, 2)],
    ['no shape', { rows: A.rows, columns: A.columns, values: A.values }],
    ['one dimension', { ...A, shape: [3] }],
    ['three dimensions', ndarray(new Float64Array(8), [2, 2, 2])],
    ['a shape of 0', { ...A, shape: [0, 4] }],
    ['a negative shape', { ...A, shape: [3, -4] }],
    ['a broken shape', { ...A, shape: [3, 4.5] }],
    ['a shape of NaN', { ...A, shape: [Number.NaN, 4] }],
    ['a shape beyond 32 bits', { ...A, shape: [2 ** 32, 4] }],
    ['a shape of text', { ...A, shape: ['3', '4'] }],
    ['a shape and nothing else', { shape: [3, 4] }],
    ['data of text', { data: ['a'], shape: [1, 1], stride: [1, 1], offset: 0 }],
    ['values missing', { rows: A.rows, columns: A.columns, shape: [3, 4] }],
  ])('%s', (_name, given) => {
    expect(errorOf(() => visits(given as unknown as MatrixInput))).toMatchObject({ code: 'invalid-input' });
  });

  test('shapeOf gives [m, n]', () => {
    expect(shapeOf(A)).toEqual([3, 4]);
  });
});

test('weights with a shape and no numbers are refused as A would be', () => {
  expect(errorOf(() => visits(A, { weight: { shape: [3, 4] } as never }))).toMatchObject({ code: 'invalid-input' });
});

describe('CSR pointers', () => {
  const entries = 3 * 2 ** 31 + 5;
  const beyond = [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 3, entries];

  test.each([
    ['Float64Array', Float64Array.from(beyond)],
    ['BigInt64Array', BigInt64Array.from(beyond, BigInt)],
    ['BigUint64Array', BigUint64Array.from(beyond, BigInt)],
  ])('beyond 2³² entries in a %s', (_name, pointers) => {
    expect(errorOf(() => checkPointers(pointers, 4, entries))).toBeUndefined();
    expect(errorOf(() => checkPointers(pointers, 4, entries + 1))).toMatchObject({ code: 'shape-mismatch' });
  });

  test('that fall beyond 2³¹ are told from those that rise', () => {
    const falling = Float64Array.of(0, 2 ** 32 + 8, 2 ** 31, 2 ** 33);
    expect(errorOf(() => checkPointers(falling, 3, 2 ** 33))).toMatchObject({
      code: 'invalid-input',
      position: { row: 1 },
    });
  });

  test('beyond the values in the middle, not whole, or not a number', () => {
    for (const bad of [7, 1.5, Number.NaN, -1])
      expect(
        errorOf(() => checkPointers(Float64Array.of(0, bad, 3), 2, 3)),
        String(bad),
      ).toMatchObject({ code: 'invalid-input', position: { row: 0 } });
  });

  test.each([
    ['too few', Uint32Array.of(0, 3)],
    ['too many', Uint32Array.of(0, 1, 2, 3, 3)],
    ['not from 0', Uint32Array.of(1, 2, 3, 3)],
    ['not to the number of values', Uint32Array.of(0, 1, 2, 2)],
  ])('%s', (_name, rowPointers) => {
    expect(errorOf(() => visits({ ...csr, rowPointers }))).toMatchObject({ code: 'shape-mismatch' });
  });
});
