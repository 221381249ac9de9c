/** The vectors of a model's rows or columns as other programs take them. */
import type { RealArray } from '../data/input.js';
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

/** @throws HadamardError `incompatible-options` as `Model.canonical`. */
export function vectorsOf(
  model: Model,
  side: ExportSide,
  { canonical = false, withBias = false }: VectorOptions,
): Vectors {
  const { biases, rank } = model;
  const [count, labels] = [model.shape[side === 'rows' ? 0 : 1], model.labels[side]];
  const bias = biases[side];
  const factor = canonical ? balanced(model, side) : side === 'rows' ? model.U.data : model.V.data;
  if (!withBias || biases.kind === 'none') return { data: factor, width: rank, count, labels, bias };
  const one = () => 1;
  const own = (i: number) => (bias as RealArray)[i] as number;
  const columns = [
    biases.rows && (side === 'rows' ? own : one),
    biases.columns && (side === 'rows' ? one : own),
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

/** U√d or V√d of the canonical form, in the model's precision. */
function balanced(model: Model, side: ExportSide): RealArray {
  const { U, d, V } = model.canonical();
  const { data } = side === 'rows' ? U : V;
  const k = d.length;
  const scaled = new (model.U.data.constructor as new (length: number) => RealArray)(data.length);
  for (let t = 0; t < data.length; t++) scaled[t] = (data[t] as number) * Math.sqrt(d[t % k] as number);
  return scaled;
}
