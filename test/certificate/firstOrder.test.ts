/** The certificate: what it says is the plain float64 gradient of the final factors, and nothing is called converged without it. */

import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { certifyFirstOrder } from '../../dist/src/certificate/firstOrder.js';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { relativeTo } from '../../dist/src/objective/relativeGradient.js';
import { expectClose } from '../helpers/compare.js';
import { openFit } from '../helpers/fit.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { firstOrderAt, pointOf } from '../helpers/reference.js';

const of = problem({ m: 40, n: 25, density: 0.5, isWeighted: true, offset: 1, seed: 21 });

const table = (['als', 'gradient'] as const).flatMap((method) =>
  (['f32', 'f64'] as const).flatMap((dtype) =>
    [1e-2, 1e-4, 1e-6].flatMap((tolerance) =>
      (['none', 'both'] as const).map((biases) => ({ method, dtype, tolerance, biases })),
    ),
  ),
);

test.each(table)('honest: $method $dtype to $tolerance, biases $biases', async (options) => {
  const rule = { lambda: 0.05, lambdaScale: 'count' } as const;
  const model = await factorize(triples(of), {
    rank: 3,
    ...rule,
    weights: sqrtWeights(of),
    maxSweeps: 2000,
    ...options,
  });
  const { certificate, status, reason } = model.fit;
  const recomputed = firstOrderAt(asStored(options), pointOf(model), rule);
  expectClose([certificate.relativeGradientNorm], [recomputed.relativeGradientNorm], 1e-6, 'relative gradient norm');
  expectClose([certificate.gradientNorm.V], [recomputed.gradientNorm.V], 1e-6, '‖∂f/∂V‖');
  expect(certificate.tolerance).toBe(options.tolerance);
  expect(status === 'converged').toBe(reason === 'gradient');
  if (status === 'converged')
    expect(recomputed.relativeGradientNorm).toBeLessThanOrEqual(options.tolerance * (1 + 1e-6));
  if (options.dtype === 'f64') expect(status).toBe('converged');
});

/** With biases f32 holds the values' distances from the middle of their range. */
function asStored({ dtype, biases }: { dtype: 'f32' | 'f64'; biases: 'none' | 'both' }) {
  if (dtype === 'f64' || biases === 'none') return of;
  const values = of.entries.map((e) => e.value);
  const middle = Math.min(...values) / 2 + Math.max(...values) / 2;
  return withEntries(of, (e) => ({ value: Math.fround(e.value - middle) + middle }));
}

test('a converged fit that is stopped by chance at a tolerance of 0 is not called converged', async () => {
  const { fit } = await factorize(triples(of), { rank: 2, dtype: 'f64', lambda: 1, maxSweeps: 60, tolerance: 0 });
  expect(fit.certificate.relativeGradientNorm).toBeGreaterThan(0);
  expect(fit.status).not.toBe('converged');
});

test('the relative gradient norm of a fit with biases does not change by scaling A either', async () => {
  const options: FactorizeOptions = { rank: 2, dtype: 'f64', biases: 'both', maxSweeps: 3, tolerance: 0, threads: 1 };
  const next = uniform(5);
  const V = ndarray(
    Float64Array.from({ length: 2 * of.n }, () => next() - 0.5),
    [of.n, 2],
  );
  const { fit } = await factorize(triples(of), { ...options, init: { V } });
  const A = triples(withEntries(of, (e) => ({ value: 4096 * e.value })));
  const scaled = await factorize(A, {
    ...options,
    init: {
      V: ndarray(
        Float64Array.from(V.data, (x) => 64 * x),
        [of.n, 2],
      ),
    },
  });
  expect(scaled.fit.certificate.relativeGradientNorm / fit.certificate.relativeGradientNorm).toBeCloseTo(1, 9);
});

describe('the relative gradient norm does not change', () => {
  const next = uniform(5);
  const point = {
    k: 3,
    U: new Float64Array(of.m * 3).map(() => next() - 0.5),
    V: new Float64Array(of.n * 3).map(() => next() - 0.5),
  };
  const options: FactorizeOptions = { rank: 3, dtype: 'f64', method: 'gradient' };
  const measure = async (problemOf: typeof of, at: typeof point) => {
    const { run, centredNorm } = await openFit(problemOf, options, at);
    return (await certifyFirstOrder(run, { rows: 0, columns: 0 }, centredNorm)).relativeGradientNorm;
  };
  const scaled = (x: Float64Array, c: number) => x.map((value) => value * c);

  test.each([
    ['by U → cU, V → V/c', of, { ...point, U: scaled(point.U, 8), V: scaled(point.V, 1 / 8) }],
    [
      'by scaling A',
      withEntries(of, (e) => ({ value: 9 * e.value })),
      { ...point, U: scaled(point.U, 3), V: scaled(point.V, 3) },
    ],
    ['by scaling W', withEntries(of, (e) => ({ weight: 7 * e.weight })), point],
  ])('%s', async (_name, changed, at) => {
    expectClose([await measure(changed, at)], [await measure(of, point)], 1e-12);
  });
});

test('a zero gradient is zero even where nothing is observed', () => {
  expect(relativeTo(0, 0)).toBe(0);
  expect(relativeTo(2, 8)).toBe(2);
});
