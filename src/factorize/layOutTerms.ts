/** Brings an objective's parts to the data: its mean and measure, its penalties, and the lists its kernels read. */
import type { RealArray } from '../data/input.js';
import { inSteps } from '../data/inSteps.js';
import type { Survey } from '../data/observations.js';
import {
  entriesOf,
  isWeighted,
  type StoredObservations,
  type StoredOrientation,
  stretchesOf,
} from '../data/storedRows.js';
import { HadamardError } from '../errors.js';
import { lossNumbers } from '../kernels/composed.js';
import { type Dtype, instantiateKernels } from '../kernels/load.js';
import { type Loss, lossValue } from '../objective/losses.js';
import { penaltyScales } from '../objective/scales.js';
import type { CheckedOptions } from '../options.js';
import { otherSide, type PerSide, type Side } from '../parallel/layout.js';
import type { FitContext, FitTerms } from '../parallel/phase.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';

/** ε of l1 in units of the values' median distance from their median, where none is given. */
const relativeEpsilon = 1e-3;

/**
 * Biases take up any constant: without it values keep their digits in f32. The middle of the range does not depend on the
 * order of the entries, as a mean would in its last bit. Labels and counts are what they are.
 */
export function shiftOf(
  { valueRange, observed }: Pick<Survey, 'valueRange' | 'observed'>,
  hasBias: boolean,
  { loss }: Pick<ObjectiveSpec, 'loss'>,
): number {
  if (!hasBias || observed === 0 || loss.name === 'logistic' || loss.name === 'poisson') return 0;
  return valueRange[0] / 2 + valueRange[1] / 2;
}

/** @throws HadamardError `invalid-value` for a value that the loss has no meaning for. */
export function checkValues({ byRow }: StoredObservations, loss: Loss): void {
  if (loss.name !== 'logistic' && loss.name !== 'poisson') return;
  const isAllowed = loss.name === 'logistic' ? (a: number) => a === 1 || a === -1 : (a: number) => a >= 0;
  for (const { first, last, start, indices, values } of stretchesOf(byRow))
    for (let row = first, t = (byRow.pointers[row] as number) - start; row < last; row++)
      for (; t < (byRow.pointers[row + 1] as number) - start; t++)
        if (!isAllowed(values[t] as number)) throw oddValue(row, indices[t] as number, values[t] as number, loss);
}

function oddValue(row: number, column: number, value: number, loss: Loss): HadamardError {
  return new HadamardError({
    code: 'invalid-value',
    what: `The value at (${row}, ${column}) is ${value}.`,
    position: { row, column },
    rule:
      loss.name === 'logistic'
        ? 'Loss logistic takes values of 1 and −1.'
        : 'Loss poisson takes values of 0 and above.',
    remedy:
      loss.name === 'logistic'
        ? 'Write a class as 1 and the other as −1.'
        : 'Leave the entry out, or choose another loss.',
  });
}

export interface Baseline {
  /** The fixed mean: ΣW²A/ΣW² where biases are fitted, the background's part included; else 0. */
  readonly mean: number;
  /** ΣW²r/ΣW² of listed entries, r their distance from the mean, and the root mean square of what r is beyond that. */
  readonly level: number;
  readonly spread: number;
  /** ΣW² of listed entries, and the background's of the others beside. */
  readonly weightSum: number;
  readonly allWeight: number;
  /** The loss at a constant, outliers held in. */
  readonly centredNorm: number;
  readonly settled: Loss;
}

/**
 * Passes in row order, so that the sums do not depend on how the entries were listed.
 *
 * @param knownMean that of a model; the data's own otherwise.
 */
export function measureBaseline(
  { byRow }: StoredObservations,
  { loss, background }: ObjectiveSpec,
  value: number,
  hasBias: boolean,
  knownMean?: number,
): Baseline {
  const { first, weightSum, valueSum, distanceSum, squareSum } = weightedSums(byRow);
  const unlisted = background ? Math.max(0, unlistedWeight(byRow, background)) : 0;
  const weightedMean = weightSum + unlisted > 0 ? (valueSum + unlisted * value) / (weightSum + unlisted) : 0;
  const mean = knownMean ?? (hasBias && loss.name !== 'logistic' ? weightedMean : 0);
  const average = weightSum > 0 ? valueSum / weightSum : 0;
  const spread = weightSum > 0 ? Math.sqrt(Math.max(0, squareSum / weightSum - (distanceSum / weightSum) ** 2)) : 0;
  const at = loss.name === 'poisson' ? Math.max(weightedMean, Number.MIN_VALUE) : mean;
  const settled = settleLoss(loss, byRow);
  const ofUnlisted = unlisted * (loss.name === 'poisson' ? at : (value - at) ** 2);
  // Σ(W(a − at))² of what the sums tell, in place of a pass; not where it is rounding in them.
  const shift = at - first;
  const ofSums = squareSum - 2 * shift * distanceSum + shift * shift * weightSum;
  const isTold = loss.name === 'quadratic' && ofSums > 1e-6 * squareSum;
  const ofListed = isTold ? ofSums : measureOf(settled, byRow, at);
  const norm = ofUnlisted + ofListed;
  const allWeight = weightSum + unlisted;
  // Where a constant fits exactly there is nothing to measure by but the weights.
  const centredNorm = norm > 0 ? norm : allWeight;
  return { mean, level: average - mean, spread, weightSum, allWeight, centredNorm, settled };
}

/** Whether a parameter is still to be made from the values, which takes them all at once. */
export function isUnsettled({ name, parameter }: Loss): boolean {
  return name === 'l1' && !(parameter > 0);
}

/** ε of l1 from the values' spread around their median: outliers are what the loss is chosen for. */
function settleLoss(loss: Loss, byRow: StoredOrientation): Loss {
  const observed = byRow.pointers.at(-1) as number;
  if (!isUnsettled(loss) || observed === 0) return loss;
  const numbers = new Float64Array(observed);
  let at = 0;
  for (const { values } of entriesOf(byRow)) {
    numbers.set(values, at);
    at += values.length;
  }
  const median = medianOf(numbers);
  const spread = medianOf(numbers.map((a) => Math.abs(a - median)));
  return { ...loss, parameter: relativeEpsilon * (spread || Math.abs(median) || 1) };
}

function medianOf(numbers: Float64Array): number {
  numbers.sort();
  return numbers[numbers.length >> 1] as number;
}

/**
 * What gradients are measured by: the loss at a constant. Where large residuals are to count little they do so here as well:
 * a residual counts as at most 2δ (of l1 as at most a thousand ε), or one outlier would pass any gradient for small.
 */
function measureOf(loss: Loss, byRow: StoredOrientation, at: number): number {
  const limit = { huber: 2 * loss.parameter, rawHuber: 2 * loss.parameter, l1: 1000 * loss.parameter };
  const most = loss.name in limit ? limit[loss.name as keyof typeof limit] : Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const { values, weights } of entriesOf(byRow))
    for (let t = 0; t < values.length; t++) {
      const weight = weights ? (weights[t] as number) : 1;
      if (weight === 0) continue;
      const a = values[t] as number;
      const reach = loss.name === 'huber' ? most / weight : most;
      sum += lossValue(loss, weight, a, Math.max(a - reach, Math.min(a + reach, at)));
    }
  return sum;
}

interface WeightedSums {
  readonly first: number;
  weightSum: number;
  valueSum: number;
  distanceSum: number;
  squareSum: number;
}

/** ΣW², ΣW²a, and ΣW²d and ΣW²d² of the distances d from the first entry: a spread around a large average is not lost in its square. */
function weightedSums(byRow: StoredOrientation): WeightedSums {
  const sums = { first: 0, weightSum: 0, valueSum: 0, distanceSum: 0, squareSum: 0 };
  let isBegun = false;
  for (const { values, weights } of entriesOf(byRow)) {
    if (!isBegun && values.length > 0) {
      sums.first = values[0] as number;
      isBegun = true;
    }
    inSteps(values.length, (from, to) => addSums(sums, values.subarray(from, to), weights?.subarray(from, to)));
  }
  return sums;
}

function addSums(to: WeightedSums, values: RealArray, weights: RealArray | undefined): void {
  let { weightSum, valueSum, distanceSum, squareSum } = to;
  const { first } = to;
  for (let t = 0; t < values.length; t++) {
    const weight = weights ? (weights[t] as number) : 1;
    const value = values[t] as number;
    const distance = weight * (value - first);
    weightSum += weight * weight;
    valueSum += weight * weight * value;
    distanceSum += weight * distance;
    squareSum += distance * distance;
  }
  Object.assign(to, { weightSum, valueSum, distanceSum, squareSum });
}

/** ΣΣ r_i c_j over entries that are not listed. */
function unlistedWeight(byRow: StoredOrientation, background: SeparableBackground): number {
  const sum = (list: Float64Array) => list.reduce((total, weight) => total + weight, 0);
  return sum(background.rows) * sum(background.columns) - listedWeight(byRow, background);
}

function listedWeight(byRow: StoredOrientation, background: SeparableBackground): number {
  const { pointers } = byRow;
  const c = background.columns[0] ?? 0;
  let listed = 0;
  // Where columns weigh the same, a row's entries need not be looked at.
  if (background.columns.every((weight) => weight === c)) {
    background.rows.forEach((r, row) => {
      listed += r * c * ((pointers[row + 1] as number) - (pointers[row] as number));
    });
    return listed;
  }
  for (const { first, last, start, indices } of stretchesOf(byRow))
    for (let row = first, t = (pointers[row] as number) - start; row < last; row++)
      for (; t < (pointers[row + 1] as number) - start; t++)
        listed += (background.rows[row] as number) * (background.columns[indices[t] as number] as number);
  return listed;
}

/** What λ and μ of each row of a side are multiplied by. */
export function scaleOf(
  fit: FitContext,
  side: Side,
  { lambdaScale, nu }: CheckedOptions,
  { background }: ObjectiveSpec,
  hasExcluded: boolean,
): Float64Array {
  const other = otherSide(side);
  return penaltyScales(
    fit.observations[side],
    lambdaScale,
    powerOf(fit, nu),
    hasExcluded,
    background && {
      own: background[side],
      other: background[other],
      otherSum: background[other].reduce((sum, weight) => sum + weight, 0),
    },
  );
}

/** x^ν without the host's pow, whose last bit differs from one Node version to the next. */
function powerOf(fit: FitContext, nu: number): (base: number) => number {
  if (nu === 1) return (base) => base;
  if (nu === 0) return () => 1;
  if (nu === 0.5) return Math.sqrt;
  const { exp64, log64 } = instantiateKernels(fit.module, fit.memory);
  return (base) => (base > 0 ? exp64(nu * log64(base)) : 0);
}

/** The objective, its loss settled, as the kernels take it. Bounds are numbers of the factor's precision, so that they can be met. */
export function fitTerms(
  { loss, bounds, background, l1, freeColumns, hold }: ObjectiveSpec,
  value: number,
  dtype: Dtype,
  isFull: boolean,
  largestWeight: number,
): FitTerms {
  const stored = ([lower, upper]: readonly [number, number]) =>
    dtype === 'f32' ? ([Math.fround(lower), Math.fround(upper)] as const) : ([lower, upper] as const);
  return {
    loss: lossNumbers[loss.name],
    lossParameter: loss.parameter,
    bounds: { rows: stored(bounds.rows), columns: stored(bounds.columns) },
    hasGram: isFull || background !== undefined,
    isFull,
    isSquares:
      loss.name === 'quadratic' &&
      background !== undefined &&
      ![...bounds.rows, ...bounds.columns].some(Number.isFinite) &&
      l1.rows + l1.columns + freeColumns === 0 &&
      !hold.rows &&
      !hold.columns,
    fitsSingle: background === undefined || isWithinSingle(background, largestWeight),
    value,
  };
}

/** W² and r·c that f32 has room for, their products with squares of values too. */
const singleRange = [1e-12, 1e12] as const;

function isWithinSingle({ rows, columns }: SeparableBackground, largestWeight: number): boolean {
  const largest = (list: Float64Array) => list.reduce((most, weight) => Math.max(most, weight), 0);
  const background = largest(rows) * largest(columns);
  const most = Math.max(background, largestWeight ** 2);
  return most <= singleRange[1] && (background === 0 || background >= singleRange[0]);
}

/**
 * r and c where every entry is listed and W² = r_i·c_j (so all 1 without weights): then one Gram matrix serves all rows of a
 * side, as in the factorization of a full matrix without weights.
 */
export function sharedWeights(
  { byRow, rows, columns, observed }: StoredObservations,
  { loss, background }: ObjectiveSpec,
): PerSide<Float64Array> | undefined {
  if (loss.name !== 'quadratic' || background || observed !== rows * columns) return undefined;
  // As many entries may be listed where some are listed twice and others are missing.
  for (const { indices } of entriesOf(byRow)) if (!isEveryColumn(indices, columns)) return undefined;
  const r = new Float64Array(rows).fill(1);
  const c = new Float64Array(columns).fill(1);
  if (!isWeighted(byRow)) return { rows: r, columns: c };
  for (const { first, last, start, weights } of stretchesOf(byRow)) {
    const at = (row: number, column: number) => (weights as RealArray)[row * columns + column - start] as number;
    if (first === 0) for (let j = 0; j < columns; j++) c[j] = (at(0, j) / at(0, 0)) ** 2;
    for (let i = first; i < last; i++) {
      r[i] = at(i, 0) ** 2;
      for (let j = 0; j < columns; j++) {
        const product = (r[i] as number) * (c[j] as number);
        if (!(Math.abs(at(i, j) ** 2 - product) <= 1e-14 * product)) return undefined;
      }
    }
  }
  return { rows: r, columns: c };
}

/** Whether they are 0 … columns−1, again and again; a stretch is of whole rows. */
function isEveryColumn(indices: Uint32Array, columns: number): boolean {
  for (let t = 0, column = 0; t < indices.length; t++, column++) {
    if (column === columns) column = 0;
    if (indices[t] !== column) return false;
  }
  return true;
}

/** Fills the lists that the layout has set aside for a side. */
export function writeTermLists(
  fit: FitContext,
  side: Side,
  objective: ObjectiveSpec,
  scales: Float64Array,
  shared: PerSide<Float64Array> | undefined,
): void {
  const { terms: addresses, gram } = fit.layout.sides[side];
  if (!addresses) return;
  const { buffer } = fit.memory;
  const { background, l1, freeColumns, hold } = objective;
  const weights = background?.[side] ?? shared?.[side];
  if (weights && gram) new Float64Array(buffer, gram.weights, scales.length).set(weights);
  if (addresses.l1) new Float64Array(buffer, addresses.l1, scales.length).set(scales.map((scale) => l1[side] * scale));
  new Float64Array(buffer, addresses.residuals, scales.length).fill(0);
  new Float64Array(buffer, addresses.multiples, fit.stride).fill(1).fill(0, 0, freeColumns);
  const held = hold[side];
  if (!held || !addresses.held) return;
  const mask = new Uint8Array(buffer, addresses.held, scales.length * fit.stride).fill(0);
  for (let row = 0; row < scales.length; row++)
    for (let c = 0; c < fit.rank; c++) if (!Number.isNaN(held.get(row, c))) mask[row * fit.stride + c] = 1;
}

/** s_i/√S, s being the ΣW² of this side's rows and S of all: entries would weigh the products if rows and columns were independent. */
export function writeExpectedWeights(fit: FitContext, side: Side): void {
  const { gram } = fit.layout.sides[side];
  if (!gram) return;
  const stored = fit.observations[side];
  const sums = penaltyScales(stored, isWeighted(stored) ? 'weight' : 'count', (sum) => sum, false, undefined);
  const all = Math.sqrt(sums.reduce((total, sum) => total + sum, 0)) || 1;
  new Float64Array(fit.memory.buffer, gram.weights, sums.length).set(sums.map((sum) => sum / all));
}
