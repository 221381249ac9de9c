/** The search against a brute force on a small grid; interrupted and continued; what it recommends and why. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ndarray from 'ndarray';
import { afterAll, describe, expect, test } from 'vitest';
import { asInput, listEntries, listingOf } from '../../dist/src/data/listing.js';
import { evaluate, factorize, type Triples, type TuneOptions, type Tuning, tune } from '../../dist/src/index.js';
import { rmse } from '../../dist/src/metrics/errors.js';
import { lambdaMax, lambdaPath } from '../../dist/src/selection/lambdaPath.js';
import { pathStart, startSize } from '../../dist/src/selection/pathStart.js';
import { type Cell, isClearlyWorse, recommend } from '../../dist/src/selection/recommendation.js';
import { role, splitEntries } from '../../dist/src/selection/splits.js';
import { summary } from '../../dist/src/selection/summary.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

const folder = mkdtempSync(join(tmpdir(), 'hadamard-tune-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const of = problem({ m: 60, n: 40, density: 0.5, rank: 3, noise: 0.8, seed: 11 });
const A = triples(of);
const options: TuneOptions = {
  ranks: [1, 3, 5],
  lambdas: [16, 8, 4, 2, 1],
  folds: 4,
  tolerance: 1e-7,
  dtype: 'f64',
};
/** All but the time that it took. */
const found = ({ seconds: _seconds, ...tuning }: Tuning) => tuning;

/** Three components of sizes far apart: up to rank 3 a fit has one minimum, whatever it starts from. */
function distinctComponents(): Triples {
  const draw = uniform(11);
  const sizes = [3, 1.5, 0.8];
  const factor = (count: number) => Array.from({ length: count }, () => sizes.map(() => 3 * (draw() - 0.5)));
  const [U, V] = [factor(60), factor(40)];
  const entries = U.flatMap((u, i) =>
    V.map((v, j) => ({ i, j, isListed: draw() > 0.5, u, v, noise: draw() - 0.5 })),
  ).filter(({ isListed }) => isListed);
  return {
    rows: Uint32Array.from(entries, ({ i }) => i),
    columns: Uint32Array.from(entries, ({ j }) => j),
    values: Float64Array.from(
      entries,
      ({ u, v, noise }) =>
        sizes.reduce((sum, size, c) => sum + size * (u[c] as number) * (v[c] as number), 0) + 1.5 * noise,
    ),
    shape: [60, 40],
  };
}

describe('the search', () => {
  test('passes over entries without weight, as evaluate does', async () => {
    const zero = withEntries(of, (e) => ({ weight: e.row % 7 === e.column % 7 ? 0 : 1 }));
    const without = { ...of, entries: zero.entries.filter((e) => e.weight > 0) };
    const said: TuneOptions = { ...options, ranks: [2], lambdas: [4, 2], tolerance: 1e-3 };
    const tuning = await tune(triples(zero), { ...said, weights: sqrtWeights(zero) });
    expect(found(tuning)).toEqual(found(await tune(triples(without), { ...said, weights: sqrtWeights(without) })));
  });

  test('has the errors of a brute force, and its choice', async () => {
    const [ranks, lambdas] = [
      [1, 2, 3],
      [16, 8, 4, 2, 1, 0.5, 0.25],
    ];
    const B = distinctComponents();
    const tuning = await tune(B, { ...options, ranks, lambdas });
    const listing = listEntries(B, undefined, 'refuse');
    const folds = splitEntries(listing, { folds: 4 }, 1).map(({ roles }) => ({
      train: asInput(listingOf(listing, (t) => roles[t] === role.train)).A,
      test: listingOf(listing, (t) => roles[t] === role.test),
    }));
    const grid: Cell[] = [];
    for (const rank of ranks)
      for (const lambda of lambdas) {
        const errors: number[] = [];
        for (const { train, test: held } of folds) {
          const model = await factorize(train, { rank, lambda, tolerance: 1e-7, dtype: 'f64', threads: 1 });
          errors.push(rmse(held.values, model.predict(held.rows, held.columns)));
        }
        grid.push({ rank, lambda, ...(summary(errors) as { mean: number; standardError: number }), errors, sweeps: 0 });
      }
    for (const cell of tuning.cells) {
      const same = grid.find(({ rank, lambda }) => rank === cell.rank && lambda === cell.lambda) as Cell;
      expect(Math.abs(cell.mean / same.mean - 1), `${cell.rank} ${cell.lambda}`).toBeLessThan(1e-6);
    }
    const ofGrid = recommend(grid, { metric: 'rmse', sign: 1, ranks, lambdas });
    const place = ({ rank, lambda }: Cell) => ({ rank, lambda });
    expect(place(tuning.best)).toEqual(place(ofGrid.best));
    expect(place(tuning.recommended)).toEqual(place(ofGrid.recommended));
    expect(tuning.recommended.rank).toBe(3);
    expect(tuning.fits.ofGrid).toBe(3 * 7 * 4);
    expect(tuning.fits.made).toBe(tuning.cells.length * 4);
    expect(tuning.fits.made).toBeLessThan(tuning.fits.ofGrid);
    expect(tuning.reason).toContain('Rank 3');
  });

  test('has the same bits for every number of threads', async () => {
    const given = { ...options, ranks: [1, 3], lambdas: [8, 4], folds: 3, tolerance: 1e-4 };
    const expected = found(await tune(A, { ...given, threads: 1 }));
    for (const threads of [2, 3]) expect(found(await tune(A, { ...given, threads }))).toEqual(expected);
  });

  test('takes weights, blocks, biases and ranking metrics', async () => {
    const weighted = problem({ m: 40, n: 30, density: 0.6, rank: 2, isWeighted: true, offset: 3 });
    const tuning = await tune(triples(weighted), {
      ranks: [1, 2],
      folds: 3,
      split: 'blocks',
      biases: 'both',
      lambdaScale: 'count',
      weights: sqrtWeights(weighted),
    });
    expect(tuning).toMatchObject({ metric: 'weighted-rmse', split: 'blocks', folds: 3, recommended: { rank: 2 } });
    const ranked = await tune(A, { ranks: [2], lambdas: [1], folds: 2, metric: 'ndcg@5' });
    expect(ranked.best).toBe(ranked.recommended);
    expect(ranked.metric).toBe('ndcg@5');
    const { metrics } = await evaluate(A, { rank: 2, lambda: 1, folds: 2, metrics: ['ndcg@5'], tolerance: 1e-4 });
    expect(ranked.best.mean).toBe(metrics['ndcg@5']?.mean);
  });
});

describe('a state file', () => {
  test('lets an interrupted search go on to the same result', async () => {
    const given: TuneOptions = { ...options, ranks: [1, 2, 3], folds: 3, tolerance: 1e-4 };
    const expected = found(await tune(A, given));
    const state = join(folder, 'tune.json');
    let runs = 0;
    let last = 0;
    for (;;) {
      const controller = new AbortController();
      let fresh = 0;
      const before = existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).results.length : 0;
      // Some fits further each time, in the middle of a cell as a rule.
      const onProgress = ({ fits }: { fits: number }) => {
        if (fits > before && ++fresh === 10) controller.abort();
      };
      runs++;
      try {
        const tuning = found(await tune(A, { ...given, state, signal: controller.signal, onProgress }));
        expect(tuning).toEqual(expected);
        break;
      } catch (error) {
        expect(error).toMatchObject({ name: 'AbortError', message: 'The work was aborted before there was a result.' });
        const { results } = JSON.parse(readFileSync(state, 'utf8'));
        expect(results.length).toBeGreaterThan(last);
        last = results.length;
      }
    }
    expect(runs).toBeGreaterThan(2);
    expect(readdirSync(folder)).toEqual(['tune.json']);
    // Done: nothing is fitted again.
    const again = await tune(A, { ...given, state });
    expect(found(again)).toEqual(expected);
    // Only what is still needed to start from is kept.
    const { starts, results } = JSON.parse(readFileSync(state, 'utf8'));
    expect(Object.keys(starts).length).toBeLessThan(results.length / 2);
  });

  test('holds fits that no test entry has had a part in', async () => {
    const listing = listEntries(A, undefined, 'refuse');
    const [fold] = splitEntries(listing, { folds: 2 }, 1) as [{ roles: Uint8Array }];
    const tested = listing.places[fold.roles.indexOf(role.test)] as number;
    const other = { ...A, values: A.values.map((value, t) => (t === tested ? value + 100 : value)) } as typeof A;
    const starts = [];
    for (const [name, data] of [
      ['before.json', A],
      ['after.json', other],
    ] as const) {
      const state = join(folder, name);
      await tune(data, { ranks: [2], lambdas: [8, 4], folds: 2, state });
      starts.push(JSON.parse(readFileSync(state, 'utf8')).starts);
      rmSync(state);
    }
    const keys = Object.keys(starts[0]).filter((key) => key.endsWith(' 0'));
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(starts[1][key]).toEqual(starts[0][key]);
  });

  test('that was changed is refused', async () => {
    const state = join(folder, 'changed.json');
    const given = { ranks: [1], lambdas: [2, 1], folds: 2, state };
    await tune(A, given);
    const written = JSON.parse(readFileSync(state, 'utf8'));
    for (const change of [
      { results: [null] },
      { results: [{ ...written.results[0], error: 0 }, ...written.results.slice(1)] },
      { starts: {} },
      { starts: { a: null } },
      { checksum: undefined },
    ]) {
      writeFileSync(state, JSON.stringify({ ...written, ...change }));
      await expect(tune(A, given)).rejects.toMatchObject({ code: 'malformed-file', position: { file: state } });
    }
    rmSync(state);
  });

  test('of other data or options is refused, and one that is none', async () => {
    const state = join(folder, 'other.json');
    const given = { ranks: [1], lambdas: [1], folds: 2, state };
    await tune(A, given);
    const other = { ...A, values: A.values.map((value, t) => (t === 5 ? value + 1 : value)) } as typeof A;
    for (const [data, more, differing] of [
      [other, {}, 'data'],
      [A, { lambdas: [2] }, 'lambdas'],
      [A, { biases: 'both' }, 'biases'],
      [A, { seed: 2, ranks: [1, 2] }, 'seed, ranks'],
      [A, { folds: 3 }, 'folds'],
    ] as const)
      await expect(tune(data, { ...given, ...more })).rejects.toMatchObject({
        code: 'incompatible-options',
        what: `${state} belongs to a search that differs in ${differing}.`,
        position: { option: 'state', file: state },
      });
    // What does not change the result may change.
    await tune(A, { ...given, threads: 1, memoryLimit: 2 ** 30 });
    writeFileSync(state, readFileSync(state, 'utf8').slice(0, -20));
    await expect(tune(A, given)).rejects.toMatchObject({ code: 'malformed-file', position: { file: state } });
    await expect(tune(A, { ...given, state: join(folder, 'no', 'such', 'folder.json') })).rejects.toMatchObject({
      code: 'output-failed',
    });
    await expect(tune(A, { ...given, state: folder })).rejects.toMatchObject({ code: 'unreadable-file' });
  });
});

describe('the path of λ', () => {
  test.each([
    ['row', 'none'],
    ['count', 'none'],
    ['weight', 'none'],
    ['count', 'both'],
  ] as const)('begins where every factor is zero: λ by %s, biases %s', async (lambdaScale, biases) => {
    const weighted = problem({ m: 30, n: 25, density: 0.6, rank: 2, isWeighted: true });
    const data = triples(weighted);
    const weights = sqrtWeights(weighted);
    const largest = lambdaMax(listEntries(data, weights, 'refuse'), { lambdaScale, nu: 1, biases });
    const sizeAt = async (lambda: number) => {
      const { U } = await factorize(data, {
        rank: 2,
        lambda,
        lambdaScale,
        biases,
        // Biases that are not penalised take up all of the means.
        biasLambda: 0,
        weights,
        dtype: 'f64',
        tolerance: 1e-12,
        maxSweeps: 2000,
      });
      return Math.max(...U.data.map(Math.abs));
    };
    expect(await sizeAt(1.02 * largest)).toBeLessThan(1e-3);
    expect(await sizeAt(0.9 * largest)).toBeGreaterThan(1e-2);
  });

  test('is five values a decade, to two digits', () => {
    const path = lambdaPath(listEntries(A, undefined, 'refuse'), { lambdaScale: 'row', nu: 1, biases: 'none' });
    expect(path).toHaveLength(25);
    for (let i = 5; i < path.length; i++) expect((path[i - 5] as number) / (path[i] as number)).toBeCloseTo(10, 6);
    for (const lambda of path) expect(Number(lambda.toPrecision(2))).toBe(lambda);
  });
});

describe('the recommendation', () => {
  const cell = (rank: number, lambda: number, mean: number, standardError = 0.1): Cell => ({
    rank,
    lambda,
    mean,
    standardError,
    errors: [mean - standardError, mean + standardError],
    sweeps: 1,
  });
  const cells = [cell(1, 2, 1.2), cell(2, 2, 1.05), cell(2, 1, 1.02), cell(4, 1, 1), cell(4, 0.5, 1.3)];
  const about = { metric: 'rmse', sign: 1, ranks: [1, 2, 4, 8], lambdas: [4, 2, 1, 0.5] } as const;

  test('is the smallest rank within one standard error, and at that the largest λ', () => {
    const { best, recommended, reason } = recommend(cells, about);
    expect(best).toBe(cells[3]);
    expect(recommended).toBe(cells[1]);
    expect(reason).toMatch(/Rank 2 with λ = 2 is the simplest.*one standard error \(0\.1\) of the least, 1 of rank 4/);
  });

  test('is the best where nothing simpler is as good', () => {
    const sharp = cells.map((each) => ({ ...each, standardError: 0.001 }));
    const { best, recommended, reason } = recommend(sharp, about);
    expect(recommended).toBe(best);
    expect(reason).toContain('no smaller rank or larger λ');
  });

  test('of a metric that is better when larger is turned round', () => {
    const { best, recommended } = recommend(cells, { ...about, sign: -1 });
    expect(best).toBe(cells[4]);
    expect(recommended).toBe(cells[0]);
  });

  test('says when the best stands at an end', () => {
    const at = (rank: number, lambda: number) => recommend([cell(rank, lambda, 1)], about).reason;
    expect(at(8, 4)).toMatch(/larger ones may do better.*largest rank/s);
    expect(at(1, 0.5)).toContain('smaller ones may do better');
    expect(at(2, 1)).not.toContain('may do better');
  });

  test('one cell is clearly worse than another by twice the standard error of the difference', () => {
    const least = { ...cell(1, 1, 1, 0.01), errors: [1, 2, 3] };
    expect(isClearlyWorse({ ...least, errors: [1.1, 2.1, 3.1] }, least, 1)).toBe(true);
    expect(isClearlyWorse({ ...least, errors: [1.01, 2.01, 3.01] }, least, 1)).toBe(false);
    expect(isClearlyWorse({ ...least, errors: [1.4, 2, 2.9] }, least, 1)).toBe(false);
    expect(isClearlyWorse({ ...least, errors: [0.9, 1.9, 2.9] }, least, -1)).toBe(true);
  });
});

test('a warm start keeps what is there, appends columns, and fills up what has shrunk', async () => {
  const { V } = await factorize(A, { rank: 2, lambda: 1 });
  const columnSize = (of: typeof V, c: number) =>
    Math.sqrt(Array.from({ length: 40 }, (_, row) => of.get(row, c) ** 2).reduce((a, b) => a + b, 0) / 40);
  const size = startSize(listEntries(A, undefined, 'refuse'), false, 4);
  const start = pathStart(V, 4, 0.5, 1);
  expect(start.shape).toEqual([40, 4]);
  for (const c of [0, 1]) expect(columnSize(V, c)).toBeGreaterThan(0.5);
  for (let row = 0; row < 40; row++) expect(Math.abs(start.get(row, 0) - V.get(row, 0))).toBeLessThan(0.05 * 4);
  for (const c of [2, 3]) expect(columnSize(start, c)).toBeCloseTo(0.5, 0);
  const collapsed = ndarray(
    V.data.map((value) => value * 1e-9),
    [40, 2],
  ) as typeof V;
  for (const c of [0, 1]) expect(columnSize(pathStart(collapsed, 2, 0.5, 1), c)).toBeGreaterThan(0.3);
  // The size is that of a fresh start: √(rms/√k).
  const rms = Math.sqrt(Array.from(A.values).reduce((sum, a) => sum + a * a, 0) / A.values.length);
  expect(size).toBeCloseTo(Math.sqrt(rms / 2), 12);
});

describe('is refused', () => {
  test.each<[string, object, string]>([
    ['no rank', { ranks: [] }, 'ranks'],
    ['a rank of 0', { ranks: [0, 1] }, 'ranks'],
    ['half a rank', { ranks: [1.5] }, 'ranks'],
    ['ranks that are no list', { ranks: 3 }, 'ranks'],
    ['a negative λ', { lambdas: [1, -1] }, 'lambdas'],
    ['no λ', { lambdas: [] }, 'lambdas'],
    ['more folds than entries', { folds: 1e6 }, 'folds'],
    ['folds of rows', { split: 'rows' }, 'split'],
    ['a metric that there is not', { metric: 'r2' }, 'metric'],
    ['an option that there is not', { rnaks: [1] }, 'rnaks'],
    ['held entries', { hold: {} }, 'hold'],
  ])('%s', async (_name, more, option) => {
    await expect(tune(A, { ...options, ...more } as never)).rejects.toMatchObject({
      code: 'invalid-option',
      position: { option },
    });
  });

  test('not a rank above the smaller side: a fit takes it too', async () => {
    const small = triples(problem({ m: 6, n: 5, rank: 1 }));
    const { cells } = await tune(small, { ranks: [8], lambdas: [0.1], folds: 2 });
    expect(cells).toHaveLength(1);
    // By default ranks end at the smaller side.
    expect((await tune(small, { lambdas: [0.1], folds: 2 })).ranks).toEqual([1, 2, 4]);
  });
});
