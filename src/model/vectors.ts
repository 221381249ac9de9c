/** The vectors of a model's rows or columns as other programs take them. */
import type { RealArray } from '../data/input.js';
import type { Canonical } from './canonical.js';
import type { Model } from './model.js';

export type ExportSide = 'rows' | 'columns';

export interface VectorOptions {
  /** Vectors of the canonical form, U√d and V√d: mutually orthogonal latent columns, by falling share of UVᵀ. Default false. */
  readonly canonical?: boolean | undefined;
  /**
   * Append the biases, so that inner products are predictions less the mean: u' = [u, b_i, 1] and v' = [v, 1, c_j], of which
   * a side that has no bias leaves its pair out. Maximum inner product search over v' then ranks as `recommend`. Default false.
   */
  readonly withBias?: boolean | undefined;
}

export interface Vectors {
  /** Row-major, `width` apart. */
  readonly data: RealArray;
  readonly width: number;
  readonly count: number;
  readonly labels: readonly string[] | undefined;
  /** The biases that are not in the vectors. */
  readonly bias: RealArray | undefined;
}

/** @param form the model's canonical form, where its vectors are asked for. */
export function vectorsOf(model: Model, side: ExportSide, form: Canonical | undefined, withBias: boolean): Vectors {
  const { biases, rank } = model;
  const [count, labels] = [model.shape[side === 'rows' ? 0 : 1], model.labels[side]];
  const bias = biases[side];
  const own = side === 'rows' ? model.U.data : model.V.data;
  const factor = form ? balanced(form, side, own) : own;
  if (!withBias || biases.kind === 'none') return { data: factor, width: rank, count, labels, bias };
  const one = () => 1;
  const ownBias = (i: number) => (bias as RealArray)[i] as number;
  const columns = [
    biases.rows && (side === 'rows' ? ownBias : one),
    biases.columns && (side === 'rows' ? one : ownBias),
  ].filter((column) => column !== undefined);
  const width = rank + columns.length;
  const data = new (factor.constructor as new (length: number) => RealArray)(count * width);
  for (let i = 0; i < count; i++) {
    data.set(factor.subarray(i * rank, (i + 1) * rank), i * width);
    columns.forEach((column, c) => {
      data[i * width + rank + c] = column(i);
    });
  }
  return { data, width, count, labels, bias: undefined };
}

/** U√d or V√d, in the precision of `like`. */
function balanced({ U, d, V }: Canonical, side: ExportSide, like: RealArray): RealArray {
  const { data } = side === 'rows' ? U : V;
  const scaled = new (like.constructor as new (length: number) => RealArray)(data.length);
  for (let t = 0; t < data.length; t++) scaled[t] = (data[t] as number) * Math.sqrt(d[t % d.length] as number);
  return scaled;
}
