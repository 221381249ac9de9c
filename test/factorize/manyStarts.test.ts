/** Many starts: the same bits on any number of threads, every optimum of a problem whose optima are known, and what ends a search. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ndarray from 'ndarray';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type FactorizeOptions,
  factorize,
  loadModel,
  type Model,
  openSession,
  type Progress,
} from '../../dist/src/index.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';

const small = problem({ m: 40, n: 25, density: 0.4, rank: 3, noise: 0.4, isWeighted: true, seed: 5 });
const A = triples(small);
const options: FactorizeOptions = { rank: 3, weights: sqrtWeights(small), method: 'varpro', maxSweeps: 300, seed: 7 };
const fit = (more: Partial<FactorizeOptions>) => factorize(A, { ...options, ...more });

/** All but what the clock says. */
const counted = ({ fit: { digest, objective, sweeps, starts } }: Model) => {
  const { secondsToBest, secondsToSecondHit, ...rest } = starts ?? {};
  return { digest, objective, sweeps, ...rest };
};

describe('the same bits', () => {
  test('of one start as of no starts', async () => {
    const [one, none] = [await fit({ starts: 1 }), await fit({})];
    expect(counted(one)).toEqual(counted(none));
    expect(one.starts).toBeUndefined();
  });

  test.each([
    [8, {}],
    [11, { method: 'als', dtype: 'f32', biases: 'both', lambda: 0.1, maxSweeps: 60 }],
    ['auto', { method: 'als', dtype: 'f64', lambda: 0.2 }],
    [5, { loss: 'huber:1', method: 'als', lambda: 0.05 }],
  ] as const)('of starts %s with %o on 1, 2 and 3 threads, a start a thread or all on one', async (starts, more) => {
    const one = await fit({ starts, threads: 1, ...more });
    expect(one.fit.inline).toBe(true);
    const several = await fit({ starts, threads: 3, ...more });
    expect(several.fit.inline).toBe(false);
    expect(counted(several)).toEqual(counted(one));
    expect(counted(await fit({ starts, threads: 2, inline: 'never', ...more }))).toEqual(counted(one));
  });

  test('of the model as of a fit with the seed that it names', async () => {
    const many = await fit({ starts: 6, threads: 2 });
    const { seed, start } = many.starts as NonNullable<Model['starts']>;
    expect(start).toBeGreaterThan(0);
    const { digest, trace } = (await fit({ seed })).fit;
    expect(many.fit.digest).toBe(digest);
    expect(many.trace.map(({ objective }) => objective)).toEqual(trace.map(({ objective }) => objective));
  });

  test('in a session', async () => {
    const session = openSession({ threads: 2 });
    try {
      expect(counted(await session.factorize(A, { ...options, starts: 9 }))).toEqual(counted(await fit({ starts: 9 })));
    } finally {
      await session.close();
    }
  });
});

/**
 * Rank 1, three entries on the diagonal that are well known and small weights beside it: u_i v_i ≈ 1 leaves the signs of two rows
 * free, and each of the four patterns has an optimum of its own, since u·v cannot change its sign without crossing 0.
 */
const target = [1, 0.4, -0.3, -0.1, 1, 0.2, 0.5, -0.6, 1];
const weight = [1, 0.3, 0.25, 0.2, 1, 0.3, 0.2, 0.25, 1];

/** Plain alternation in float64 from one of the patterns. */
function optimumFrom(signs: readonly number[]): number {
  const at = (list: readonly number[], i: number, j: number) => list[3 * i + j] as number;
  const [u, v] = [[...signs], [...signs]];
  const solve = (own: number[], other: readonly number[], isRow: boolean) => {
    for (let i = 0; i < 3; i++) {
      let [top, bottom] = [0, 0];
      for (let j = 0; j < 3; j++) {
        const [a, w] = isRow ? [at(target, i, j), at(weight, i, j)] : [at(target, j, i), at(weight, j, i)];
        top += w * w * a * (other[j] as number);
        bottom += w * w * (other[j] as number) ** 2;
      }
      own[i] = top / bottom;
    }
  };
  for (let sweep = 0; sweep < 5000; sweep++) {
    solve(v, u, false);
    solve(u, v, true);
  }
  let f = 0;
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) f += (at(weight, i, j) * (at(target, i, j) - (u[i] as number) * (v[j] as number))) ** 2;
  return f;
}

describe('a problem of four optima', () => {
  const optima = [
    [1, 1, 1],
    [1, 1, -1],
    [1, -1, 1],
    [1, -1, -1],
  ]
    .map(optimumFrom)
    .sort((a, b) => a - b);
  const B = ndarray(Float64Array.from(target), [3, 3]);
  const given: FactorizeOptions = {
    rank: 1,
    weights: { sqrtWeight: ndarray(Float64Array.from(weight), [3, 3]) },
    method: 'als',
    dtype: 'f64',
    maxSweeps: 5000,
  };

  test('all are found, each with its hits, the best first', async () => {
    const { starts, fit } = await factorize(B, { ...given, starts: 64 });
    expect(starts).toMatchObject({ count: 64, stopped: 'count', distinct: 4 });
    expect(starts?.optima).toHaveLength(4);
    starts?.optima.forEach(({ objective }, place) => {
      expect(objective / (optima[place] as number)).toBeCloseTo(1, 8);
    });
    expect(starts?.optima.reduce((sum, { hits }) => sum + hits, 0)).toBe(starts?.converged);
    expect(fit.objective).toBe(starts?.best.objective);
    expect(starts?.best.hits).toBe(starts?.optima[0]?.hits);
    expect(starts?.hitRate).toBe((starts?.best.hits ?? 0) / 64);
    expect(starts?.secondsToSecondHit).toBeGreaterThanOrEqual(starts?.secondsToBest as number);
    // All is observed: the RMSE is over nine entries, whatever they weigh.
    expect(starts?.optima[0]?.rmse).toBeCloseTo(fit.rmse.train, 6);
  });

  test('auto goes on until the estimate agrees with four', async () => {
    const { starts } = await factorize(B, { ...given, starts: 'auto' });
    expect(starts).toMatchObject({ stopped: 'agreement', distinct: 4 });
    // w(N − 1)/(N − w − 2) < w + ½ for w = 4 from N = 47 on; rounds are run to their end.
    expect(starts?.count).toBe(48);
  });
});

describe('what ends a search', () => {
  test('an abort keeps the best so far', async () => {
    const cancel = new AbortController();
    const model = await fit({
      starts: 200,
      threads: 2,
      signal: cancel.signal,
      onProgress: ({ starts }) => (starts?.done ?? 0) >= 3 && cancel.abort(),
    });
    expect(model.starts).toMatchObject({ stopped: 'signal' });
    expect(model.starts?.count).toBeLessThan(16);
    expect(model.certificate.objective).toBe(model.fit.objective);
  });

  test.each([1, 2])('the time limit, even where it is over before the first sweep: %i threads', async (threads) => {
    const model = await fit({ starts: 'auto', threads, timeLimit: 1e-9 });
    expect(model.starts).toMatchObject({ stopped: 'time' });
    // Its clock is heard at the first pause: a short start may have converged before.
    expect(['budget time', 'converged gradient']).toContain(`${model.fit.status} ${model.fit.reason}`);
    expect(model.fit.objective).toBeGreaterThan(0);
  });

  test('an abort before it begins', async () => {
    await expect(fit({ starts: 8, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a failure of the numbers, with its code', async () => {
    const huge = { ...A, values: A.values.map((value) => value * 1e180) };
    await expect(factorize(huge, { ...options, starts: 8, threads: 2 })).rejects.toMatchObject({
      code: 'numeric-failure',
    });
  });
});

test('progress says which start, and the best so far', async () => {
  const seen: NonNullable<Progress['starts']>[] = [];
  const model = await fit({ starts: 10, threads: 2, onProgress: ({ starts }) => starts && seen.push(starts) });
  expect(seen.length).toBeGreaterThanOrEqual(10);
  expect(seen.every(({ of }) => of === 10)).toBe(true);
  expect(seen.at(-1)).toMatchObject({ done: 10, best: expect.any(Number) });
  expect(Math.min(...seen.map(({ best }) => best ?? Number.POSITIVE_INFINITY))).toBeCloseTo(model.fit.objective, 9);
});

test('the first start may be given', async () => {
  const first = await fit({});
  const V = ndarray(
    Float64Array.from({ length: 75 }, (_, i) => Math.sin(i + 1)),
    [25, 3],
  );
  const [one, many] = [await fit({ init: { V } }), await fit({ init: { V }, starts: 2, threads: 1 })];
  expect(one.fit.sweeps).not.toBe(first.fit.sweeps);
  expect(many.starts?.start === 0 ? many.fit.digest : one.fit.digest).toBe(one.fit.digest);
  expect(many.fit.objective).toBeLessThanOrEqual(one.fit.objective);
});

test('starts do not go with early stopping', async () => {
  await expect(fit({ starts: 8, holdout: 0.1, patience: 3 })).rejects.toMatchObject({
    code: 'invalid-option',
    position: { option: 'starts' },
  });
});

describe('with a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hadamard-starts-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    delete process.env.HADAMARD_TEST_DEATH;
  });

  test('what was found is saved with the model', async () => {
    const model = await fit({ starts: 4 });
    await model.save(join(folder, 'model'));
    expect((await loadModel(join(folder, 'model'))).starts).toEqual(model.starts);
  });

  const workerUrl = new URL('../helpers/dyingStarts/rows.cjs', import.meta.url).href;
  const dying = (times: number, starts: number) => {
    process.env.HADAMARD_TEST_DEATH = JSON.stringify({ times, folder });
    return fit({ starts, threads: 2, workerUrl });
  };

  test('a start that dies with its worker is run again, to the same bits', async () => {
    // One death: of two, both might be those of one start.
    const model = await dying(1, 8);
    expect(readdirSync(folder)).toEqual(['1']);
    expect(counted(model)).toEqual(counted(await fit({ starts: 8, threads: 2 })));
  });

  test('one that dies again fails the fit', async () => {
    await expect(dying(100, 8)).rejects.toMatchObject({ code: 'worker-died', what: expect.stringContaining('start') });
  });
});
