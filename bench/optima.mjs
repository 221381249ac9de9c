/**
 * Published optima of unregularized problems: how many starts reach them, and how soon. bench/results/optima.json.
 *
 *     npm run bench:optima -- --data <dir> [name …] [--seeds N] [--method M] [--rank k --optimum rmse]
 *
 * <dir>/<name>/A.mtx.gz (and W.mtx.gz, W of Σ W²(A − u·v)²) is a problem: those of the table below, or any other with --rank and
 * --optimum; without names all of the table that are there. RMSE over observed entries, λ 0, f64, random normal starts, seeds 1 … N
 * (100), each a fit of its own. A hit is RMSE ≤ published + 5e-7; lower is told apart.
 * "Again" is the time from the first start to the end of the second that hits: published are those of DRW2P in
 * MATLAB/MEX on one core of 2013 (J. H. Hong & A. Fitzgibbon, ICCV 2015). Then the search `starts: 'auto'` of seed 1.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { factorize } from '../dist/src/index.js';
import { readMatrixMarket } from './matrixMarket.mjs';
import { record, spread } from './record.mjs';

const published = {
  'cv-dino-trimmed': { rank: 4, optimum: 1.084673, atLeast: 95, again: 2.7 },
  'cv-giraffe': { rank: 6, optimum: 0.322795, atLeast: 99, again: 7.7 },
  'jester-1': { rank: 7, optimum: 3.678013, atLeast: 100, method: 'als' },
};
const half = 5e-7;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: process.env.HADAMARD_DATA ?? '../shared/data' },
    seeds: { type: 'string', default: '100' },
    method: { type: 'string' },
    rank: { type: 'string' },
    optimum: { type: 'string' },
    'max-sweeps': { type: 'string', default: '1000' },
    'no-auto': { type: 'boolean', default: false },
  },
});

function problemOf(name) {
  const known = published[name] ?? {};
  const rank = Number(flags.rank ?? known.rank);
  const optimum = Number(flags.optimum ?? known.optimum);
  if (!(rank > 0 && optimum > 0)) throw new Error(`${name}: no published optimum is known; give --rank and --optimum.`);
  const folder = join(flags.data, name);
  const A = readMatrixMarket(join(folder, 'A.mtx.gz'));
  const weightFile = join(folder, 'W.mtx.gz');
  const weights = existsSync(weightFile) ? { sqrtWeight: readMatrixMarket(weightFile).values } : undefined;
  const method = flags.method ?? known.method ?? 'varpro';
  return { name, A, ...known, rank, optimum, options: { rank, method, weights, dtype: 'f64', lambda: 0 } };
}

async function runsOf({ A, options }) {
  const runs = [];
  for (let seed = 1; seed <= Number(flags.seeds); seed++) {
    const began = performance.now();
    const { fit } = await factorize(A, { ...options, seed, maxSweeps: Number(flags['max-sweeps']) });
    runs.push({
      seed,
      rmse: fit.rmse.train,
      status: fit.status,
      sweeps: fit.sweeps,
      seconds: (performance.now() - began) / 1000,
    });
    process.stderr.write(`\r${seed} of ${flags.seeds} starts`);
  }
  process.stderr.write('\r\u001b[2K');
  return runs;
}

async function measure(problem) {
  const { name, A, options, optimum, atLeast } = problem;
  const runs = await runsOf(problem);
  const hits = runs.filter(({ rmse }) => rmse <= optimum + half);
  const second = hits[1];
  const again = second && runs.slice(0, runs.indexOf(second) + 1).reduce((sum, { seconds }) => sum + seconds, 0);
  const { samples: _samples, ...seconds } = spread(runs.map((run) => run.seconds));
  const result = {
    rank: options.rank,
    method: options.method,
    shape: A.shape,
    observed: A.values.length,
    optimum,
    starts: runs.length,
    hits: hits.length,
    lower: runs.filter(({ rmse }) => rmse < optimum - half).length,
    atLeast: atLeast && Math.ceil((atLeast * runs.length) / 100),
    best: Math.min(...runs.map(({ rmse }) => rmse)),
    seconds,
    secondsToSecondHit: again ?? null,
    published: problem.again ?? null,
  };
  if (!flags['no-auto']) {
    const { fit } = await factorize(A, {
      ...options,
      method: 'auto',
      starts: 'auto',
      maxSweeps: Number(flags['max-sweeps']),
    });
    result.auto = { rmse: fit.rmse.train, seconds: fit.seconds.fit, ...fit.starts };
  }
  console.log(rowOf([name, `rank ${result.rank}`, ...cellsOf(result)]));
  return { ...result, runs };
}

const widths = [18, 8, 10, 12, 12, 10, 10, 22, 14, 40];
const rowOf = (cells) => cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join('');

function cellsOf({ method, hits, starts, lower, atLeast, best, optimum, seconds, secondsToSecondHit, ...rest }) {
  const { published, auto } = rest;
  const found = auto && auto.rmse <= optimum + half ? 'yes' : 'no';
  return [
    method,
    `${hits}/${starts}${atLeast ? ` (${atLeast})` : ''}`,
    best.toFixed(6),
    lower || '–',
    `${seconds.median.toFixed(2)} s`,
    `${secondsToSecondHit?.toFixed(2) ?? '–'} s${published ? ` (${published} s)` : ''}`,
    auto ? found : '–',
    auto ? `${auto.count} starts, ${auto.best.hits} hits, ${auto.seconds.toFixed(1)} s, ${auto.stopped}` : '',
  ];
}

const names = positionals.length > 0 ? positionals : Object.keys(published);
console.log(
  rowOf(['problem', '', 'method', 'hits (≥)', 'best', 'lower', 'a start', 'to hit 2 (published)', 'auto finds it', '']),
);
const file = new URL('./results/optima.json', import.meta.url);
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).results : {};
for (const name of names) {
  if (!existsSync(join(flags.data, name, 'A.mtx.gz'))) {
    console.log(`${name}: no A.mtx.gz in ${join(flags.data, name)}`);
    continue;
  }
  results[name] = await measure(problemOf(name));
  // After each: the next may take long.
  record('optima', { what: 'published optima: RMSE, unregularized, f64, random normal starts', results });
}
