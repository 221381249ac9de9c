/** The Gram matrix of a matrix that is written out, in float64, by a kernel. */
import { begin, ownMemory } from './ownMemory.js';

/** Writes the rows of M, `width` numbers each, over zeros. */
export type WriteRows = (to: Float64Array, width: number) => void;

/** MᵀM of `rows` rows and `size` columns: its lower half, row-major. */
export type FullGram = (rows: number, size: number, write: WriteRows) => Float64Array;

/** By the kernels of a module. */
export function fullGramBy(module: WebAssembly.Module): FullGram {
  return (rows, size, write) => {
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
  };
}
