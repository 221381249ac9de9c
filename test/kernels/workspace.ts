import {
  type Arithmetic,
  compileKernels,
  type Dtype,
  instantiateKernels,
  type JobFields,
  type Kernels,
  type RowKernels,
  readTotals,
  scratchBytes,
  writeJob,
} from '../../dist/src/kernels/load.js';
import type { ReferenceProblem } from '../../dist/src/kernels/reference.js';
import { jobBytes } from '../../dist/src/parallel/layout.js';

/** What a generated problem is like. */
export interface ProblemRequest {
  readonly dtype: Dtype;
  readonly rank: number;
  /** Observations of each row. */
  readonly lengths: readonly number[];
  /** `ones`: the problem is that of `none`. */
  readonly weights?: 'none' | 'ones' | 'plain' | 'large' | 'small';
  readonly bias?: 'none' | 'free' | 'held';
  readonly lambda?: number;
  readonly beta?: number;
  readonly seed?: number;
}

const guard = 0xa5;
const guardBytes = 64;

/** A deterministic source of numbers in −1 … 1. */
function source(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}

/** A problem in a WebAssembly memory with guard bytes around everything a kernel writes, and the same as plain arrays. */
export class Workspace {
  readonly problem: ReferenceProblem;
  readonly rows: number;
  readonly out: Float32Array | Float64Array;
  readonly own: Float32Array | Float64Array;
  readonly other: Float32Array | Float64Array;
  readonly status: Uint8Array;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #fields: JobFields;
  readonly #job: number;
  readonly #guards: number[] = [];
  #next = 1024;

  static async open(request: ProblemRequest, arithmetic: Arithmetic = 'reproducible'): Promise<Workspace> {
    const { module } = compileKernels(arithmetic);
    return new Workspace(request, module);
  }

  private constructor(request: ProblemRequest, module: WebAssembly.Module) {
    const { dtype, rank, lengths, bias = 'none', lambda = 0.1, beta = 0.2 } = request;
    const hasBias = bias !== 'none';
    const stride = Math.ceil((rank + (hasBias ? 1 : 0)) / 4) * 4;
    const rows = lengths.length;
    const others = Math.max(...lengths, 1);
    const pages = Math.ceil((scratchBytes(stride) + (rows + others) * stride * 40 + others * rows * 40) / 65536) + 4;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#kernels = instantiateKernels(module, this.#memory);
    this.rows = rows;
    const random = source(request.seed ?? rank * 131 + rows);
    const { buffer } = this.#memory;
    const Real = dtype === 'f32' ? Float32Array : Float64Array;
    const size = dtype === 'f32' ? 4 : 8;

    const pointers = new Uint32Array(buffer, this.#reserve((rows + 1) * 4), rows + 1);
    lengths.forEach((length, i) => {
      pointers[i + 1] = (pointers[i] as number) + length;
    });
    const observed = pointers[rows] as number;
    const indices = new Uint32Array(buffer, this.#reserve(observed * 4), observed);
    lengths.forEach((length, i) => {
      for (let c = 0; c < length; c++) indices[(pointers[i] as number) + c] = (c * 7 + i) % others;
    });
    const reals = (length: number, make: (i: number) => number) => {
      const array = new Real(buffer, this.#reserve(length * size), length);
      for (let i = 0; i < length; i++) array[i] = make(i);
      return array;
    };
    const stored = reals(observed, () => 2 * random());
    const scale = { none: 1, ones: 1, plain: 1, large: 1e12, small: 1e-12 }[request.weights ?? 'none'];
    const weights =
      (request.weights ?? 'none') === 'none'
        ? undefined
        : reals(observed, () => (request.weights === 'ones' ? 1 : scale * (1.1 + random())));
    const other = reals(others * stride, (i) => {
      const c = i % stride;
      return c < rank || (hasBias && c === rank) ? random() : 0;
    });
    this.other = other;
    this.own = reals(rows * stride, (i) => {
      const c = i % stride;
      return c < rank || (bias === 'free' && c === rank) ? random() : 0;
    });
    this.out = reals(rows * stride, () => 77);
    const doubles = (value: number) => {
      const array = new Float64Array(buffer, this.#reserve(rows * 8), rows);
      return array.fill(value * scale * scale);
    };
    const penalties = doubles(lambda);
    const biasPenalties = doubles(beta);
    this.status = new Uint8Array(buffer, this.#reserve(rows), rows).fill(9);
    this.#job = this.#reserve(jobBytes);
    const scratch = this.#reserve(scratchBytes(stride));
    // What other work has left behind is no number.
    new Uint8Array(buffer, scratch, scratchBytes(stride)).fill(0xff);
    const mean = hasBias ? 0.25 : 0;
    this.problem = {
      rank,
      stride,
      hasBias,
      ownBiasFree: bias === 'free',
      mean,
      other,
      pointers,
      indices,
      values: stored,
      weights,
      penalties,
      biasPenalties,
    };
    this.#fields = {
      rank,
      stride,
      hasBias: hasBias ? 1 : 0,
      ownBiasFree: bias === 'free' ? 1 : 0,
      out: this.out.byteOffset,
      own: this.own.byteOffset,
      other: other.byteOffset,
      pointers: pointers.byteOffset,
      indices: indices.byteOffset,
      values: stored.byteOffset,
      weights: weights?.byteOffset ?? 0,
      penalties: penalties.byteOffset,
      biasPenalties: hasBias ? biasPenalties.byteOffset : 0,
      scratch,
      status: this.status.byteOffset,
      isLossWanted: 1,
      mean,
    };
  }

  /** Runs a kernel over all rows in two calls, so that the sums are seen to add up. */
  run(name: keyof RowKernels, fields: Partial<JobFields> = {}) {
    const view = new DataView(this.#memory.buffer);
    writeJob(view, this.#job, { ...this.#fields, ...fields });
    const half = this.rows >> 1;
    this.#kernels[name](this.#job, 0, half);
    this.#kernels[name](this.#job, half, this.rows);
    return readTotals(view, this.#job);
  }

  /** Whether every guard byte is as it was. */
  areGuardsIntact(): boolean {
    const bytes = new Uint8Array(this.#memory.buffer);
    return this.#guards.every((start) => bytes.subarray(start, start + guardBytes).every((byte) => byte === guard));
  }

  rowOf(factor: Float32Array | Float64Array, row: number): Float64Array {
    const { stride } = this.problem;
    return Float64Array.from(factor.subarray(row * stride, (row + 1) * stride));
  }

  #reserve(bytes: number): number {
    const address = this.#next;
    const end = address + bytes;
    new Uint8Array(this.#memory.buffer, end, guardBytes).fill(guard);
    this.#guards.push(end);
    this.#next = Math.ceil((end + guardBytes) / 64) * 64;
    return address;
  }
}
