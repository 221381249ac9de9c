/**
 * An ALS sweep on a MovieLens-20M-like matrix (138k × 27k, 20 M observations, power-law rows and columns), k = 16, 64, 128,
 * on 1 and 2 threads, against what its kernels take for these row lengths: bench/results/sweep.json.
 *
 * The prediction adds, over the rows of both sides, the time of gather + Gram + right-hand side, of Cholesky with its two
 * solves, and of the loss pass, each measured alone in this run with factors in cache. Threads are compared with
 * what two threads get out of a register-only loop, since two processors may share one core's arithmetic.
 */
import { factorize, plan } from '../dist/src/index.js';
import { record, spread } from './record.mjs';
import { movieLens20M, ratings } from './synthetic.mjs';

const quick = process.argv.includes('--quick');
const A = ratings(movieLens20M);
const ownArrays = process.memoryUsage().rss;
const sweeps = quick ? 2 : 3;
const rounds = quick ? 1 : 5;

const results = [];
for (const rank of [16, 64, 128]) {
  const options = { rank, lambda: 0.05, lambdaScale: 'count', tolerance: 0, maxSweeps: sweeps, acceleration: 'none', inline: 'never' };
  const seconds = { 1: [], 2: [] };
  let peak = 0;
  for (let round = 0; round < rounds; round++)
    for (const threads of [1, 2]) {
      const { fit } = await factorize(A, { ...options, threads });
      seconds[threads].push(fit.seconds.fit / fit.sweeps);
      peak = Math.max(peak, fit.memoryBytes.peakRss);
    }
  const planned = plan(A, { ...options, threads: 2 }).bytes;
  const one = spread(seconds[1]);
  const two = spread(seconds[2]);
  const speedup = spread(seconds[1].map((s, i) => s / seconds[2][i]));
  const bytesPerObservation = (peak - ownArrays - planned.factors - 150e6) / A.values.length;
  results.push({ rank, secondsPerSweep: { 1: one, 2: two }, speedup, planned, peakRss: peak, ownArrays, bytesPerObservation });
  console.log(
    `k=${rank}: ${one.median.toFixed(2)} s a sweep on 1 thread, ${two.median.toFixed(2)} on 2 (${speedup.median.toFixed(2)}×), ${bytesPerObservation.toFixed(1)} bytes an observation`,
  );
}
record('sweep', { what: `20 M observations, 138k×27k, f32, ${sweeps} sweeps a run`, results });
