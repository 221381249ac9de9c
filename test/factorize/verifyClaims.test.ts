/** Claims that only some fits make, both ways: those of true models are found true, and each that is forged is found out. */
import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import {
  type Claim,
  type FactorizeOptions,
  factorize,
  Model,
  type Verification,
  verifyModel,
} from '../../dist/src/index.js';
import { base, objectives } from '../helpers/objectives.js';
import { type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const fit = (of: Problem, options: Partial<FactorizeOptions>) =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), maxSweeps: 2000, threads: 1, dtype: 'f64', ...options });
const verify = (model: Model, of: Problem) => verifyModel(model, triples(of), { weights: sqrtWeights(of) });
const named = ({ claims }: Verification, name: string) => claims.find(({ claim }) => claim === name) as Claim;
const wrong = ({ claims }: Verification) => claims.filter(({ agrees }) => agrees === false);

/** With other words in its report. */
function forged(model: Model, change: Partial<Model['fit']>, parts: Partial<Model> = {}): Model {
  const { U, V, biases, labels, fit: said, background, covariances } = { ...model, ...parts } as Model;
  return new Model({
    ...{ U, V, biases, labels, fit: { ...said, ...change } },
    ...(background && { background }),
    ...(covariances && { covariances }),
  });
}

/** Each forgery is refuted under its own name, and nothing else is. */
function expectRefuted(model: Model, of: Problem, forgeries: Record<string, Partial<Model['fit']>>): void {
  expect(wrong(verify(model, of))).toEqual([]);
  for (const [name, forgery] of Object.entries(forgeries)) {
    expect(named(verify(model, of), name)?.agrees, name).toBe(true);
    expect(
      wrong(verify(forged(model, forgery), of)).map(({ claim }) => claim),
      name,
    ).toEqual([name]);
  }
}

const weighted = problem({ m: 30, n: 20, density: 0.6, isWeighted: true, noise: 0.3, seed: 6 });

describe('curvature', () => {
  test.each([
    ['als', { method: 'als', lambda: 0.1, biases: 'both' }],
    ['varpro, λ = 0', { method: 'varpro' }],
    ['lbfgs', { method: 'lbfgs', lambda: 0.1, lambdaScale: 'count' }],
  ] as const)('of a minimum, by %s', async (_name, options) => {
    const model = await fit(weighted, { ...options, tolerance: 1e-10 });
    const { certificate } = model.fit;
    const said = (change: Partial<typeof certificate>) => ({ certificate: { ...certificate, ...change } });
    const { smallestEigenvalue = 0, largestEigenvalue = 0, eigenvalueBound = 0 } = certificate;
    expectRefuted(model, weighted, {
      'certificate.curvature': said({ curvature: 'saddle' }),
      'certificate.smallestEigenvalue': said({ smallestEigenvalue: smallestEigenvalue * 1.01 }),
      'certificate.largestEigenvalue': said({ largestEigenvalue: largestEigenvalue * 0.999 }),
      'certificate.eigenvalueBound': said({ eigenvalueBound: eigenvalueBound + 0.001 }),
      'certificate.p': said({ p: 1e-9 }),
    });
  });

  test('of a saddle: a direction along which f falls proves it, and refutes a minimum', async () => {
    // A = diag(3, 2, 1), rank 1, at the second singular vector; the sweeps end before it can be left.
    const diagonal = ndarray(Float64Array.from([3, 0, 0, 0, 2, 0, 0, 0, 1]), [3, 3]);
    const V = ndarray(Float64Array.from([0, Math.SQRT2, 0]), [3, 1]);
    const model = await factorize(diagonal, { rank: 1, dtype: 'f64', method: 'als', maxSweeps: 1, init: { V } });
    expect(model.certificate.curvature).toBe('saddle');
    expect(wrong(verifyModel(model, diagonal))).toEqual([]);
    expect(named(verifyModel(model, diagonal), 'certificate.curvature')).toMatchObject({
      said: 'saddle',
      found: 'saddle',
      agrees: true,
    });
    const certificate = { ...model.fit.certificate, curvature: 'minimum' } as const;
    expect(wrong(verifyModel(forged(model, { certificate }), diagonal))).toMatchObject([
      { claim: 'certificate.curvature', said: 'minimum', found: 'saddle' },
    ]);
  });

  test('is found where the fit did not look, and said to be out of reach where it is', async () => {
    const small = await fit(weighted, { dtype: 'f32', lambda: 0.1 });
    expect(named(verify(small, weighted), 'certificate.curvature')).toMatchObject({
      said: 'unknown',
      found: 'minimum',
      agrees: null,
    });
    const composed = await fit(weighted, { loss: 'huber:1', lambda: 0.1 });
    expect(named(verify(composed, weighted), 'certificate.curvature')).toMatchObject({ found: null, agrees: null });
    const boast = { certificate: { ...composed.certificate, curvature: 'minimum' } } as const;
    expect(wrong(verify(forged(composed, boast), weighted)).map(({ claim }) => claim)).toEqual([
      'certificate.curvature',
    ]);
    const wide = problem({ m: 120000, n: 2, density: 0, seed: 2 });
    const large = await factorize(triples(wide), { rank: 1, dtype: 'f64', lambda: 0.1, threads: 1 });
    expect(named(verifyModel(large, triples(wide)), 'certificate.curvature')).toMatchObject({
      agrees: null,
      note: expect.stringMatching(/takes \S+ operations .*not affordable/),
    });
  });
});

test.each(Object.entries(objectives).filter(([name]) => !name.startsWith('held')))(
  'KKT residual: %s',
  async (_name, { of = base, options }) => {
    const model = await fit(of, { ...options, maxSweeps: 40 });
    const { certificate } = model.fit;
    const claim = named(verify(model, of), 'certificate.kkt');
    expect(claim === undefined).toBe(certificate.kkt === undefined);
    if (certificate.kkt === undefined) return;
    expect(claim.agrees).toBe(true);
    const kkt = certificate.kkt * 0.99 - 1e-6;
    expect(wrong(verify(forged(model, { certificate: { ...certificate, kkt } }), of))).toMatchObject([
      { claim: 'certificate.kkt' },
    ]);
  },
);

describe('what presets report', () => {
  test.each(['f32', 'f64'] as const)('pca: explained variance, %s', async (dtype) => {
    const model = await fit(weighted, { preset: 'pca', dtype });
    const [first = 0, ...others] = model.fit.explained ?? [];
    expectRefuted(model, weighted, { explained: { explained: [first + 1e-3, ...others] } });
    expect(wrong(verify(forged(model, { explained: [first] }), weighted))).toMatchObject([{ claim: 'explained' }]);
  });

  test.each([
    ['f32', {}],
    ['f64', {}],
    ['f64', { loss: 'huber:1' }],
  ] as const)('pmf: Q and R², %s %o', async (dtype, options) => {
    const of = withEntries(weighted, ({ value, column }) => ({ value: column === 4 ? 0.5 : Math.abs(value) }));
    const model = await fit(of, { preset: 'pmf', dtype, ...options });
    const { q } = model.fit;
    if (!q) throw new Error('no q');
    expect(q.r2[4]).toBeNull();
    expectRefuted(model, of, {
      'q.true': { q: { ...q, true: q.true * 1.001 } },
      'q.robust': { q: { ...q, robust: q.robust * 0.999 } },
      'q.expected': { q: { ...q, expected: q.expected + 1 } },
      'q.r2': { q: { ...q, r2: q.r2.map((value, j) => (j === 7 ? (value as number) + 0.01 : value)) } },
    });
    expect(named(verify(model, of), 'q.r2').note).toMatch(/^column \d+, the furthest off$/);
  });
});

describe('uncertainty', () => {
  const cases: Record<string, Partial<FactorizeOptions>> = {
    'the whole matrix, λ = 0': {},
    'the whole matrix, with a ridge and biases': { lambda: 0.2, biases: 'both' },
    'each side given the other, non-negative': { nonnegative: 'both' },
    'each side given the other, a free column': { lambda: 0.2, freeColumns: 1, biases: 'rows' },
    'in f32': { lambda: 0.1, dtype: 'f32' },
    'with the errors that the weights say': { noise: 'weights' },
  };
  test.each(Object.entries(cases))('%s', async (_name, options) => {
    const model = await fit(weighted, { rank: 2, intervals: 0.9, ...options });
    const { uncertainty, covariances } = { uncertainty: model.fit.uncertainty, ...model };
    if (!uncertainty || !covariances) throw new Error('no uncertainty');
    const said = (change: Partial<typeof uncertainty>) => ({ uncertainty: { ...uncertainty, ...change } });
    const isFull = uncertainty.kind === 'full';
    expectRefuted(model, weighted, {
      'uncertainty.kind': said({ kind: isFull ? 'conditional' : 'full' }),
      'uncertainty.isBiased': said({ isBiased: !uncertainty.isBiased }),
      'uncertainty.fittedDegrees': said({ fittedDegrees: uncertainty.fittedDegrees + 0.1 }),
      'uncertainty.residualDegrees': said({ residualDegrees: uncertainty.residualDegrees - 1 }),
      'uncertainty.reducedChiSquare': said({ reducedChiSquare: (uncertainty.reducedChiSquare as number) * 0.999 }),
    });
    const spread = forged(model, said({ spread: uncertainty.spread * 0.99 }));
    expect(named(verify(spread, weighted), 'uncertainty.spread').agrees).toBe(false);
    // A hundredth less, and an interval is that much narrower.
    for (const side of ['rows', 'columns', 'columnWeights'] as const) {
      const changed = covariances[side].slice();
      const at = changed.findIndex((value) => value > 0);
      changed[at] = (changed[at] as number) * 0.98;
      expect(
        wrong(verify(forged(model, {}, { covariances: { ...covariances, [side]: changed } }), weighted)),
      ).toMatchObject([{ claim: `covariances.${side}` }]);
    }
  });

  test('degrees and χ² are found where rounding hides the covariances', async () => {
    const of = withEntries(weighted, ({ weight, column }) => ({ weight: weight * 1e5 ** (column % 2) }));
    const model = await fit(of, { rank: 2, method: 'varpro', intervals: 0.9 });
    const { uncertainty } = model.fit;
    if (!uncertainty) throw new Error('no uncertainty');
    expect(named(verify(model, of), 'covariances')).toMatchObject({
      agrees: null,
      note: expect.stringMatching('rounding could be as large'),
    });
    const said = (change: Partial<typeof uncertainty>) => ({ uncertainty: { ...uncertainty, ...change } });
    expectRefuted(model, of, {
      'uncertainty.fittedDegrees': said({ fittedDegrees: uncertainty.fittedDegrees + 1 }),
      'uncertainty.reducedChiSquare': said({ reducedChiSquare: (uncertainty.reducedChiSquare as number) * 0.99 }),
    });
  });

  test('whether the weights were sigma is told from the data, where it is given so', async () => {
    const sigma = { sigma: sqrtWeights(weighted).sqrtWeight.map((w) => 1 / w) };
    const model = await factorize(triples(weighted), { rank: 2, weights: sigma, dtype: 'f64', intervals: 0.9 });
    const claim = (weights: Parameters<typeof verifyModel>[2]) =>
      named(verifyModel(model, triples(weighted), weights), 'uncertainty.noise');
    expect(claim({ weights: sigma })).toMatchObject({ said: 'weights', found: 'weights', agrees: true });
    expect(claim({ weights: sqrtWeights(weighted) })).toMatchObject({ agrees: null });
  });
});

test('many starts, and entries held out', async () => {
  const model = await fit(weighted, { rank: 2, starts: 3, lambda: 0.1, holdout: 0.1 });
  const { starts, validation } = model.fit;
  if (!starts || !validation) throw new Error('no starts');
  const { best } = starts;
  expectRefuted(model, weighted, {
    'starts.best.objective': { starts: { ...starts, best: { ...best, objective: best.objective * 0.999 } } },
    'starts.optima': {
      starts: { ...starts, optima: starts.optima.map((each) => ({ ...each, objective: each.objective * 0.999 })) },
    },
    'starts.best.hits': {
      starts: { ...starts, best: { ...best, hits: best.hits - 1 }, hitRate: (best.hits - 1) / starts.count },
    },
    'starts.distinct': { starts: { ...starts, distinct: starts.distinct + 1 } },
    'starts.converged': { starts: { ...starts, converged: starts.converged + 1 } },
    'starts.hitRate': { starts: { ...starts, hitRate: starts.hitRate / 2 } },
    'validation.loss': { validation: { ...validation, loss: validation.loss * 0.999 } },
    'validation.entries': { validation: { ...validation, entries: validation.entries + 1 } },
  });
  const abandoned = starts.count - starts.converged + 1;
  expect(wrong(verify(forged(model, { starts: { ...starts, abandoned } }), weighted))).toMatchObject([
    { claim: 'starts.abandoned' },
  ]);
  for (const name of ['starts.count', 'sweeps', 'trace', 'seconds', 'certificate.monotone'])
    expect(named(verify(model, weighted), name)).toMatchObject({ found: null, agrees: null, note: expect.any(String) });
});

test('a statement says no more than its gap', async () => {
  const model = await fit(weighted, { lambda: 0.5 });
  const { certificate } = model.fit;
  const globalStatement = 'within 0.0001 % of the global optimum: believe me';
  expectRefuted(model, weighted, {
    'certificate.globalStatement': { certificate: { ...certificate, globalStatement } },
  });
});

test('a true model is found true, whatever it was fitted to', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        m: fc.integer({ min: 4, max: 25 }),
        n: fc.integer({ min: 3, max: 18 }),
        density: fc.constantFrom(0.3, 0.7, 1),
        noise: fc.constantFrom(0, 0.01, 0.3),
        isWeighted: fc.boolean(),
        seed: fc.integer({ min: 1, max: 1e6 }),
      }),
      fc.record({
        rank: fc.integer({ min: 1, max: 3 }),
        dtype: fc.constantFrom('f32', 'f64'),
        lambda: fc.constantFrom(0, 0.1),
        lambdaScale: fc.constantFrom('row', 'count', 'weight'),
        biases: fc.constantFrom('none', 'rows', 'columns', 'both'),
        nonnegative: fc.constantFrom('none', 'none', 'both'),
        starts: fc.constantFrom(1, 2),
      }),
      async (shape, options) => {
        const of = problem({ ...shape, rank: 2, offset: 1 });
        const model = await fit(of, { ...options, intervals: 0.9, maxSweeps: 200 });
        expect(wrong(verify(model, of))).toEqual([]);
      },
    ),
    { numRuns: 40, seed: 3 },
  );
});
