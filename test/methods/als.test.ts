/** Alternating least squares on the real engine: what the loop's tests drive with scripted methods happens here by itself. */
import { describe, expect, test } from 'vitest';
import { factorize, foldIn } from '../../dist/src/index.js';
import { problem, triples } from '../helpers/problem.js';

describe('a sweep in f32 that raises the objective', () => {
  // Short rows, no penalty and a mean far from zero: normal equations that f32 cannot hold. Most sweeps are rejected once.
  const A = triples(problem({ m: 31, n: 11, density: 0.35, rank: 3, noise: 1, offset: 10, seed: 11 }));

  test.each(['anderson', 'none'] as const)('is rejected and redone in f64, acceleration %s', async (acceleration) => {
    const { trace } = await factorize(A, { rank: 3, dtype: 'f32', tolerance: 0, maxSweeps: 200, acceleration });
    const rejected = trace.filter(({ step }) => step === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    let before = Number.POSITIVE_INFINITY;
    trace.forEach(({ step, objective, sweep }, i) => {
      if (step !== 'rejected') {
        expect(objective).toBeLessThanOrEqual(before * (1 + 1e-6));
        before = objective;
        return;
      }
      expect(objective).toBeGreaterThan(before * (1 + 1e-6));
      // Redone at once, by the plainest step, and accepted.
      expect(trace[i + 1]).toMatchObject({ step: 'plain', sweep: sweep + 1 });
    });
  });

  test('has no need of it in f64', async () => {
    const { trace } = await factorize(A, { rank: 3, dtype: 'f64', tolerance: 0, maxSweeps: 200 });
    expect(trace.filter(({ step }) => step === 'rejected')).toEqual([]);
  });
});

describe('a matrix much wider than tall, beside a background', () => {
  const of = problem({ m: 40, n: 200, density: 0.15, rank: 3, noise: 0.3, isWeighted: false, offset: 1, seed: 6 });
  const wide = triples(of);
  const tall = { rows: wide.columns, columns: wide.rows, values: wide.values, shape: [200, 40] } as const;
  const options = { rank: 4, background: 0.2, lambda: 0.5, method: 'als', dtype: 'f64', tolerance: 1e-9 } as const;

  test('is extrapolated by U, and comes to what its transpose comes to by V', async () => {
    const model = await factorize(wide, options);
    const { status, objective, certificate } = model.fit;
    expect(status).toBe('converged');
    expect(certificate.relativeGradientNorm).toBeLessThanOrEqual(1e-9);
    expect(model.trace.filter(({ step }) => step === 'extrapolated').length).toBeGreaterThan(3);
    const objectives = model.trace.filter(({ step }) => step !== 'rejected').map((entry) => entry.objective);
    expect(objectives.every((f, i) => i === 0 || f <= (objectives[i - 1] as number) * (1 + 1e-12))).toBe(true);
    const other = (await factorize(tall, options)).fit;
    expect(Math.abs(objective / other.objective - 1)).toBeLessThan(1e-9);
  });

  test('has a U that is exact for V, however few its sweeps', async () => {
    for (const maxSweeps of [1, 2, 6]) {
      const model = await factorize(wide, { ...options, maxSweeps });
      const { factor } = await foldIn(model, wide);
      const largest = Math.max(...model.U.data.map(Math.abs));
      factor.data.forEach((x, i) => {
        expect(Math.abs(x - (model.U.data[i] as number))).toBeLessThan(1e-10 * largest);
      });
    }
  });

  test('takes fewer sweeps than without acceleration', async () => {
    const sweeps = async (acceleration: 'anderson' | 'none') =>
      (await factorize(wide, { ...options, acceleration, maxSweeps: 5000 })).fit.sweeps;
    expect(await sweeps('anderson')).toBeLessThan(0.7 * (await sweeps('none')));
  });
});
