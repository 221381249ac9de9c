/** Alternating least squares on the real engine: what the loop's tests drive with scripted methods happens here by itself. */
import { describe, expect, test } from 'vitest';
import { factorize } from '../../dist/src/index.js';
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
