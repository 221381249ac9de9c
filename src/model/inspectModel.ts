/** What a model is, in numbers that do not depend on how it was reached, as far as there are any. */
import type { RealArray } from '../data/input.js';
import { checkNames } from '../options.js';
import { checkTop } from './best.js';
import { canonicalForm } from './canonical.js';
import { checkModel } from './checkModel.js';
import { equationOf } from './equation.js';
import type { Model } from './model.js';

export interface Loading {
  readonly column: number;
  readonly label?: string;
  readonly value: number;
}

export interface LatentColumn {
  /** Columns of largest magnitude in this latent column, largest first. */
  readonly largest: readonly Loading[];
  /** Σ over rows and columns of (u·v)² of this latent column alone, as a share of the sum over all. */
  readonly share: number;
}

export interface Inspection {
  /** The objective that was minimised: see `docs/objectives.md`. */
  readonly equation: readonly string[];
  /** Euclidean norms; of the biases where they are fitted. */
  readonly norms: { readonly U: number; readonly V: number; readonly rowBias?: number; readonly columnBias?: number };
  /** Of UVᵀ, falling. */
  readonly singularValues: readonly number[];
  /** Whether the latent columns are those of the canonical form; else those of V as they are, for they mean what they are. */
  readonly isCanonical: boolean;
  readonly latent: readonly LatentColumn[];
  /** Rows and columns with factor and bias 0, as one without observations has. */
  readonly unobserved: { readonly rows: number; readonly columns: number };
}

/** O((m + n)k²), in float64. `top` is how many loadings of each latent column are listed; default 5. @throws HadamardError `invalid-option` */
export function inspectModel(model: Model, options: { readonly top?: number } = {}): Inspection {
  checkModel(model);
  checkNames(options, ['top']);
  const { top = 5 } = options;
  checkTop(top);
  const { U, V, biases, rank, shape } = model;
  const { U: left, d, V: right } = canonicalForm(U, V);
  const isCanonical = model.isRotatable;
  const scores = isCanonical ? left.data : U.data;
  const loadings = isCanonical ? right.data : V.data;
  const weight = (c: number) =>
    (isCanonical ? (d[c] as number) ** 2 : 1) * squares(scores, c, rank) * squares(loadings, c, rank);
  const weights = Array.from({ length: rank }, (_, c) => weight(c));
  const whole = weights.reduce((sum, each) => sum + each, 0);
  return {
    equation: equationOf(model.fit.options),
    norms: {
      U: normOf(U.data),
      V: normOf(V.data),
      ...(biases.rows && { rowBias: normOf(biases.rows) }),
      ...(biases.columns && { columnBias: normOf(biases.columns) }),
    },
    singularValues: Array.from(d),
    isCanonical,
    latent: weights.map((each, c) => ({
      share: whole > 0 ? each / whole : 0,
      largest: largestOf(loadings, c, rank, Math.min(top, shape[1])).map(({ column, value }) => ({
        column,
        ...(model.labels.columns && { label: model.labels.columns[column] as string }),
        value,
      })),
    })),
    unobserved: { rows: unobserved(model, 'rows'), columns: unobserved(model, 'columns') },
  };
}

function squares(data: RealArray, c: number, rank: number): number {
  let sum = 0;
  for (let t = c; t < data.length; t += rank) sum += (data[t] as number) ** 2;
  return sum;
}

function normOf(data: RealArray): number {
  return Math.sqrt(squares(data, 0, 1));
}

function largestOf(data: RealArray, c: number, rank: number, top: number): { column: number; value: number }[] {
  const value = (column: number) => data[column * rank + c] as number;
  return Array.from({ length: data.length / rank }, (_, column) => column)
    .sort((a, b) => Math.abs(value(b)) - Math.abs(value(a)) || a - b)
    .slice(0, top)
    .map((column) => ({ column, value: value(column) }));
}

function unobserved(model: Model, side: 'rows' | 'columns'): number {
  let count = 0;
  for (let i = 0; i < model.shape[side === 'rows' ? 0 : 1]; i++) if (model.isUnobserved(side, i)) count++;
  return count;
}
