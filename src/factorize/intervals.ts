/** Prediction intervals of missing entries, from the spread of the residuals and the leverage of rows and columns; see `impute`. */
import { shapeOf } from '../data/entries.js';
import { isCompressed, isTriples } from '../data/forms.js';
import type { DenseMatrix, RealArray, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { studentQuantile } from '../metrics/quantile.js';
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

/**
 * @param completed the table with its predictions.
 * @param isFitted the table is what the model was fitted to, so that its columns are uncertain as well.
 * @throws HadamardError `incompatible-options`
 */
export async function predictionIntervals(
  model: Model,
  data: DenseMatrix,
  completed: Float64Array,
  share: number,
  options: BesideOptions,
  isFitted: boolean,
): Promise<Intervals> {
  const { loss, background } = model.fit.options;
  if (loss !== 'quadratic' || background)
    throw noIntervals(
      background ? 'The model has a background.' : `The loss is ${loss}.`,
      'Intervals are those of normal errors around weighted squares over the entries that are known.',
    );
  const measured = [await leverageOf(model, data, { ...options, side: 'rows' })];
  if (isFitted) measured.push(await leverageOf(model, data, { ...options, side: 'columns' }));
  const [first] = measured as [Leverage];
  const spent = measured.reduce((sum, { spent }) => sum + spent, 0) - (isFitted ? overlapOf(measured) : 0);
  const degrees = first.observed - spent;
  if (!(degrees >= 1))
    throw noIntervals(
      `There are ${first.observed} values, and the fit takes ${spent.toPrecision(4)} degrees of freedom.`,
      'What is left over of the values measures their errors, and nothing is left.',
    );
  const spread = Math.sqrt(first.squares / degrees);
  const reach = spread * studentQuantile((1 + share) / 2, degrees);
  const variances = missingVariances(data, options.weights, first.columnWeights);
  const lower = new Float64Array(completed.length).fill(Number.NaN);
  const upper = lower.slice();
  for (let t = 0; t < completed.length; t++) {
    const leverage = measured.reduce((sum, { missing }) => sum + (missing[t] as number), variances(t));
    if (Number.isNaN(leverage)) continue;
    const half = reach * Math.sqrt(leverage);
    lower[t] = (completed[t] as number) - half;
    upper[t] = (completed[t] as number) + half;
  }
  return { lower, upper, spread, degrees };
}

interface Leverage {
  /** zᵀH⁻¹z of each missing entry, m×n; NaN where a value was given. */
  readonly missing: Float64Array;
  /** ΣW²zᵀH⁻¹z over the entries known, how many unknowns are free, and of how many a row consists. */
  readonly spent: number;
  readonly unknowns: number;
  readonly width: number;
  readonly observed: number;
  /** ΣW²r² */
  readonly squares: number;
  /** Mean W² of each column's known entries, or of all where it has none. */
  readonly columnWeights: Float64Array;
}

async function leverageOf(model: Model, data: DenseMatrix, options: BesideOptions): Promise<Leverage> {
  return solveBeside(model, data, options, async (beside) => sumLeverage(model, data, beside));
}

function sumLeverage(model: Model, data: DenseMatrix, beside: Beside): Leverage {
  const { side } = beside;
  const [m, n] = shapeOf(data);
  const at = (own: number, j: number) => (side === 'rows' ? own * n + j : j * n + own);
  const table = data as { get(i: number, j: number): number };
  const missing = new Float64Array(m * n).fill(Number.NaN);
  const [count, length] = side === 'rows' ? [m, n] : [n, m];
  const sums = { spent: 0, unknowns: 0, width: 0, observed: 0, squares: 0 };
  const weightSums = new Float64Array(n);
  const counts = new Float64Array(n);
  for (let own = 0; own < count; own++) {
    const quadratic = rowQuadratic(beside, own, model.biases.mean);
    const { width, x, entries, free, designOf } = quadratic;
    const measure = leverageBy(quadratic);
    const leverage = (j: number) => measure(designOf(j));
    for (const { other: j, curvature, right } of entries) {
      sums.spent += curvature * leverage(j);
      // W(a − o − p) from W²(a − o).
      sums.squares += (right / curvature - dot(designOf(j), x)) ** 2 * curvature;
      sums.observed++;
      const column = side === 'rows' ? j : own;
      weightSums[column] = (weightSums[column] as number) + curvature;
      counts[column] = (counts[column] as number) + 1;
    }
    sums.unknowns += entries.length > 0 ? free.length : 0;
    sums.width = width;
    for (let j = 0; j < length; j++) {
      const [row, column] = side === 'rows' ? [own, j] : [j, own];
      if (Number.isNaN(table.get(row, column))) missing[at(own, j)] = leverage(j);
    }
  }
  const all = weightSums.reduce((sum, weight) => sum + weight, 0) / Math.max(sums.observed, 1);
  const columnWeights = weightSums.map((sum, j) => ((counts[j] as number) > 0 ? sum / (counts[j] as number) : all));
  return { ...sums, missing, columnWeights };
}

/** U·M·Vᵀ and the like are counted by rows and by columns, each as far as λ leaves it free. */
function overlapOf(measured: readonly Leverage[]): number {
  const [rows, columns] = measured as [Leverage, Leverage];
  const free = (rows.spent + columns.spent) / Math.max(rows.unknowns + columns.unknowns, 1);
  return rows.width * columns.width * free;
}

/** 1/W² in the place of a missing entry: as the weights say there, else by its column. */
function missingVariances(
  data: DenseMatrix,
  weights: WeightsInput | undefined,
  columnWeights: Float64Array,
): (index: number) => number {
  const [, n] = shapeOf(data);
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

function noIntervals(what: string, rule: string): HadamardError {
  return new HadamardError({
    code: 'incompatible-options',
    what,
    position: { option: 'intervals' },
    rule,
    remedy: 'Leave intervals out, lower the rank, or fit weighted squares.',
  });
}
