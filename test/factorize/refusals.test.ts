/** Objectives and values that are refused, each by its own refusal. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model, refusals } from '../../dist/src/index.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const base = problem({ m: 40, n: 25, density: 0.5, isWeighted: true, offset: 1, noise: 0.4, seed: 31 });
const counts = withEntries(base, (e) => ({ value: Math.max(0, Math.round(2 * e.value)) }));
const classes = withEntries(base, (e) => ({ value: e.value > 1 ? 1 : -1 }));

const fit = (of: typeof base, options: Omit<FactorizeOptions, 'rank'>): Promise<Model> =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), threads: 1, ...options });

describe('parts that do not go together are refused', () => {
  const cases: Record<string, Omit<FactorizeOptions, 'rank'>> = {
    'a penalty on one side only and the other side free': { lambdaRows: 1 },
    'loss huber, l1 or logistic and background': { loss: 'huber:1', background: 1, lambda: 1 },
    'loss poisson and a background value other than 0': { loss: 'poisson', background: { weight: 1, value: 2 } },
    'loss poisson and factors below 0': { loss: 'poisson', bounds: { rows: [-1, 1] } },
    'loss poisson and biases': { loss: 'poisson', biases: 'rows' },
    'loss logistic and no ridge penalty': { loss: 'logistic' },
    'method gradient or lbfgs and loss poisson': { method: 'gradient', loss: 'poisson' },
    'method sgd and more than weighted squares, a ridge, biases and bounds around 0': { method: 'sgd', l1: 0.1 },
    'method sgd and polish': { method: 'sgd', polish: 'newton' },
    'method gradient or lbfgs and L1, bounds or held entries': { method: 'lbfgs', nonnegative: 'rows' },
    'method block-als and a loss other than quadratic': { method: 'block-als', loss: 'huber:1' },
    'method varpro, or polish and more than weighted squares, a ridge and biases': {
      method: 'varpro',
      loss: 'huber:1',
    },
    'method varpro, or polish and dtype f32': { polish: 'newton', dtype: 'f32' },
    'start rank-by-rank and a penalty, or more than weighted squares and biases': { start: 'rank-by-rank', lambda: 1 },
  };

  test('every refusal has its case', () => {
    expect(refusals.map(({ parts }) => parts.join(' and ')).sort()).toEqual(Object.keys(cases).sort());
  });

  test.each(Object.entries(cases))('%s', async (name, options) => {
    const refusal = refusals.find(({ parts }) => parts.join(' and ') === name);
    await expect(fit(counts, options)).rejects.toMatchObject({
      code: refusal?.code,
      position: { option: refusal?.option },
      rule: refusal?.why,
      remedy: refusal?.instead,
    });
  });

  test('a one-sided penalty is allowed where the other factor is boxed or held', async () => {
    await fit(base, { lambdaRows: 1, bounds: { columns: [-1, 1] }, maxSweeps: 2 });
    await fit(base, {
      lambdaRows: 1,
      maxSweeps: 2,
      hold: { V: ndarray(new Float64Array(base.n * 3).fill(1), [base.n, 3]) },
    });
  });
});

describe('values that a loss has no meaning for', () => {
  test.each([
    ['logistic', 0.5, { lambda: 1 }],
    ['poisson', -1, {}],
  ] as const)('%s refuses %d with its place', async (loss, value, options) => {
    const bad = withEntries(loss === 'logistic' ? classes : counts, (e) => (e.row === 7 ? { value } : {}));
    const { row, column } = bad.entries.find((e) => e.value === value) as (typeof bad.entries)[number];
    await expect(fit(bad, { loss, ...options })).rejects.toMatchObject({
      code: 'invalid-value',
      position: { row, column },
    });
  });
});
