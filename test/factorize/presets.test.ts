/** Presets are the options they say, and what they report is what their tools report. */
import { describe, expect, test } from 'vitest';
import { adjustUncertainties, factorize, foldIn, type PresetName, presets } from '../../dist/src/index.js';
import { optionTable } from '../../dist/src/options.js';
import { expectClose } from '../helpers/compare.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const of = withEntries(problem({ m: 24, n: 10, isWeighted: true, seed: 4 }), (e) => ({ value: Math.abs(e.value) }));
const A = triples(of);
const weights = sqrtWeights(of);

test('the option table names every preset', () => {
  expect(optionTable.preset.choices).toEqual(Object.keys(presets));
});

test.each(Object.keys(presets) as PresetName[])('%s is its options', async (preset) => {
  const rest = { rank: 2, weights, maxSweeps: 5, tolerance: 0, threads: 1 } as const;
  const named = await factorize(A, { ...rest, preset });
  const written = await factorize(A, { ...rest, ...presets[preset] });
  // pmf scales its contributions and pca centres its scores.
  if (preset === 'pmf' || preset === 'pca')
    expectClose([named.fit.objective], [written.fit.objective], 1e-12, 'objective');
  else expect(named.fit.digest).toBe(written.fit.digest);
  expect(named.fit.options.preset).toBe(preset);
});

test('what is given comes before the preset', async () => {
  const { fit } = await factorize(A, { preset: 'explicit', lambda: 0.5, rank: 2, maxSweeps: 2, threads: 1 });
  expect(fit.options).toMatchObject({ lambda: 0.5, biases: 'both', lambdaScale: 'count' });
});

test('pca centres the scores of observed rows, and nothing is known of the others', async () => {
  const without = withEntries(of, (e) => ({ weight: e.row === 3 ? 0 : e.weight }));
  const model = await factorize(triples(without), {
    preset: 'pca',
    rank: 2,
    weights: sqrtWeights(without),
    dtype: 'f64',
    threads: 1,
  });
  expect(model.isUnobserved('rows', 3)).toBe(true);
  for (const c of [0, 1])
    expect(Math.abs(Array.from(model.U.data).reduce((sum, x, t) => sum + (t % 2 === c ? x : 0), 0))).toBeLessThan(
      1e-10,
    );
  const { factor } = await foldIn(model, triples(without), { weights: sqrtWeights(without) });
  expectClose(factor.data, model.U.data, 1e-10);
});

test('pca explains what its components add up to, and on full data the shares are those of the singular values', async () => {
  const full = problem({ m: 24, n: 10, seed: 4 });
  const model = await factorize(triples(full), {
    preset: 'pca',
    rank: 2,
    tolerance: 1e-12,
    maxSweeps: 3000,
    threads: 1,
  });
  const { explained = [] } = model.fit;
  const centred = full.entries.reduce((sum, e) => {
    const column = full.entries.filter((other) => other.column === e.column);
    return sum + (e.value - column.reduce((s, o) => s + o.value, 0) / column.length) ** 2;
  }, 0);
  const { d } = model.canonical();
  expectClose(
    explained,
    Array.from(d, (x) => x ** 2 / centred),
    1e-6,
    'shares',
  );
  expectClose([explained.reduce((a, b) => a + b, 0)], [1 - model.fit.loss / centred], 1e-6, 'together');
});

describe('pmf', () => {
  test('reports Q as EPA PMF does, and contributions of mean 1', async () => {
    const model = await factorize(A, { preset: 'pmf', rank: 3, weights, maxSweeps: 400, threads: 1 });
    let [squares, robust] = [0, 0];
    for (const e of of.entries) {
      const z = Math.abs(e.weight * (e.value - model.predict(e.row, e.column)));
      squares += z * z;
      robust += z <= 4 ? z * z : 4 * z;
    }
    const { q } = model.fit;
    expectClose([q?.true as number, q?.robust as number], [squares, robust], 1e-9, 'Q');
    expect(q?.expected).toBe(of.entries.length - 3 * (of.m + of.n));
    expectClose([q?.true as number], [model.fit.objective], 1e-9, 'Q is f');
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let i = 0; i < of.m; i++) sum += model.U.get(i, c);
      expect(sum / of.m).toBeCloseTo(1, 12);
    }
    expect(q?.r2).toHaveLength(of.n);
    for (const r2 of q?.r2 ?? []) expect(r2).toBeLessThanOrEqual(1 + 1e-12);
  });

  test('robust mode is loss huber:4, and its Q(robust) weighs with the same δ', async () => {
    const { fit } = await factorize(A, { preset: 'pmf', loss: 'huber:2', rank: 1, weights, maxSweeps: 50, threads: 1 });
    expect(fit.q?.robust).toBeLessThanOrEqual(fit.q?.true as number);
    expect(fit.options.loss).toBe('huber:2');
  });
});

describe('uncertainties', () => {
  test('weak columns and the total count a ninth, bad ones nothing, the extra share adds in squares', () => {
    const { sqrtWeight } = adjustUncertainties(A, weights, { weak: [1], bad: [2], total: 9, extra: 0.1 });
    of.entries.forEach((e, t) => {
      const sigma = Math.hypot(1 / e.weight, 0.1 * e.value);
      const expected = e.column === 2 ? 0 : 1 / (sigma * (e.column === 1 || e.column === 9 ? 3 : 1));
      expect(sqrtWeight[t]).toBeCloseTo(expected, 12);
    });
  });

  test('a column that there is not and a share below 0 are refused', () => {
    expect(() => adjustUncertainties(A, weights, { weak: [10] })).toThrow(
      expect.objectContaining({ code: 'index-out-of-range' }),
    );
    expect(() => adjustUncertainties(A, weights, { extra: -1 })).toThrow(
      expect.objectContaining({ code: 'invalid-option' }),
    );
  });
});
