/** Completes a dense table: what is NaN is predicted, what is observed stays as it is. */
import ndarray, { type NdArray } from 'ndarray';
import { shapeOf } from '../data/entries.js';
import { isCompressed, isTriples } from '../data/forms.js';
import type { DenseMatrix, MatrixInput, RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import { checkShare } from '../model/intervals.js';
import type { Model } from '../model/model.js';
import { predictEntry } from '../model/objective.js';
import { checkObject } from '../options.js';
import { asWork } from '../parallel/abort.js';
import type { BesideOptions } from './beside.js';
import { factorize } from './factorize.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import { type FoldedIn, foldIn } from './foldIn.js';
import { fittedIntervals, foldedIntervals, type Intervals } from './intervals.js';

export interface IntervalOption {
  /** The share of missing values that the intervals are to cover, such as 0.9; none without. */
  readonly intervals?: number | undefined;
}

/** Fit the table first, with the options of `factorize`; */
export type ImputeFitOptions = FactorizeOptions & IntervalOption & { readonly model?: undefined };
/** or fold its rows into a model that has its columns. */
export type ImputeModelOptions = Omit<BesideOptions, 'side'> & IntervalOption & { readonly model: Model };

export interface Imputed {
  /** m×n, the values that were given, and predictions in place of NaN. */
  readonly completed: NdArray<Float64Array>;
  /** How many were NaN. */
  readonly missing: number;
  /** Bounds of the predictions, NaN where a value was given; where intervals were asked for. */
  readonly lower?: NdArray<Float64Array>;
  readonly upper?: NdArray<Float64Array>;
  /** The fit's model, or the one that was given. */
  readonly model: Model;
  readonly notes: readonly string[];
}

/**
 * The table with every NaN replaced by mean + b_i + c_j + u_i·v_j; values that are given are kept bit for bit, those of weight
 * 0 too. With `model` its rows are folded in: training rows are predicted as the model does, new ones by their own values.
 *
 * `intervals: q` gives p ± t·√(s²/W² + Var p) for each prediction p, which covers the missing value with probability q where
 * the errors of the values are independent and normal with standard deviation s/W, and the matrix under them is of the rank
 * fitted. Var p and s are those of `factorize` with option intervals (`model.predict(i, j, { interval })` has the mean alone):
 * s = 1 where the weights are sigma, else s² = ΣW²r²/(N − ν) and t Student's quantile. Rows of a given model take V as known:
 *
 *     Var p = s² z_jᵀH_i⁻¹z_j,   H_i = Σ W²zzᵀ + λ of row i over the unknowns that are not at a bound, z = [v, 1 with a bias],
 *
 * s always from their residuals. A missing entry has the weight that `weights` gives in its place, else the root mean square
 * of its column's. What they do not cover: errors of the model itself, such as a rank that is too low or another optimum.
 *
 * @param data a dense m×n ndarray, NaN where unknown.
 * @throws HadamardError `invalid-input` for anything but a dense table, `invalid-option` for intervals outside 0…1,
 *   `incompatible-options` for intervals of a loss other than quadratic, with a background, or without degrees of freedom left;
 *   and as `factorize` or `foldIn`.
 */
export async function impute(data: DenseMatrix, options: ImputeFitOptions | ImputeModelOptions): Promise<Imputed> {
  checkObject(options);
  const A = checkTable(data);
  const { intervals, model: given, ...beside } = options ?? {};
  if (given !== undefined) checkModel(given);
  if (intervals !== undefined) checkShare('intervals', intervals);
  const model = given ?? (await fitOf(data, options as FactorizeOptions));
  const rows = given ? await foldIn(model, data, beside as BesideOptions) : undefined;
  const predict = predictorOf(model, rows);
  const [m, n] = A.shape as [number, number];
  const completed = new Float64Array(m * n);
  let missing = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const value = A.get(i, j);
      if (Number.isNaN(value)) missing++;
      completed[i * n + j] = Number.isNaN(value) ? predict(i, j) : value;
    }
  const bounds =
    intervals === undefined
      ? undefined
      : given
        ? await foldedIntervals(model, data, completed, intervals, beside as BesideOptions)
        : fittedIntervals(
            model,
            completed,
            (t) => Number.isNaN(A.get(Math.floor(t / n), t % n)),
            intervals,
            options.weights,
          );
  return {
    completed: ndarray(completed, [m, n]),
    missing,
    ...(bounds && { lower: ndarray(bounds.lower, [m, n]), upper: ndarray(bounds.upper, [m, n]) }),
    model,
    notes: [
      ...(given ? [] : model.fit.notes),
      ...(rows?.notes ?? []),
      ...notesOnUnobserved(model, A, given === undefined),
      ...noteOn(bounds, given !== undefined),
    ],
  };
}

function fitOf(data: DenseMatrix, options: FactorizeOptions): Promise<Model> {
  return factorize(data, options).catch((error: unknown) => {
    throw asWork(error, options?.signal);
  });
}

function predictorOf(model: Model, rows: FoldedIn | undefined): (row: number, column: number) => number {
  if (!rows) return (row, column) => predictEntry(model, row, column);
  const { V, biases, fit } = model;
  const folded = { U: rows.factor, V, fit, biases: { ...biases, ...(rows.bias && { rows: rows.bias }) } };
  return (row, column) => predictEntry(folded, row, column);
}

function checkTable(data: DenseMatrix): NdArray<RealArray> {
  shapeOf(data as MatrixInput);
  if (!isTriples(data) && !isCompressed(data)) return data as NdArray<RealArray>;
  throw new HadamardError({
    code: 'invalid-input',
    what: 'The table is sparse.',
    rule: 'impute completes a dense ndarray, in which NaN is unknown.',
    remedy: 'Make it dense, or predict the entries that you want with model.predict.',
  });
}

/** Of rows and columns that nothing is known of, those whose cells were filled; folded rows have notes of their own. */
function notesOnUnobserved(model: Model, A: NdArray<RealArray>, isFit: boolean): string[] {
  const [m, n] = A.shape as [number, number];
  const isMissing = (i: number, j: number) => Number.isNaN(A.get(i, j));
  const any = (count: number, test: (t: number) => boolean) => Array.from({ length: count }, (_, t) => t).some(test);
  const filled = { rows: 0, columns: 0 };
  if (isFit)
    for (let i = 0; i < m; i++) if (model.isUnobserved('rows', i) && any(n, (j) => isMissing(i, j))) filled.rows++;
  for (let j = 0; j < n; j++) if (model.isUnobserved('columns', j) && any(m, (i) => isMissing(i, j))) filled.columns++;
  const value = model.biases.kind === 'none' ? '0' : 'the mean and the other bias';
  return (['rows', 'columns'] as const).flatMap((side) => {
    const count = filled[side];
    const have = count === 1 ? `${side.slice(0, -1)} has` : `${side} have`;
    return count === 0
      ? []
      : [`${count} ${have} factor 0, as without observations: what is filled in there is ${value}.`];
  });
}

function noteOn(bounds: Intervals | undefined, isGiven: boolean): string[] {
  if (!bounds) return [];
  const { spread, degrees } = bounds;
  const known = isGiven ? '; V is taken as known' : '';
  return [
    `Intervals assume independent normal errors: s = ${spread.toPrecision(4)} with ${degrees.toPrecision(4)} degrees of freedom${known}.`,
  ];
}
