/** Kernels called one by one in this thread, on rows whose factors are in cache. */
import { setFlagsFromString } from 'node:v8';
import { spread } from './record.mjs';

// Node 20 has relaxed SIMD behind a flag; a benchmark may raise it where the library may not.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
const { compileKernels, instantiateKernels, scratchBytes, writeJob } = await import('../dist/src/kernels/load.js');

/** A job: */
const rows = 64;
const others = 1024;
/** of a row. */
export const observations = 192;
const samples = 7;

export function openBuild(arithmetic) {
  const { module, arithmetic: used } = compileKernels(arithmetic);
  if (used !== arithmetic) throw new Error(`This Node has no ${arithmetic} build.`);
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
  return { arithmetic, memory, view: new DataView(memory.buffer), kernels: instantiateKernels(module, memory) };
}

/** A job of 64 rows with 192 observations each over 1024 rows of the other factor, all in second-level cache. */
function prepare({ memory }, dtype, rank, isWeighted) {
  const stride = Math.ceil(rank / 4) * 4;
  const Real = dtype === 'f32' ? Float32Array : Float64Array;
  const size = dtype === 'f32' ? 4 : 8;
  let next = 4096;
  const reserve = (bytes) => {
    const address = next;
    next = Math.ceil((next + bytes) / 64) * 64;
    return address;
  };
  const reals = (length, make) => {
    const array = new Real(memory.buffer, reserve(length * size), length);
    for (let i = 0; i < length; i++) array[i] = make(i);
    return array.byteOffset;
  };
  const words = (length, make) => {
    const array = new Uint32Array(memory.buffer, reserve(length * 4), length);
    for (let i = 0; i < length; i++) array[i] = make(i);
    return array.byteOffset;
  };
  const count = rows * observations;
  const fields = {
    rank,
    stride,
    hasBias: 0,
    ownBiasFree: 0,
    out: reals(rows * stride, () => 0),
    own: 0,
    other: reals(others * stride, (i) => (i % stride < rank ? Math.sin(i * 1.7) : 0)),
    pointers: words(rows + 1, (i) => i * observations),
    indices: words(count, (i) => (i * 389) % others),
    values: reals(count, (i) => Math.cos(i)),
    weights: isWeighted ? reals(count, (i) => 1 + (i % 7) / 7) : 0,
    penalties: 0,
    biasPenalties: 0,
    scratch: 0,
    status: reserve(rows),
    isLossWanted: 1,
    mean: 0,
  };
  const penalties = new Float64Array(memory.buffer, reserve(rows * 8), rows).fill(1);
  const G = reals(stride * stride, (i) => (i % (stride + 1) === 0 ? stride : 0.01));
  return {
    ...fields,
    penalties: penalties.byteOffset,
    G,
    b: reals(stride, () => 1),
    copy: reserve(stride * (stride + 1) * size),
    scratch: reserve(scratchBytes(stride)),
  };
}

/** Seconds of one call, the median of samples of at least 3 ms. */
export function time(call) {
  const warm = performance.now() + 200;
  for (let i = 0; i < 30 && performance.now() < warm; i++) call();
  let calls = 1;
  const run = () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    return performance.now() - start;
  };
  while (run() < 3) calls *= 2;
  return spread(Array.from({ length: samples }, () => run() / calls / 1000)).median;
}

const kernelNames = ['accumulate', 'factorAndSolve', 'solveRow', 'loss', 'gradient'];

/** Microseconds of each kernel, a row of 192 observations, and what rate that is. */
export function timeKernels(build, dtype, rank, isWeighted, wanted = kernelNames) {
  const bits = dtype.slice(1);
  const { kernels, view, memory } = build;
  const job = prepare(build, dtype, rank, isWeighted);
  const size = dtype === 'f32' ? 4 : 8;
  const run = (kernel, own) => () => {
    writeJob(view, 1024, { ...job, own: own ? job.out : 0 });
    kernels[`${kernel}${bits}`](1024, 0, rows);
  };
  const bytes = new Uint8Array(memory.buffer);
  const matrixBytes = job.stride * (job.stride + 1) * size;
  const copy = () => {
    bytes.copyWithin(job.copy, job.G, job.G + job.stride * job.stride * size);
    bytes.copyWithin(job.copy + job.stride * job.stride * size, job.b, job.b + job.stride * size);
  };
  const factor = () => {
    copy();
    kernels[`factorAndSolve${bits}`](job.copy, job.stride, job.copy + matrixBytes - job.stride * size);
  };
  const seconds = {
    accumulate: () => time(run('accumulateRows')) / rows,
    factorAndSolve: () => time(factor) - time(copy),
    solveRow: () => time(run('solveRows')) / rows,
    loss: () => time(run('lossRows', true)) / rows,
    gradient: () => time(run('gradientRows', true)) / rows,
  };
  const flops = {
    accumulate: observations * rank * (rank + 3),
    factorAndSolve: rank ** 3 / 3 + 2 * rank ** 2,
    solveRow: observations * rank * (rank + 5) + rank ** 3 / 3 + 2 * rank ** 2,
    loss: observations * 2 * rank,
    gradient: observations * 4 * rank,
  };
  return Object.fromEntries(
    wanted.map((kernel) => {
      const s = seconds[kernel]();
      return [kernel, { microseconds: s * 1e6, gflops: flops[kernel] / s / 1e9 }];
    }),
  );
}
