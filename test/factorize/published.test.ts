/** Real data with published results: structure from motion (hard: no claim but honesty), and MovieLens 100k. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model, type Triples } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { hasData, needsData, readCoordinates } from '../helpers/data.js';
import type { Problem } from '../helpers/problem.js';
import { at, firstOrderAt, objectiveAt, pointOf } from '../helpers/reference.js';

function problemOf(A: Triples): Problem {
  const entries = Array.from(A.values, (value, t) => ({
    row: at(A.rows, t),
    column: at(A.columns, t),
    value,
    weight: 1,
  }));
  return { m: A.shape[0], n: A.shape[1], entries };
}

function expectHonest(A: Triples, model: Model, rule: Partial<FactorizeOptions> = {}): void {
  const of = problemOf(A);
  const { certificate, objective, status, dtype } = model.fit;
  const point = pointOf(model);
  // f32 fits see data rounded to f32.
  const tolerance = dtype === 'f64' ? 1e-6 : 1e-2;
  expectClose([objective], [objectiveAt(of, point, rule).objective], dtype === 'f64' ? 1e-11 : 1e-4, 'objective');
  const { relativeGradientNorm } = firstOrderAt(of, point, rule);
  expectClose([certificate.relativeGradientNorm], [relativeGradientNorm], tolerance, 'relative gradient norm');
  expect(status === 'converged').toBe(certificate.relativeGradientNorm <= certificate.tolerance);
}

function expectNoRise({ trace, fit }: Model): void {
  const accepted = trace.filter(({ step }) => step !== 'rejected').map(({ objective }) => objective);
  for (let i = 1; i < accepted.length; i++)
    expect(at(accepted, i)).toBeLessThanOrEqual(at(accepted, i - 1) * (1 + (fit.dtype === 'f64' ? 1e-12 : 1e-6)));
  expect(fit.certificate.monotone).toBe(true);
}

const motion = [
  { name: 'cv-giraffe', rank: 6, best: 0.322795, maxSweeps: 200 },
  { name: 'cv-dino-trimmed', rank: 4, best: 1.084673, maxSweeps: 400 },
];

describe.each(motion)('$name', ({ name, rank, best, maxSweeps }) => {
  describe.skipIf(!hasData(name))(needsData(name, `rank ${rank}`), () => {
    test.each([
      { method: 'als', dtype: 'f64' },
      { method: 'als', dtype: 'f64', acceleration: 'none' },
      { method: 'gradient', dtype: 'f64' },
      { method: 'als', dtype: 'f32' },
    ] as const)('f never rises, the certificate is honest, nobody beats the best known: %o', async (options) => {
      const A = readCoordinates(`${name}/A.mtx.gz`);
      const model = await factorize(A, { rank, maxSweeps, ...options });
      expectNoRise(model);
      expectHonest(A, model);
      expect(model.fit.rmse.train).toBeGreaterThan(best * (1 - 1e-6));
      expect(model.fit.rmse.train).toBeLessThan(100 * best);
    });
  });
});

describe.skipIf(!hasData('ml-100k'))(needsData('ml-100k', 'MovieLens 100k'), () => {
  const rule = { lambda: 0.1, lambdaScale: 'count', biases: 'both' } as const;

  test('biased ALS, rank 10, λ = 0.1 by count: mean RMSE of u1–u5 as a numpy check gave it', async () => {
    const errors: number[] = [];
    for (const fold of [1, 2, 3, 4, 5]) {
      const train = readCoordinates(`ml-100k/u${fold}.train.mtx.gz`);
      const held = readCoordinates(`ml-100k/u${fold}.test.mtx.gz`);
      const model = await factorize(train, { rank: 10, maxSweeps: 100, ...rule });
      expectNoRise(model);
      if (fold === 1) expectHonest(train, model, rule);
      const predictions = model.predict(held.rows, held.columns);
      const squares = predictions.reduce((sum, p, t) => sum + (p - at(held.values, t)) ** 2, 0);
      errors.push(Math.sqrt(squares / predictions.length));
    }
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(mean, errors.join(' ')).toBeGreaterThanOrEqual(0.923);
    expect(mean, errors.join(' ')).toBeLessThanOrEqual(0.925);
    expectClose(errors, [0.936, 0.924, 0.92, 0.917, 0.921], 4e-3);
  });
});
