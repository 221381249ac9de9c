/** Objectives of more parts than squares and a ridge, through the whole of a fit. */
import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

const base = problem({ m: 40, n: 25, density: 0.5, isWeighted: true, offset: 1, noise: 0.4, seed: 31 });
const counts = withEntries(base, (e) => ({ value: Math.max(0, Math.round(2 * e.value)) }));
const classes = withEntries(base, (e) => ({ value: e.value > 1 ? 1 : -1 }));
const outliers = withEntries(base, (e) => ({ value: (e.row * 7 + e.column) % 19 === 0 ? 20 : e.value }));

const separable = {
  weight: {
    rows: Float64Array.from({ length: base.m }, (_, i) => 0.2 + (i % 3) / 8),
    columns: Float64Array.from({ length: base.n }, (_, j) => 0.5 + (j % 4) / 8),
  },
  value: 0.3,
};

/** Every part once, and parts together. */
const objectives: Record<string, { of?: typeof base; options: Omit<FactorizeOptions, 'rank'> }> = {
  'non-negative': { options: { nonnegative: 'both' as const } },
  'non-negative rows with L1': { options: { nonnegative: 'rows', l1: 0.2, lambda: 0.05 } },
  'elastic net by weight': { options: { l1: 0.02, lambda: 0.05, lambdaScale: 'weight' } },
  'a box': { options: { bounds: { rows: [-0.5, 1], columns: [-1, 2] } } },
  'free columns': { options: { lambda: 0.3, freeColumns: 1 } },
  'a background': { options: { background: 0.2, lambda: 0.1 } },
  'a separable background with biases': { options: { background: separable, lambda: 0.1, biases: 'both' } },
  'a background by count, ν = ½': {
    options: { background: { weight: 0.3 }, lambda: 0.01, lambdaScale: 'count', nu: 0.5 },
  },
  huber: { of: outliers, options: { loss: 'huber:0.8', lambda: 0.1 } },
  'huber, raw, with biases': { of: outliers, options: { loss: 'huber:0.8:raw', lambda: 0.1, biases: 'both' } },
  'huber, non-negative': { of: outliers, options: { loss: 'huber:1', nonnegative: 'both', lambda: 0.02 } },
  l1: { of: outliers, options: { loss: 'l1:0.2', lambda: 0.2 } },
  logistic: { of: classes, options: { loss: 'logistic', lambda: 0.2 } },
  'logistic with biases': { of: classes, options: { loss: 'logistic', lambda: 0.2, biases: 'both' } },
  poisson: { of: counts, options: { loss: 'poisson', lambda: 0.05 } },
  'poisson with a background': { of: counts, options: { loss: 'poisson', background: 0.5, lambda: 0.05, l1: 0.1 } },
};
const table = Object.entries(objectives);

const fit = (of: typeof base, options: Omit<FactorizeOptions, 'rank'>): Promise<Model> =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), threads: 1, ...options });

/** f at a model moved by a little, from the slow objective. */
function objectiveAround(model: Model, of: typeof base, background: FactorizeOptions['background']) {
  const weights = sqrtWeights(of);
  const given = typeof background === 'object' ? { background } : {};
  return () => model.objective(triples(of), { weights, ...given });
}

describe.each(table)('%s', (_name, { of = base, options }) => {
  test('falls from sweep to sweep in f64, and its parts are those of the slow objective', async () => {
    const model = await fit(of, { ...options, dtype: 'f64', maxSweeps: 40, tolerance: 0 });
    const { trace, certificate, objective, loss, regularization } = model.fit;
    for (let s = 1; s < trace.length; s++)
      if (trace[s]?.step !== 'rejected')
        expect(trace[s]?.objective).toBeLessThanOrEqual((trace[s - 1]?.objective as number) * (1 + 1e-12));
    expect(certificate.monotone).toBe(true);
    expect(loss + regularization).toBe(objective);
    expectClose([objectiveAround(model, of, options.background)()], [objective], 1e-10, 'objective');
  });

  test('ends where no feasible move of an entry of U or V lowers the slow objective', async () => {
    const model = await fit(of, { ...options, dtype: 'f64', maxSweeps: 5000, tolerance: 1e-7 });
    expect(model.fit.status).toBe('converged');
    expect(model.fit.certificate.kkt).toBeLessThan(1e-5);
    const f = objectiveAround(model, of, options.background);
    const at = f();
    const next = uniform(3);
    for (const [factor, side] of [
      [model.U, 'rows'],
      [model.V, 'columns'],
    ] as const)
      for (let draw = 0; draw < 12; draw++) {
        const index = Math.floor(next() * factor.data.length);
        const x = factor.data[index] as number;
        const [lower, upper] = (options.bounds?.[side] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) as [
          number,
          number,
        ];
        const isNonnegative = [side, 'both'].includes(options.nonnegative ?? '') || options.loss === 'poisson';
        for (const step of [1e-4, -1e-4]) {
          factor.data[index] = Math.min(upper, Math.max(isNonnegative ? 0 : lower, x + step));
          expect(f()).toBeGreaterThanOrEqual(at - 1e-9 * Math.abs(at));
          factor.data[index] = x;
        }
      }
  });

  test.each([
    ['f32', { threads: 3 }],
    ['f64', { threads: 2, residency: 'staged' }],
  ] as const)('gives the same bits on any number of threads, resident or staged: %s', async (dtype, way) => {
    const run = async (more: Partial<FactorizeOptions>) =>
      (await fit(of, { ...options, dtype, maxSweeps: 6, tolerance: 0, ...more })).fit.digest;
    expect(await run({ ...way, inline: 'never' })).toBe(await run({}));
  });

  test('f32 reaches what f64 reaches, to its own precision', async () => {
    const limits = { maxSweeps: 3000 };
    const narrow = await fit(of, { ...options, ...limits, dtype: 'f32' });
    const wide = await fit(of, { ...options, ...limits, dtype: 'f64' });
    expectClose([narrow.fit.objective], [wide.fit.objective], 1e-3, 'objective');
  });
});

describe('limits in which one objective is another', () => {
  const same = async (a: Omit<FactorizeOptions, 'rank'>, b: Omit<FactorizeOptions, 'rank'>, tolerance: number) => {
    const limits = { dtype: 'f64', maxSweeps: 3000 } as const;
    const [one, two] = [await fit(base, { ...limits, ...a }), await fit(base, { ...limits, ...b })];
    expectClose([one.fit.objective], [two.fit.objective], tolerance, 'objective');
    expectClose(one.predict([0, 5, 9], [1, 2, 3]), two.predict([0, 5, 9], [1, 2, 3]), 1e-5, 'predictions');
  };

  test('huber with a wide δ is quadratic', () => same({ loss: 'huber:1e6', lambda: 0.1 }, { lambda: 0.1 }, 1e-10));
  test('bounds that are never met are none', () =>
    same({ bounds: { rows: [-1e6, 1e6], columns: [-1e6, 1e6] }, lambda: 0.1 }, { lambda: 0.1 }, 1e-10));
  test('λ and μ by side, both the same, are λ and μ', () =>
    same({ lambdaRows: 0.1, lambdaColumns: 0.1, l1Rows: 0.05, l1Columns: 0.05 }, { lambda: 0.1, l1: 0.05 }, 1e-12));
  test('ν = 0 is the scale row', () => same({ lambda: 0.1, lambdaScale: 'count', nu: 0 }, { lambda: 0.1 }, 1e-12));
  test('λ_U ≠ λ_V with the same product is the same problem, rescaled', () =>
    same({ lambdaRows: 0.4, lambdaColumns: 0.025 }, { lambda: 0.1 }, 1e-8));

  test('a background is what listing every entry gives', async () => {
    const listed = new Map(base.entries.map((e) => [e.row * base.n + e.column, e]));
    const all = Array.from({ length: base.m * base.n }, (_, t) => {
      const [row, column] = [Math.floor(t / base.n), t % base.n];
      const weight = Math.sqrt((separable.weight.rows[row] as number) * (separable.weight.columns[column] as number));
      return listed.get(t) ?? { row, column, value: separable.value, weight };
    });
    const options = {
      lambda: 0.1,
      biases: 'both',
      dtype: 'f64',
      maxSweeps: 10,
      tolerance: 0,
      acceleration: 'none',
    } as const;
    const next = uniform(9);
    const V = ndarray(
      Float64Array.from({ length: 3 * base.n }, () => next() - 0.5),
      [base.n, 3],
    );
    const sparse = await fit(base, { ...options, background: separable, init: { V } });
    const dense = await fit({ ...base, entries: all }, { ...options, init: { V } });
    expectClose([sparse.fit.objective], [dense.fit.objective], 1e-10, 'objective');
    expectClose(sparse.predict([0, 5, 9], [1, 2, 3]), dense.predict([0, 5, 9], [1, 2, 3]), 1e-8, 'predictions');
  });

  test.each([
    ['without weights', () => 1],
    ['with weights r_i·c_j', (i: number, j: number) => (1 + (i % 3)) * (2 + (j % 4))],
  ])(
    'a full matrix %s has one Gram matrix for all rows, and the rows that it would have without',
    async (_name, weight) => {
      const next = uniform(5);
      const entries = Array.from({ length: base.m * base.n }, (_, t) => {
        const [row, column] = [Math.floor(t / base.n), t % base.n];
        return { row, column, value: 1 + next(), weight: Math.sqrt(weight(row, column)) };
      });
      const full = { ...base, entries };
      const options = { nonnegative: 'both', lambda: 0.01, maxSweeps: 8, tolerance: 0, acceleration: 'none' } as const;
      const shared = await fit(full, { ...options, dtype: 'f64' });
      // A negligible change of one weight, and the weights are no product any more.
      const apart = withEntries(full, (e) => (e.row + e.column === 3 ? { weight: e.weight * (1 + 1e-13) } : {}));
      const single = await fit(apart, { ...options, dtype: 'f64' });
      expect(single.fit.digest).not.toBe(shared.fit.digest);
      expectClose([shared.fit.objective], [single.fit.objective], 1e-10, 'objective');
      expectClose(shared.U.data, single.U.data, 1e-8, 'U');
    },
  );

  test('an entry of weight 0 is excluded from the background, and not counted as observed', async () => {
    const zero = withEntries(base, (e) => ({ weight: e.row === 3 ? 0 : e.weight }));
    const one = await fit(zero, { background: 0.5, lambda: 0.1, dtype: 'f64' });
    const changed = withEntries(zero, (e) => ({ value: e.row === 3 ? e.value + 100 : e.value }));
    const two = await fit(changed, { background: 0.5, lambda: 0.1, dtype: 'f64' });
    expect(two.fit.digest).toBe(one.fit.digest);
    expect(one.fit.observed).toBe(base.entries.filter((e) => e.row !== 3).length);
    expectClose([one.fit.rmse.train], [two.fit.rmse.train], 1e-12, 'rmse');
  });
});

describe('a matrix with as many entries as it has places', () => {
  const full = (m: number, n: number) =>
    withEntries(problem({ m, n, density: 1, isWeighted: false, offset: 1, noise: 0.4, seed: 33 }), (e) => e);
  const options = { nonnegative: 'both', lambda: 0.05, maxSweeps: 30, tolerance: 0 } as const;

  // Rows go four at a time and entries 64 at a time, and some of both are left over.
  test.each(['f32', 'f64'] as const)('full, in %s, is fitted as entry by entry', async (dtype) => {
    const whole = full(71, 67);
    const one = await fit(whole, { ...options, dtype });
    // A background, however faint, has every entry counted for itself.
    const listed = await fit(whole, { ...options, dtype, background: { weight: 1e-300 } });
    const slow = one.objective(triples(whole), { weights: sqrtWeights(whole) });
    expectClose([one.fit.objective], [slow], 1e-9);
    expectClose([one.fit.objective], [listed.fit.objective], dtype === 'f32' ? 1e-4 : 1e-9);
  });

  test('is not full where one is listed twice and another is missing', async () => {
    const whole = full(12, 9);
    const entries = whole.entries.map((e, t) => (t === 5 ? (whole.entries[4] as typeof e) : e));
    const odd = { ...whole, entries };
    const model = await fit(odd, { ...options, dtype: 'f64', maxSweeps: 2000, tolerance: 1e-9, duplicates: 'keep' });
    expect(model.fit.status).toBe('converged');
    const slow = model.objective(triples(odd), { weights: sqrtWeights(odd), duplicates: 'keep' });
    expectClose([model.fit.objective], [slow], 1e-12);
  });
});

describe('held entries', () => {
  test('stay as they are while the rest is fitted', async () => {
    const profile = Float64Array.from({ length: base.n * 3 }, (_, t) => (t % 3 === 0 ? 1 : Number.NaN));
    const model = await fit(base, { hold: { V: ndarray(profile, [base.n, 3]) }, lambda: 0.05, dtype: 'f64' });
    for (let j = 0; j < base.n; j++) expect(model.V.get(j, 0)).toBe(1);
    expect(model.fit.status).toBe('converged');
    expect(model.fit.options.hold).toEqual({ U: false, V: true });
  });

  test('stay where extrapolated points are brought back within bounds', async () => {
    const held = new Float64Array(base.n * 3).fill(Number.NaN);
    held.fill(0.5, 0, 6);
    const options = { bounds: { columns: [0.5, 0.6] as [number, number] }, lambda: 0.05, dtype: 'f64' } as const;
    const model = await fit(base, { ...options, hold: { V: ndarray(held, [base.n, 3]) }, tolerance: 0, maxSweeps: 40 });
    expect(model.trace.some(({ step }) => step === 'extrapolated')).toBe(true);
    for (let t = 0; t < 6; t++) expect(model.V.data[t]).toBe(0.5);
  });

  test('outside their bounds are refused, as are parts of another name', async () => {
    const V = ndarray(new Float64Array(base.n * 3).fill(-1), [base.n, 3]);
    await expect(fit(base, { nonnegative: 'both', hold: { V } })).rejects.toMatchObject({ code: 'invalid-value' });
    for (const odd of [
      { bounds: { U: [0, 1] } },
      { hold: { rows: V } },
      { background: { weight: '1' } },
      { loss: 'l1:0' },
    ])
      await expect(fit(base, odd as never)).rejects.toMatchObject({ code: 'invalid-option' });
  });
});

describe('outliers', () => {
  const gross = withEntries(base, (e) => ({ value: e.row + e.column === 9 ? 1e7 : e.value }));

  test.each(['huber:1', 'l1'])('do not pass a gradient for small: %s', async (loss) => {
    const model = await fit(gross, { loss, lambda: 0.05, maxSweeps: 3000 });
    expect(model.certificate.kkt).toBeLessThan(1e-3);
    const clean = await fit(base, { loss, lambda: 0.05, maxSweeps: 3000 });
    const residual = async (model: Model) => {
      const kept = base.entries.filter((e) => e.row + e.column !== 9);
      return Math.sqrt(kept.reduce((sum, e) => sum + (e.value - model.predict(e.row, e.column)) ** 2, 0) / kept.length);
    };
    expect(await residual(model)).toBeLessThan(2 * (await residual(clean)));
  });
});

describe('degenerate data', () => {
  test('counts that a constant fits exactly converge', async () => {
    const A = ndarray(new Float64Array(12).fill(5), [3, 4]);
    const { fit: report } = await factorize(A, { loss: 'poisson', rank: 1, dtype: 'f64', threads: 1 });
    expect(report.status).toBe('converged');
    expect(report.objective).toBeGreaterThanOrEqual(0);
  });

  test('nothing listed, or all of it with weight 0, is the background alone', async () => {
    const empty = {
      rows: new Uint32Array(0),
      columns: new Uint32Array(0),
      values: new Float64Array(0),
      shape: [4, 2] as const,
    };
    const { fit: report, V } = await factorize(empty, {
      rank: 1,
      background: { weight: 2, value: 1.5 },
      dtype: 'f64',
      threads: 1,
    });
    expect(report.objective).toBeLessThan(1e-12);
    expect([...V.data].every(Number.isFinite)).toBe(true);
  });

  test('a listed entry of weight 0 at a rate of 0 is a number', async () => {
    const A = {
      rows: Uint32Array.of(0, 0, 1, 1),
      columns: Uint32Array.of(0, 1, 0, 1),
      values: Float64Array.of(5, 0, 3, 2),
      shape: [2, 3] as const,
    };
    const weights = { weight: Float64Array.of(0, 1, 1, 1) };
    const { fit: report } = await factorize(A, {
      rank: 1,
      loss: 'poisson',
      background: 1,
      weights,
      dtype: 'f64',
      threads: 1,
    });
    expect(report.certificate.relativeGradientNorm).toBeLessThan(1e-6);
  });

  test('rows of fewer entries than unknowns are met exactly without a ridge, weights over five decades', async () => {
    const next = uniform(1);
    const few = withEntries(problem({ m: 16, n: 12, density: 0.3, seed: 3 }), () => ({
      value: 4 * next() - 2,
      weight: 10 ** (-5 * next()),
    }));
    for (const loss of ['huber:1.345', 'l1:0.1'] as const) {
      const options = { rank: 8, loss, weights: sqrtWeights(few), maxSweeps: 2, threads: 1 } as const;
      // Whatever an entry weighs: before a ridge helped such rows they took seconds and were 0.1 to 2 off.
      expect((await factorize(triples(few), options)).fit.rmse.train, loss).toBeLessThan(1e-3);
    }
  });

  test('a Poisson loss of counts that are met nearly is not below 0', async () => {
    const A = ndarray(
      Float64Array.from({ length: 12 }, (_, t) => (1 + Math.floor(t / 4)) * (1 + (t % 4)) * 1e5),
      [3, 4],
    );
    const { fit: report } = await factorize(A, { rank: 1, loss: 'poisson', dtype: 'f64', threads: 1 });
    expect(report.objective).toBeGreaterThanOrEqual(0);
    expect(report.certificate.monotone).toBe(true);
  });
});

test('any mix of parts falls monotonically in f64', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        nonnegative: fc.constantFrom('none', 'rows', 'columns', 'both'),
        l1: fc.constantFrom(0, 0.1),
        lambda: fc.constantFrom(0.01, 0.3),
        lambdaScale: fc.constantFrom('row', 'count', 'weight'),
        nu: fc.constantFrom(0.5, 1, 0.7),
        biases: fc.constantFrom('none', 'rows', 'both'),
        loss: fc.constantFrom('quadratic', 'huber:0.5', 'huber:0.5:raw', 'l1'),
        seed: fc.integer({ min: 0, max: 1000 }),
      }),
      async (options) => {
        const model = await fit(outliers, {
          ...options,
          dtype: 'f64',
          maxSweeps: 12,
          tolerance: 0,
        } as FactorizeOptions);
        expect(model.fit.certificate.monotone).toBe(true);
        expectClose(
          [model.objective(triples(outliers), { weights: sqrtWeights(outliers) })],
          [model.fit.objective],
          1e-9,
          'f',
        );
      },
    ),
    { numRuns: 25 },
  );
});
