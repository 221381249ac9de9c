/**
 * What tune() finds against a full grid of cold fits on the same folds, and in what share of its time:
 * bench/results/tune.json. The grid's fits stop at the same tolerance and run in the same sessions, so the ratio is that of
 * warm starts and of what is left out alone. `node bench/tune.mjs [name …]`. Needs the data: HADAMARD_DATA (default
 * ../shared/data).
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { asInput, listEntries, listingOf } from '../dist/src/data/listing.js';
import { tune } from '../dist/src/index.js';
import { openFits } from '../dist/src/selection/fits.js';
import { recommend } from '../dist/src/selection/recommendation.js';
import { role, splitEntries } from '../dist/src/selection/splits.js';
import { summary } from '../dist/src/selection/summary.js';
import { earlier, record } from './record.mjs';

const data = process.env.HADAMARD_DATA ?? '../shared/data';
const tolerance = 1e-4;

/** @param users how many rows to take. */
function read(name, users) {
  const lines = gunzipSync(readFileSync(`${data}/${name}.mtx.gz`))
    .toString()
    .split('\n');
  const [[m, n], ...all] = lines
    .filter((line) => line && !line.startsWith('%'))
    .map((line) => line.split(' ').map(Number));
  const rows = Math.min(m, users ?? m);
  const list = all.filter(([row]) => row <= rows);
  return {
    rows: Uint32Array.from(list, (e) => e[0] - 1),
    columns: Uint32Array.from(list, (e) => e[1] - 1),
    values: Float64Array.from(list, (e) => e[2]),
    shape: [rows, n],
  };
}

/** The result, seconds and processor seconds of the whole process. */
async function timed(work) {
  const began = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, (performance.now() - began) / 1000, (user + system) / 1e6];
}

async function grid(A, { ranks, lambdas, ...options }) {
  const listing = listEntries(A, undefined, 'refuse');
  const folds = splitEntries(listing, { folds: 5 }, 1).map(({ roles }) => ({
    train: asInput(listingOf(listing, (t) => roles[t] === role.train)).A,
    test: listingOf(listing, (t) => roles[t] === role.test),
  }));
  const fits = openFits(A, { ...options, rank: Math.max(...ranks) }, folds.length);
  const cells = [];
  for (const rank of ranks)
    for (const lambda of lambdas) {
      const errors = await Promise.all(
        folds.map(async ({ train, test }) => {
          const model = await fits.fit(train, { ...options, rank, lambda, tolerance });
          const squares = model
            .predict(test.rows, test.columns)
            .reduce((sum, p, t) => sum + (p - test.values[t]) ** 2, 0);
          return Math.sqrt(squares / test.values.length);
        }),
      );
      cells.push({ rank, lambda, errors, ...summary(errors) });
    }
  await fits.close();
  return { cells };
}

const brief = ({ rank, lambda, mean, standardError }) => ({ rank, lambda, mean, standardError });

const sets = [
  {
    name: 'jester-1, the first 1500 users',
    A: () => read('jester-1/A', 1500),
    options: { biases: 'both', lambdaScale: 'count' },
    ranks: [2, 5, 10],
    lambdas: [1, 0.63, 0.4, 0.25, 0.16, 0.1, 0.063, 0.04],
  },
  {
    name: 'ml-100k',
    A: () => read('ml-100k/A'),
    options: { biases: 'both', lambdaScale: 'count' },
    ranks: [2, 5, 10],
    lambdas: [0.4, 0.25, 0.16, 0.1, 0.063, 0.04],
  },
  {
    name: 'jester-1',
    A: () => read('jester-1/A'),
    options: { biases: 'both', lambdaScale: 'count' },
    ranks: [2, 5, 10],
    lambdas: [1, 0.4, 0.16, 0.063],
  },
];
const asked = process.argv.slice(2);

const results = new Map(earlier('tune').map((result) => [result.data, result]));
for (const { name, A: load, options, ranks, lambdas } of sets) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const A = load();
  // A B A: the machine may change under a run; processor seconds, of all threads, do not depend on who else is at work.
  const [first, ...a] = await timed(() => tune(A, { ...options, ranks, lambdas }));
  const [full, ...b] = await timed(() => grid(A, { ...options, ranks, lambdas }));
  const [, ...c] = await timed(() => tune(A, { ...options, ranks, lambdas }));
  const ofGrid = recommend(full.cells, { metric: 'rmse', sign: 1, ranks, lambdas });
  const result = {
    data: name,
    shape: A.shape,
    observed: A.values.length,
    folds: 5,
    ranks,
    lambdas,
    options,
    tune: {
      best: brief(first.best),
      recommended: brief(first.recommended),
      fits: first.fits,
      cells: first.cells.map(brief),
    },
    grid: {
      best: brief(ofGrid.best),
      recommended: brief(ofGrid.recommended),
      fits: full.cells.length * 5,
      cells: full.cells.map(brief),
    },
    seconds: { tune: [a[0], c[0]], grid: [b[0]] },
    processorSeconds: { tune: [a[1], c[1]], grid: [b[1]] },
    shareOfGrid: { seconds: (a[0] + c[0]) / 2 / b[0], processorSeconds: (a[1] + c[1]) / 2 / b[1] },
    sameBest: first.best.rank === ofGrid.best.rank && first.best.lambda === ofGrid.best.lambda,
    sameRecommended:
      first.recommended.rank === ofGrid.recommended.rank && first.recommended.lambda === ofGrid.recommended.lambda,
  };
  results.set(name, result);
  console.log(JSON.stringify({ ...result, tune: { ...result.tune, cells: 0 }, grid: { ...result.grid, cells: 0 } }));
  // After each set: what has been measured is kept.
  record('tune', {
    what: 'tune() against a full grid of cold fits: same folds, same tolerance, same sessions, one run; tune timed before and after',
    tolerance,
    results: [...results.values()],
  });
}
