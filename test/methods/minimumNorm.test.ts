/** Rank-deficient rows: the solution of minimum norm, against numpy.linalg.lstsq (test/golden/factorize/lstsq.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { factorize } from '../../dist/src/factorize/factorize.js';
import { minimumNormSolution } from '../../dist/src/kernels/minimumNorm.js';
import { expectClose } from '../helpers/compare.js';
import { openFit } from '../helpers/fit.js';
import { type Entry, type Problem, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { at, objectiveAt, pointOf } from '../helpers/reference.js';

interface Case {
  readonly name: string;
  readonly X: number[][];
  readonly y: number[];
  readonly rcond: number;
  readonly rank: number;
  readonly z: number[];
  readonly condition: number;
}

const cases: Case[] = JSON.parse(readFileSync(new URL('../golden/factorize/lstsq.json', import.meta.url), 'utf8'));

const solve = (X: number[][], y: number[], p: number, rcond: number) =>
  minimumNormSolution(Float64Array.from(X.flat()), Float64Array.from(y), p, rcond);

describe('minimumNormSolution is numpy.linalg.lstsq', () => {
  test.each(cases)('$name', ({ X, y, rcond, z, condition }) => {
    const p = (X[0] as number[]).length;
    expectClose(solve(X, y, p, rcond), z, 1e-13 + 1e-14 * condition);
  });

  test('no observations', () => {
    expect(Array.from(solve([], [], 3, 1e-12))).toEqual([0, 0, 0]);
  });
});

/** The rows of a factorized matrix whose designs W_iV_i are rank-deficient, solved again from the final V. */
function expectMinimumNormRows(of: Problem, U: ArrayLike<number>, V: Float64Array, k: number, tolerance: number): void {
  for (let row = 0; row < of.m; row++) {
    const mine = of.entries.filter((e) => e.row === row);
    const design = (e: Entry) => Array.from({ length: k }, (_, t) => e.weight * at(V, e.column * k + t));
    const expected = solve(
      mine.map(design),
      mine.map((e) => e.weight * e.value),
      k,
      Math.max(mine.length, k) * 2 ** -45,
    );
    expectClose(
      Array.from({ length: k }, (_, t) => at(U, row * k + t)),
      expected,
      tolerance,
      `row ${row}`,
    );
  }
}

describe('factorize with λ = 0', () => {
  test('rows shorter than the rank are fitted exactly with the smallest u_i', async () => {
    const of = problem({ m: 40, n: 12, density: 0.2, isWeighted: true, seed: 4 });
    const k = 6;
    const model = await factorize(triples(of), { rank: k, dtype: 'f64', weights: sqrtWeights(of), maxSweeps: 3 });
    const { V } = pointOf(model);
    expect(Array.from(model.U.data).every(Number.isFinite)).toBe(true);
    expectMinimumNormRows(of, model.U.data, V, k, 1e-9);
    expect(model.fit.notes.join()).toMatch(/fewer observations than the rank/);
  });

  test.each([
    ['a zero column in V', (c: number, x: number) => (c === 2 ? 0 : x)],
    ['two equal columns in V', (c: number, x: number, first: number) => (c === 2 ? first : x)],
  ])('%s: no NaN, every row the minimum-norm solution', async (_name, degrade) => {
    const of = problem({ m: 20, n: 15, density: 0.6, isWeighted: true, seed: 9 });
    const k = 4;
    const next = uniform(31);
    const V = new Float64Array(of.n * k).map(() => next() - 0.5);
    V.forEach((x, i) => {
      V[i] = degrade(i % k, x, at(V, i - (i % k)));
    });
    const U = new Float64Array(of.m * k);
    const fit = await openFit(of, { rank: k, dtype: 'f64', inline: 'auto' }, { k, U, V });
    const totals = await fit.run({ phase: 'solve', side: 'rows', own: null, other: 0, out: 1 });
    const solved = fit.read('rows', 1).factor;
    expectMinimumNormRows(of, solved, V, k, 1e-10);
    expectClose([totals.loss], [objectiveAt(of, { k, mean: 0, U: solved, V }, {}).loss], 1e-12);
  });

  test.each(['f32', 'f64'] as const)(
    'a matrix of lower rank than asked for: finite factors, no residual (%s)',
    async (dtype) => {
      const of = problem({ m: 30, n: 20, rank: 2, noise: 0 });
      const model = await factorize(triples(of), { rank: 5, dtype, maxSweeps: 30 });
      const all = [...Array.from(model.U.data), ...Array.from(model.V.data)];
      expect(all.every(Number.isFinite)).toBe(true);
      const size = of.entries.reduce((sum, e) => sum + e.value ** 2, 0);
      expect(model.fit.loss).toBeLessThan((dtype === 'f32' ? 1e-12 : 1e-14) * size);
    },
  );

  test('columns observed in the same two rows only: rank-deficient on the other side as well', async () => {
    const entries = [0, 1].flatMap((row) =>
      [0, 1, 2, 3].map((column) => ({ row, column, value: row + column + 1, weight: 1 })),
    );
    const model = await factorize(triples({ m: 5, n: 4, entries }), { rank: 3, dtype: 'f64' });
    expect(Array.from(model.V.data).every(Number.isFinite)).toBe(true);
    expect(model.fit.loss).toBeLessThan(1e-20);
    expect(Array.from(model.U.data).slice(6)).toEqual(new Array(9).fill(0));
  });
});
