/** How uncertain a fit's factors are, after its last sweep: see `FactorizeOptions.intervals` and model/intervals.ts. */
import type { TrainErrors } from '../certificate/firstOrder.js';
import type { WeightsInput } from '../data/input.js';
import { stretchesOf } from '../data/storedRows.js';
import { HadamardError } from '../errors.js';
import { packedLength } from '../methods/covariancePhase.js';
import { eliminatedSide } from '../methods/reducedPhases.js';
import type { Covariances, UncertaintyReport } from '../model/covariances.js';
import type { CheckedOptions } from '../options.js';
import { alignUp, otherSide, type PerSide, type Side, sides } from '../parallel/layout.js';
import { countOf, countsOf, type FitContext, type PhaseCall, type Totals, unknownsOf } from '../parallel/phase.js';
import type { ObjectiveSpec } from './composition.js';
import { covarianceWork, fullCovariance, mostCovarianceWork } from './fullCovariance.js';

/** Shared memory for the packed covariances of all rows of a side. */
export function covarianceBytes(count: number, width: number): number {
  return alignUp(8 * count * packedLength(width));
}

/** @throws HadamardError `incompatible-options` */
export function checkIntervals({ intervals }: CheckedOptions, { loss, background }: ObjectiveSpec): void {
  if (intervals === undefined || (loss.name === 'quadratic' && !background)) return;
  throw new HadamardError({
    code: 'incompatible-options',
    what: background ? 'The fit has a background.' : `The loss is ${loss.name}.`,
    position: { option: 'intervals' },
    rule: 'Intervals are those of normal errors around weighted squares over the entries that are known.',
    remedy: 'Leave intervals out, or fit weighted squares.',
  });
}

export interface Uncertainty {
  readonly report: UncertaintyReport;
  readonly covariances: Covariances;
}

/**
 * @param address where the covariances of a side stand in the fit's memory.
 * @returns undefined where the data leave no degrees of freedom to measure the errors by.
 */
export async function measureUncertainty(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
  point: PerSide<number>,
  { intervals, noise }: CheckedOptions,
  { observed, weightedSquares }: TrainErrors,
  weights: WeightsInput | undefined,
): Promise<Uncertainty | undefined> {
  if (intervals === undefined) return undefined;
  const given = {
    rows: await givenOther(fit, run, point, 'rows'),
    columns: await givenOther(fit, run, point, 'columns'),
  };
  const counts = countsOf(fit);
  const side = eliminatedSide(counts);
  const work = covarianceWork({ ...fit, counts, pointers: fit.observations[side].pointers }, side);
  const isDetermined = sides.every((each) => !given[each].covariance.some(Number.isNaN));
  const full =
    !fit.terms && isDetermined && work <= mostCovarianceWork
      ? await fullCovariance(fit, point, side, given[side].covariance, pauser())
      : undefined;
  const spent = full?.spent ?? given.rows.spent + given.columns.spent - overlapOf(fit, given);
  const degrees = observed - spent;
  const reducedChiSquare = degrees > 0 ? weightedSquares / degrees : Number.NaN;
  const isKnown = noise === 'weights' || (noise === 'auto' && weights !== undefined && 'sigma' in weights);
  if (!isKnown && !(degrees >= 1)) return undefined;
  const spread = isKnown ? 1 : Math.sqrt(reducedChiSquare);
  const covariance = full?.covariances ?? { rows: given.rows.covariance, columns: given.columns.covariance };
  const scaled = (values: Float64Array) => values.map((value) => spread * spread * value);
  return {
    report: {
      level: intervals,
      kind: full ? 'full' : 'conditional',
      isBiased: sides.some((each) => isShrunk(fit, each)),
      noise: isKnown ? 'weights' : 'residuals',
      spread,
      fittedDegrees: spent,
      residualDegrees: degrees,
      reducedChiSquare: Number.isFinite(reducedChiSquare) ? reducedChiSquare : null,
    },
    covariances: {
      rows: scaled(covariance.rows),
      columns: scaled(covariance.columns),
      columnWeights: columnWeights(fit),
    },
  };
}

interface GivenOther {
  readonly covariance: Float64Array;
  readonly spent: number;
  readonly unknowns: number;
  readonly width: number;
}

/** By the crew: the rows of a side, the other side taken as known. */
async function givenOther(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
  point: PerSide<number>,
  side: Side,
): Promise<GivenOther> {
  const other = otherSide(side);
  const width = unknownsOf(fit, side);
  const { loss, penalty } = await run({
    phase: 'covariance',
    side,
    own: point[side],
    other: point[other],
    out: null,
    address: fit.layout.covariances,
  });
  const length = countOf(fit, side) * packedLength(width);
  // The next side is written to the same place.
  const covariance = new Float64Array(fit.memory.buffer, fit.layout.covariances, length).slice();
  return { covariance, spent: loss, unknowns: penalty, width };
}

/** U·M·Vᵀ and the like are counted by rows and by columns, each as far as λ and bounds leave it free. */
function overlapOf(fit: FitContext, { rows, columns }: PerSide<GivenOther>): number {
  const free = (rows.spent + columns.spent) / Math.max(rows.unknowns + columns.unknowns, 1);
  const gauge = (fit.rank + (fit.isBiasFitted.rows ? 1 : 0)) * (fit.rank + (fit.isBiasFitted.columns ? 1 : 0));
  return gauge * free;
}

function isShrunk(fit: FitContext, side: Side): boolean {
  const { penalties, biasPenalties } = fit.layout.sides[side];
  const lists = [penalties, ...(fit.isBiasFitted[side] ? [biasPenalties] : [])];
  return lists.some((address) => new Float64Array(fit.memory.buffer, address, countOf(fit, side)).some((x) => x > 0));
}

/** Mean W² of each column's entries, or of all where it has none: how well an entry of it would be known. */
function columnWeights(fit: FitContext): Float64Array {
  const { pointers } = fit.observations.columns;
  const n = countOf(fit, 'columns');
  const sums = new Float64Array(n);
  const counts = new Float64Array(n);
  for (const { first, last, start, weights } of stretchesOf(fit.observations.columns))
    for (let j = first, t = (pointers[j] as number) - start; j < last; j++)
      for (; t < (pointers[j + 1] as number) - start; t++) {
        const weight = weights ? (weights[t] as number) : 1;
        sums[j] = (sums[j] as number) + weight * weight;
        if (weight > 0) counts[j] = (counts[j] as number) + 1;
      }
  const total = (list: Float64Array) => list.reduce((sum, value) => sum + value, 0);
  const all = total(sums) / Math.max(total(counts), 1);
  return sums.map((sum, j) => ((counts[j] as number) > 0 ? sum / (counts[j] as number) : all));
}

/** How long the host's event loop may be held. */
const sliceMilliseconds = 8;

function pauser(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < sliceMilliseconds) return;
    await new Promise((resolve) => setImmediate(resolve));
    began = performance.now();
  };
}
