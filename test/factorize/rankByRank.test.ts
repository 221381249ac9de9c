/** A start rank by rank finds what few entries determine; it is the same on any number of threads, and can be stopped. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model, openSession, type Progress } from '../../dist/src/index.js';
import { uniform } from '../helpers/random.js';

interface Known {
  readonly A: { rows: Uint32Array; columns: Uint32Array; values: Float64Array; shape: [number, number] };
  /** ‖UVᵀ + biases − X‖_F / ‖X‖_F over all entries, X the matrix that entries were taken from. */
  error(model: Model): number;
}

/** X of a rank with singular values (nearly) spread over `spread`, and `perDegree` entries for each degree of freedom. */
function known(m: number, n: number, rank: number, spread: number, perDegree: number, seed: number): Known {
  const next = uniform(seed);
  const factor = (rows: number) =>
    Array.from({ length: rows }, () => Array.from({ length: rank }, () => 2 * next() - 1));
  const [U, V] = [factor(m), factor(n)];
  const sizes = Array.from({ length: rank }, (_, c) => spread ** (-c / (rank - 1)));
  const at = (i: number, j: number) =>
    sizes.reduce((sum, size, c) => sum + size * (U[i]?.[c] as number) * (V[j]?.[c] as number), 0);
  const count = Math.floor(perDegree * rank * (m + n - rank));
  const chosen = new Set<number>();
  // Every row and column has as many entries as the rank, at least.
  for (let i = 0; i < m; i++) for (let t = 0; t < rank; t++) chosen.add(i * n + ((i * 7 + t * 13) % n));
  for (let j = 0; j < n; j++) for (let t = 0; t < rank; t++) chosen.add(((j * 5 + t * 11) % m) * n + j);
  while (chosen.size < count) chosen.add(Math.floor(next() * m) * n + Math.floor(next() * n));
  const list = [...chosen].sort((a, b) => a - b);
  const A = {
    rows: Uint32Array.from(list, (e) => Math.floor(e / n)),
    columns: Uint32Array.from(list, (e) => e % n),
    values: Float64Array.from(list, (e) => at(Math.floor(e / n), e % n)),
    shape: [m, n] as [number, number],
  };
  return {
    A,
    error(model) {
      let [off, all] = [0, 0];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          off += (model.predict(i, j) - at(i, j)) ** 2;
          all += at(i, j) ** 2;
        }
      return Math.sqrt(off / all);
    },
  };
}

const options = { rank: 4, dtype: 'f64', tolerance: 1e-14, maxSweeps: 400 } as const satisfies FactorizeOptions;

describe('what few entries determine', () => {
  test.each([
    ['close together', 10],
    ['far apart', 1e4],
  ])('singular values %s: exact from rank by rank, never from random factors', async (_, spread) => {
    for (const seed of [1, 2, 3]) {
      const { A, error } = known(150, 120, 4, spread, 1.8, seed);
      const ranked = await factorize(A, { ...options, method: 'als', start: 'rank-by-rank' });
      const random = await factorize(A, { ...options, method: 'als', start: 'random' });
      expect(error(ranked)).toBeLessThan(1e-9);
      expect(error(random)).toBeGreaterThan(1e-3);
    }
  });

  test('auto finds it: by second-order steps where the problem is small, by als where it is not', async () => {
    const small = known(60, 50, 3, 100, 2, 4);
    const model = await factorize(small.A, { rank: 3, tolerance: 1e-14 });
    expect(small.error(model)).toBeLessThan(1e-9);
    expect(model.fit.method).toEqual({
      name: 'varpro',
      reason: expect.stringMatching(
        /; 30 sweeps of als did not converge; begun rank by rank, by \d+ sweeps of its own$/,
      ),
    });
    const large = known(520, 500, 3, 100, 2, 5);
    const wide = await factorize(large.A, { ...options, rank: 3 });
    expect(large.error(wide)).toBeLessThan(1e-9);
    expect(wide.fit.method).toEqual({
      name: 'als',
      reason: expect.stringMatching(/^too large .*; begun rank by rank/),
    });
  });

  test('asked for, it is taken whether als would converge or not', async () => {
    const { A } = known(40, 30, 2, 3, 4, 10);
    const asked = await factorize(A, { rank: 2, start: 'rank-by-rank', tolerance: 1e-12 });
    const { fit } = await factorize(A, { rank: 2, tolerance: 1e-12 });
    expect(asked.fit.method).toEqual({ name: 'varpro', reason: expect.stringMatching(/; begun rank by rank/) });
    expect(fit.method).toEqual({ name: 'als', reason: expect.stringMatching(/^it converged before/) });
  });

  test('with biases and weights', async () => {
    const { A } = known(60, 40, 2, 20, 3, 6);
    const b = (i: number) => 3 * Math.sin(i);
    const values = A.values.map((x, t) => x + b(A.rows[t] as number) - 2 * b(A.columns[t] as number));
    const sqrtWeight = A.values.map((_, t) => 1 + (t % 5));
    const fit = { ...options, rank: 2, weights: { sqrtWeight }, biases: 'both', start: 'rank-by-rank' } as const;
    const model = await factorize({ ...A, values }, fit);
    expect(model.fit.rmse.train).toBeLessThan(1e-9);
  });

  test('nothing but zeros leaves nothing to begin with', async () => {
    const { A } = known(20, 15, 2, 10, 3, 7);
    const model = await factorize(
      { ...A, values: new Float64Array(A.values.length) },
      { rank: 2, start: 'rank-by-rank' },
    );
    expect(model.fit.objective).toBeLessThan(1e-20);
  });
});

describe('the same bits', () => {
  const { A } = known(90, 70, 3, 50, 2, 8);
  test.each([{ method: 'als' }, {}, { starts: 3 }] as const)(
    'with %o, whatever the threads, and in a session',
    async (more) => {
      const all = { ...options, rank: 3, ...(!('starts' in more) && { start: 'rank-by-rank' as const }), ...more };
      const alone = await factorize(A, { ...all, threads: 1 });
      const apart = await factorize(A, { ...all, threads: 3, inline: 'never' });
      expect(apart.fit.digest).toBe(alone.fit.digest);
      await using session = await openSession({ threads: 2 });
      expect((await session.factorize(A, all)).fit.digest).toBe(alone.fit.digest);
    },
  );
});

describe('stopped while the start is made', () => {
  const { A } = known(90, 70, 3, 50, 2, 9);
  const stopIn = (phase: Progress['phase'], controller: AbortController) => (progress: Progress) => {
    if (progress.phase === phase) controller.abort();
  };

  test('before a first sweep there is no model', async () => {
    const controller = new AbortController();
    const run = factorize(A, {
      ...options,
      method: 'als',
      start: 'rank-by-rank',
      signal: controller.signal,
      onProgress: stopIn('start', controller),
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('after the sweeps of als that are tried first, theirs is the model', async () => {
    const controller = new AbortController();
    const tried = await factorize(A, { ...options, method: 'als', maxSweeps: 30 });
    const model = await factorize(A, {
      ...options,
      signal: controller.signal,
      onProgress: stopIn('start', controller),
    });
    expect(model.fit).toMatchObject({ status: 'cancelled', sweeps: 30, method: { name: 'als' } });
    expect(model.fit.digest).toBe(tried.fit.digest);
  });

  test('by the clock, the fit goes on from as many columns as have their place', async () => {
    const model = await factorize(A, { ...options, method: 'als', start: 'rank-by-rank', timeLimit: 1e-3 });
    expect(model.fit).toMatchObject({ status: 'budget', reason: 'time' });
  });
});

test.each([{ lambda: 0.1 }, { nonnegative: 'both' }] as const)('does not go with %o', async (more) => {
  const { A } = known(20, 15, 2, 10, 3, 7);
  await expect(factorize(A, { rank: 2, start: 'rank-by-rank', ...more })).rejects.toMatchObject({
    code: 'incompatible-options',
    position: { option: 'start' },
  });
});
