/** survey counts, place sorts: both orientations of the same entries whatever the order of the listing. */
import fc from 'fast-check';
import ndarray, { type NdArray } from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type Orientation, place, survey } from '../../dist/src/data/observations.js';
import { type Problem, problem, reordered, sqrtWeights, triples } from '../helpers/problem.js';
import { permutation } from '../helpers/random.js';
import { at } from '../helpers/reference.js';

function room(rows: number, observed: number): Orientation {
  return {
    pointers: new Float64Array(rows + 1),
    indices: new Uint32Array(observed),
    values: new Float64Array(observed),
    weights: new Float64Array(observed),
  };
}

function placed(of: Problem, duplicates: 'refuse' | 'keep' | 'sum' | 'last' = 'refuse') {
  const A = triples(of);
  const found = survey(A, sqrtWeights(of));
  const storage = { byRow: room(of.m, found.observed), byColumn: room(of.n, found.observed) };
  return { found, ...place({ A, weights: sqrtWeights(of), found, storage, duplicates }) };
}

/** The entries of an orientation, as lines of text. */
function listed({ pointers, indices, values, weights }: Orientation): string[] {
  const lines: string[] = [];
  for (let row = 0; row + 1 < pointers.length; row++)
    for (let t = at(pointers, row); t < at(pointers, row + 1); t++)
      lines.push(`${row} ${at(indices, t)} ${at(values, t)} ${at(weights, t)}`);
  return lines;
}

const shapes = fc.record({
  m: fc.integer({ min: 1, max: 12 }),
  n: fc.integer({ min: 1, max: 12 }),
  density: fc.double({ min: 0, max: 1, noNaN: true }),
  isWeighted: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test('both orientations hold the entries, sorted, in any order of the listing', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const of = problem(shape);
      const { found, byRow, byColumn, observed } = placed(reordered(of, permutation(of.entries.length, shape.seed)));
      expect(observed).toBe(of.entries.length);
      expect(listed(byRow)).toEqual(of.entries.map((e) => `${e.row} ${e.column} ${e.value} ${e.weight}`));
      const transposed = of.entries.toSorted((a, b) => a.column - b.column || a.row - b.row);
      expect(listed(byColumn)).toEqual(transposed.map((e) => `${e.column} ${e.row} ${e.value} ${e.weight}`));
      expect(Array.from(found.rowCounts)).toEqual(
        Array.from({ length: of.m }, (_, i) => of.entries.filter((e) => e.row === i).length),
      );
      expect(Array.from(found.columnCounts)).toEqual(
        Array.from({ length: of.n }, (_, j) => of.entries.filter((e) => e.column === j).length),
      );
      const weights = of.entries.map((e) => e.weight);
      expect(found.weightRange).toEqual([Math.min(...weights), Math.max(...weights)]);
    }),
  );
});

describe('duplicates', () => {
  const [a, b, c] = [
    { row: 1, column: 2, value: 10, weight: 1 },
    { row: 0, column: 2, value: 3, weight: 1 },
    { row: 1, column: 2, value: 20, weight: 2 },
  ] as const;
  const of = { m: 2, n: 4, entries: [a, b, { ...a, column: 0 }, c, { ...c, value: 40, weight: 4 }] };

  test('refuse: the first two places', () => {
    expect(() => placed(of)).toThrow('Entry (1, 2) is listed at 0 and again at 3.');
  });

  test.each([
    ['keep', ['0 2 3 1', '1 0 10 1', '1 2 10 1', '1 2 20 2', '1 2 40 4']],
    ['last', ['0 2 3 1', '1 0 10 1', '1 2 40 4']],
  ] as const)('%s, in both orientations', (duplicates, expected) => {
    const { byRow, byColumn, observed } = placed(of, duplicates);
    expect(observed).toBe(expected.length);
    expect(listed(byRow)).toEqual(expected);
    const swap = (line: string) => line.replace(/^(\d+) (\d+)/, '$2 $1');
    expect(listed(byColumn).map(swap).sort()).toEqual([...expected].sort());
    expect(listed(byColumn).map((line) => Number(line[0]))).toEqual([0, ...new Array(expected.length - 1).fill(2)]);
  });

  test('sum: one weight, and the same bits in any order of the listing', () => {
    // 0.1 + 0.2 + 0.3 depends on the order in its last bit.
    const values = [0.1, 0.3, 0.2];
    const entries = [b, ...values.map((value) => ({ ...a, value, weight: 2 })), { ...a, column: 0 }];
    const sums = [
      [0, 1, 2, 3, 4],
      [3, 0, 2, 4, 1],
      [2, 3, 1, 4, 0],
    ].map((order) => listed(placed(reordered({ ...of, entries }, Uint32Array.from(order)), 'sum').byRow));
    for (const sum of sums) expect(sum).toEqual(['0 2 3 1', '1 0 10 1', `1 2 ${0.1 + 0.2 + 0.3} 2`]);
  });

  test('sum: values of different weights have no sum', () => {
    const error = expect.objectContaining({
      code: 'duplicate-entry',
      what: 'Entry (1, 2) is listed at 1 and again at 4 with another weight.',
      position: { row: 1, column: 2, first: 1, index: 4 },
    });
    const entries = [b, a, { ...a, column: 0 }, { ...a, value: 5 }, c];
    expect(() => placed({ ...of, entries }, 'sum')).toThrow(error);
  });
});

test('entries without weight leave no trace', () => {
  const of = problem({ m: 4, n: 3 });
  const half = { ...of, entries: of.entries.map((e, t) => ({ ...e, weight: t % 2 })) };
  const { found, byRow } = placed(half);
  expect(found.observed).toBe(6);
  expect(listed(byRow)).toHaveLength(6);
});

test('a dense array of floats, read in chunks, is what an array that is read number by number is', () => {
  const result = (A: NdArray) => {
    const found = survey(A, undefined);
    const storage = { byRow: room(found.rows, found.observed), byColumn: room(found.columns, found.observed) };
    return { found, ...place({ A, weights: undefined, found, storage, duplicates: 'refuse', shift: 0.25 }) };
  };
  // Several rows a chunk, rows longer than a chunk, and a view that is turned and has a margin.
  for (const [m, n] of [
    [60, 50],
    [2, 2500],
    [1, 1],
  ] as const) {
    const data = Float64Array.from({ length: (m + 1) * (n + 1) }, (_, t) =>
      (t * 7) % 5 < 2 ? Number.NaN : (t * 31) % 17,
    );
    const view = (numbers: Float64Array | number[]) => ndarray(numbers, [n, m], [1, n + 1], 1);
    for (const turn of [(A: NdArray) => A, (A: NdArray) => A.transpose(1, 0)])
      expect(result(turn(view(data)))).toEqual(result(turn(view(Array.from(data)))));
  }
  const data = Float64Array.from([1, 2, Number.POSITIVE_INFINITY, 4]);
  expect(() => survey(ndarray(data, [2, 2]), undefined)).toThrow(/The value at \(1, 0\) is Infinity/);
});

test('entries beyond what is sorted at a time stand in the order of their listing within each place', () => {
  const [m, n, count] = [3001, 701, 4_300_000];
  const rows = Uint32Array.from({ length: count }, (_, t) => (Math.imul(t, 2654435761) >>> 8) % m);
  const columns = Uint32Array.from({ length: count }, (_, t) => (Math.imul(t, 2246822519) >>> 7) % n);
  // An entry's value says where it was listed.
  const values = Float64Array.from(rows.keys());
  const A = { rows, columns, values, shape: [m, n] as const };
  const found = survey(A, undefined);
  const storage = { byRow: room(m, count), byColumn: room(n, count) };
  const { byRow, byColumn } = place({ A, weights: undefined, found, storage, duplicates: 'keep' });
  const check = (of: Orientation, own: Uint32Array, other: Uint32Array): number => {
    let wrong = 0;
    for (let row = 0; row + 1 < of.pointers.length; row++)
      for (let t = at(of.pointers, row); t < at(of.pointers, row + 1); t++) {
        const [listed, index] = [at(of.values, t), at(of.indices, t)];
        if (own[listed] !== row || other[listed] !== index) wrong++;
        if (t === at(of.pointers, row)) continue;
        const isRising =
          index > at(of.indices, t - 1) || (index === at(of.indices, t - 1) && listed > at(of.values, t - 1));
        if (!isRising) wrong++;
      }
    return wrong;
  };
  expect([at(byRow.pointers, m), at(byColumn.pointers, n)]).toEqual([count, count]);
  expect(check(byRow, rows, columns)).toBe(0);
  expect(check(byColumn, columns, rows)).toBe(0);
});
