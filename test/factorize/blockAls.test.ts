/** Block ALS: the optimum of ALS by blocks of coordinates, a way down that never rises, the same bits whoever runs it. */
import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, plan } from '../../dist/src/index.js';
import type { Model } from '../../dist/src/model/model.js';
import { expectClose, relativeDifference } from '../helpers/compare.js';
import { type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { at, foldIn, pointOf } from '../helpers/reference.js';

/** More columns than a block has; the ridge leaves a few of them, and one optimum. */
const rank = 40;
const base = problem({ m: 70, n: 50, density: 0.6, isWeighted: true, offset: 1, noise: 0.4, seed: 31 });
const positive = withEntries(base, (e) => ({ value: Math.abs(e.value) }));
const separable = {
  weight: {
    rows: Float64Array.from({ length: base.m }, (_, i) => 0.2 + (i % 3) / 8),
    columns: Float64Array.from({ length: base.n }, (_, j) => 0.5 + (j % 4) / 8),
  },
  value: 0.3,
};

type Options = Omit<FactorizeOptions, 'rank'>;

const fit = (of: Problem, options: Options, k = rank): Promise<Model> =>
  factorize(triples(of), {
    rank: k,
    method: 'block-als',
    dtype: 'f64',
    weights: sqrtWeights(of),
    maxSweeps: 20000,
    tolerance: 1e-8,
    ...options,
  });

/** f of each accepted sweep falls. */
function expectMonotone({ trace, fit: { certificate, objective } }: Model, rounding: number): void {
  const accepted = trace.filter(({ step }) => step !== 'rejected').map((entry) => entry.objective);
  const rises = accepted.slice(1).map((f, i) => f / at(accepted, i) - 1);
  expect(Math.max(...rises, 0)).toBeLessThanOrEqual(rounding);
  expect(objective).toBeLessThanOrEqual((accepted.at(-1) as number) * (1 + rounding));
  expect(certificate.monotone).toBe(true);
}

const convex: Record<string, Options> = {
  ridge: { lambda: 4 },
  'by count': { lambda: 0.15, lambdaScale: 'count' },
  'by weight, ν, biases': { lambda: 0.2, lambdaScale: 'weight', nu: 0.7, biases: 'both' },
  'by side, row biases of their own': { lambdaRows: 6, lambdaColumns: 3, biases: 'rows', biasLambda: 0.1 },
  'biases without penalty': { lambda: 4, biases: 'both', biasLambda: 0 },
  'a background': { lambda: 4, background: 0.5 },
  'a separable background, biases': { lambda: 0.1, lambdaScale: 'count', background: separable, biases: 'both' },
};

describe.each(Object.entries(convex))('%s', (_name, options) => {
  let exact: Promise<Model> | undefined;
  /** Fitted once, for what only looks at it. */
  const accelerated = () => (exact ??= fit(base, { ...options, acceleration: 'anderson' }));

  test('reaches the optimum of als', async () => {
    const als = await fit(base, { ...options, method: 'als' });
    for (const blocks of [
      await accelerated(),
      await fit(base, { ...options, acceleration: 'none', tolerance: 1e-6 }),
    ]) {
      expect([als.fit.status, blocks.fit.status]).toEqual(['converged', 'converged']);
      expect(blocks.fit.method.name).toBe('block-als');
      expect(relativeDifference(als.fit.objective, blocks.fit.objective)).toBeLessThan(1e-8);
      expectMonotone(blocks, 1e-12);
    }
  });

  test('f32 reaches what f64 reaches, and falls', async () => {
    const single = await fit(base, { ...options, dtype: 'f32', tolerance: 1e-5 });
    expect(single.fit.status).toBe('converged');
    expect(relativeDifference(single.fit.objective, (await accelerated()).fit.objective)).toBeLessThan(1e-5);
    expectMonotone(single, 1e-6);
  });
});

describe('constraints', () => {
  const cases: Record<string, { of: Problem; options: Options }> = {
    'non-negative': { of: positive, options: { nonnegative: 'both', lambda: 4 } },
    'non-negative, a background': { of: positive, options: { nonnegative: 'both', lambda: 4, background: 0.3 } },
    'L1, non-negative rows': { of: base, options: { lambda: 4, l1: 0.2, nonnegative: 'rows', biases: 'columns' } },
    'a free column, bounds': { of: base, options: { lambda: 0.5, freeColumns: 1, bounds: { columns: [-1, 2] } } },
    'a held column': {
      of: base,
      options: {
        lambda: 0.5,
        hold: {
          V: ndarray(
            Float64Array.from({ length: base.n * rank }, (_, t) => (t % rank === 35 ? 1 : Number.NaN)),
            [base.n, rank],
          ),
        },
      },
    },
  };

  test.each(Object.entries(cases))(
    '%s: converges to a first-order point, monotonically',
    async (_, { of, options }) => {
      for (const dtype of ['f64', 'f32'] as const) {
        const model = await fit(of, { ...options, dtype, tolerance: dtype === 'f64' ? 1e-4 : 3e-4 });
        expect(model.fit.status).toBe('converged');
        expectMonotone(model, dtype === 'f64' ? 1e-12 : 1e-6);
        const { U, V } = pointOf(model);
        const isNonnegative = {
          U: 'nonnegative' in options,
          V: 'nonnegative' in options && options.nonnegative === 'both',
        };
        if (isNonnegative.U) expect(Math.min(...U)).toBeGreaterThanOrEqual(0);
        if (isNonnegative.V) expect(Math.min(...V)).toBeGreaterThanOrEqual(0);
        if ('hold' in options)
          expect(Array.from({ length: base.n }, (_, j) => V[j * rank + 35])).toEqual(Array(base.n).fill(1));
      }
    },
  );

  test('a full matrix, whose rows als solves by one Gram matrix', async () => {
    const full = withEntries(problem({ m: 40, n: 30, seed: 3 }), (e) => ({ value: Math.abs(e.value) }));
    const options = { nonnegative: 'both', lambda: 1, weights: undefined, tolerance: 1e-5 } as const;
    const model = await fit(full, options);
    expect(model.fit.status).toBe('converged');
    expectMonotone(model, 1e-12);
  });
});

test('f never rises, whatever the rank and the penalty', async () => {
  const form = fc.record({
    k: fc.constantFrom(1, 5, 17, 33, 70),
    lambda: fc.constantFrom(0, 1e-6, 0.1, 3),
    biases: fc.constantFrom('none' as const, 'both' as const, 'columns' as const),
    background: fc.constantFrom(undefined, 0.01, 1, separable),
    nonnegative: fc.constantFrom('none' as const, 'both' as const),
    lambdaScale: fc.constantFrom('row' as const, 'count' as const, 'weight' as const),
    dtype: fc.constantFrom('f32' as const, 'f64' as const),
    acceleration: fc.constantFrom('anderson' as const, 'none' as const),
    seed: fc.integer({ min: 1, max: 1000 }),
  });
  await fc.assert(
    fc.asyncProperty(form, async ({ k, ...options }) => {
      const model = await fit(base, { ...options, maxSweeps: 8, tolerance: 0, certificate: 'first-order' }, k);
      expectMonotone(model, options.dtype === 'f32' ? 1e-6 : 1e-12);
    }),
    { numRuns: 40 },
  );
});

test('folding a training row in returns its factor, after few sweeps and after many', async () => {
  const rule = { lambda: 0.15, lambdaScale: 'count', biases: 'both' } as const;
  for (const maxSweeps of [2, 50]) {
    const model = await fit(base, { ...rule, maxSweeps, tolerance: 0 });
    const point = pointOf(model);
    for (let row = 0; row < base.m; row += 9) {
      const u = Array.from({ length: point.k }, (_, t) => at(point.U, row * point.k + t));
      expectClose([...u, at(point.b as Float64Array, row)], foldIn(base, point, rule, row), 1e-9, `row ${row}`);
    }
  }
});

test('begins from a U that is given, with and without a background', async () => {
  const { U } = pointOf(await fit(base, { lambda: 4, maxSweeps: 3 }));
  for (const background of [undefined, 0.5]) {
    const model = await fit(base, { lambda: 4, background, init: { U: ndarray(U, [base.m, rank]) } });
    expect(model.fit.status).toBe('converged');
  }
});

test('a rank beyond the entries of any row, without a penalty', async () => {
  const few = problem({ m: 30, n: 20, density: 0.2, seed: 8 });
  const model = await fit(few, { maxSweeps: 60, tolerance: 0 });
  expectMonotone(model, 1e-12);
  expect(model.fit.objective).toBeLessThan(1e-6 * few.entries.reduce((sum, e) => sum + e.value ** 2, 0));
});

test('polish finishes it', async () => {
  const model = await fit(base, { lambda: 4, polish: 'newton', tolerance: 1e-10 });
  expect(model.fit.status).toBe('converged');
});

describe('the same bits', () => {
  const large = problem({ m: 900, n: 300, density: 0.08, isWeighted: true, seed: 12 });
  const forms: Record<string, Options> = {
    explicit: { lambda: 0.1, lambdaScale: 'count', biases: 'both' },
    background: { lambda: 0.5, background: 0.5 },
    'non-negative': { lambda: 0.1, nonnegative: 'both' },
  };
  test.each(Object.keys(forms).flatMap((form) => (['f32', 'f64'] as const).map((dtype) => ({ form, dtype }))))(
    'on any number of threads, resident or staged: $form $dtype',
    async ({ form, dtype }) => {
      const run = async (way: Options) => {
        const model = await fit(large, { ...forms[form], dtype, maxSweeps: 7, tolerance: 0, ...way });
        expect(model.fit.blocks.rows).toBeGreaterThan(3);
        return { digest: model.fit.digest, f: model.trace.map(({ objective }) => objective) };
      };
      const way = dtype === 'f32' ? { threads: 2 } : { threads: 3, residency: 'staged' as const };
      expect(await run({ ...way, inline: 'never' })).toEqual(await run({ threads: 1 }));
    },
  );
});

test('its plan counts what the longest row and extrapolation take', () => {
  const shape = { shape: [20000, 5000], observed: 2e6 } as const;
  const options = { rank: 256, threads: 2 } as const;
  const [als, blocks, plain] = [
    plan(shape, { ...options, method: 'als' }),
    plan(shape, { ...options, method: 'block-als' }),
    plan(shape, { ...options, method: 'block-als', acceleration: 'none' }),
  ];
  expect(blocks.bytes.scratch).toBeGreaterThan(als.bytes.scratch);
  expect(blocks.bytes.method).toBe(10 * 25000 * 256 * 4);
  expect(plain.bytes.method).toBe(0);
});
