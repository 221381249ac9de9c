/** A fitted model as the start of another fit. */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Model } from '../model/model.js';
import type { FactorizeOptions, Init } from './factorizeOptions.js';

/** Options whose start, if it is a model, is said by its factors and biases. @throws HadamardError as `model.canonical` */
export function withStart<Options extends Pick<FactorizeOptions, 'init' | 'rank'>>(options: Options): Options {
  const init: unknown = options?.init;
  if (!isModel(init)) return options;
  return { ...options, init: warmStart(init, options.rank) };
}

/**
 * Where each row and column of new data begins: at the model's `rows[i]`, and at random, as without a start, where that is
 * below 0. Without places all are as in the model.
 *
 * A lower rank takes the leading canonical components, √d on either side; of a higher one the last columns are drawn.
 *
 * @throws HadamardError `incompatible-options` for a lower rank and a model that cannot be rotated.
 */
export function warmStart(
  model: Model,
  rank: number,
  places: { readonly rows?: ArrayLike<number>; readonly columns?: ArrayLike<number> } = {},
): Init {
  const { U, V } = rank < model.rank ? leading(model) : model;
  const { rows: b, columns: c } = model.biases;
  return {
    U: placed(U, rank, places.rows),
    V: placed(V, rank, places.columns),
    isPartial: true,
    biases: { ...(b && { rows: biasAt(b, places.rows) }), ...(c && { columns: biasAt(c, places.columns) }) },
  };
}

function isModel(init: unknown): init is Model {
  return typeof init === 'object' && init !== null && 'fit' in init && 'U' in init && 'V' in init && 'biases' in init;
}

function leading(model: Model): { U: NdArray<RealArray>; V: NdArray<RealArray> } {
  const { U, d, V } = model.canonical();
  const scaled = (factor: NdArray<Float64Array>) =>
    ndarray(
      factor.data.map((x, t) => x * Math.sqrt(d[t % d.length] as number)),
      factor.shape,
    );
  return { U: scaled(U), V: scaled(V) };
}

/** Rows in their new places, with `rank` columns; NaN is drawn. */
function placed(factor: NdArray<RealArray>, rank: number, places: ArrayLike<number> | undefined): NdArray<RealArray> {
  const [count = 0, width = 0] = factor.shape;
  const rows = places?.length ?? count;
  const data = new Float64Array(rows * rank).fill(Number.NaN);
  for (let row = 0; row < rows; row++) {
    const from = places ? (places[row] as number) : row;
    if (from < 0) continue;
    for (let c = 0; c < Math.min(rank, width); c++) data[row * rank + c] = factor.get(from, c);
  }
  return ndarray(data, [rows, rank]);
}

/** A new row's bias begins at 0. */
function biasAt(bias: RealArray, places: ArrayLike<number> | undefined): RealArray {
  return places ? Float64Array.from(places, (from) => (from < 0 ? 0 : (bias[from] as number))) : bias;
}
