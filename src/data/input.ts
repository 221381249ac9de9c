/** The forms in which a caller may hand over A and W. */
import type { NdArray } from 'ndarray';

export type RealArray = Float32Array | Float64Array;
export type IndexArray = Int32Array | Uint32Array;

/** Entries (rows[t], columns[t], values[t]), counted from 0; unlisted entries are unobserved, a listed 0 is an observed 0. */
export interface Triples {
  readonly rows: IndexArray;
  readonly columns: IndexArray;
  readonly values: RealArray;
  /** [m, n] */
  readonly shape: readonly [number, number];
}

/** CSR: row i holds entries rowPointers[i] … rowPointers[i+1]−1. Pointers beyond 2³¹ come as Float64Array or BigInt64Array. */
export interface CompressedRows {
  readonly rowPointers: IndexArray | Float64Array | BigInt64Array | BigUint64Array;
  readonly columnIndices: IndexArray;
  readonly values: RealArray;
  /** [m, n] */
  readonly shape: readonly [number, number];
}

/** An m×n ndarray of any strides over f32, f64 or an integer type; NaN is unobserved. */
export type DenseMatrix = NdArray<RealArray> | NdArray;

export type MatrixInput = DenseMatrix | Triples | CompressedRows;

/** A matrix of A's shape in any form, or one number per listed value of A. */
export type WeightValues = MatrixInput | RealArray;

/** Weights with their meaning: W (`sqrtWeight`), W² (`weight`) or 1/W (`sigma`) of f = Σ W²(A − u·v)². */
export type WeightsInput =
  | { readonly sqrtWeight: WeightValues }
  | { readonly weight: WeightValues }
  | { readonly sigma: WeightValues };
