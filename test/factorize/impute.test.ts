/** Completed tables: observed cells untouched, intervals that cover what they say, by simulation. */
import ndarray, { type NdArray } from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, impute } from '../../dist/src/index.js';
import { normalQuantile, studentQuantile } from '../../dist/src/metrics/quantile.js';
import { expectClose } from '../helpers/compare.js';
import { dense, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

const base = problem({ m: 40, n: 25, density: 0.6, isWeighted: true, offset: 1, noise: 0.1, seed: 31 });
const table = dense(base);
const weights = { sqrtWeight: dense(base, (e) => e.weight) };
const options = { rank: 3, lambda: 0.05, biases: 'both', dtype: 'f64', threads: 1 } as const;

describe('impute', () => {
  test('fills NaN with predictions and keeps every other bit', async () => {
    const { completed, missing, model, lower } = await impute(table, { ...options, weights });
    expect(missing).toBe(40 * 25 - base.entries.length);
    expect(lower).toBeUndefined();
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 25; j++) {
        const value = table.get(i, j);
        expect(Object.is(completed.get(i, j), Number.isNaN(value) ? model.predict(i, j) : value)).toBe(true);
      }
    const same = await factorize(triples(base), { ...options, weights: sqrtWeights(base) });
    expect(model.fit.digest).toBe(same.fit.digest);
  });

  test('with a model folds the rows in: training rows are predicted as it does, others by their own values', async () => {
    const model = await factorize(triples(base), { ...options, weights: sqrtWeights(base) });
    const { completed, notes } = await impute(table, { model, weights });
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 25; j++)
        if (Number.isNaN(table.get(i, j))) expectClose([completed.get(i, j)], [model.predict(i, j)], 1e-10);
    expect(notes).toEqual([]);
    const fresh = ndarray(
      Float64Array.from({ length: 25 }, (_, j) => (j < 12 ? (table.get(3, j) as number) : Number.NaN)),
      [1, 25],
    );
    const filled = await impute(fresh, { model });
    expect(filled.missing).toBeGreaterThanOrEqual(13);
    expect(filled.completed.data.every(Number.isFinite)).toBe(true);
  });

  test('takes any strides and integers, and a table without NaN as it is', async () => {
    const whole = ndarray(
      Int32Array.from({ length: 12 }, (_, t) => t),
      [3, 4],
    ).transpose(1, 0);
    const { completed, missing } = await impute(whole, { rank: 1 });
    expect(missing).toBe(0);
    expect(completed.get(3, 1)).toBe(7);
  });

  test('that is aborted says so, whether it fits or not', async () => {
    const aborted = { name: 'AbortError', message: 'The work was aborted before there was a result.', cause: 'enough' };
    const signal = AbortSignal.abort('enough');
    await expect(impute(table, { ...options, signal })).rejects.toMatchObject(aborted);
    const model = await factorize(table, { ...options, maxSweeps: 1 });
    await expect(impute(table, { model, signal })).rejects.toMatchObject(aborted);
  });

  test('says how many rows and columns it filled without an observation', async () => {
    const holes = ndarray(
      Float64Array.from({ length: 30 }, (_, t) => (t < 10 || t % 5 === 3 ? Number.NaN : 1 + (t % 7))),
      [6, 5],
    );
    const { notes, model } = await impute(holes, { rank: 1, lambda: 0.1 });
    expect(notes).toContain('2 rows have factor 0, as without observations: what is filled in there is 0.');
    expect(notes).toContain('1 column has factor 0, as without observations: what is filled in there is 0.');
    const folded = await impute(holes.lo(1, 0), { model });
    expect(folded.notes.filter((note) => note.includes('1 row has no observation'))).toHaveLength(1);
    expect(folded.notes.filter((note) => note.startsWith('1 column has factor 0'))).toHaveLength(1);
    const biased = await impute(holes, { rank: 1, lambda: 0.1, biases: 'both' });
    expect(biased.notes.filter((note) => note.endsWith('is the mean and the other bias.'))).toHaveLength(2);
    const full = await impute(table, options);
    expect(full.notes.filter((note) => note.includes('factor 0'))).toEqual([]);
  });

  test('keeps values of weight 0, which no fit has seen', async () => {
    const zero = { sqrtWeight: dense(base, (e) => (e.column === 2 ? 0 : e.weight)) };
    const { completed } = await impute(table, { ...options, weights: zero });
    const entry = base.entries.find((e) => e.column === 2);
    expect(completed.get(entry?.row as number, 2)).toBe(entry?.value);
  });

  test.each<[string, unknown, object, string]>([
    ['a sparse table', triples(base), options, 'invalid-input'],
    ['intervals of all', table, { ...options, intervals: 1 }, 'invalid-option'],
    ['intervals that are no number', table, { ...options, intervals: '0.9' }, 'invalid-option'],
    ['intervals of huber', table, { ...options, loss: 'huber:1', intervals: 0.9 }, 'incompatible-options'],
    ['intervals with a background', table, { ...options, background: 0.1, intervals: 0.9 }, 'incompatible-options'],
    [
      'intervals without degrees of freedom',
      table,
      { ...options, rank: 20, lambda: 0, intervals: 0.9 },
      'incompatible-options',
    ],
    ['no rank', table, {}, 'invalid-option'],
  ])('refuses %s', async (_name, data, given, code) => {
    await expect(impute(data as never, given as never)).rejects.toMatchObject({ code });
  });
});

/** A normal number from two uniform ones (Box & Muller). */
const normals = (seed: number) => {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
};

interface World {
  readonly m: number;
  readonly n: number;
  readonly rank: number;
  readonly share: number;
  /** σ of the noise at (i, j). */
  readonly sigma: (i: number, j: number) => number;
  readonly biases?: boolean;
  readonly isPositive?: boolean;
  readonly seed: number;
}

/** A matrix of known rank with noise; some of it is hidden. */
function simulate({ m, n, rank, share, sigma, biases = false, isPositive = false, seed }: World) {
  const normal = normals(seed);
  const next = uniform(seed + 1000);
  const draw = (count: number) =>
    Float64Array.from({ length: count }, () => (isPositive ? Math.abs(normal()) : normal()));
  const [U, V, b, c] = [draw(m * rank), draw(n * rank), draw(m), draw(n)];
  const truth = new Float64Array(m * n);
  const seen = new Float64Array(m * n);
  for (let t = 0; t < m * n; t++) {
    const [i, j] = [Math.floor(t / n), t % n];
    let value = biases ? 5 + (b[i] as number) + (c[j] as number) : 0;
    for (let e = 0; e < rank; e++) value += (U[i * rank + e] as number) * (V[j * rank + e] as number);
    truth[t] = value + sigma(i, j) * normal();
    seen[t] = next() < share ? (truth[t] as number) : Number.NaN;
  }
  const matrix = (data: Float64Array): NdArray<Float64Array> => ndarray(data, [m, n]);
  return {
    truth,
    seen: matrix(seen),
    sigma: matrix(Float64Array.from({ length: m * n }, (_, t) => sigma(Math.floor(t / n), t % n))),
  };
}

function coverage(
  truth: Float64Array,
  { lower, upper }: { lower?: NdArray<Float64Array>; upper?: NdArray<Float64Array> },
): number {
  let inside = 0;
  let all = 0;
  truth.forEach((value, t) => {
    const [low, high] = [lower?.data[t] as number, upper?.data[t] as number];
    if (Number.isNaN(low)) return;
    all++;
    if (value >= low && value <= high) inside++;
  });
  return inside / all;
}

describe('intervals of 90 %', () => {
  const constant = () => 0.5;
  const fitting = { dtype: 'f64', threads: 1, maxSweeps: 3000, tolerance: 1e-6 } as const;

  test.each<[string, Omit<World, 'seed'>, FactorizeOptions]>([
    ['a long table', { m: 120, n: 30, rank: 2, share: 0.7, sigma: constant }, { rank: 2 }],
    ['a small one', { m: 30, n: 20, rank: 2, share: 0.8, sigma: constant }, { rank: 2, lambda: 0.01 }],
    ['half of it missing', { m: 80, n: 40, rank: 3, share: 0.5, sigma: constant }, { rank: 3, lambda: 0.05 }],
    [
      'biases',
      { m: 80, n: 30, rank: 2, share: 0.6, sigma: constant, biases: true },
      { rank: 2, biases: 'both', lambda: 0.02 },
    ],
    [
      'non-negative',
      { m: 80, n: 30, rank: 2, share: 0.6, sigma: () => 0.2, isPositive: true },
      { rank: 2, nonnegative: 'both' },
    ],
  ])('cover 85 … 95 %% of what was hidden: %s', async (_name, world, given) => {
    let sum = 0;
    const runs = 4;
    for (let seed = 1; seed <= runs; seed++) {
      const { truth, seen } = simulate({ ...world, seed });
      sum += coverage(truth, await impute(seen, { ...fitting, ...given, intervals: 0.9 }));
    }
    expect(sum / runs).toBeGreaterThan(0.85);
    expect(sum / runs).toBeLessThan(0.95);
  });

  test('follow the weights, also where nothing is observed', async () => {
    const sigma = (i: number, j: number) => 0.1 + 0.1 * ((i + 3 * j) % 7);
    let [small, large, all] = [0, 0, 0];
    for (let seed = 1; seed <= 4; seed++) {
      const world = simulate({ m: 100, n: 30, rank: 2, share: 0.7, sigma, seed });
      const filled = await impute(world.seen, { ...fitting, rank: 2, weights: { sigma: world.sigma }, intervals: 0.9 });
      all += coverage(world.truth, filled) / 4;
      const of = (isWanted: (s: number) => boolean) =>
        coverage(world.truth, {
          ...filled,
          lower: ndarray(
            filled.lower?.data.map((low, t) =>
              isWanted(world.sigma.data[t] as number) ? low : Number.NaN,
            ) as Float64Array,
            [100, 30],
          ),
        });
      small += of((s) => s < 0.25) / 4;
      large += of((s) => s > 0.55) / 4;
    }
    for (const share of [small, large, all]) {
      expect(share).toBeGreaterThan(0.83);
      expect(share).toBeLessThan(0.96);
    }
  });

  test('of new rows in a model take V as known, and cover as well where it was learnt from many', async () => {
    const { truth, seen } = simulate({ m: 400, n: 25, rank: 2, share: 0.7, sigma: constant, seed: 5 });
    const split = 300;
    const model = await factorize(seen.hi(split, 25), { ...fitting, rank: 2 });
    const filled = await impute(seen.lo(split, 0), { model, intervals: 0.9 });
    const share = coverage(truth.slice(split * 25), filled);
    expect(share).toBeGreaterThan(0.85);
    expect(share).toBeLessThan(0.95);
    expect(filled.notes.at(-1)).toContain('V is taken as known');
  });

  test('are NaN where a value was given, and hold the prediction in their middle', async () => {
    const { seen } = simulate({ m: 30, n: 20, rank: 2, share: 0.8, sigma: constant, seed: 3 });
    const { completed, lower, upper } = await impute(seen, { ...fitting, rank: 2, intervals: 0.9 });
    seen.data.forEach((value, t) => {
      const [low, high] = [lower?.data[t] as number, upper?.data[t] as number];
      if (Number.isNaN(value)) expectClose([(low + high) / 2], [completed.data[t] as number], 1e-12);
      else expect([low, high]).toEqual([Number.NaN, Number.NaN]);
    });
    const wide = await impute(seen, { ...fitting, rank: 2, intervals: 0.99 });
    const t = seen.data.findIndex(Number.isNaN);
    expect(wide.upper?.data[t] as number).toBeGreaterThan(upper?.data[t] as number);
  });
});

test('quantiles are those of scipy.stats', () => {
  const normal = {
    0.5: 0,
    0.6: 0.2533471031357997,
    0.95: 1.6448536269514722,
    0.9999: 3.719016485455709,
    1e-8: -5.612001244174789,
  };
  for (const [p, z] of Object.entries(normal)) expect(Math.abs(normalQuantile(Number(p)) - z)).toBeLessThan(1e-6);
  const student: [number, number, number, number][] = [
    [1, 0.95, 6.313751514675037, 1e-9],
    [2, 0.975, 4.302652729749462, 1e-9],
    [3, 0.95, 2.3533634348018233, 5e-3],
    [5, 0.975, 2.5705818356363146, 1e-3],
    [10, 0.05, -1.812461122811676, 1e-5],
    [30, 0.975, 2.0422724563012378, 1e-6],
    [200, 0.9, 1.2857987939948012, 1e-6],
  ];
  for (const [degrees, p, t, tolerance] of student)
    expect(Math.abs(studentQuantile(p, degrees) - t)).toBeLessThan(tolerance);
});
