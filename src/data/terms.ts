/** The parts of an objective that come as matrices or vectors beside A. */
import type { NdArray } from 'ndarray';
import type { RealArray } from './input.js';

/**
 * Unlisted entries as observations of `value` (default 0) with weight W² = `weight`, or r_i·c_j where it is separable.
 * Listed entries keep values and weights of their own; one of weight 0 is excluded from the background as well.
 */
export interface Background {
  readonly weight: number | { readonly rows: ArrayLike<number>; readonly columns: ArrayLike<number> };
  readonly value?: number | undefined;
}

/** [lower, upper] of every entry of a factor; ±Infinity where there is none. */
export interface Bounds {
  readonly rows?: readonly [number, number] | undefined;
  readonly columns?: readonly [number, number] | undefined;
}

/** Entries that are held at their value; NaN is free. */
export interface Hold {
  /** m×k */
  readonly U?: NdArray<RealArray> | undefined;
  /** n×k */
  readonly V?: NdArray<RealArray> | undefined;
}
