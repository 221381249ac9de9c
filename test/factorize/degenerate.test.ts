/** Problems at the edge: nothing observed, one number, more columns than there is to know, extreme sizes of numbers. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { type Entry, type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { at, firstOrderAt, objectiveAt, pointOf } from '../helpers/reference.js';

const entry = (row: number, column: number, value: number, weight = 1): Entry => ({ row, column, value, weight });
const table = (['als', 'gradient'] as const).flatMap((method) =>
  (['f32', 'f64'] as const).map((dtype) => ({ method, dtype })),
);

async function fit(of: Problem, options: FactorizeOptions): Promise<Model> {
  const model = await factorize(triples(of), { weights: sqrtWeights(of), ...options });
  expect([...Array.from(model.U.data), ...Array.from(model.V.data)].every(Number.isFinite)).toBe(true);
  const { fit: report } = model;
  for (const value of [
    report.objective,
    report.certificate.relativeGradientNorm,
    report.rmse.train,
    report.rmse.trainWeighted,
  ])
    expect(Number.isFinite(value)).toBe(true);
  return model;
}

describe.each(table)('$method $dtype', (way) => {
  const exact = way.dtype === 'f32' ? 1e-6 : 1e-12;

  test('1×1', async () => {
    const model = await fit({ m: 1, n: 1, entries: [entry(0, 0, 7, 0.5)] }, { rank: 1, ...way });
    expect(model.predict(0, 0)).toBeCloseTo(7, way.dtype === 'f32' ? 4 : 10);
    expect(model.fit.objective).toBeLessThan(49 * exact);
  });

  test('1×1 with λ: u²v² and the penalty in balance', async () => {
    // min (7 − uv)² + u² + v²: at u = v, uv = 7 − 1 = 6, f = 1 + 12.
    const model = await fit(
      { m: 1, n: 1, entries: [entry(0, 0, 7)] },
      { rank: 1, lambda: 1, maxSweeps: 5000, tolerance: way.dtype === 'f32' ? 1e-6 : 1e-10, ...way },
    );
    expect(model.fit.objective).toBeCloseTo(13, way.dtype === 'f32' ? 4 : 9);
    expect(model.predict(0, 0)).toBeCloseTo(6, way.dtype === 'f32' ? 2 : 6);
  });

  test('a single observation in a larger matrix', async () => {
    const model = await fit({ m: 4, n: 3, entries: [entry(2, 1, -3)] }, { rank: 2, ...way });
    expect(model.predict(2, 1)).toBeCloseTo(-3, 4);
    expect(Array.from(model.U.data).map((u, i) => (Math.floor(i / 2) === 2 ? 0 : u))).toEqual(new Array(8).fill(0));
    expect(Array.from(model.V.data).slice(0, 2)).toEqual([0, 0]);
  });

  test('empty rows and columns have factor and bias 0', async () => {
    const of = problem({ m: 9, n: 8, density: 0.9, isWeighted: true, offset: 3 });
    const holes = {
      ...of,
      entries: of.entries.filter((e) => e.row !== 4 && e.row !== 8 && e.column !== 0 && e.column !== 5),
    };
    for (const lambda of [0, 0.2]) {
      const model = await fit(holes, { rank: 2, lambda, biases: 'both', maxSweeps: 30, ...way });
      for (const row of [4, 8]) {
        expect(Array.from(model.U.data.subarray(row * 2, row * 2 + 2))).toEqual([0, 0]);
        expect(at(model.biases.rows, row)).toBe(0);
        expect(model.predict(row, 1)).toBe(model.biases.mean + at(model.biases.columns, 1));
      }
      for (const column of [0, 5]) {
        expect(Array.from(model.V.data.subarray(column * 2, column * 2 + 2))).toEqual([0, 0]);
        expect(at(model.biases.columns, column)).toBe(0);
        expect(model.predict(1, column)).toBe(model.biases.mean + at(model.biases.rows, 1));
      }
    }
  });

  test('k = 1 without noise is exact', async () => {
    const of = problem({ m: 12, n: 9, density: 0.8, rank: 1, noise: 0, isWeighted: true });
    const model = await fit(of, { rank: 1, maxSweeps: 3000, tolerance: way.dtype === 'f32' ? 1e-6 : 1e-10, ...way });
    const size = of.entries.reduce((sum, e) => sum + (e.weight * e.value) ** 2, 0);
    expect(model.fit.loss).toBeLessThan((way.dtype === 'f32' ? 1e-10 : 1e-14) * size);
  });

  test('k > min(m, n): no residual is left', async () => {
    const of = problem({ m: 6, n: 4, isWeighted: true });
    const model = await fit(of, { rank: 7, ...way });
    const size = of.entries.reduce((sum, e) => sum + (e.weight * e.value) ** 2, 0);
    expect(model.fit.loss).toBeLessThan((way.dtype === 'f32' ? 1e-10 : 1e-14) * size);
    expect(model.rank).toBe(7);
  });

  test('all weights zero: a zero model and a note', async () => {
    const of = withEntries(problem({ m: 5, n: 4 }), () => ({ weight: 0 }));
    for (const biases of ['none', 'both'] as const)
      for (const lambda of [0, 1]) {
        const model = await fit(of, { rank: 2, biases, lambda, ...way });
        const everything = [
          ...Array.from(model.U.data),
          ...Array.from(model.V.data),
          ...Array.from(model.biases.rows ?? []),
        ];
        expect(new Set(everything)).toEqual(new Set([0]));
        expect(model.fit).toMatchObject({ observed: 0, objective: 0, loss: 0 });
        expect(model.fit.certificate.relativeGradientNorm).toBe(0);
        expect(model.fit.notes.join()).toMatch(/Nothing is observed/);
        expect(model.predict(1, 1)).toBe(0);
      }
  });

  test('a matrix of zeros', async () => {
    const of = withEntries(problem({ m: 5, n: 4 }), () => ({ value: 0 }));
    for (const lambda of [0, 1]) {
      const model = await fit(of, { rank: 2, lambda, ...way });
      expect(model.fit.objective).toBeLessThan(1e-12);
    }
  });

  test('one row, one column', async () => {
    for (const [m, n] of [
      [1, 9],
      [9, 1],
    ] as const) {
      const of = problem({ m, n, isWeighted: true });
      const model = await fit(of, { rank: 1, ...way });
      expect(model.fit.loss).toBeLessThan(1e-8);
    }
  });

  test.each([1e-12, 1e12])('values of size %s', async (size) => {
    const of = withEntries(problem({ m: 15, n: 10, density: 0.8, isWeighted: true }), (e) => ({
      value: e.value * size,
    }));
    const model = await fit(of, { rank: 3, maxSweeps: 20, ...way });
    const { objective } = objectiveAt(of, pointOf(model), {});
    expectClose([model.fit.objective], [objective], way.dtype === 'f32' ? 1e-4 : 1e-11);
    expect(model.fit.rmse.train).toBeLessThan(0.2 * size);
  });

  test.each([1e-15, 1e15])('weights of size %s', async (size) => {
    const of = withEntries(problem({ m: 15, n: 10, density: 0.8, isWeighted: true }), (e) => ({
      weight: e.weight * size,
    }));
    const model = await fit(of, { rank: 3, maxSweeps: 20, ...way });
    const { objective } = objectiveAt(of, pointOf(model), {});
    expectClose([model.fit.objective], [objective], way.dtype === 'f32' ? 1e-4 : 1e-11);
    expect(model.fit.rmse.train).toBeLessThan(0.2);
  });
});

test('weights over ten decades choose f64, and the fit is exact for it', async () => {
  const of = withEntries(problem({ m: 20, n: 15, density: 0.8 }), (e) => ({
    weight: 10 ** -((e.row * 7 + e.column * 3) % 6),
  }));
  const model = await fit(of, { rank: 3, lambda: 1e-6, maxSweeps: 40 });
  expect(model.fit.dtype).toBe('f64');
  expect(model.fit.notes.join()).toMatch(/f64/);
  expectClose(
    [model.fit.certificate.relativeGradientNorm],
    [firstOrderAt(of, pointOf(model), { lambda: 1e-6 }).relativeGradientNorm],
    1e-6,
  );
  const f32 = await fit(of, { rank: 3, dtype: 'f32', lambda: 1e-6, maxSweeps: 40 });
  expect(f32.fit.dtype).toBe('f32');
  expect(f32.fit.certificate.monotone).toBe(true);
});

test('numbers too extreme for f32 are a typed error that says what to do', async () => {
  const of = withEntries(problem({ m: 5, n: 4 }), (e) => ({ value: e.value * 1e200 }));
  await expect(factorize(triples(of), { rank: 2, dtype: 'f32' })).rejects.toMatchObject({ code: 'numeric-failure' });
  await expect(factorize(triples(of), { rank: 2, dtype: 'f64' })).rejects.toMatchObject({ code: 'numeric-failure' });
});

test.each([1e8, 2e10, -9.9e10])(
  'a first entry far off and hardly known does not hide what the others leave: %d',
  async (far) => {
    const entries = Array.from({ length: 3000 }, (_, t) => [t % 60, Math.floor(t / 60)] as const)
      .filter(([i, j]) => (i * 7 + j * 11) % 2 === 0)
      .map(([i, j]) => entry(i, j, 1 + Math.sin(i) * Math.cos(j) + 0.1 * Math.sin(i * j)));
    const of = { m: 60, n: 50, entries: [entry(0, 0, far, 1 / Math.abs(far)), ...entries.slice(1)] };
    const options = { rank: 3, lambda: 0.01, method: 'als', dtype: 'f64', seed: 1 } as const;
    const { fit: report } = await fit(of, options);
    expect(report.status).toBe('converged');
    // The same problem without it, but for what one entry of weight 1 says.
    const { fit: without } = await fit({ ...of, entries: entries.slice(1) }, options);
    expect(report.objective).toBeLessThan(without.objective + 1.1);
  },
);
