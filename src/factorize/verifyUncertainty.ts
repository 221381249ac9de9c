/** The claims of a fit with option `intervals`: degrees of freedom, reduced χ², and the covariances that intervals are made of. */
import { packedLength } from '../methods/covariancePhase.js';
import { eliminatedSide } from '../methods/reducedPhases.js';
import type { UncertaintyReport } from '../model/covariances.js';
import type { Model } from '../model/model.js';
import { type Side, sides } from '../parallel/layout.js';
import { type Claim, compared, furthest, matched, unchecked } from './claim.js';
import type { FittedData } from './fittedData.js';
import { covarianceWork, mostCovarianceWork } from './fullCovariance.js';
import type { Recounted } from './recount.js';
import { conditionalCovariance, type RecountedCovariance, wholeCovariance } from './recountCovariance.js';
import { isPenalised, type PlainProblem } from './recountHessian.js';

/** Beyond such a share rounding has made too much of what is found. */
const mostRounding = 1e-3;
const nearSingular =
  'rounding could be as large as what is said: some rows or columns are hardly determined, or their scales far apart';

/** Of the numbers that the covariances are made of: weights in f32 are rounded, where they are not 1. */
function roundingIn({ fit }: Model, { byRow: { weights } }: FittedData): number {
  return fit.dtype === 'f32' && weights?.some((w) => w !== Math.fround(w)) ? 2 ** -22 : 2 ** -50;
}

/** @param isComposed whether the objective is more than squares and a ridge: bounds, L1, free columns or held entries. */
export function claimsOfUncertainty(
  model: Model,
  problem: PlainProblem,
  data: FittedData,
  found: Recounted,
  isComposed: boolean,
): Claim[] {
  const { uncertainty: said, options } = model.fit;
  if (!said) return [];
  if (options.hold)
    return [unchecked('uncertainty', said.kind, 'a model does not hold which of its entries were held')];
  const { counts } = problem;
  const side = eliminatedSide(counts);
  const conditional = conditionalCovariance(problem, freeUnknowns(model, problem));
  const isDetermined = sides.every((each) => !conditional.covariances[each].some(Number.isNaN));
  const { pointers } = side === 'rows' ? data.byRow : data.byColumn;
  const isAffordable = covarianceWork({ ...problem, counts, pointers }, side) <= mostCovarianceWork;
  const full = !isComposed && isDetermined && isAffordable ? wholeCovariance(problem, side, conditional) : undefined;
  const again = full ?? conditional;
  const rounding = roundingIn(model, data) * again.cancellation;
  const isRough = !(rounding <= mostRounding);
  // Without a penalty degrees of freedom are a number of pivots, and rounding does not reach it.
  const isCounted = !isPenalised(problem);
  if (again.doubtful > 0 || (isRough && !isCounted)) return [unchecked('uncertainty', said.kind, nearSingular)];
  return [
    matched('uncertainty.kind', said.kind, full ? 'full' : 'conditional'),
    ...claimsOfReport(model, said, problem, data, found, again.spent, isCounted ? 0 : rounding),
    ...(isRough
      ? [unchecked('covariances', said.kind, nearSingular)]
      : claimsOfCovariances(model, problem, data, said, again, rounding)),
  ];
}

function claimsOfReport(
  { fit }: Model,
  said: UncertaintyReport,
  problem: PlainProblem,
  { weights }: FittedData,
  { observed, weightedSquares, slack }: Recounted,
  spent: number,
  rounding: number,
): Claim[] {
  const degrees = observed - spent;
  const degreesSlack = (1e-6 + rounding) * Math.max(spent, 1);
  const chi = degrees > 0 ? weightedSquares / degrees : null;
  const root = Math.sqrt(weightedSquares);
  const chiSlack =
    (slack.weightedResidual * (2 * root + slack.weightedResidual)) / degrees + ((chi ?? 0) * degreesSlack) / degrees;
  const noise = noiseOf(fit.options.noise, weights);
  const spread = said.noise === 'weights' ? 1 : Math.sqrt(chi ?? Number.NaN);
  return [
    compared('uncertainty.fittedDegrees', said.fittedDegrees, spent, degreesSlack),
    compared('uncertainty.residualDegrees', said.residualDegrees, degrees, degreesSlack),
    said.reducedChiSquare === null || chi === null
      ? {
          claim: 'uncertainty.reducedChiSquare',
          said: said.reducedChiSquare,
          found: chi,
          agrees: said.reducedChiSquare === chi,
        }
      : compared('uncertainty.reducedChiSquare', said.reducedChiSquare, chi, chiSlack),
    matched('uncertainty.isBiased', String(said.isBiased), String(isPenalised(problem))),
    noise === undefined
      ? unchecked(
          'uncertainty.noise',
          said.noise,
          'it follows from how the weights were given to the fit, which the data does not show',
        )
      : matched('uncertainty.noise', said.noise, noise),
    compared('uncertainty.spread', said.spread, spread, said.noise === 'weights' ? 0 : chiSlack / (2 * spread || 1)),
  ];
}

/** Undefined where it depends on how the weights of the fit were given, and they were given in another way now. */
function noiseOf(option: string, weights: FittedData['weights']): 'weights' | 'residuals' | undefined {
  if (option === 'weights') return 'weights';
  if (option === 'residuals' || weights === undefined) return 'residuals';
  return 'sigma' in weights ? 'weights' : undefined;
}

/** What is at no bound, and not kept at 0 by L1. */
function freeUnknowns({ fit }: Model, { factors, rank, stride }: PlainProblem) {
  const { bounds, l1Rows, l1Columns } = fit.options;
  const stored = (bound: number | null | undefined, none: number) =>
    fit.dtype === 'f32' ? Math.fround(bound ?? none) : (bound ?? none);
  const l1 = { rows: l1Rows, columns: l1Columns };
  return (side: Side, row: number, c: number): boolean => {
    if (c >= rank) return true;
    const x = factors[side][row * stride + c] as number;
    const [lower, upper] = [
      stored(bounds?.[side][0], Number.NEGATIVE_INFINITY),
      stored(bounds?.[side][1], Number.POSITIVE_INFINITY),
    ];
    return x > lower && x < upper && !(l1[side] > 0 && x === 0);
  };
}

/** Of each list the number that is furthest off, in units of the standard errors it belongs to. */
function claimsOfCovariances(
  { covariances, fit }: Model,
  { widths }: PlainProblem,
  { byColumn }: FittedData,
  { spread }: UncertaintyReport,
  again: RecountedCovariance,
  rounding: number,
): Claim[] {
  if (!covariances) return [];
  const share = (fit.dtype === 'f32' ? 1e-5 : 1e-6) + rounding;
  const claims = sides.map((side): Claim => {
    const found = again.covariances[side].map((value) => spread * spread * value);
    const length = packedLength(widths[side]);
    const slacks = found.map((_, at) => {
      const [c, e] = placeOf(at % length);
      const variance = (of: number) => found[at - (at % length) + packedLength(of) + of] as number;
      return share * Math.sqrt(variance(c) * variance(e)) + rounding * spread * spread * again.largest[side];
    });
    const name = side === 'rows' ? 'row' : 'column';
    const nameOf = (at: number) => `${name} ${Math.floor(at / length)}`;
    return furthest(`covariances.${side}`, covariances[side], found, (at) => slacks[at] as number, nameOf);
  });
  const weights = columnWeights(byColumn);
  const slackOf = (j: number) => (fit.dtype === 'f32' ? 1e-6 : 1e-12) * (weights[j] as number);
  return [
    ...claims,
    furthest('covariances.columnWeights', covariances.columnWeights, weights, slackOf, (j) => `column ${j}`),
  ];
}

/** Row and column of a place in a packed lower triangle. */
function placeOf(place: number): [c: number, e: number] {
  let c = 0;
  while (packedLength(c + 1) <= place) c++;
  return [c, place - packedLength(c)];
}

/** Mean W² of each column's entries, or of all where it has none. */
function columnWeights({ pointers, weights }: FittedData['byColumn']): number[] {
  const sums = { weight: 0, count: 0 };
  const means = Array.from({ length: pointers.length - 1 }, (_, j) => {
    let [weight, count] = [0, 0];
    for (let t = pointers[j] as number; t < (pointers[j + 1] as number); t++) {
      const w = weights ? (weights[t] as number) : 1;
      weight += w * w;
      if (w > 0) count++;
    }
    sums.weight += weight;
    sums.count += count;
    return count > 0 ? weight / count : undefined;
  });
  return means.map((mean) => mean ?? sums.weight / Math.max(sums.count, 1));
}
