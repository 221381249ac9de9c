/** The directions along which f does not change at all: what they leave out, its curvature is measured on. */
import type { RealArray } from '../data/input.js';
import { norm, scale } from '../kernels/vectors.js';
import type { PerSide } from '../parallel/layout.js';
import { orthogonalize } from './lanczos.js';

/** A point as its two factor buffers, and what is penalised. */
export interface GaugedPoint {
  readonly factors: PerSide<RealArray>;
  readonly rank: number;
  readonly stride: number;
  readonly isBiasFitted: PerSide<boolean>;
  readonly isPenalised: { readonly latent: boolean; readonly bias: boolean };
}

/** How many directions {@link gaugeDirections} takes: of U → UB, V → VB⁻ᵀ, orthogonal B alone where there is a ridge, and of biases. */
export function gaugeSize({ rank, isBiasFitted, isPenalised }: Omit<GaugedPoint, 'factors' | 'stride'>): number {
  const rotations = isPenalised.latent ? (rank * (rank - 1)) / 2 : rank * rank;
  const { rows, columns } = isBiasFitted;
  const shift = rows && columns && !isPenalised.bias ? 1 : 0;
  const taken = isPenalised.latent || isPenalised.bias ? 0 : rank * ((rows ? 1 : 0) + (columns ? 1 : 0));
  return rotations + shift + taken;
}

/**
 * An orthonormal basis of them, each the change of the rows' buffer followed by that of the columns'.
 *
 * @param measure brings a direction to the norm in which they are orthonormal, in place.
 */
export function gaugeDirections(
  { factors, rank, stride, isBiasFitted, isPenalised }: GaugedPoint,
  measure: (direction: Float64Array) => void,
): Float64Array[] {
  const { rows: U, columns: V } = factors;
  const size = U.length + V.length;
  const basis: Float64Array[] = [];
  const add = (write: (direction: Float64Array) => void) => {
    const direction = new Float64Array(size);
    write(direction);
    measure(direction);
    const before = norm(direction);
    orthogonalize(direction, basis);
    const after = norm(direction);
    if (!(after > 1e-10 * before)) return;
    scale(direction, 1 / after);
    basis.push(direction);
  };
  const copy = (from: RealArray, source: number, to: Float64Array, target: number, factor: number) => {
    for (let at = 0; at < from.length; at += stride) to[target + at] = factor * (from[at + source] as number);
  };
  const half = U.length;
  // B = I + X: dU = UX, dV = −VXᵀ; X one entry, or one and its opposite across the diagonal.
  for (let a = 0; a < rank; a++)
    for (let b = 0; b < rank; b++) {
      if (isPenalised.latent && b <= a) continue;
      add((direction) => {
        copy(U, a, direction, b, 1);
        copy(V, b, direction, half + a, -1);
        if (!isPenalised.latent) return;
        copy(U, b, direction, a, -1);
        copy(V, a, direction, half + b, 1);
      });
    }
  const fill = (to: Float64Array, first: number, end: number, value: number) => {
    for (let at = first; at < end; at += stride) to[at] = value;
  };
  if (isPenalised.bias) return basis;
  if (isBiasFitted.rows && isBiasFitted.columns)
    add((direction) => {
      fill(direction, rank, half, 1);
      fill(direction, half + rank, size, -1);
    });
  if (isPenalised.latent) return basis;
  // u_i → u_i + s, c_j → c_j − s·v_j, and the other way round.
  for (let a = 0; a < rank; a++) {
    if (isBiasFitted.columns)
      add((direction) => {
        fill(direction, a, half, 1);
        copy(V, a, direction, half + rank, -1);
      });
    if (isBiasFitted.rows)
      add((direction) => {
        fill(direction, half + a, size, 1);
        copy(U, a, direction, rank, -1);
      });
  }
  return basis;
}
