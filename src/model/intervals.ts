/**
 * Intervals of predictions, from the covariances that a fit with option `intervals` keeps:
 *
 *     Var(p_ij) = z_jᵀ Σ_{u_i} z_j + y_iᵀ Σ_{v_j} y_i,   z_j = [v_j, 1 where rows have biases], y_i = [u_i, 1 where columns have]
 *
 * and of an observation there s²/W² more. The covariances are those of the whole Gauss–Newton matrix, V moving orthogonally to
 * its gauge, so that what the two terms leave out is of second order; or of each side given the other, where that matrix is
 * too large or the factors have bounds (Y. Chen, J. Fan, C. Ma & Y. Yan, PNAS 116 (2019): to first order the same).
 */
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { normalQuantile, studentQuantile } from '../metrics/quantile.js';
import { checkNames } from '../options.js';
import type { ModelParts } from './parts.js';

export interface PredictIntervalOptions {
  /** The share of cases that the interval is to cover, such as 0.9. */
  readonly interval: number;
  /** The value of the matrix itself (mean, the default), or a new observation of it (observation). */
  readonly of?: 'mean' | 'observation' | undefined;
}

/** lower and upper are prediction ± t·standardError; ∓∞ where the data do not determine the prediction. */
export interface PredictionInterval {
  readonly prediction: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
}

/** The same of several entries. */
export interface PredictionIntervals {
  readonly predictions: Float64Array;
  readonly standardErrors: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export type Intervalled = Pick<ModelParts, 'U' | 'V' | 'biases' | 'fit' | 'covariances'>;

/** @throws HadamardError `invalid-option`, `incompatible-options` for a model without covariances. */
export function intervalOf(model: Intervalled, options: PredictIntervalOptions) {
  checkNames(options, ['interval', 'of']);
  const { interval, of = 'mean' } = options;
  checkShare('interval', interval);
  if (of !== 'mean' && of !== 'observation')
    throw new HadamardError({
      code: 'invalid-option',
      what: `of is ${String(of)}.`,
      position: { option: 'of' },
      rule: 'An interval is of the mean or of an observation.',
      remedy: "Give of: 'mean' or 'observation'.",
    });
  const { standardError, reach } = standardErrors(model, interval);
  return (i: number, j: number, prediction: number): PredictionInterval => {
    const error = standardError(i, j, of);
    const half = error === Number.POSITIVE_INFINITY ? error : reach * error;
    return { prediction, standardError: error, lower: prediction - half, upper: prediction + half };
  };
}

/**
 * Standard errors of predictions, and how many of them an interval of this share is wide on either side: Student's quantile
 * where s was estimated, the normal one where the weights say it.
 */
export function standardErrors(model: Intervalled, share: number) {
  const { covariances, fit, U, V, biases } = model;
  const report = fit.uncertainty;
  if (!covariances || !report) throw noCovariances();
  const rank = U.shape[1] as number;
  const hasBias = { rows: biases.rows !== undefined, columns: biases.columns !== undefined };
  const varianceOfRow = quadraticForm(covariances.rows, V.data, rank, hasBias.rows);
  const varianceOfColumn = quadraticForm(covariances.columns, U.data, rank, hasBias.columns);
  const upper = (1 + share) / 2;
  const reach = report.noise === 'weights' ? normalQuantile(upper) : studentQuantile(upper, report.residualDegrees);
  const meanVariance = (i: number, j: number) => varianceOfRow(i, j) + varianceOfColumn(j, i);
  return {
    reach,
    meanVariance,
    standardError(i: number, j: number, of: 'mean' | 'observation'): number {
      const noise = of === 'mean' ? 0 : report.spread ** 2 / (covariances.columnWeights[j] as number);
      const variance = meanVariance(i, j) + noise;
      return Number.isNaN(variance) ? Number.POSITIVE_INFINITY : Math.sqrt(variance);
    },
  };
}

/** zᵀΣz of row `own`, z being row `other` of the other factor, with a 1 behind where the own side has biases. */
function quadraticForm(packed: Float64Array, factor: RealArray, rank: number, hasBias: boolean) {
  const width = rank + (hasBias ? 1 : 0);
  const length = (width * (width + 1)) / 2;
  return (own: number, other: number): number => {
    let sum = 0;
    for (let c = 0, at = own * length; c < width; c++) {
      const z = c < rank ? (factor[other * rank + c] as number) : 1;
      for (let e = 0; e <= c; e++, at++) {
        const y = e < rank ? (factor[other * rank + e] as number) : 1;
        sum += (e === c ? 1 : 2) * z * y * (packed[at] as number);
      }
    }
    return sum;
  };
}

/** @throws HadamardError `invalid-option` */
export function checkShare(option: string, share: unknown): void {
  if (typeof share === 'number' && share > 0 && share < 1) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `${option} is ${String(share)}.`,
    position: { option },
    rule: `${option} is the share of values to be covered, above 0 and below 1.`,
    remedy: 'Give 0.9 for nine in ten, or leave it out.',
  });
}

function noCovariances(): HadamardError {
  return new HadamardError({
    code: 'incompatible-options',
    what: 'The model has no standard errors.',
    position: { option: 'interval' },
    rule: 'They are kept by a fit with option intervals (--intervals 0.9), and lost when rows are updated.',
    remedy: 'Fit again with intervals: 0.9.',
  });
}
