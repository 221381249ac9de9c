/**
 * What a fit says of its factors, computed again from the model and the data: every entry by itself, in plain float64, and with
 * no line of the kernels. O(entries·k), O(mnk) with a background.
 */
import type { RealArray } from '../data/input.js';
import type { Orientation, Survey } from '../data/observations.js';
import type { Model } from '../model/model.js';
import { lossCurvature, lossOf, lossSlope, lossValue } from '../objective/losses.js';
import { gradientProduct, relativeTo } from '../objective/relativeGradient.js';
import { roundingOf } from './claim.js';
import type { SeparableBackground } from './composition.js';
import { shiftOf } from './layOutTerms.js';

export interface Recounted {
  readonly loss: number;
  readonly regularization: number;
  /** Entries of positive weight, their Σr², ΣW² and ΣW²r². */
  readonly observed: number;
  readonly squares: number;
  readonly weightSum: number;
  readonly weightedSquares: number;
  readonly relativeGradientNorm: number;
  readonly gradientNorm: { readonly U: number; readonly V: number };
  /** The largest gradient of a row relative to its right-hand side ‖2b‖, as `certificate.kkt`. */
  readonly kkt: number;
  /** Penalties of each row and column as the objective has them, λs^ν. */
  readonly penalties: { readonly rows: Float64Array; readonly columns: Float64Array };
  readonly biasPenalties: { readonly rows: Float64Array; readonly columns: Float64Array };
  /** How far rounding in the arithmetic of the fit may have moved what it says. */
  readonly slack: {
    readonly loss: number;
    readonly regularization: number;
    /** Of √Σr² and √ΣW²r². */
    readonly residual: number;
    readonly weightedResidual: number;
    readonly relativeGradientNorm: number;
    readonly gradientNorm: { readonly U: number; readonly V: number };
    readonly kkt: number;
  };
}

/**
 * The data of a model in rows, as it was fitted: W on every entry.
 *
 * @param centredNorm what gradients are measured by.
 */
export function recount(
  model: Model,
  { pointers, indices, values, weights }: Orientation,
  background: SeparableBackground | undefined,
  centredNorm: number,
): Recounted {
  const { U, V, biases, fit, rank: k } = model;
  const [m, n] = model.shape;
  const { options } = fit;
  const loss = lossOf(options.loss);
  const [rows, columns] = [sideOf(U.data, m, k, biases.rows), sideOf(V.data, n, k, biases.columns)];
  const unit = roundingOf(model);
  const range = rangeOf(values.subarray(0, pointers[m]));
  // Where there are biases, the middle of all values was taken off each and rounded them: a few units of its own.
  const middle = Math.abs(shiftOf(range, biases.kind !== 'none', { loss })) / (k + 8);
  const sums = { loss: 0, observed: 0, squares: 0, weightSum: 0, weightedSquares: 0 };
  const slack = { loss: 0, squares: 0, weightedSquares: 0 };

  const term = (i: number, j: number, w: number, a: number): { r: number; size: number } => {
    let p = biases.mean + (biases.rows?.[i] ?? 0) + (biases.columns?.[j] ?? 0);
    let size = Math.abs(a) + middle + Math.abs(biases.mean) + Math.abs(p - biases.mean);
    for (let c = 0; c < k; c++) {
      const product = (U.data[i * k + c] as number) * (V.data[j * k + c] as number);
      p += product;
      size += Math.abs(product);
    }
    const slope = lossSlope(loss, w, a, p);
    const steepness = 2 * lossCurvature(loss, w, a, p);
    sums.loss += lossValue(loss, w, a, p);
    slack.loss += unit * size * (Math.abs(slope) + (background ? steepness : unit * steepness) * size);
    // b of the quadratic ω‖z·x‖² − 2b·x that touches the loss here, x the row alone: the rest of p is not its own.
    const right = (rest: number) => (steepness * (p - rest) - slope) / 2;
    const [own, other] = [biases.rows?.[i] ?? 0, biases.columns?.[j] ?? 0];
    addSlope(rows, i, columns, j, slope, unit * steepness * size, right(biases.mean + other));
    addSlope(columns, j, rows, i, slope, unit * steepness * size, right(biases.mean + own));
    return { r: a - p, size };
  };

  const { lambdaScale } = options;
  const isListed = new Uint8Array(n);
  for (let i = 0; i < m; i++) {
    const [first, end] = [pointers[i] as number, pointers[i + 1] as number];
    for (let t = first; t < end; t++) {
      const j = indices[t] as number;
      const w = weights ? (weights[t] as number) : 1;
      if (w === 0) continue;
      const { r, size } = term(i, j, w, values[t] as number);
      sums.observed++;
      sums.squares += r * r;
      sums.weightSum += w * w;
      sums.weightedSquares += (w * r) ** 2;
      slack.squares += size * size;
      slack.weightedSquares += (w * size) ** 2;
      addScale(rows, i, columns, j, lambdaScale === 'weight' ? w * w : 1);
    }
    if (!background) continue;
    isListed.fill(0);
    for (let t = first; t < end; t++) isListed[indices[t] as number] = 1;
    for (let j = 0; j < n; j++) {
      const weight = (background.rows[i] as number) * (background.columns[j] as number);
      // As iALS counts, a background adds its weight for listed entries too.
      if (lambdaScale === 'count' || isListed[j] === 0) addScale(rows, i, columns, j, weight);
      if (isListed[j] === 0) term(i, j, Math.sqrt(weight), background.value);
    }
  }

  const ofRows = measure(rows, model, 'rows', unit);
  const ofColumns = measure(columns, model, 'columns', unit);
  const products = gradientProduct(ofRows.totals) + gradientProduct(ofColumns.totals);
  const regularization = ofRows.penalty + ofColumns.penalty;
  return {
    ...sums,
    regularization,
    relativeGradientNorm: relativeTo(centredNorm, products),
    gradientNorm: { U: ofRows.norm, V: ofColumns.norm },
    kkt: Math.max(ofRows.kkt, ofColumns.kkt),
    penalties: { rows: ofRows.penalties, columns: ofColumns.penalties },
    biasPenalties: { rows: ofRows.biasPenalties, columns: ofColumns.biasPenalties },
    slack: {
      loss: slack.loss,
      regularization: unit * regularization,
      residual: unit * Math.sqrt(slack.squares),
      weightedResidual: unit * Math.sqrt(slack.weightedSquares),
      relativeGradientNorm: relativeTo(centredNorm, ofRows.slack * ofRows.reach + ofColumns.slack * ofColumns.reach),
      gradientNorm: { U: ofRows.slack, V: ofColumns.slack },
      kkt: Math.max(ofRows.kktSlack, ofColumns.kktSlack),
    },
  };
}

function rangeOf(values: RealArray): Pick<Survey, 'valueRange' | 'observed'> {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return { valueRange: [lowest, highest], observed: values.length };
}

/** The sums of one side. */
interface SideSums {
  readonly k: number;
  readonly factor: ArrayLike<number>;
  readonly bias: ArrayLike<number> | undefined;
  readonly gradient: Float64Array;
  readonly biasGradient: Float64Array;
  /** b of each row, and of its bias. */
  readonly right: Float64Array;
  readonly biasRight: Float64Array;
  /** Of each row, how far rounding may have moved its gradient. */
  readonly slack: Float64Array;
  readonly scale: Float64Array;
}

function sideOf(factor: ArrayLike<number>, count: number, k: number, bias: ArrayLike<number> | undefined): SideSums {
  const list = (length: number) => new Float64Array(length);
  return {
    k,
    factor,
    bias,
    gradient: list(count * k),
    biasGradient: list(count),
    right: list(count * k),
    biasRight: list(count),
    slack: list(count),
    scale: list(count),
  };
}

function addSlope(
  own: SideSums,
  i: number,
  other: SideSums,
  j: number,
  slope: number,
  off: number,
  right: number,
): void {
  let squares = own.bias ? 1 : 0;
  for (let c = 0, a = i * own.k, b = j * own.k; c < own.k; c++) {
    const v = other.factor[b + c] as number;
    own.gradient[a + c] = (own.gradient[a + c] as number) + slope * v;
    own.right[a + c] = (own.right[a + c] as number) + right * v;
    squares += v * v;
  }
  own.biasGradient[i] = (own.biasGradient[i] as number) + slope;
  own.biasRight[i] = (own.biasRight[i] as number) + right;
  own.slack[i] = (own.slack[i] as number) + off * Math.sqrt(squares);
}

function addScale(own: SideSums, i: number, other: SideSums, j: number, share: number): void {
  own.scale[i] = (own.scale[i] as number) + share;
  other.scale[j] = (other.scale[j] as number) + share;
}

/** Penalties, and the gradient with theirs: the least slope where a penalty has a kink or a bound is met. */
function measure(
  { k, factor, bias, gradient, biasGradient, right, biasRight, slack, scale }: SideSums,
  { fit }: Model,
  side: 'rows' | 'columns',
  unit: number,
) {
  const { lambdaScale, nu, lambdaRows, lambdaColumns, l1Rows, l1Columns, freeColumns, biasLambda, bounds } =
    fit.options;
  const [lambda, mu] = side === 'rows' ? [lambdaRows, l1Rows] : [lambdaColumns, l1Columns];
  const stored = (bound: number) => (fit.dtype === 'f32' ? Math.fround(bound) : bound);
  const [lower, upper] = [
    stored(bounds?.[side][0] ?? Number.NEGATIVE_INFINITY),
    stored(bounds?.[side][1] ?? Number.POSITIVE_INFINITY),
  ];
  const power = scale.map((s) => (lambdaScale === 'row' ? 1 : s ** nu));
  const totals = { gradientSquared: 0, ownSquared: 0, biasGradientSquared: 0, biasSquared: 0 };
  let penalty = 0;
  let off = 0;
  let kkt = 0;
  let kktSlack = 0;
  for (let i = 0; i < scale.length; i++) {
    const s = power[i] as number;
    let row = (slack[i] as number) ** 2;
    let [squares, size] = [0, 0];
    for (let c = 0; c < k; c++) {
      const x = factor[i * k + c] as number;
      const strength = c < freeColumns ? 0 : s;
      penalty += strength * (lambda * x * x + mu * Math.abs(x));
      const slope = (gradient[i * k + c] as number) + 2 * strength * lambda * x;
      const least = leastSlope(slope, x, strength * mu, lower, upper) ** 2;
      totals.gradientSquared += least;
      squares += least;
      size += (2 * (right[i * k + c] as number)) ** 2;
      totals.ownSquared += x * x;
      row += (unit * strength * (lambda * x + mu)) ** 2;
    }
    const b = bias?.[i];
    if (b !== undefined) {
      penalty += s * biasLambda * b * b;
      const slope = ((biasGradient[i] as number) + 2 * s * biasLambda * b) ** 2;
      totals.biasGradientSquared += slope;
      squares += slope;
      size += (2 * (biasRight[i] as number)) ** 2;
      totals.biasSquared += b * b;
    }
    off += row;
    const most = Math.sqrt(size > 0 ? squares / size : squares);
    kkt = Math.max(kkt, most);
    kktSlack = Math.max(kktSlack, Math.sqrt(size > 0 ? row / size : row) + unit * most);
  }
  return {
    totals: { ...totals, loss: 0, penalty: 0 },
    penalty,
    norm: Math.sqrt(totals.gradientSquared + totals.biasGradientSquared),
    slack: Math.sqrt(off),
    kkt,
    kktSlack,
    reach: Math.sqrt(totals.ownSquared) + Math.sqrt(totals.biasSquared),
    penalties: power.map((s) => lambda * s),
    biasPenalties: power.map((s) => biasLambda * s),
  };
}

/** The element of least magnitude of g + μ∂|x| and the cone of the bounds; 0 where the entry is optimal for itself. */
function leastSlope(g: number, x: number, mu: number, lower: number, upper: number): number {
  const low = x <= lower ? Number.NEGATIVE_INFINITY : g + (x > 0 ? mu : -mu);
  const high = x >= upper ? Number.POSITIVE_INFINITY : g + (x < 0 ? -mu : mu);
  return low > 0 ? low : high < 0 ? high : 0;
}
