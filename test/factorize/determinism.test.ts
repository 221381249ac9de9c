/** DESIGN rule 6: the same bits for any number of threads, inline or pooled, resident or staged. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { digestOf } from '../../dist/src/model/digest.js';
import type { Model } from '../../dist/src/model/model.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';

const weighted = problem({ m: 3000, n: 800, density: 0.05, rank: 4, isWeighted: true, offset: 1, seed: 12 });
const A = triples(weighted);
const weights = sqrtWeights(weighted);

/** Ways to run the same fit. */
const ways: readonly (Partial<FactorizeOptions> & { threads: number })[] = [
  { threads: 1, inline: 'never' },
  { threads: 2, inline: 'never' },
  { threads: 3, inline: 'never', residency: 'staged' },
  { threads: 5, inline: 'never', residency: 'staged' },
  { threads: 1, inline: 'auto', residency: 'staged' },
];

/** Half of all: any three settings in every combination. */
const table = (['als', 'unaccelerated', 'gradient'] as const).flatMap((method) =>
  (['f32', 'f64'] as const).flatMap((dtype) =>
    (['reproducible', 'fast'] as const).flatMap((arithmetic) =>
      [false, true].map((isWeighted) => {
        const isEven = (dtype === 'f64') === ((arithmetic === 'fast') === isWeighted);
        return { method, dtype, arithmetic, isWeighted, biases: isEven ? ('both' as const) : ('none' as const) };
      }),
    ),
  ),
);
type Row = (typeof table)[number];

/** Anderson needs three differences of sweeps before it extrapolates: the fourth sweep is the first that may be. */
const runs = {
  als: { method: 'als', acceleration: 'anderson', maxSweeps: 8 },
  unaccelerated: { method: 'als', acceleration: 'none', maxSweeps: 2 },
  gradient: { method: 'gradient', maxSweeps: 2 },
} as const;

async function fit({ method, isWeighted, ...options }: Row, way: Partial<FactorizeOptions>): Promise<Model> {
  const model = await factorize(A, {
    rank: 12,
    lambda: 0.1,
    seed: 5,
    tolerance: 0,
    ...runs[method],
    ...(isWeighted && { weights }),
    ...options,
    ...way,
  });
  expect(model.fit.blocks.rows).toBeGreaterThan(8);
  expect(model.fit.blocks.columns).toBeGreaterThan(8);
  expect(model.trace.some(({ step }) => step === 'extrapolated')).toBe(method === 'als');
  return model;
}

/** What must not differ: factors and biases, and every number of the report that is not a time. */
function bitsOf({ fit: { digest, objective, loss, regularization, sweeps, certificate, trace, rmse } }: Model) {
  const { tolerance: _tolerance, ...certified } = certificate;
  const way = trace.map(({ seconds: _seconds, ...entry }) => entry);
  return { digest, objective, loss, regularization, sweeps, rmse, certified, way };
}

describe('every method, dtype, arithmetic, with and without weights and biases', () => {
  test.each(table)('$method $dtype $arithmetic, weighted $isWeighted, biases $biases', async (row) => {
    const i = table.indexOf(row);
    const inline = await fit(row, { threads: 1 });
    expect(inline.fit.inline).toBe(true);
    const way = ways[(i * 5 + Math.floor(i / 6)) % ways.length] as (typeof ways)[number];
    const other = await fit(row, way);
    expect(other.fit.inline).toBe(way.inline === 'auto');
    expect(other.fit.resident).toBe(way.residency !== 'staged');
    expect(other.fit.threads).toBe(way.threads);
    expect(bitsOf(other)).toEqual(bitsOf(inline));
  });
});

describe('every way to run it', () => {
  const rows = table.filter(
    ({ method, isWeighted, arithmetic }) => method !== 'unaccelerated' && isWeighted && arithmetic === 'reproducible',
  );
  test.each(rows)('$method $dtype, biases $biases', async (row) => {
    const expected = bitsOf(await fit(row, { threads: 1 }));
    for (const way of ways) expect(bitsOf(await fit(row, way)), JSON.stringify(way)).toEqual(expected);
  });
});

test.each([
  ['short rows', [4000, 300], 12, 0.01, 0.1],
  ['long rows, step by step,', [4000, 300], 48, 0.1, 0.1],
  // What an entry counts beyond an unlisted one is below 0.
  ['short rows of entries that count less,', [4000, 300], 48, 0.02, 2],
  // Here U is extrapolated.
  ['short columns', [300, 4000], 12, 0.01, 0.1],
  // What steps leave open, extrapolation enlarges.
  ['short columns and long ones, step by step,', [300, 4000], 48, 0.05, 0.1, 1e-4],
] as const)(
  '%s beside a background: every way, and as in f64',
  async (_rows, [m, n], rank, density, background, digits: number = 1e-6) => {
    const A = triples(problem({ m, n, density, rank: 4, isWeighted: false, offset: 1, seed: 3 }));
    const run = (way: Partial<FactorizeOptions>) =>
      factorize(A, {
        rank,
        background,
        lambda: 0.5,
        seed: 5,
        method: 'als',
        maxSweeps: 6,
        tolerance: 0,
        ...way,
      });
    const inline = await run({ dtype: 'f32', threads: 1 });
    for (const way of ways)
      expect(bitsOf(await run({ dtype: 'f32', ...way })), JSON.stringify(way)).toEqual(bitsOf(inline));
    const { objective } = (await run({ dtype: 'f64' })).fit;
    expect(Math.abs(inline.fit.objective / objective - 1)).toBeLessThan(digits);
  },
);

test.each([
  ['settled by their matrix', { rank: 52, lambda: 0.5 }],
  ['settled by steps', { rank: 96, lambda: 0.5 }],
  ['without a ridge', { rank: 62, lambda: 0 }],
  ['with biases', { rank: 53, lambda: 0.5, biasLambda: 3, biases: 'both' }],
  ['with biases of columns', { rank: 96, lambda: 0.5, biases: 'columns' }],
] as const)('long rows without a background, step by step, %s: every way, and as in f64', async (_, options) => {
  const weighted = problem({ m: 900, n: 300, density: 0.4, rank: 4, isWeighted: true, offset: 1, seed: 3 });
  const A = triples(weighted);
  const run = (way: Partial<FactorizeOptions>) =>
    factorize(A, {
      ...{ seed: 5, method: 'als', maxSweeps: 6, tolerance: 0, weights: sqrtWeights(weighted) },
      ...{ ...options, ...way },
    });
  const inline = await run({ dtype: 'f32', threads: 1 });
  for (const way of ways)
    expect(bitsOf(await run({ dtype: 'f32', ...way })), JSON.stringify(way)).toEqual(bitsOf(inline));
  const { objective } = (await run({ dtype: 'f64' })).fit;
  expect(Math.abs(inline.fit.objective / objective - 1)).toBeLessThan(1e-3);
});

test('the digest is the SHA-256 of U, V and the biases, and tells seeds apart', async () => {
  const row = { method: 'als', dtype: 'f32', arithmetic: 'reproducible', isWeighted: true, biases: 'both' } as const;
  const model = await fit(row, { threads: 2 });
  const { U, V, biases } = model;
  expect(model.fit.digest).toBe(digestOf([U.data, V.data, biases.rows, biases.columns]));
  expect((await fit(row, { threads: 2, seed: 6 })).fit.digest).not.toBe(model.fit.digest);
});
