/** The Gram matrix of a matrix that is written out, in float64. */
import { begin, ownMemory } from './ownMemory.js';

/** Writes the rows of M, `width` numbers each, over zeros. */
export type WriteRows = (to: Float64Array, width: number) => void;

/**
 * MᵀM of `rows` rows and `size` columns: its lower half, row-major.
 *
 * @param module of the kernel that sums it.
 */
export function fullGram(rows: number, size: number, write: WriteRows, module?: WebAssembly.Module): Float64Array {
  return module ? byKernel(rows, size, write, module) : byFours(rows, size, write);
}

function byKernel(rows: number, size: number, write: WriteRows, module: WebAssembly.Module): Float64Array {
  const width = Math.ceil(size / 4) * 4;
  const [panel, square] = [rows * width, width * width];
  const { buffer, kernels } = ownMemory(module, 8 * (panel + square));
  const M = new Float64Array(buffer, begin, panel).fill(0);
  write(M, width);
  const G = new Float64Array(buffer, begin + 8 * panel, square).fill(0);
  kernels.gramOf64(G.byteOffset, M.byteOffset, rows, width);
  // The kernel's upper half, turned.
  const lower = new Float64Array(size * size);
  for (let r = 0; r < size; r++) for (let c = 0; c <= r; c++) lower[r * size + c] = G[c * width + r] as number;
  return lower;
}

/** Four columns by two. */
function byFours(rows: number, p: number, write: WriteRows): Float64Array {
  const width = Math.ceil(p / 4) * 4;
  const full = new Float64Array(width * rows);
  write(full, width);
  const gram = new Float64Array(p * p);
  for (let r = 0; r < p; r += 4)
    for (let c = 0; c < r + 4; c += 2) {
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      for (let at = 0; at < full.length; at += width) {
        const b0 = full[at + c] as number;
        const b1 = full[at + c + 1] as number;
        const a0 = full[at + r] as number;
        const a1 = full[at + r + 1] as number;
        const a2 = full[at + r + 2] as number;
        const a3 = full[at + r + 3] as number;
        s00 += a0 * b0;
        s01 += a0 * b1;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s20 += a2 * b0;
        s21 += a2 * b1;
        s30 += a3 * b0;
        s31 += a3 * b1;
      }
      const sums = [s00, s01, s10, s11, s20, s21, s30, s31];
      for (let i = 0; i < 8; i++) {
        const [row, column] = [r + (i >> 1), c + (i & 1)];
        if (row < p && column < p) gram[row * p + column] = sums[i] as number;
      }
    }
  return gram;
}
