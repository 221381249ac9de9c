/** varpro with and without its matrix, lbfgs and polish: against als and gradient, to tolerances where these crawl, on any threads. */
import { describe, expect, test } from 'vitest';
import { methodOf } from '../../dist/src/factorize/methods.js';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { checkOptions } from '../../dist/src/options.js';
import { expectClose, relativeDifference } from '../helpers/compare.js';
import { hasData, needsData, readCoordinates } from '../helpers/data.js';
import { type ProblemOptions, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { at, firstOrderAt, foldIn, objectiveAt, pointOf } from '../helpers/reference.js';

const wellPosed: Record<string, ProblemOptions & Partial<FactorizeOptions>> = {
  'dense, wide': { m: 10, n: 14, lambda: 0.3 },
  'sparse, weighted': { m: 30, n: 20, density: 0.5, isWeighted: true, lambda: 0.5, seed: 2 },
  'λ by weight, biases': {
    ...{ m: 25, n: 18, density: 0.6, isWeighted: true, offset: 3, seed: 4 },
    ...{ lambda: 0.05, lambdaScale: 'weight', biases: 'both' },
  },
  'column biases of their own λ': {
    ...{ m: 20, n: 15, density: 0.7, offset: 2, seed: 5 },
    ...{ lambda: 0.4, biases: 'columns', biasLambda: 0.05 },
  },
  'nothing penalised': { m: 20, n: 16, density: 0.8, seed: 6 },
};

/** Matrix-free, since observations are not resident. */
const methods: Record<string, Partial<FactorizeOptions>> = {
  varpro: { method: 'varpro' },
  'varpro without its matrix': { method: 'varpro', residency: 'staged' },
  lbfgs: { method: 'lbfgs' },
  'als, polished': { method: 'als', polish: 'newton' },
  'unaccelerated als, polished': { method: 'als', acceleration: 'none', polish: 'newton' },
  'gradient, polished': { method: 'gradient', polish: 'newton' },
};

describe.each(Object.entries(wellPosed))(
  '%s',
  (_name, { m, n, density = 1, isWeighted = false, offset = 0, seed = 1, ...rule }) => {
    const of = problem({ m, n, density, isWeighted, offset, seed });
    const fit = (options: Partial<FactorizeOptions>) =>
      factorize(triples(of), {
        ...{ rank: 3, dtype: 'f64', maxSweeps: 20000, tolerance: 1e-10 },
        ...(isWeighted && { weights: sqrtWeights(of) }),
        ...rule,
        ...options,
      });

    test('all reach the objective of als to 1e-8, never rise, and end with U exact for V', async () => {
      const als = await fit({ method: 'als' });
      expect(als.fit.status).toBe('converged');
      for (const [name, options] of Object.entries(methods)) {
        const model = await fit(options);
        expect(model.fit.status, name).toBe('converged');
        expect(model.certificate.monotone, name).toBe(true);
        expect(model.certificate.relativeGradientNorm, name).toBeLessThanOrEqual(1e-10);
        expect(relativeDifference(model.fit.objective, als.fit.objective), name).toBeLessThan(1e-8);
        const point = pointOf(model);
        expectClose([model.fit.objective], [objectiveAt(of, point, rule).objective], 1e-12, name);
        expect(firstOrderAt(of, point, rule).relativeGradientNorm, name).toBeLessThan(1.1e-10);
        for (let row = 0; row < of.m; row++) {
          const u = Array.from({ length: point.k }, (_, t) => at(point.U, row * point.k + t));
          expectClose(
            point.b ? [...u, at(point.b, row)] : u,
            foldIn(of, point, rule, row),
            1e-9,
            `${name}, row ${row}`,
          );
        }
      }
    });
  },
);

test('lbfgs minimises smooth losses as als does', async () => {
  const of = problem({ m: 25, n: 18, density: 0.7, isWeighted: true, seed: 8 });
  const classes = { ...of, entries: of.entries.map((e) => ({ ...e, value: e.value > 0 ? 1 : -1 })) };
  for (const [loss, data] of [
    ['huber:0.3', of],
    ['l1:0.2', of],
    ['logistic', classes],
  ] as const) {
    const options = { rank: 2, loss, lambda: 0.5, dtype: 'f64', tolerance: 1e-9, maxSweeps: 20000 } as const;
    const weights = sqrtWeights(of);
    const [als, lbfgs] = [
      await factorize(triples(data), { ...options, weights }),
      await factorize(triples(data), { ...options, weights, method: 'lbfgs' }),
    ];
    expect(lbfgs.fit.status, loss).toBe('converged');
    expect(relativeDifference(als.fit.objective, lbfgs.fit.objective), loss).toBeLessThan(1e-8);
  }
});

describe('the same bits for every number of threads', () => {
  const of = problem({ m: 900, n: 80, density: 0.35, rank: 4, isWeighted: true, offset: 1, seed: 12 });
  test.each(Object.entries(methods).filter(([name]) => !name.startsWith('un')))('%s', async (_name, method) => {
    const options = {
      rank: 6,
      lambda: 0.1,
      biases: 'both',
      maxSweeps: 8,
      tolerance: 0,
      weights: sqrtWeights(of),
      ...method,
    } as const;
    const one = await factorize(triples(of), { ...options, threads: 1 });
    const three = await factorize(triples(of), { ...options, threads: 3, inline: 'never' });
    expect(one.fit.dtype).toBe('f64');
    expect(one.fit.blocks.rows).toBeGreaterThan(1);
    expect(three.fit.digest).toBe(one.fit.digest);
    expect(three.fit.objective).toBe(one.fit.objective);
    expect(three.trace.map(({ objective }) => objective)).toEqual(one.trace.map(({ objective }) => objective));
  });
});

test('varpro leaves its matrix where it would be too large', () => {
  const name = (columns: number, more: Partial<FactorizeOptions> = {}) =>
    methodOf(
      'varpro',
      checkOptions({ rank: 10, method: 'varpro', ...more } as FactorizeOptions),
      { counts: { rows: 5000, columns }, hasBackground: false, observed: 100_000 },
      'f64',
    );
  const hasMatrix = (columns: number, more?: Partial<FactorizeOptions>) => name(columns, more).buffers.columns === 5;
  expect(hasMatrix(300)).toBe(true);
  expect(hasMatrix(301)).toBe(false);
  expect(hasMatrix(300, { residency: 'staged' })).toBe(false);
  expect(hasMatrix(300, { memoryLimit: 100_000_000 })).toBe(false);
});

describe('what does not go together is refused', () => {
  const A = triples(problem({ m: 12, n: 9 }));
  test.each([
    { method: 'varpro', loss: 'huber:1' },
    { method: 'varpro', nonnegative: 'both' },
    { method: 'varpro', dtype: 'f32' },
    { polish: 'newton', background: 0.1 },
    { polish: 'newton', l1: 0.1, lambda: 0.1 },
    { polish: 'newton', dtype: 'f32' },
    { method: 'lbfgs', nonnegative: 'rows' },
    { method: 'lbfgs', l1: 0.1 },
    { method: 'lbfgs', loss: 'poisson' },
  ] as const)('%o', async (options) => {
    await expect(factorize(A, { rank: 2, ...options })).rejects.toMatchObject({ code: 'incompatible-options' });
  });
});

describe.skipIf(!hasData('cv-dino-trimmed'))(needsData('cv-dino-trimmed', 'the dinosaur, rank 4'), () => {
  // The loop's last half-sweep solves U, and where V is the side to be eliminated the next step begins by solving that again.
  test('varpro goes on at its pace where the loop has looked at its gradient and found it too large', async () => {
    const A = readCoordinates('cv-giraffe/A.mtx.gz');
    const near = await factorize(A, { rank: 6, method: 'als', start: 'rank-by-rank', dtype: 'f64', maxSweeps: 2 });
    const { fit } = await factorize(A, { rank: 6, method: 'varpro', init: near, maxSweeps: 30 });
    expect(fit.status).toBe('converged');
    expect(fit.rmse.train).toBeCloseTo(0.322795, 6);
  });

  test('polish takes als from a near point to 1e-10, where als alone crawls', async () => {
    const A = readCoordinates('cv-dino-trimmed/A.mtx.gz');
    const near = await factorize(A, { rank: 4, method: 'varpro' });
    const start = { U: near.U, V: near.V };
    for (const { data } of [start.U, start.V]) data.set(data.map((x, i) => x * (1 + 1e-3 * ((i % 7) - 3))));
    const options = { rank: 4, method: 'als', init: start, dtype: 'f64', tolerance: 1e-10, maxSweeps: 60 } as const;
    const plain = await factorize(A, options);
    const polished = await factorize(A, { ...options, polish: 'newton' });
    expect(plain.certificate.relativeGradientNorm).toBeGreaterThan(1e-10);
    expect(polished.fit.status).toBe('converged');
    expect(polished.certificate.relativeGradientNorm).toBeLessThanOrEqual(1e-10);
    expect(polished.fit.objective).toBeLessThanOrEqual(plain.fit.objective);
  });
});
