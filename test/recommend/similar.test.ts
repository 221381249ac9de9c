/** Against cosines, products and distances of the rows of a dense UVᵀ. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Model, type SimilarOptions, similar } from '../../dist/src/index.js';
import { Model as ModelClass, matrix } from '../../dist/src/model/model.js';
import { randomModel } from './models.js';

type Side = 'rows' | 'columns';

/** Rows (or columns) of UVᵀ, entry by entry. */
function profiles({ U, V, rank, shape: [m, n] }: Model, side: Side): number[][] {
  const entry = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < rank; c++) sum += U.get(i, c) * V.get(j, c);
    return sum;
  };
  return side === 'rows'
    ? Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_, j) => entry(i, j)))
    : Array.from({ length: n }, (_, j) => Array.from({ length: m }, (_, i) => entry(i, j)));
}

const dot = (x: number[], y: number[]) => x.reduce((sum, value, t) => sum + value * (y[t] as number), 0);
const measures = {
  cosine: (x: number[], y: number[]) => dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)),
  dot,
  euclidean: (x: number[], y: number[]) =>
    Math.sqrt(x.reduce((sum, value, t) => sum + (value - (y[t] as number)) ** 2, 0)),
};

function expectBruteForce(model: Model, side: Side, index: number, measure: keyof typeof measures, tolerance: number) {
  const all = profiles(model, side);
  const top = all.length - 1;
  const asked: SimilarOptions = { [side === 'rows' ? 'row' : 'column']: index, top, measure };
  const found = similar(model, asked);
  expect(found.missing).toBeUndefined();
  expect(found.similar.map((entry) => entry.index).sort((a, b) => a - b)).toEqual(
    [...all.keys()].filter((i) => i !== index),
  );
  let before = measure === 'euclidean' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  for (const { index: i, value } of found.similar) {
    const expected = measures[measure](all[index] as number[], all[i] as number[]);
    expect(Math.abs(value - expected)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));
    expect(measure === 'euclidean' ? value >= before : value <= before).toBe(true);
    before = value;
  }
}

describe('by profile', () => {
  test('is what the dense matrix says', () => {
    fc.assert(
      fc.property(
        fc.record({
          rows: fc.integer({ min: 2, max: 12 }),
          columns: fc.integer({ min: 2, max: 15 }),
          rank: fc.integer({ min: 1, max: 6 }),
          dtype: fc.constantFrom('f32' as const, 'f64' as const),
          biases: fc.constantFrom('none' as const, 'both' as const),
          seed: fc.integer({ min: 1, max: 1e6 }),
        }),
        fc.constantFrom('cosine' as const, 'dot' as const, 'euclidean' as const),
        fc.constantFrom('rows' as const, 'columns' as const),
        (request, measure, side) => expectBruteForce(randomModel(request), side, 1, measure, 1e-7),
      ),
      { numRuns: 200 },
    );
  });

  test('does not depend on how the factors were reached, and by factor it does', () => {
    const model = randomModel({ rows: 30, columns: 20, rank: 2, dtype: 'f64' });
    // M = [[2, 1], [0, 0.5]]: U→UM, V→VM⁻ᵀ.
    const U = model.U.data.slice();
    const V = model.V.data.slice();
    for (let i = 0; i < U.length; i += 2) {
      const [a, b] = [U[i] as number, U[i + 1] as number];
      U.set([2 * a, a + 0.5 * b], i);
    }
    for (let j = 0; j < V.length; j += 2) {
      const [a, b] = [V[j] as number, V[j + 1] as number];
      V.set([0.5 * a - b, 2 * b], j);
    }
    const turned = new ModelClass({ ...model, U: matrix(U, 30, 2), V: matrix(V, 20, 2) });
    expect(turned.predict(3, 4)).toBeCloseTo(model.predict(3, 4), 12);
    const order = (of: Model, by: 'profile' | 'factor') =>
      similar(of, { row: 5, top: 29, by }).similar.map(({ index }) => index);
    expect(order(turned, 'profile')).toEqual(order(model, 'profile'));
    expect(order(turned, 'factor')).not.toEqual(order(model, 'factor'));
  });

  test('is 1 for a multiple of the row, and 0 away from its double', () => {
    const model = randomModel({ rows: 4, columns: 6, rank: 3, dtype: 'f64' });
    model.U.data.copyWithin(3, 0, 3);
    for (let c = 0; c < 3; c++) model.U.data[6 + c] = 2 * (model.U.data[c] as number);
    expect(similar(model, { row: 0, top: 2 }).similar.map(({ index }) => index)).toEqual([1, 2]);
    expect(similar(model, { row: 0, top: 1 }).similar[0]?.value).toBeCloseTo(1, 14);
    expect(similar(model, { row: 0, top: 1, measure: 'euclidean' }).similar).toEqual([{ index: 1, value: 0 }]);
  });
});

test('by factor compares the factors themselves', () => {
  const model = randomModel({ rows: 9, columns: 4, rank: 3 });
  const vector = (i: number) => Array.from(model.U.data.subarray(3 * i, 3 * i + 3));
  for (const { index, value } of similar(model, { row: 2, by: 'factor', measure: 'dot', top: 8 }).similar)
    expect(value).toBeCloseTo(dot(vector(2), vector(index)), 12);
});

test('labels come along; what nothing is known of is nobody’s neighbour', () => {
  const model = randomModel({ rows: 4, columns: 3, rank: 2, labels: { rows: ['a', 'b', 'c', 'd'] } });
  model.U.data.fill(0, 2, 4);
  const found = similar(model, { row: 0 });
  expect(found.similar.map(({ label }) => label).sort()).toEqual(['c', 'd']);
  expect(found.missing).toBe(
    'Only 2 of the 10 asked for: the model has 4 rows, 1 of them with factor 0, as without observations.',
  );
  expect(similar(model, { row: 1 })).toEqual({
    similar: [],
    missing: "The row's factor is 0, as without observations: nothing is like it.",
  });
  expect(similar(randomModel({ rows: 1, columns: 3, rank: 1 }), { row: 0, top: 1 }).missing).toBe(
    'Only 0 of the 1 asked for: the model has 1 row.',
  );
});

test('refuses what is no request', () => {
  const model = randomModel({ rows: 4, columns: 3, rank: 2 });
  const table: [object, object][] = [
    [{}, { code: 'invalid-option', position: { option: 'row' } }],
    [
      { row: 0, column: 0 },
      { code: 'invalid-option', position: { option: 'row' } },
    ],
    [{ row: 4 }, { code: 'index-out-of-range', position: { option: 'row' } }],
    [{ column: 'x' }, { code: 'invalid-input', position: { option: 'column' } }],
    [
      { row: 0, top: 0.5 },
      { code: 'invalid-option', position: { option: 'top' } },
    ],
    [
      { row: 0, measure: 'angle' },
      { code: 'invalid-option', position: { option: 'measure' } },
    ],
    [
      { row: 0, by: 'name' },
      { code: 'invalid-option', position: { option: 'by' } },
    ],
  ];
  for (const [options, failure] of table)
    expect(() => similar(model, options as never)).toThrow(expect.objectContaining(failure));
});
