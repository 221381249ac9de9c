/**
 * What leaves f(V) = min_U f(U,V) as it is where nothing is penalised: θ_j = [v_j, b_j] moves by BᵀQ_j, Q the columns of V and,
 * where the other side has biases, 1. The reduced Hessian has Q ⊗ I in its null space.
 */
import type { RealArray } from '../data/input.js';
import { otherSide, type Side } from '../parallel/layout.js';
import { countOf, type FitContext, type Gauge, unknownsOf } from '../parallel/phase.js';

export interface ReducedGauge {
  /** Q, row-major, its columns orthonormal. */
  readonly basis: Float64Array;
  readonly columns: number;
  /** The unknowns of θ_j that it moves: not the bias where that is penalised. */
  readonly moved: number;
}

/** @param factor of the side that stays. */
export function gaugeOf(
  fit: FitContext,
  staying: Side,
  factor: Readonly<RealArray>,
  gauge: Exclude<Gauge, 'none'>,
): ReducedGauge {
  const { rank, stride, isBiasFitted } = fit;
  const rows = countOf(fit, staying);
  const columns = rank + (gauge === 'all' && isBiasFitted[otherSide(staying)] ? 1 : 0);
  const basis = new Float64Array(rows * columns).fill(1);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < rank; c++) basis[row * columns + c] = factor[row * stride + c] as number;
  orthonormalize(basis, rows, columns, columns);
  return { basis, columns, moved: gauge === 'all' ? unknownsOf(fit, staying) : rank };
}

/** matrix + scale·QQᵀ ⊗ I, for one of `width` unknowns a row, `order` numbers a row. */
export function addGauge(
  matrix: Float64Array,
  {
    order,
    width,
    scale,
    basis,
    columns,
    moved,
  }: ReducedGauge & { readonly order: number; readonly width: number; readonly scale: number },
): void {
  const rows = basis.length / columns;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < rows; column++) {
      let product = 0;
      for (let c = 0; c < columns; c++)
        product += (basis[row * columns + c] as number) * (basis[column * columns + c] as number);
      for (let a = 0; a < moved; a++) {
        const at = (row * width + a) * order + column * width + a;
        matrix[at] = (matrix[at] as number) + scale * product;
      }
    }
}

/**
 * Makes the first `count` of the columns of a row-major matrix orthonormal, in place: Gram–Schmidt twice. A column that
 * depends on those before it becomes 0.
 */
export function orthonormalize(matrix: RealArray, rows: number, stride: number, count: number): void {
  for (let c = 0; c < count; c++) {
    const before = norm(matrix, rows, stride, c);
    for (let pass = 0; pass < 2; pass++)
      for (let d = 0; d < c; d++) {
        let product = 0;
        for (let row = 0; row < rows; row++)
          product += (matrix[row * stride + c] as number) * (matrix[row * stride + d] as number);
        for (let row = 0; row < rows; row++)
          matrix[row * stride + c] =
            (matrix[row * stride + c] as number) - product * (matrix[row * stride + d] as number);
      }
    const after = norm(matrix, rows, stride, c);
    const scale = after > 1e-14 * before ? 1 / after : 0;
    for (let row = 0; row < rows; row++) matrix[row * stride + c] = (matrix[row * stride + c] as number) * scale;
  }
}

function norm(matrix: RealArray, rows: number, stride: number, column: number): number {
  let squared = 0;
  for (let row = 0; row < rows; row++) {
    const x = matrix[row * stride + column] as number;
    squared += x * x;
  }
  return Math.sqrt(squared);
}
