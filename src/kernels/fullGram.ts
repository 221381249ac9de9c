/** The Gram matrix of a matrix that is written out, in float64, in a memory of its own. */
import { instantiateKernels, type Kernels } from './load.js';

/** Writes the rows of M, `width` numbers each, over zeros. */
export type WriteRows = (to: Float64Array, width: number) => void;

/** MᵀM of `rows` rows and `size` columns: its lower half, row-major. */
export type FullGram = (rows: number, size: number, write: WriteRows) => Float64Array;

/** A thread keeps its last while it is as small as that of a small fit: to make one takes as long as to use it. */
const largestKept = 2 ** 20;
const pageBytes = 2 ** 16;
/** Addresses of 0 are for what is absent. */
const begin = 64;

let kept:
  | { readonly module: WebAssembly.Module; readonly buffer: ArrayBufferLike; readonly kernels: Kernels }
  | undefined;

/** By the kernels of a module. */
export function fullGramBy(module: WebAssembly.Module): FullGram {
  return (rows, size, write) => {
    const width = Math.ceil(size / 4) * 4;
    const [panel, square] = [rows * width, width * width];
    const { buffer, kernels } = placeFor(module, begin + 8 * (panel + square));
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

function placeFor(module: WebAssembly.Module, bytes: number): NonNullable<typeof kept> {
  if (kept?.module === module && kept.buffer.byteLength >= bytes) return kept;
  const pages = Math.ceil(bytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const place = { module, buffer: memory.buffer, kernels: instantiateKernels(module, memory) };
  if (memory.buffer.byteLength <= largestKept) kept = place;
  return place;
}
