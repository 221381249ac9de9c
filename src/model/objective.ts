/** The objective of a model on a caller's data, in plain float64: slow, simple, and independent of the kernels. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { type Duplicates, type Orientation, place, survey } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { checkOption } from '../options.js';
import type { ModelParts } from './parts.js';

export interface ObjectiveOptions {
  /** The weights that belong to the data; every weight is 1 where absent. */
  readonly weights?: WeightsInput | undefined;
  /** What an entry listed twice means; default: as in the fit. */
  readonly duplicates?: Duplicates | undefined;
}

/**
 * f = Σ W²(A − prediction)² + Σ_i λ s_i‖u_i‖² + Σ_j λ s_j‖v_j‖² + Σ_i λ_b s_i b_i² + Σ_j λ_b s_j c_j²
 *
 * with λ, λ_b and the scale s (1, the count of observations or ΣW² of the row or column of `data`) of the fit.
 */
export function objectiveOf(model: ModelParts, data: MatrixInput, options: ObjectiveOptions): number {
  const { lambda, lambdaScale, biasLambda, duplicates } = model.fit.options;
  if (options?.duplicates !== undefined) checkOption('duplicates', options.duplicates);
  const [m, n, k] = [model.U.shape[0] as number, model.V.shape[0] as number, model.U.shape[1] as number];
  const [rows, columns] = shapeOf(data);
  if (rows !== m || columns !== n)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The data is ${rows}×${columns} and the model is ${m}×${n}.`,
      rule: 'A model is evaluated on data of the shape it was fitted to.',
      remedy: 'Give the whole shape, and leave out the entries that are not to count.',
    });
  const found = survey(data, options?.weights);
  const storage = { byRow: room(m, found.observed), byColumn: room(n, found.observed) };
  place(data, options?.weights, found, storage, options?.duplicates ?? duplicates);

  const rowScale = new Float64Array(m).fill(lambdaScale === 'row' ? 1 : 0);
  const columnScale = new Float64Array(n).fill(lambdaScale === 'row' ? 1 : 0);
  const { pointers, indices, values, weights } = storage.byRow;
  let loss = 0;
  for (let i = 0; i < m; i++) {
    const end = pointers[i + 1] as number;
    for (let t = pointers[i] as number; t < end; t++) {
      const j = indices[t] as number;
      const squaredWeight = (weights?.[t] as number) ** 2;
      loss += squaredWeight * ((values[t] as number) - predictEntry(model, i, j)) ** 2;
      if (lambdaScale === 'row') continue;
      const scale = lambdaScale === 'count' ? 1 : squaredWeight;
      rowScale[i] = (rowScale[i] as number) + scale;
      columnScale[j] = (columnScale[j] as number) + scale;
    }
  }
  const { U, V, biases } = model;
  const factors = squares(U.data, k, rowScale) + squares(V.data, k, columnScale);
  const offsets = squares(biases.rows ?? [], 1, rowScale) + squares(biases.columns ?? [], 1, columnScale);
  return loss + lambda * factors + biasLambda * offsets;
}

/** mean + b_i + c_j + u_i·v_j, summed in float64; the indices are not checked. */
export function predictEntry({ U, V, biases }: ModelParts, row: number, column: number): number {
  const k = U.shape[1] as number;
  const u = U.data;
  const v = V.data;
  let sum = biases.mean + (biases.rows?.[row] ?? 0) + (biases.columns?.[column] ?? 0);
  for (let t = 0, a = row * k, b = column * k; t < k; t++) sum += (u[a + t] as number) * (v[b + t] as number);
  return sum;
}

function room(rows: number, observed: number): Orientation {
  return {
    pointers: new Float64Array(rows + 1),
    indices: new Uint32Array(observed),
    values: new Float64Array(observed),
    weights: new Float64Array(observed),
  };
}

/** Σ_i scale_i ‖x_i‖² over rows of k numbers. */
function squares(data: ArrayLike<number>, k: number, scale: Float64Array): number {
  let total = 0;
  for (let t = 0; t < data.length; t++) total += (scale[Math.floor(t / k)] as number) * (data[t] as number) ** 2;
  return total;
}
