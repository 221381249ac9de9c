/** What must hold for any data: equivariance, scaling laws, the meaning of weights and duplicates, and that form and order do not matter. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type MatrixInput, type WeightsInput } from '../../dist/src/index.js';
import { matrix } from '../../dist/src/model/model.js';
import { expectClose, relativeDifference } from '../helpers/compare.js';
import {
  compressed,
  dense,
  type Problem,
  problem,
  reordered,
  sqrtWeights,
  triples,
  withEntries,
} from '../helpers/problem.js';
import { permutation, uniform } from '../helpers/random.js';
import { at, pointOf, predict } from '../helpers/reference.js';

const runs = { numRuns: 60 };
const shapes = fc.record({
  m: fc.integer({ min: 2, max: 14 }),
  n: fc.integer({ min: 2, max: 14 }),
  density: fc.double({ min: 0.3, max: 1, noNaN: true }),
  isWeighted: fc.boolean(),
  offset: fc.constantFrom(0, 2),
  seed: fc.integer({ min: 1, max: 1e6 }),
});
const rules = fc.record({
  rank: fc.integer({ min: 1, max: 4 }),
  lambda: fc.constantFrom(0.1, 1),
  lambdaScale: fc.constantFrom('row' as const, 'count' as const, 'weight' as const),
  biases: fc.constantFrom('none' as const, 'rows' as const, 'columns' as const, 'both' as const),
  method: fc.constantFrom('als' as const, 'gradient' as const),
  dtype: fc.constantFrom('f32' as const, 'f64' as const),
});

const fit = (A: MatrixInput, options: FactorizeOptions) => factorize(A, { maxSweeps: 8, tolerance: 0, ...options });

function start(n: number, rank: number, seed: number): Float64Array {
  const next = uniform(seed);
  return new Float64Array(n * rank).map(() => next() - 0.5);
}

test('permuting rows and columns permutes the factors', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, rules, async (shape, rule) => {
      const of = problem(shape);
      const { m, n } = of;
      const { rank } = rule;
      const [P, Q] = [permutation(m, shape.seed), permutation(n, shape.seed + 1)];
      const permuted = withEntries(of, (e) => ({ row: at(P, e.row), column: at(Q, e.column) }));
      const V = start(n, rank, shape.seed);
      const moved = new Float64Array(n * rank);
      for (let j = 0; j < n; j++) moved.set(V.subarray(j * rank, (j + 1) * rank), at(Q, j) * rank);
      // Short fits in f64: a long way would let differences in rounding grow.
      const options = { ...rule, dtype: 'f64', acceleration: 'none', maxSweeps: 2 } as const;
      const one = await fit(triples(of), { ...options, weights: sqrtWeights(of), init: { V: matrix(V, n, rank) } });
      const other = await fit(triples(permuted), {
        ...options,
        weights: sqrtWeights(permuted),
        init: { V: matrix(moved, n, rank) },
      });
      expect(relativeDifference(one.fit.objective, other.fit.objective)).toBeLessThan(1e-9);
      const [a, b] = [pointOf(one), pointOf(other)];
      const pick = (from: Float64Array | undefined, order: Uint32Array, width: number) =>
        Array.from(order).flatMap((to) => Array.from({ length: width }, (_, t) => at(from, to * width + t)));
      expectClose(pick(b.U, P, rank), a.U, 1e-7, 'U');
      expectClose(pick(b.V, Q, rank), a.V, 1e-7, 'V');
      if (a.b) expectClose(pick(b.b, P, 1), a.b, 1e-7, 'row biases');
      if (a.c) expectClose(pick(b.c, Q, 1), a.c, 1e-7, 'column biases');
    }),
    runs,
  );
});

describe('scaling laws at λ = 0', () => {
  test.each([
    ['A·c', (c: number) => (of: Problem) => withEntries(of, (e) => ({ value: c * e.value }))],
    ['W·c', (c: number) => (of: Problem) => withEntries(of, (e) => ({ weight: c * e.weight }))],
  ])('%s → c²·f', async (name, change) => {
    await fc.assert(
      fc.asyncProperty(shapes, rules, fc.constantFrom(1 / 1024, 0.3, 16, 1e6), async (shape, rule, c) => {
        const of = problem({ ...shape, isWeighted: true, density: 1, m: shape.m + 6, n: shape.n + 6 });
        const options = {
          ...rule,
          rank: 2,
          lambda: 0,
          dtype: 'f64',
          method: 'als',
          acceleration: 'none',
          maxSweeps: 3,
        } as const;
        const V = start(of.n, 2, shape.seed);
        const init = (scale: number) => ({
          V: matrix(
            V.map((v) => v * scale),
            of.n,
            2,
          ),
        });
        const changed = change(c)(of);
        const one = await fit(triples(of), { ...options, weights: sqrtWeights(of), init: init(1) });
        const other = await fit(triples(changed), { ...options, weights: sqrtWeights(changed), init: init(1) });
        expect(relativeDifference(other.fit.objective, c * c * one.fit.objective)).toBeLessThan(1e-9);
        // A bias is a column of its factor that A·c scales otherwise than the rest.
        if (rule.biases === 'none' || name === 'W·c')
          expect(
            relativeDifference(other.fit.certificate.relativeGradientNorm, one.fit.certificate.relativeGradientNorm),
          ).toBeLessThan(1e-5);
        const scale = name === 'A·c' ? c : 1;
        const predictions = (model: typeof one) => of.entries.map((e) => predict(pointOf(model), e.row, e.column));
        expectClose(
          predictions(other),
          predictions(one).map((p) => p * scale),
          1e-8,
          'predictions',
        );
      }),
      runs,
    );
  });

  test('from its own random start too, by powers of four, to the bit', async () => {
    // √4 is exact, and so is everything that follows from it.
    const of = problem({ m: 20, n: 15, density: 0.6, seed: 6 });
    const options = { rank: 3, dtype: 'f64' } as const;
    const one = await fit(triples(of), options);
    const other = await fit(triples(withEntries(of, (e) => ({ value: 16 * e.value }))), options);
    expect(other.fit.objective).toBe(256 * one.fit.objective);
    expect(Array.from(other.U.data)).toEqual(Array.from(one.U.data, (u) => 4 * u));
  });
});

describe('the same entries in any form and order give the same bits', () => {
  test('triples, CSR, dense; any order, index type and strides', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, rules, async (shape, rule) => {
        const of = problem(shape);
        const shuffled = reordered(of, permutation(of.entries.length, shape.seed));
        const W = (p: Problem) => triples(p, (e) => e.weight);
        const sorted = triples(of);
        const signed = { ...sorted, rows: Int32Array.from(sorted.rows), columns: Int32Array.from(sorted.columns) };
        const csr = compressed(of);
        const backwards = reversedRows(csr);
        const columnMajor = dense({
          ...of,
          m: of.n,
          n: of.m,
          entries: of.entries.map((e) => ({ ...e, row: e.column, column: e.row })),
        });
        const forms: [string, MatrixInput, WeightsInput | undefined][] = [
          ['triples', sorted, sqrtWeights(of)],
          ['shuffled, weights beside', triples(shuffled), sqrtWeights(shuffled)],
          ['shuffled, weights in another order', triples(shuffled), { sqrtWeight: W(of) }],
          ['signed indices, CSR weights', signed, { sqrtWeight: compressed(of, (e) => e.weight) }],
          ['CSR', csr, sqrtWeights(of)],
          [
            'CSR with 64-bit pointers',
            { ...csr, rowPointers: BigInt64Array.from(Array.from(csr.rowPointers, BigInt)) },
            { sqrtWeight: W(of) },
          ],
          ['CSR, columns falling', backwards, { sqrtWeight: dense(of, (e) => e.weight, 5) }],
          ['dense', dense(of), { sqrtWeight: W(shuffled) }],
          [
            'dense, weights zero where unobserved',
            dense(of, undefined, 77),
            { sqrtWeight: dense(of, (e) => e.weight, 0) },
          ],
          ['dense, column-major', columnMajor.transpose(1, 0), { sqrtWeight: dense(of, (e) => e.weight, 0.5) }],
        ];
        const digests: Record<string, string> = {};
        for (const [name, A, weights] of forms)
          digests[name] = (await fit(A, { ...rule, maxSweeps: 2, weights })).fit.digest;
        expect(digests).toEqual(Object.fromEntries(forms.map(([name]) => [name, digests.triples])));
      }),
      runs,
    );
  });

  test('weights of 1 are no weights', async () => {
    const of = problem({ m: 12, n: 9, density: 0.7 });
    const [one, other] = await Promise.all([
      fit(triples(of), { rank: 2 }),
      fit(triples(of), { rank: 2, weights: { weight: new Float32Array(of.entries.length).fill(1) } }),
    ]);
    expect(other.fit.digest).toBe(one.fit.digest);
  });

  test('sqrtWeight W, weight W² and sigma 1/W mean the same', async () => {
    const powers = problem({ m: 12, n: 9, density: 0.7, isWeighted: true });
    // Powers of two: squares and reciprocals are exact.
    const of = withEntries(powers, (e) => ({ weight: 2 ** Math.round(e.weight) }));
    const give = (select: (weight: number) => number) => Float64Array.from(of.entries, (e) => select(e.weight));
    const kinds: WeightsInput[] = [
      { sqrtWeight: give((w) => w) },
      { weight: give((w) => w * w) },
      { sigma: give((w) => 1 / w) },
    ];
    const digests = await Promise.all(
      kinds.map(async (weights) => (await fit(triples(of), { rank: 2, weights })).fit.digest),
    );
    expect(new Set(digests).size).toBe(1);
    const unweighted = await fit(triples(of), { rank: 2 });
    expect(digests[0]).not.toBe(unweighted.fit.digest);
  });
});

function reversedRows(csr: ReturnType<typeof compressed>) {
  const columnIndices = Uint32Array.from(csr.columnIndices);
  const values = Float64Array.from(csr.values);
  for (let row = 0; row + 1 < csr.rowPointers.length; row++) {
    const [start, end] = [Number(csr.rowPointers[row]), Number(csr.rowPointers[row + 1])];
    columnIndices.subarray(start, end).reverse();
    values.subarray(start, end).reverse();
  }
  return { ...csr, columnIndices, values };
}

describe("the caller's arrays", () => {
  test.each(['auto', 'never'] as const)('are neither changed nor detached, inline %s', async (inline) => {
    const of = problem({ m: 30, n: 20, density: 0.6, isWeighted: true });
    const A = reversedRows(compressed(of));
    const weights = { sigma: triples(of, (e) => 1 / e.weight) };
    const V = start(20, 3, 1);
    const arrays = [
      A.rowPointers,
      A.columnIndices,
      A.values,
      weights.sigma.rows,
      weights.sigma.columns,
      weights.sigma.values,
      V,
    ];
    const before = arrays.map((array) => Array.from(array as Float64Array));
    await fit(A, { rank: 3, weights, init: { V: matrix(V, 20, 3) }, inline, threads: 2 });
    expect(arrays.map((array) => Array.from(array as Float64Array))).toEqual(before);
  });

  test('may be frozen objects over shared memory', async () => {
    const of = problem({ m: 8, n: 6 });
    const shared = new Float64Array(new SharedArrayBuffer(of.entries.length * 8));
    shared.set(triples(of).values);
    const model = await fit(Object.freeze({ ...triples(of), values: shared }), Object.freeze({ rank: 2 }));
    expect(model.fit.digest).toBe((await fit(triples(of), { rank: 2 })).fit.digest);
  });
});

describe('an entry listed twice', () => {
  const of = problem({ m: 10, n: 8, density: 0.6, isWeighted: true, seed: 8 });
  const twice = [3, 11, 20];
  // The second listings stand at the end, with values and weights of their own.
  const again: Problem = {
    ...of,
    entries: [
      ...of.entries,
      ...twice.map((t, i) => ({ ...(of.entries[t] as (typeof of.entries)[number]), value: i + 1, weight: 2 ** i })),
    ],
  };
  const isTwice = (row: number, column: number) =>
    twice.findIndex((t) => of.entries[t]?.row === row && of.entries[t]?.column === column);
  const run = (p: Problem, options: Partial<FactorizeOptions> = {}) =>
    fit(triples(p), { rank: 2, lambda: 0.1, dtype: 'f64', weights: sqrtWeights(p), maxSweeps: 4, ...options });

  test('is refused by default, with both places', async () => {
    const { row, column } = of.entries[3] as { row: number; column: number };
    await expect(run(again)).rejects.toMatchObject({
      code: 'duplicate-entry',
      position: { row, column, first: 3, index: of.entries.length },
    });
    await expect(fit(compressed(withRowTwice()), { rank: 1 })).rejects.toMatchObject({
      code: 'duplicate-entry',
      position: { row: 1, column: 0, first: 2, index: 3 },
    });
  });

  const withRowTwice = (): Problem => ({
    m: 2,
    n: 2,
    entries: [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 0],
    ].map(([row = 0, column = 0]) => ({ row, column, value: 1, weight: 1 })),
  });

  test("'last' is the later listing", async () => {
    const last = withEntries(of, ({ row, column }) =>
      isTwice(row, column) < 0 ? {} : { value: isTwice(row, column) + 1, weight: 2 ** isTwice(row, column) },
    );
    expect((await run(again, { duplicates: 'last' })).fit.digest).toBe((await run(last)).fit.digest);
  });

  test('a full matrix with an entry listed twice is one when that is settled, under every objective', async () => {
    const full = problem({ m: 9, n: 5, rank: 2, density: 1, seed: 4 });
    const [first] = full.entries as [Problem['entries'][number]];
    const once = withEntries(full, ({ row, column }) => (row === 0 && column === 0 ? { value: 7 } : {}));
    const twice: Problem = { ...full, entries: [...full.entries, { ...first, row: 0, column: 0, value: 7 }] };
    const bounded = { nonnegative: 'both' } as const;
    for (const more of [bounded, { l1: 0.05 }, { ...bounded, biases: 'both' }] as const) {
      const options = { rank: 2, lambda: 0.1, ...more };
      const { digest } = (await fit(triples(once), options)).fit;
      expect((await fit(triples(twice), { ...options, duplicates: 'last' })).fit.digest).toBe(digest);
    }
  });

  test("'sum' adds the values of one weight", async () => {
    const sum = withEntries(of, ({ row, column, value }) =>
      isTwice(row, column) < 0 ? {} : { value: value + isTwice(row, column) + 1 },
    );
    const alike = withEntries(again, ({ row, column }) => ({
      weight: of.entries.find((e) => e.row === row && e.column === column)?.weight as number,
    }));
    const { digest } = (await run(sum)).fit;
    expect((await run(alike, { duplicates: 'sum' })).fit.digest).toBe(digest);
    const listing = permutation(alike.entries.length, 3);
    expect((await run(reordered(alike, listing), { duplicates: 'sum' })).fit.digest).toBe(digest);
    await expect(run(again, { duplicates: 'sum' })).rejects.toMatchObject({ code: 'duplicate-entry' });
  });

  test("'keep' is two observations: weights add as squares, values average, and the spread is a constant", async () => {
    let spread = 0;
    const merged = withEntries(of, ({ row, column, value, weight }) => {
      const i = isTwice(row, column);
      if (i < 0) return {};
      const [w, v] = [weight ** 2, 4 ** i];
      spread += ((w * v) / (w + v)) * (value - i - 1) ** 2;
      return { value: (w * value + v * (i + 1)) / (w + v), weight: Math.sqrt(w + v) };
    });
    const kept = await run(again, { duplicates: 'keep', acceleration: 'none' });
    const one = await run(merged, { acceleration: 'none' });
    expect(kept.fit.observed).toBe(of.entries.length + twice.length);
    // The start is scaled by the data's size, which differs; converged they agree.
    const [a, b] = await Promise.all(
      [again, merged].map((p) => run(p, { duplicates: 'keep', maxSweeps: 4000, tolerance: 1e-10 })),
    );
    expect(relativeDifference(a?.fit.objective as number, (b?.fit.objective as number) + spread)).toBeLessThan(1e-9);
    expect(kept.fit.objective).toBeGreaterThan(one.fit.objective);
  });

  test('counts once for λ by count unless kept', async () => {
    const scale = { lambdaScale: 'count', weights: undefined, rank: 1, lambda: 1 } as const;
    const [kept, last] = await Promise.all(
      (['keep', 'last'] as const).map((duplicates) => run(again, { ...scale, duplicates })),
    );
    expect(kept?.fit.observed).toBe(of.entries.length + 3);
    expect(last?.fit.observed).toBe(of.entries.length);
  });

  test('a listing of weight 0 is none', async () => {
    const without = withEntries(again, (e) => (again.entries.indexOf(e) >= of.entries.length ? { weight: 0 } : {}));
    expect((await run(without)).fit.digest).toBe((await run(of)).fit.digest);
  });
});
