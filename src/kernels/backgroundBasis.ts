/** The eigenbasis of a Gram matrix that rows share or are like: see assembly/basisRows.ts and conjugateRows.ts. */
import { eigenbasis } from './eigenbasis.js';
import { dot } from './vectors.js';

/** Whether a row of so many entries is solved n×n in it. */
export function isShort(count: number, rank: number): boolean {
  return (isConjugate(rank) ? 4 : 2) * count <= rank;
}

/** Whether longer rows are solved in it too, step by step: see assembly/conjugateRows.ts. */
export function isConjugate(rank: number): boolean {
  return rank >= 48;
}

/** Whether steps to rounding take no longer than the k×k matrix, where a background does not make that dearer. */
export function isSettledBySteps(rank: number): boolean {
  return rank >= 96;
}

export function basisBytes(stride: number): number {
  return 4 * stride * (3 + 2 * stride);
}

/** Where Q stands, for Qᵀx. */
export function rotationAt(basis: number, stride: number): number {
  return basis + 12 * stride;
}

/**
 * Λ, Qᵀg, the last row of Q, Q and Qᵀ, f32, to address `basis`, of the sums at address `sums`: QΛQᵀ is their matrix and g their vector.
 * Beyond the rank all are 0 but Λ, where it is not to look like a direction that nothing is known of.
 *
 * @param rank of the matrix: an own bias is its last unknown.
 */
export function writeBasis(
  buffer: ArrayBufferLike,
  sums: number,
  basis: number,
  { rank, stride, module }: { readonly rank: number; readonly stride: number; readonly module?: WebAssembly.Module },
): void {
  const square = stride * stride;
  const matrix = new Float64Array(buffer, sums, square);
  const g = new Float64Array(buffer, sums + 8 * square, rank);
  const G = new Float64Array(rank * rank);
  for (let r = 0; r < rank; r++) G.set(matrix.subarray(r * stride, r * stride + rank), r * rank);
  const { values, vectors } = eigenbasis(G, rank, module);
  const out = new Float32Array(buffer, basis, basisBytes(stride) / 4).fill(0);
  out.fill(
    values.reduce((most, value) => Math.max(most, value)),
    rank,
    stride,
  );
  // How rotateRows takes a matrix: columns of 8, the last of 4.
  const placeOf = (row: number, column: number) => {
    const first = column & ~7;
    return 3 * stride + first * stride + row * Math.min(8, stride - first) + column - first;
  };
  vectors.forEach((q, e) => {
    // A Gram matrix has none below 0.
    out[e] = Math.max(0, values[e] as number);
    out[stride + e] = dot(q, g);
    out[2 * stride + e] = q[rank - 1] as number;
    for (let c = 0; c < rank; c++) out[placeOf(c, e)] = out[square + placeOf(e, c)] = q[c] as number;
  });
}
