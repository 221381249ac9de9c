/** The objective of a model on a caller's data, in plain float64: slow, simple, and independent of the kernels. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { type Duplicates, observationsOf } from '../data/observations.js';
import type { Background } from '../data/terms.js';
import { HadamardError } from '../errors.js';
import { lossOf, lossValue } from '../objective/losses.js';
import { checkOption } from '../options.js';
import type { ModelParts } from './parts.js';

export interface ObjectiveOptions {
  /** The weights that belong to the data; every weight is 1 where absent. */
  readonly weights?: WeightsInput | undefined;
  /** What an entry listed twice means; default: as in the fit. */
  readonly duplicates?: Duplicates | undefined;
  /** The background, where the fit's was separable and other rows or columns are meant; default: as in the fit. */
  readonly background?: Background | undefined;
}

/**
 * f = Σ ℓ(W, A, prediction) + Σ_i s_i^ν Σ_c (λ_U u_ic² + μ_U|u_ic|) + the same of V + Σ_i λ_b s_i^ν b_i² + Σ_j λ_b s_j^ν c_j²
 *
 * with the loss ℓ, λ, μ, λ_b, ν and the scale s (1, the count of observations or ΣW² of the row or column of `data`) of the
 * fit; unlisted entries count where the fit had a background, one by one: this is O(mnk).
 */
export function objectiveOf(model: ModelParts, data: MatrixInput, options: ObjectiveOptions): number {
  const { duplicates, lambdaScale, loss: lossText } = model.fit.options;
  if (options?.duplicates !== undefined) checkOption('duplicates', options.duplicates);
  const [m, n] = [model.U.shape[0] as number, model.V.shape[0] as number];
  const [rows, columns] = shapeOf(data);
  if (rows !== m || columns !== n)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The data is ${rows}×${columns} and the model is ${m}×${n}.`,
      rule: 'A model is evaluated on data of the shape it was fitted to.',
      remedy: 'Give the whole shape, and leave out the entries that are not to count.',
    });
  const background = backgroundOf(model, options?.background);
  const { byRow } = observationsOf(data, options?.weights, options?.duplicates ?? duplicates, background !== undefined);

  const loss = lossOf(lossText);
  const rowScale = new Float64Array(m);
  const columnScale = new Float64Array(n);
  const add = (i: number, j: number, weight: number) => {
    rowScale[i] = (rowScale[i] as number) + weight;
    columnScale[j] = (columnScale[j] as number) + weight;
  };
  const { pointers, indices, values, weights } = byRow;
  const isListed = new Uint8Array(n);
  let total = 0;
  for (let i = 0; i < m; i++) {
    const listed = indices.subarray(pointers[i], pointers[i + 1]);
    listed.forEach((j, t) => {
      const at = (pointers[i] as number) + t;
      const w = weights?.[at] as number;
      if (w > 0) total += lossValue(loss, w, values[at] as number, predictEntry(model, i, j));
      if (w > 0) add(i, j, lambdaScale === 'weight' ? w * w : 1);
    });
    if (!background) continue;
    isListed.fill(0);
    for (const j of listed) isListed[j] = 1;
    for (let j = 0; j < n; j++) {
      const weight = background.weight(i, j);
      // As iALS counts, a background adds its weight for listed entries too.
      if (lambdaScale === 'count' || isListed[j] === 0) add(i, j, weight);
      if (isListed[j] === 0) total += lossValue(loss, Math.sqrt(weight), background.value, predictEntry(model, i, j));
    }
  }
  return total + regularizationOf(model, rowScale, columnScale);
}

/** Weight and value of an unlisted entry. */
function backgroundOf({ U, V, fit, background }: ModelParts, given: Background | undefined) {
  const said = fit.options.background;
  if (!said) return undefined;
  if (said.weight !== 'separable') return { weight: () => said.weight as number, value: said.value };
  const weight = given?.weight ?? background;
  if (typeof weight !== 'object')
    throw new HadamardError({
      code: 'invalid-option',
      what: 'The fit had a separable background, and none is given.',
      position: { option: 'background' },
      rule: 'The lists of a separable background belong to the model, and this one has none: it was saved by an older hadamard.',
      remedy: 'Give background: { weight: { rows, columns }, value } as in the fit.',
    });
  const { rows, columns } = weight;
  if (rows.length !== U.shape[0] || columns.length !== V.shape[0])
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The background has ${rows.length} and ${columns.length} weights.`,
      position: { option: 'background' },
      rule: `The model is ${U.shape[0]}×${V.shape[0]}.`,
      remedy: 'Give the lists of the fit.',
    });
  return { weight: (i: number, j: number) => (rows[i] as number) * (columns[j] as number), value: said.value };
}

function regularizationOf(
  { U, V, biases, fit }: ModelParts,
  rowScale: Float64Array,
  columnScale: Float64Array,
): number {
  const { lambdaScale, nu, lambdaRows, lambdaColumns, l1Rows, l1Columns, freeColumns, biasLambda } = fit.options;
  const power = (scale: number) => (lambdaScale === 'row' ? 1 : scale ** nu);
  const k = U.shape[1] as number;
  const penalty = (
    x: ArrayLike<number>,
    width: number,
    scale: Float64Array,
    lambda: number,
    mu: number,
    free: number,
  ) => {
    let sum = 0;
    for (let t = 0; t < x.length; t++) {
      const value = x[t] as number;
      if (t % width >= free)
        sum += power(scale[Math.floor(t / width)] as number) * (lambda * value * value + mu * Math.abs(value));
    }
    return sum;
  };
  return (
    penalty(U.data, k, rowScale, lambdaRows, l1Rows, freeColumns) +
    penalty(V.data, k, columnScale, lambdaColumns, l1Columns, freeColumns) +
    penalty(biases.rows ?? [], 1, rowScale, biasLambda, 0, 0) +
    penalty(biases.columns ?? [], 1, columnScale, biasLambda, 0, 0)
  );
}

/** What a prediction is made of; a model, or the same in another thread. */
export interface Factors {
  readonly U: Pick<ModelParts['U'], 'data' | 'shape'>;
  readonly V: Pick<ModelParts['V'], 'data' | 'shape'>;
  readonly biases: ModelParts['biases'];
}

/** mean + b_i + c_j + u_i·v_j, summed in float64; the indices are not checked. */
export function predictEntry({ U, V, biases }: Factors, row: number, column: number): number {
  const k = U.shape[1] as number;
  const u = U.data;
  const v = V.data;
  let sum = biases.mean + (biases.rows?.[row] ?? 0) + (biases.columns?.[column] ?? 0);
  for (let t = 0, a = row * k, b = column * k; t < k; t++) sum += (u[a + t] as number) * (v[b + t] as number);
  return sum;
}
