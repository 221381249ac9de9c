/** Data at the edges of what floating point holds: large offsets, exact fits, numbers too large or too small. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { factorize } from '../../dist/src/index.js';
import { uniform } from '../helpers/random.js';

/** m×n of rank 3 around `offset`, `noise` on top. */
function table(m: number, n: number, { offset = 0, scale = 1, noise = 0 }) {
  const next = uniform(17);
  const U = Float64Array.from({ length: 3 * m }, () => next() - 0.5);
  const V = Float64Array.from({ length: 3 * n }, () => next() - 0.5);
  const data = Float64Array.from({ length: m * n }, (_, t) => {
    const [i, j] = [Math.floor(t / n), t % n];
    const signal = [0, 1, 2].reduce((sum, c) => sum + (U[3 * i + c] as number) * (V[3 * j + c] as number), 0);
    return scale * (signal + noise * (next() - 0.5)) + offset;
  });
  return ndarray(data, [m, n]);
}

test.each([101325, 1e6])('f32 with biases keeps its digits around an offset of %d', async (offset) => {
  const A = table(60, 30, { offset, noise: 0.5 });
  const model = await factorize(A, { rank: 2, lambda: 0.1, biases: 'both', dtype: 'f32', threads: 1 });
  const reference = await factorize(table(60, 30, { noise: 0.5 }), {
    rank: 2,
    lambda: 0.1,
    biases: 'both',
    dtype: 'f64',
    threads: 1,
  });
  expect(model.fit.status).toBe('converged');
  expect(model.fit.objective / reference.fit.objective).toBeCloseTo(1, 4);
  // What was fitted is what the caller gave, not what was left of it in f32.
  expect(model.objective(A) / model.fit.objective).toBeCloseTo(1, 4);
});

test.each([
  ['rank 3 at rank 5', { rank: 5 }, table(40, 20, {})],
  ['a constant with biases', { rank: 1, biases: 'both' as const }, ndarray(new Float64Array(200).fill(7), [20, 10])],
])('data that is fitted exactly ends as converged: %s', async (_name, options, A) => {
  const { fit } = await factorize(A, { ...options, dtype: 'f64', threads: 1 });
  expect(fit.certificate.relativeGradientNorm).toBeLessThanOrEqual(1e-8);
  expect([fit.status, fit.reason]).toEqual(['converged', 'gradient']);
});

describe('numbers beyond the range of a precision', () => {
  test.each([1e-110, 1e100])('are refused in f64: %d', async (scale) => {
    await expect(factorize(table(10, 8, { scale, noise: 0.1 }), { rank: 2, dtype: 'f64' })).rejects.toMatchObject({
      code: 'numeric-failure',
      position: { option: 'dtype' },
    });
  });

  test('choose f64 where nothing is asked, and are refused in f32', async () => {
    const A = table(10, 8, { scale: 1e-30, noise: 0.1 });
    const { fit } = await factorize(A, { rank: 2, method: 'als', threads: 1 });
    expect(fit.dtype).toBe('f64');
    expect(fit.notes.join()).toContain('beyond the range of f32');
    await expect(factorize(A, { rank: 2, dtype: 'f32' })).rejects.toMatchObject({ code: 'numeric-failure' });
    const weights = { sqrtWeight: new Float64Array(80).fill(1e-50) };
    await expect(factorize(A, { rank: 2, weights })).rejects.toMatchObject({ code: 'numeric-failure' });
  });
});

test('a small ridge that f32 cannot factor is solved in f64, which takes no rank-revealing route', async () => {
  const A = table(120, 90, { noise: 0 });
  const { fit } = await factorize(A, { rank: 40, lambda: 1e-6, dtype: 'f32', maxSweeps: 5, threads: 1 });
  expect(fit.sweeps).toBeGreaterThan(0);
  expect(Number.isFinite(fit.objective)).toBe(true);
});
