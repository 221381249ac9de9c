/** Two methods, one objective: ALS and gradient descent agree, f never rises, and U is the exact solution for V. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { expectClose, relativeDifference } from '../helpers/compare.js';
import { type ProblemOptions, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { at, foldIn, objectiveAt, pointOf } from '../helpers/reference.js';

const wellPosed: Record<string, ProblemOptions & Partial<FactorizeOptions>> = {
  dense: { m: 12, n: 10, lambda: 0.3 },
  'sparse, weighted': { m: 30, n: 20, density: 0.5, isWeighted: true, lambda: 0.5, seed: 2 },
  'λ by count': { m: 25, n: 18, density: 0.6, isWeighted: true, lambda: 0.05, lambdaScale: 'count', seed: 3 },
  'λ by weight, biases': {
    ...{ m: 25, n: 18, density: 0.6, isWeighted: true, offset: 3, seed: 4 },
    ...{ lambda: 0.05, lambdaScale: 'weight', biases: 'both' },
  },
  'row biases of their own λ': {
    m: 20,
    n: 15,
    density: 0.7,
    offset: 2,
    lambda: 0.4,
    biases: 'rows',
    biasLambda: 0.05,
    seed: 5,
  },
};

describe.each(Object.entries(wellPosed))('%s', (_name, { m, n, density, isWeighted, offset, seed, ...rule }) => {
  const of = problem({
    m,
    n,
    ...(density && { density }),
    isWeighted: isWeighted ?? false,
    offset: offset ?? 0,
    seed: seed ?? 1,
  });
  const fit = (options: Partial<FactorizeOptions>) =>
    factorize(triples(of), {
      rank: 3,
      dtype: 'f64',
      weights: isWeighted ? sqrtWeights(of) : undefined,
      maxSweeps: 20000,
      tolerance: 1e-8,
      ...rule,
      ...options,
    });

  test('ALS, with and without acceleration, and gradient descent reach the same objective', async () => {
    const als = await fit({ method: 'als' });
    const plain = await fit({ method: 'als', acceleration: 'none' });
    const gradient = await fit({ method: 'gradient' });
    for (const { fit } of [als, plain, gradient]) expect(fit.status).toBe('converged');
    expect(relativeDifference(als.fit.objective, gradient.fit.objective)).toBeLessThan(1e-6);
    expect(relativeDifference(als.fit.objective, plain.fit.objective)).toBeLessThan(1e-6);
    for (const model of [als, plain, gradient]) {
      const { objective, loss, regularization } = objectiveAt(of, pointOf(model), rule);
      expectClose(
        [model.fit.objective, model.fit.loss, model.fit.regularization],
        [objective, loss, regularization],
        1e-13,
      );
    }
  });

  const table = (['als', 'gradient'] as const).flatMap((method) =>
    (['f32', 'f64'] as const).map((dtype) => ({ method, dtype })),
  );
  test.each(table)('f never rises: $method $dtype', async ({ method, dtype }) => {
    const { trace, fit: report } = await fit({ method, dtype, maxSweeps: 200, tolerance: 0 });
    const accepted = trace.filter(({ step }) => step !== 'rejected').map(({ objective }) => objective);
    expect(accepted.length).toBe(report.sweeps);
    const allowed = dtype === 'f32' ? 1e-6 : 1e-12;
    const rises = accepted.slice(1).map((f, i) => f / at(accepted, i) - 1);
    expect(Math.max(...rises)).toBeLessThanOrEqual(allowed);
    expect(report.certificate.monotone).toBe(true);
    expect(report.objective).toBeLessThanOrEqual((accepted.at(-1) as number) * (1 + allowed));
  });

  test.each(['als', 'gradient'] as const)('folding a training row in returns its factor: %s', async (method) => {
    for (const maxSweeps of [2, 400]) {
      const model = await fit({ method, maxSweeps });
      const point = pointOf(model);
      for (let row = 0; row < of.m; row++) {
        const u = Array.from({ length: point.k }, (_, t) => at(point.U, row * point.k + t));
        expectClose(point.b ? [...u, at(point.b, row)] : u, foldIn(of, point, rule, row), 1e-10, `row ${row}`);
      }
    }
  });
});
