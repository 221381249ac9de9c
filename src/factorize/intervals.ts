/** Prediction intervals of missing entries, from the spread of the residuals and the leverage of rows and columns; see `impute`. */
import { shapeOf } from '../data/entries.js';
import { isCompressed, isTriples } from '../data/forms.js';
import type { DenseMatrix, RealArray, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { studentQuantile } from '../metrics/quantile.js';
import { standardErrors } from '../model/intervals.js';
import type { Model } from '../model/model.js';
import { type Beside, type BesideOptions, solveBeside } from './beside.js';
import { dot, leverageBy, rowQuadratic } from './rowQuadratic.js';

export interface Intervals {
  /** m×n, NaN where a value was given. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** s: the standard deviation of an error is s/W. */
  readonly spread: number;
  /** N − ν */
  readonly degrees: number;
}

/** Of the table that the model was fitted to, with option intervals. @throws HadamardError `incompatible-options` */
export function fittedIntervals(
  model: Model,
  completed: Float64Array,
  isMissing: (index: number) => boolean,
  share: number,
  weights: WeightsInput | undefined,
): Intervals {
  const { uncertainty, observed } = model.fit;
  if (!uncertainty || !model.covariances) throw nothingLeft(observed);
  const { spread, residualDegrees } = uncertainty;
  const { meanVariance, reach } = standardErrors(model, share);
  const [, n] = model.shape;
  const variances = missingVariances(n, weights, model.covariances.columnWeights);
  const bounds = boundsOf(completed, (t) => {
    if (!isMissing(t)) return Number.NaN;
    const variance = meanVariance(Math.floor(t / n), t % n);
    return (
      reach * (Number.isNaN(variance) ? Number.POSITIVE_INFINITY : Math.sqrt(variance + spread ** 2 * variances(t)))
    );
  });
  return { ...bounds, spread, degrees: residualDegrees };
}

/**
 * Of rows that are folded in, V as known, or as uncertain as the model says.
 *
 * @param completed the table with its predictions.
 * @throws HadamardError `incompatible-options`
 */
export async function foldedIntervals(
  model: Model,
  data: DenseMatrix,
  completed: Float64Array,
  share: number,
  options: BesideOptions,
): Promise<Intervals> {
  const { loss, background } = model.fit.options;
  if (loss !== 'quadratic' || background)
    throw noIntervals(
      background ? 'The model has a background.' : `The loss is ${loss}.`,
      'Intervals are those of normal errors around weighted squares over the entries that are known.',
    );
  const own = await solveBeside(model, data, { ...options, side: 'rows' }, async (beside) =>
    sumLeverage(model, data, beside),
  );
  const degrees = own.observed - own.spent;
  if (!(degrees >= 1)) throw nothingLeft(own.observed, own.spent);
  const spread = Math.sqrt(own.squares / degrees);
  const reach = studentQuantile((1 + share) / 2, degrees);
  const variances = missingVariances(model.shape[1], options.weights, own.columnWeights);
  const bounds = boundsOf(completed, (t) => reach * spread * Math.sqrt((own.missing[t] as number) + variances(t)));
  return { ...bounds, spread, degrees };
}

/** Bounds at ±half(t) around each prediction; NaN where that is. */
function boundsOf(completed: Float64Array, half: (index: number) => number) {
  const halves = completed.map((_, t) => half(t));
  return {
    lower: completed.map((p, t) => p - (halves[t] as number)),
    upper: completed.map((p, t) => p + (halves[t] as number)),
  };
}

interface Leverage {
  /** zᵀH⁻¹z of each missing entry, m×n; NaN where a value was given. */
  readonly missing: Float64Array;
  /** ΣW²zᵀH⁻¹z over the entries known. */
  readonly spent: number;
  readonly observed: number;
  /** ΣW²r² */
  readonly squares: number;
  /** Mean W² of each column's known entries, or of all where it has none. */
  readonly columnWeights: Float64Array;
}

function sumLeverage(model: Model, data: DenseMatrix, beside: Beside): Leverage {
  const [m, n] = shapeOf(data);
  const table = data as { get(i: number, j: number): number };
  const missing = new Float64Array(m * n).fill(Number.NaN);
  const sums = { spent: 0, observed: 0, squares: 0 };
  const weightSums = new Float64Array(n);
  const counts = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    const quadratic = rowQuadratic(beside, i, model.biases.mean);
    const { x, entries, designOf } = quadratic;
    const measure = leverageBy(quadratic);
    const leverage = (j: number) => measure(designOf(j));
    for (const { other: j, curvature, right } of entries) {
      sums.spent += curvature * leverage(j);
      // W(a − o − p) from W²(a − o).
      sums.squares += (right / curvature - dot(designOf(j), x)) ** 2 * curvature;
      sums.observed++;
      weightSums[j] = (weightSums[j] as number) + curvature;
      counts[j] = (counts[j] as number) + 1;
    }
    for (let j = 0; j < n; j++) if (Number.isNaN(table.get(i, j))) missing[i * n + j] = leverage(j);
  }
  const all = weightSums.reduce((sum, weight) => sum + weight, 0) / Math.max(sums.observed, 1);
  const columnWeights = weightSums.map((sum, j) => ((counts[j] as number) > 0 ? sum / (counts[j] as number) : all));
  return { ...sums, missing, columnWeights };
}

/** 1/W² in the place of a missing entry: as the weights say there, else by its column. */
function missingVariances(
  n: number,
  weights: WeightsInput | undefined,
  columnWeights: Float64Array,
): (index: number) => number {
  const [kind, values] = Object.entries(weights ?? {}).find(([, given]) => given !== undefined) ?? [];
  const isDense = values !== undefined && !isTriples(values) && !isCompressed(values);
  const given = (index: number): number => {
    if (!isDense) return Number.NaN;
    if (ArrayBuffer.isView(values)) return (values as RealArray)[index] as number;
    return (values as { get(i: number, j: number): number }).get(Math.floor(index / n), index % n);
  };
  const variance = {
    sqrtWeight: (w: number) => 1 / (w * w),
    weight: (w: number) => 1 / w,
    sigma: (w: number) => w * w,
  };
  return (index) => {
    const own = variance[(kind ?? 'weight') as keyof typeof variance](given(index));
    return own > 0 && Number.isFinite(own) ? own : 1 / (columnWeights[index % n] as number);
  };
}

function nothingLeft(observed: number, spent?: number): HadamardError {
  return noIntervals(
    `There are ${observed} values, and the fit takes ${spent === undefined ? 'as many' : spent.toPrecision(4)} degrees of freedom.`,
    'What is left over of the values measures their errors, and nothing is left.',
  );
}

function noIntervals(what: string, rule: string): HadamardError {
  return new HadamardError({
    code: 'incompatible-options',
    what,
    position: { option: 'intervals' },
    rule,
    remedy: 'Leave intervals out, lower the rank, or fit weighted squares.',
  });
}
