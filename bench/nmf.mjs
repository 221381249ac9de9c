/**
 * Non-negative factorization of a full 10,000 × 2,000 matrix, k = 20, from the same start: wall time to scikit-learn's final
 * objective (coordinate descent, tol 1e-4, 2 processors) beside scikit-learn's: bench/results/nmf.json. The same problem with
 * a mask and with weights beside it. Needs python3 with scikit-learn: pip install scikit-learn.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ndarray from 'ndarray';
import { writeNpy } from '../dist/src/formats/npy.js';
import { factorize } from '../dist/src/index.js';
import { record, spread } from './record.mjs';
import { generator } from './synthetic.mjs';

const [m, n, k] = [10_000, 2_000, 20];
const runs = Number(process.argv[2] ?? 5);
const random = generator(3);
const uniform = (length) => Float64Array.from({ length }, random);
const [P, Q, U, V] = [uniform(m * k), uniform(n * k), uniform(m * k), uniform(n * k)];
const data = new Float64Array(m * n);
for (let i = 0; i < m; i++)
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let c = 0; c < k; c++) sum += P[i * k + c] * Q[j * k + c];
    data[i * n + j] = sum * (0.9 + 0.2 * random());
  }

const folder = mkdtempSync(join(tmpdir(), 'nmf-'));
const write = (name, values, shape) => writeNpy(join(folder, `${name}.npy`), values, shape);
await write('A', data, [m, n]);
await write('U', U, [m, k]);
await write('V', V, [n, k]);
const script = new URL('./nmf.py', import.meta.url).pathname;
const environment = { ...process.env, OMP_NUM_THREADS: '2', OPENBLAS_NUM_THREADS: '2' };
delete environment.OPENBLAS_CORETYPE;
delete environment.OPENBLAS_L2_SIZE;
const said = execFileSync('python3', [script, folder, String(runs), String(k)], { encoding: 'utf8', env: environment });
rmSync(folder, { recursive: true });
const theirs = said.trim().split('\n').map(JSON.parse);

const init = { V: ndarray(V, [n, k]) };
/** Seconds of the whole call, and until the first sweep at or below `target`. */
async function time(A, dtype, target, more = {}) {
  const samples = [];
  for (let run = 0; run < runs; run++) {
    const stop = new AbortController();
    const began = performance.now();
    let reached = Number.NaN;
    const { fit } = await factorize(A, {
      preset: 'nmf',
      rank: k,
      dtype,
      init,
      threads: 2,
      maxSweeps: 500,
      signal: stop.signal,
      ...more,
      onProgress: ({ phase, objective }) => {
        if (phase !== 'sweep' || objective > target || !Number.isNaN(reached)) return;
        reached = (performance.now() - began) / 1000;
        stop.abort();
      },
    });
    samples.push({
      seconds: reached,
      sweeps: fit.sweeps,
      prepare: fit.seconds.prepare,
      perSweep: fit.seconds.fit / fit.sweeps,
    });
  }
  return samples;
}

const results = [];
for (const dtype of ['f32', 'f64']) {
  const peers = theirs.filter((run) => run.dtype === (dtype === 'f32' ? 'float32' : 'float64'));
  const target = Math.max(...peers.map((run) => run.objective));
  const A = ndarray(dtype === 'f32' ? Float32Array.from(data) : data, [m, n]);
  const ours = await time(A, dtype, target);
  const scikit = spread(peers.map((run) => run.seconds));
  const hadamard = spread(ours.map((run) => run.seconds));
  const ratio = hadamard.median / scikit.median;
  results.push({ dtype, target, scikit, iterations: peers[0].iterations, hadamard, runs: ours, ratio });
  console.log(
    `${dtype}: scikit-learn ${scikit.median.toFixed(2)} s (${peers[0].iterations} iterations), hadamard ${hadamard.median.toFixed(2)} s (${ours[0].sweeps} sweeps, prepare ${ours[0].prepare.toFixed(2)} s): ${ratio.toFixed(2)}`,
  );
}

const masked = ndarray(
  Float32Array.from(data, (x) => (random() < 0.5 ? x : Number.NaN)),
  [m, n],
);
const weights = {
  weight: ndarray(
    Float32Array.from(data, () => 0.5 + random()),
    [m, n],
  ),
};
const full = ndarray(Float32Array.from(data), [m, n]);
const perSweep = async (A, more) =>
  (await factorize(A, { preset: 'nmf', rank: k, init, maxSweeps: 5, tolerance: 0, ...more })).fit.seconds.fit / 5;
const base = await perSweep(full, {});
const others = { masked: (await perSweep(masked, {})) / base, weighted: (await perSweep(full, { weights })) / base };
console.log('a sweep beside the full, unweighted one', others);
record('nmf', {
  what: `${m}×${n}, k = ${k}, to scikit-learn's final objective, 2 threads`,
  results,
  sweepRatios: others,
});
