/** What an objective is composed of, resolved. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Loss } from '../objective/losses.js';
import type { PerSide } from '../parallel/layout.js';

export interface ObjectiveSpec {
  /** ε of l1 is 0 until the data has been seen. */
  readonly loss: Loss;
  readonly background: SeparableBackground | undefined;
  readonly bounds: PerSide<readonly [number, number]>;
  readonly l1: PerSide<number>;
  readonly freeColumns: number;
  readonly hold: PerSide<NdArray<RealArray> | undefined>;
  /** More than weighted squares and a ridge: for the composed kernels. */
  readonly isComposed: boolean;
}

/** Weight r_i·c_j. */
export interface SeparableBackground {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly value: number;
}

/** What the rules look at. */
export interface Composition {
  readonly objective: ObjectiveSpec;
  readonly method: string;
  readonly polish: string;
  readonly dtype: string | undefined;
  readonly biases: string;
  readonly biasLambda: number;
  readonly lambda: { readonly rows: number; readonly columns: number };
  readonly rank: number;
  readonly start: string;
}
