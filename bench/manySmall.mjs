/**
 * A service's load: many small fits, masked 200×50, k = 5, 20 sweeps, one after another in one thread, in two sessions and in two
 * threads of the service's own: fits a second and their times, bench/results/many-small.json. Beside it the NMF of such a matrix
 * without a mask, to the objective that scikit-learn ends with (needs python3 with scikit-learn; absent: said so).
 *
 *     node bench/manySmall.mjs          the times
 *     node bench/manySmall.mjs memory   100,000 fits inline and 100,000 through a session, whether memory stays as it is, and
 *                                       whether a session holds its limit: bench/results/many-small-memory.json
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import ndarray from 'ndarray';
import { writeNpy } from '../dist/src/formats/npy.js';
import { factorize, openSession, plan } from '../dist/src/index.js';
import { record, spread } from './record.mjs';
import { generator } from './synthetic.mjs';

const [m, n, k] = [200, 50, 5];

/** Rank k and noise, `missing` of its entries NaN. */
function problem(missing, seed, [rows, columns] = [m, n]) {
  const random = generator(seed);
  const U = Float64Array.from({ length: rows * k }, random);
  const V = Float64Array.from({ length: columns * k }, random);
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let value = 0.1 * random();
      for (let c = 0; c < k; c++) value += U[i * k + c] * V[j * k + c];
      const isMissing = random() < missing;
      data[i * columns + j] = isMissing ? Number.NaN : value;
    }
  return ndarray(data, [rows, columns]);
}

const options = { rank: k, lambda: 0.01, maxSweeps: 20, tolerance: 0 };
const problems = Array.from({ length: 20 }, (_, seed) => problem(0.3, seed + 1));

/** Milliseconds of each fit, one after another, in a while of seconds. */
async function load(fit, seconds) {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  for (let i = 0; performance.now() < end; i++) {
    const began = performance.now();
    await fit(problems[i % problems.length], i);
    times.push(performance.now() - began);
  }
  return times;
}

/** Fits a second of loads that ran at the same time, and the quantiles of their times. */
function summary(loads, seconds) {
  const times = loads.flat().sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return { fits: times.length, perSecond: times.length / seconds, least: times[0], median: at(0.5), p99: at(0.99) };
}

const seconds = 5;
const warm = 2;

async function inOneThread(more) {
  const fit = (A, seed) => factorize(A, { ...options, ...more, seed });
  await load(fit, warm);
  return summary([await load(fit, seconds)], seconds);
}

async function inTwoSessions(more) {
  const sessions = [1, 2].map(() => openSession({ threads: 1 }));
  const all = (time) =>
    Promise.all(
      sessions.map((session) => load((A, seed) => session.factorize(A, { ...options, ...more, seed }), time)),
    );
  await all(warm);
  const result = summary(await all(seconds), seconds);
  await Promise.all(sessions.map((session) => session.close()));
  return result;
}

/** This file once more in threads of its own, as a service would call factorize in its workers. */
async function inTwoThreads(more) {
  const loads = [1, 2].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(
          `const { parentPort, workerData } = require('node:worker_threads');
           import(workerData.url).then(({ load, options, factorize }) => {
             const fit = (A, seed) => factorize(A, { ...options, ...workerData.more, seed });
             return load(fit, workerData.warm).then(() => load(fit, workerData.seconds));
           }).then((times) => parentPort.postMessage(times));`,
          { eval: true, workerData: { url: import.meta.url, more, warm, seconds } },
        );
        worker.on('message', resolve).on('error', reject);
      }),
  );
  return summary(await Promise.all(loads), seconds);
}

/** Milliseconds to scikit-learn's final objective from the same start, and scikit-learn's own. */
async function besideScikit() {
  const A = problem(0, 5);
  const random = generator(9);
  const [U, V] = [m * k, n * k].map((length) => Float64Array.from({ length }, random));
  const folder = mkdtempSync(join(tmpdir(), 'many-small-'));
  const write = (name, values, shape) => writeNpy(join(folder, `${name}.npy`), values, shape);
  await write('A', A.data, [m, n]);
  await write('U', U, [m, k]);
  await write('V', V, [n, k]);
  const environment = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  delete environment.OPENBLAS_CORETYPE;
  delete environment.OPENBLAS_L2_SIZE;
  let said;
  try {
    const script = new URL('./nmf.py', import.meta.url).pathname;
    const python = process.env.HADAMARD_PYTHON ?? 'python3';
    said = execFileSync(python, [script, folder, '200', String(k)], { encoding: 'utf8', env: environment });
  } catch (error) {
    console.log('scikit-learn: absent');
    // Its last line: the command has paths of this machine.
    return {
      absent: String(error.stderr ?? error.code)
        .trim()
        .split('\n')
        .at(-1),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
  const runs = said.trim().split('\n').map(JSON.parse);
  const results = {};
  for (const dtype of ['f32', 'f64']) {
    const theirs = runs.filter((run) => run.dtype === (dtype === 'f32' ? 'float32' : 'float64'));
    const target = Math.max(...theirs.map((run) => run.objective));
    const given = dtype === 'f32' ? ndarray(Float32Array.from(A.data), [m, n]) : A;
    const init = { V: ndarray(V, [n, k]) };
    const times = [];
    let sweeps = 0;
    for (let i = 0; i < 400; i++) {
      const stop = new AbortController();
      const began = performance.now();
      let reached = Number.NaN;
      await factorize(given, {
        preset: 'nmf',
        rank: k,
        dtype,
        init,
        threads: 1,
        signal: stop.signal,
        onProgress: ({ phase, objective, sweep }) => {
          if (phase !== 'sweep' || objective > target || !Number.isNaN(reached)) return;
          reached = performance.now() - began;
          sweeps = sweep;
          stop.abort();
        },
      });
      if (i >= 200) times.push(reached);
    }
    const { median, min } = spread(times);
    const scikit = spread(theirs.map((run) => 1000 * run.seconds));
    results[dtype] = {
      target,
      scikit: { median: scikit.median, least: scikit.min, iterations: theirs[0].iterations },
      hadamard: { median, least: min, sweeps },
      times: scikit.median / median,
    };
  }
  return results;
}

const collect = () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
};

/** Heap, memory outside it, resident set and handles after every tenth of so many fits. */
async function hold(fits, fit) {
  const held = [];
  for (let i = 0; i <= fits; i++) {
    if (i % (fits / 10) === 0) {
      collect();
      const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
      held.push({ fits: i, heapUsed, external, arrayBuffers, rss, handles: process.getActiveResourcesInfo().length });
    }
    await fit(i);
  }
  return held;
}

async function memory() {
  const small = problem(0.3, 1, [30, 12]);
  const few = { rank: 2, lambda: 0.01, maxSweeps: 2, tolerance: 0 };
  const inline = await hold(100_000, (seed) => factorize(small, { ...few, seed }));
  console.table(inline);
  const session = openSession({ threads: 1 });
  const throughSession = await hold(100_000, (seed) => session.factorize(small, { ...few, seed }));
  console.table(throughSession);
  await session.close();

  // A limit of exactly what is planned, and of a byte less.
  const large = problem(0.3, 1, [4000, 500]);
  const large32 = { rank: 32, method: 'als', maxSweeps: 5 };
  const { total } = plan(large, { ...large32, threads: 1 }).bytes;
  const atMost = async (memoryLimit) => {
    const limited = openSession({ threads: 1, memoryLimit });
    await limited.factorize(small, few);
    collect();
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const outcome = await limited.factorize(large, large32).then(
      () => 'fitted',
      (error) => error.code,
    );
    clearInterval(watch);
    await limited.close();
    return { memoryLimit, outcome, growth: peak - before };
  };
  const limits = [await atMost(total - 1), await atMost(total)];
  console.table(limits);
  record('many-small-memory', {
    what: '30×12, k = 2, 2 sweeps; bytes',
    inline,
    throughSession,
    planned: total,
    limits,
  });
}

async function speed() {
  const results = {};
  for (const [name, more] of Object.entries({ 'full certificate': {}, 'first-order': { certificate: 'first-order' } }))
    for (const [where, measure] of Object.entries({ inOneThread, inTwoSessions, inTwoThreads })) {
      const result = await measure(more);
      results[`${name}, ${where}`] = result;
      const { perSecond, least, median, p99 } = result;
      console.log(
        `${name}, ${where}`.padEnd(34),
        `${perSecond.toFixed(0)} fits/s, ms: least ${least.toFixed(2)}, median ${median.toFixed(2)}, p99 ${p99.toFixed(2)}`,
      );
    }
  const nmf = await besideScikit();
  console.log(JSON.stringify(nmf));
  record('many-small', { what: `masked ${m}×${n}, k = ${k}, 20 sweeps; milliseconds a fit`, results, nmf });
}

if (process.argv[1] === new URL(import.meta.url).pathname) await (process.argv[2] === 'memory' ? memory() : speed());

export { factorize, load, options };
