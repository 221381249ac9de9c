/** The eigenvectors of a matrix as rows while they are made, and what is done to them. */
import { rotate } from './jacobi.js';
import { begin, ownMemory } from './ownMemory.js';
import { dot } from './vectors.js';

/** p rows of p numbers; they begin as the identity. */
export interface EigenRows {
  readonly vectors: readonly Float64Array[];
  /** Rows from `first` on ← row·(1 − v·vᵀ/half); v is 0 before number `first`. */
  reflect(v: Float64Array, first: number, half: number): void;
  /** Row i ← cosine·(row i) − sine·(row j), and row j ← sine·(row i) + cosine·(row j). */
  turn(i: number, j: number, cosine: number, sine: number): void;
}

const one = (row: Float64Array, i: number): Float64Array => row.fill(0).fill(1, i, i + 1);

export function plainRows(p: number): EigenRows {
  const vectors = Array.from({ length: p }, (_, i) => one(new Float64Array(p), i));
  return {
    vectors,
    reflect(v, first, half) {
      for (let r = first; r < p; r++) {
        const row = vectors[r] as Float64Array;
        const s = dot(row, v) / half;
        for (let i = first; i < p; i++) row[i] = (row[i] as number) - s * (v[i] as number);
      }
    },
    turn: (i, j, cosine, sine) => rotate(vectors[i] as Float64Array, vectors[j] as Float64Array, cosine, sine),
  };
}

/** By the kernels of a module, the same bits; the rows hold until a memory of its own is asked for again. */
export function kernelRows(module: WebAssembly.Module, p: number): EigenRows {
  // Of even length.
  const width = p + (p % 2);
  const bytes = 8 * width;
  const { buffer, kernels } = ownMemory(module, (p + 1) * bytes);
  const at = (row: number) => begin + row * bytes;
  const vectors = Array.from({ length: p }, (_, i) => one(new Float64Array(buffer, at(i), width), i).subarray(0, p));
  const reflected = new Float64Array(buffer, at(p), width).fill(0);
  return {
    vectors,
    reflect(v, first, half) {
      reflected.set(v);
      kernels.reflectRows64(at(first), bytes, p - first, reflected.byteOffset, p, first, half);
    },
    turn: (i, j, cosine, sine) => kernels.turnPair64(at(i), at(j), width, cosine, sine),
  };
}
