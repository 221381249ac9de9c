/** A composed row problem in a WebAssembly memory of its own, from plain arrays. */
import { basisBytes, rotationAt, writeBasis } from '../../dist/src/kernels/backgroundBasis.js';
import { blockScratchBytes } from '../../dist/src/kernels/blocks.js';
import {
  backgroundLength,
  composedScratchBytes,
  type LossName,
  lossNumbers,
  termBytes,
  writeTerms,
} from '../../dist/src/kernels/composed.js';
import {
  compileKernels,
  type Dtype,
  instantiateKernels,
  type Kernels,
  readTotals,
  writeJob,
} from '../../dist/src/kernels/load.js';
import { jobBytes } from '../../dist/src/parallel/layout.js';

/** Rows of the own factor against a fixed factor V (rank columns, then its bias where there are any). */
export interface ComposedRequest {
  readonly dtype?: Dtype;
  readonly rank: number;
  /** n rows of `rank` numbers. */
  readonly V: readonly (readonly number[])[];
  /** Per own row: entries [j, a, w]. */
  readonly entries: readonly (readonly (readonly [number, number, number])[])[];
  /** The start, a row of `rank` (and the own bias) each. */
  readonly own: readonly (readonly number[])[];
  readonly otherBias?: readonly number[];
  readonly isOwnBiasFree?: boolean;
  readonly mean?: number;
  readonly lambda?: number;
  /** What λ, β and μ are multiplied by in each row. */
  readonly rowFactors?: readonly number[];
  readonly beta?: number;
  readonly loss?: LossName;
  readonly lossParameter?: number;
  readonly lower?: number;
  readonly upper?: number;
  readonly l1?: number;
  readonly multiples?: readonly number[];
  readonly held?: readonly (readonly number[])[];
  /** Every entry is listed, W² being the background's r_i·c_j. */
  readonly isFull?: boolean;
  /** Of preconditionedRows: what its rows are conditioned by, of value 0. */
  readonly background?: { readonly r: readonly number[]; readonly c: readonly number[]; readonly value: number };
  /** Rows are solved in the eigenbasis of the background, long ones from rank 48 on step by step, */
  readonly isInBasis?: boolean;
  /** and no further than a sweep needs. */
  readonly isSweep?: boolean;
  readonly innerSteps?: number;
  /** Of blockRows. */
  readonly width?: number;
  readonly isInDouble?: boolean;
}

export interface ComposedResult {
  readonly rows: number[][];
  readonly totals: ReturnType<typeof readTotals>;
  readonly residuals: number[];
  /** 1 where a row is left to another kernel. */
  readonly statuses: number[];
}

export async function runComposed(
  request: ComposedRequest,
  kernel: 'composedSolve' | 'composedMeasure' | 'composedLoss' | 'squaresSolve' | 'preconditionedRows' | 'blockRows',
): Promise<ComposedResult> {
  const { dtype = 'f64', rank, V, entries, own, otherBias, isOwnBiasFree = false, width: columns } = request;
  const { module } = compileKernels('reproducible');
  const hasBias = otherBias !== undefined || isOwnBiasFree;
  const stride = Math.ceil((rank + (hasBias ? 1 : 0)) / 4) * 4;
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const kernels = instantiateKernels(module, memory);
  const view = new DataView(memory.buffer);
  const bits = dtype === 'f32' ? 32 : 64;
  const size = bits / 8;
  let next = 1024;
  const reserve = (bytes: number) => {
    const address = next;
    next = Math.ceil((next + bytes) / 64) * 64;
    return address;
  };
  const reals = (numbers: readonly number[]) => {
    const address = reserve(numbers.length * size);
    const array =
      dtype === 'f32'
        ? new Float32Array(memory.buffer, address, numbers.length)
        : new Float64Array(memory.buffer, address, numbers.length);
    array.set(numbers);
    return address;
  };
  const doubles = (numbers: readonly number[]) => {
    const address = reserve(numbers.length * 8);
    new Float64Array(memory.buffer, address, numbers.length).set(numbers);
    return address;
  };
  /** What other work has left behind is no number. */
  const used = (bytes: number) => {
    const address = reserve(bytes);
    new Uint8Array(memory.buffer, address, bytes).fill(0xff);
    return address;
  };
  const words = (numbers: readonly number[]) => {
    const address = reserve(numbers.length * 4);
    new Uint32Array(memory.buffer, address, numbers.length).set(numbers);
    return address;
  };
  const pad = (row: readonly number[]) => [...row, ...new Array(stride - row.length).fill(0)];
  const m = entries.length;
  const ofRows = (strength: number) => doubles(entries.map((_, i) => strength * (request.rowFactors?.[i] ?? 1)));
  const flat = entries.flat();
  let sum = 0;
  const pointers = [0, ...entries.map((row) => (sum += row.length))];
  const out = reals(new Array(m * stride).fill(0));
  const job = {
    rank,
    stride,
    hasBias: hasBias ? 1 : 0,
    ownBiasFree: isOwnBiasFree ? 1 : 0,
    out,
    own: reals(own.flatMap(pad)),
    other: reals(V.flatMap((row, j) => pad(hasBias ? [...row, otherBias?.[j] ?? 0] : row))),
    pointers: words(pointers),
    indices: words(flat.map(([j]) => j)),
    values: reals(flat.map(([, a]) => a)),
    weights: reals(flat.map(([, , w]) => w)),
    penalties: ofRows(request.lambda ?? 0),
    biasPenalties: ofRows(request.beta ?? 0),
    scratch: used(Math.max(composedScratchBytes(stride), blockScratchBytes(stride, columns ?? 4, V.length))),
    status: reserve(m),
    isLossWanted: 1,
    mean: request.mean ?? 0,
  };
  const { background } = request;
  const gram = background ? doubles(new Array(backgroundLength(stride)).fill(0)) : 0;
  const terms = {
    loss: lossNumbers[request.loss ?? 'quadratic'],
    innerSteps: request.innerSteps ?? 4000,
    gram,
    gramSum: gram + 8 * stride * stride,
    ownWeights: background ? doubles(background.r) : 0,
    otherWeights: background ? doubles(background.c) : 0,
    l1: request.l1 === undefined ? 0 : ofRows(request.l1),
    columnMultiples: request.multiples ? doubles(pad(request.multiples)) : 0,
    isFull: request.isFull ? 1 : 0,
    held: request.held ? reserve(m * stride) : 0,
    residuals: doubles(new Array(m).fill(-1)),
    basis: request.isInBasis ? reserve(basisBytes(stride)) : 0,
    rotated: request.isInBasis ? reserve(4 * V.length * stride) : 0,
    start: job.own,
    isSettled: request.isSweep ? 0 : 1,
    lossParameter: request.lossParameter ?? 0,
    lower: request.lower ?? Number.NEGATIVE_INFINITY,
    upper: request.upper ?? Number.POSITIVE_INFINITY,
    value: background?.value ?? 0,
    constant: 0,
  };
  if (request.held) new Uint8Array(memory.buffer, terms.held, m * stride).set(request.held.flatMap(pad));
  const termsAt = reserve(termBytes);
  const jobAt = reserve(jobBytes);
  if (background) {
    writeJob(view, jobAt, job);
    writeTerms(view, termsAt, terms);
    kernels[`backgroundRows${bits}`](jobAt, termsAt, 0, V.length, gram);
  }
  if (request.isInBasis) {
    const { basis, rotated } = terms;
    writeBasis(memory.buffer, gram, basis, { rank: rank + job.ownBiasFree, stride });
    // With the column of ones of an own bias.
    const unbiased = reals(V.flatMap((row) => pad(hasBias ? [...row, job.ownBiasFree] : row)));
    kernels.rotateRows32(rotated, unbiased, rotationAt(basis, stride), stride, V.length);
  }
  const constant = background ? view.getFloat64(gram + 8 * (stride * stride + stride), true) : 0;
  writeJob(view, jobAt, job);
  writeTerms(view, termsAt, { ...terms, constant });
  const name = `${kernel}${bits}${request.isInDouble ? 'in64' : ''}` as keyof Kernels;
  const run = kernels[name] as (...args: number[]) => void;
  if (columns === undefined) run(jobAt, termsAt, 0, m);
  else run(jobAt, termsAt, columns, 0, m);
  const written =
    dtype === 'f32'
      ? new Float32Array(memory.buffer, out, m * stride)
      : new Float64Array(memory.buffer, out, m * stride);
  const width = rank + (isOwnBiasFree ? 1 : 0);
  return {
    rows: Array.from({ length: m }, (_, i) => [...written.subarray(i * stride, i * stride + width)]),
    totals: readTotals(view, jobAt),
    residuals: [...new Float64Array(memory.buffer, terms.residuals, m)],
    statuses: [...new Uint8Array(memory.buffer, job.status, m)],
  };
}
