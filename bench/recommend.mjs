/**
 * The ten best of 3706 columns for each of 6040 rows at rank 64, biases included, a million seen entries left out
 * (MovieLens-1M-sized): bench/results/recommend.json.
 *
 * The kernel alone, as GFLOP/s (2k + 2 operations a score) and as a fraction of the machine's ceiling, a register-only
 * relaxed multiply-add loop in the same run; then `recommendAll` from model to answers, threads started and ended included.
 */
import { setFlagsFromString } from 'node:v8';
import { record, spread } from './record.mjs';
import { ratings } from './synthetic.mjs';

// Node 20 has relaxed SIMD behind a flag; the command line raises it too.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
const { compileKernels, instantiateKernels } = await import('../dist/src/kernels/load.js');
const { scoreStateBytes, writeScoreJob } = await import('../dist/src/kernels/score.js');
const { factorize, recommendAll } = await import('../dist/src/index.js');

const shape = { rows: 6040, columns: 3706, observed: 1_000_209, seed: 1 };
const rank = 64;
const top = 10;
const samples = 9;

async function measureKernel(build) {
  const { module, arithmetic } = compileKernels(build);
  if (arithmetic !== build) throw new Error(`This Node has no ${build} build.`);
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const view = new DataView(memory.buffer);
  const kernels = instantiateKernels(module, memory);
  const size = rank + 1;
  const tile = 64;
  const capacity = 4 * top + 216;
  const panels = 65536;
  const panelBytes = Math.ceil(shape.columns / 8) * 8 * size * 4;
  const factors = panels + panelBytes;
  const states = factors + tile * size * 4;
  const margins = states + tile * scoreStateBytes(top, capacity);
  const values = new Float32Array(memory.buffer, panels, (states - panels) / 4);
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i * 1.7);
  writeScoreJob(view, 2048, {
    size,
    quads: tile / 4,
    rows: tile,
    columns: shape.columns,
    factors,
    panels,
    top,
    capacity,
    margins,
    pointers: margins + 8 * tile,
    excluded: 0,
    states,
    stateBytes: scoreStateBytes(top, capacity),
    scratch: 1024,
  });
  const seconds = (call) => {
    for (let i = 0; i < 3; i++) call();
    return spread(
      Array.from({ length: samples }, () => {
        const start = performance.now();
        call();
        return (performance.now() - start) / 1000;
      }),
    );
  };
  const peakRounds = 2_000_000;
  const ceiling = (peakRounds * 10 * 2 * 4) / seconds(() => kernels.peak32(peakRounds, 0.1, 0.9)).median / 1e9;
  const gflops = (2 * size * shape.columns * tile) / seconds(() => kernels.scoreRows32(2048)).median / 1e9;
  return { ceiling, gflops };
}

const fast = await measureKernel('fast');
const strict = await measureKernel('reproducible');
const kernel = {
  ceiling: fast.ceiling,
  relaxed: { gflops: fast.gflops, fraction: fast.gflops / fast.ceiling },
  strict: {
    gflops: strict.gflops,
    fraction: strict.gflops / fast.ceiling,
    fractionOfStrict: strict.gflops / strict.ceiling,
  },
};
console.log(
  `kernel  relaxed ${fast.gflops.toFixed(1)} GFLOP/s, ${(100 * kernel.relaxed.fraction).toFixed(0)} % of ${fast.ceiling.toFixed(1)};`,
  `strict ${strict.gflops.toFixed(1)}, ${(100 * kernel.strict.fractionOfStrict).toFixed(0)} % of a strict ${strict.ceiling.toFixed(1)}`,
);

const A = ratings(shape);
const model = await factorize(A, {
  rank,
  lambda: 0.05,
  lambdaScale: 'count',
  biases: 'both',
  maxSweeps: 3,
  tolerance: 0,
});
const cases = [
  ['inline', { inline: 'auto', threads: 1 }],
  ['1 thread', { inline: 'never', threads: 1 }],
  ['2 threads', { inline: 'never', threads: 2 }],
  ['2 threads, rows 20 times over', { inline: 'never', threads: 2, times: 20 }],
];
const results = [];
for (const [name, { times = 1, ...options }] of cases) {
  const rows = Uint32Array.from({ length: shape.rows * times }, (_, i) => i % shape.rows);
  // What is seen is laid out within the time.
  const asked = { ...options, top, exclude: A, rows };
  const seconds = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await recommendAll(model, asked);
    seconds.push((performance.now() - start) / 1000);
  }
  const { median } = spread(seconds);
  results.push({ name, rows: rows.length, seconds: spread(seconds), rowsPerSecond: rows.length / median });
  console.log(name.padEnd(32), `${median.toFixed(2)} s`, `${Math.round(rows.length / median)} rows/s`);
}
const plain = spread(
  Array.from({ length: 5 }, (_, sample) => {
    const start = performance.now();
    for (let row = 0; row < 200; row++) model.recommend(row + 200 * sample, { top });
    return (performance.now() - start) / 1000;
  }),
);
console.log('model.recommend, row by row'.padEnd(32), `${Math.round(200 / plain.median)} rows/s`);
record('recommend', {
  what: '6040 × 3706, rank 64, f32, biases of both sides, a million seen entries excluded, top 10',
  kernel,
  results,
  plain: { rowsPerSecond: 200 / plain.median },
});
