/**
 * An ALS sweep on a MovieLens-20M-like matrix (138k × 27k, 20 M observations, power-law rows and columns), k = 16, 64, 128,
 * on 1 and 2 threads, against what its kernels take for these row lengths: bench/results/sweep.json.
 *
 * The prediction adds, over the rows of both sides, the time of gather + Gram + right-hand side, of Cholesky with its two
 * solves, and of the loss pass, each measured alone in this run with factors in cache. Threads are compared with
 * what two threads get out of a register-only loop, since two processors may share one core's arithmetic.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { factorize } from '../dist/src/index.js';
import { lengthsOf, secondsOf, workOf } from './costModel.mjs';
import { record, spread } from './record.mjs';
import { movieLens20M, ratings } from './synthetic.mjs';

const quick = process.argv.includes('--quick');
const A = ratings(movieLens20M);

// Peak memory is a process's own, so each rank has one to itself: `node bench/sweep.mjs --memory 64`.
const memoryRank = Number(process.argv[process.argv.indexOf('--memory') + 1]);
if (process.argv.includes('--memory')) {
  const before = process.memoryUsage().rss;
  const { fit } = await factorize(A, {
    rank: memoryRank,
    lambda: 0.05,
    lambdaScale: 'count',
    tolerance: 0,
    maxSweeps: 6,
    threads: 2,
  });
  console.log(JSON.stringify({ before, peak: fit.memoryBytes.peakRss, planned: fit.memoryBytes.planned }));
  process.exit();
}
/** Bytes an observation above the caller's arrays, the factors (U and V once) and 150 MB. */
function measureMemory(rank) {
  const output = execFileSync(process.execPath, [process.argv[1], '--memory', String(rank)], { encoding: 'utf8' });
  const { before, peak, planned } = JSON.parse(output);
  const factors = (A.shape[0] + A.shape[1]) * rank * 4;
  return { before, peak, planned, bytesPerObservation: (peak - before - factors - 150e6) / A.values.length };
}

const sweeps = 1;
const rounds = quick ? 1 : 5;

/** Seconds of a sweep by the kernels' own rates: bench/results/kernels.json, strict f32. */
const { results: kernelTimes } = JSON.parse(readFileSync(new URL('./results/kernels.json', import.meta.url), 'utf8'));
const lengths = lengthsOf(A);
function predict(rank) {
  const { kernels } = kernelTimes.find(
    (r) => r.rank === rank && r.dtype === 'f32' && r.build === 'strict' && !r.weighted,
  );
  return secondsOf(workOf.als(lengths, rank), (kernel) => kernels[kernel].gflops * 1e9);
}

const results = [];
for (const rank of [16, 64, 128]) {
  const options = {
    rank,
    lambda: 0.05,
    lambdaScale: 'count',
    tolerance: 0,
    maxSweeps: sweeps,
    acceleration: 'none',
    inline: 'never',
  };
  const seconds = { 1: [], 2: [] };
  for (let round = 0; round < rounds; round++)
    for (const threads of [1, 2]) {
      const { fit } = await factorize(A, { ...options, threads });
      seconds[threads].push(fit.seconds.fit / fit.sweeps);
    }
  const one = spread(seconds[1]);
  const two = spread(seconds[2]);
  const speedup = spread(seconds[1].map((s, i) => s / seconds[2][i]));
  const memory = measureMemory(rank);
  const predicted = predict(rank);
  const shareOfPrediction = predicted / one.median;
  results.push({ rank, predicted, shareOfPrediction, secondsPerSweep: { 1: one, 2: two }, speedup, memory });
  console.log(
    `k=${rank}: ${one.median.toFixed(2)} s a sweep on 1 thread (kernels alone ${predicted.toFixed(2)}, ${(100 * shareOfPrediction).toFixed(0)} %), ${two.median.toFixed(2)} on 2 (${speedup.median.toFixed(2)}×), ${memory.bytesPerObservation.toFixed(1)} bytes an observation`,
  );
}
record('sweep', { what: `20 M observations, 138k×27k, f32, ${sweeps} sweeps a run`, results });
