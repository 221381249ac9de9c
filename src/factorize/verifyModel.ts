/** Every claim of a model that its data can prove or refute, computed again from both. */
import { certifyGlobally } from '../certificate/globalBound.js';
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { type Orientation, observationsOf } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import { digestOf } from '../model/digest.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { checkNames } from '../options.js';
import { boundBits, boundedParts } from './boundOfFit.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import { measureBaseline } from './layOutTerms.js';
import { asTool } from './like.js';
import { checkedOptionsOf, separableLists } from './modelProblem.js';
import { type Recounted, recount } from './recount.js';
import { partValidation } from './validation.js';

export interface Claim {
  /** As it is named in `model.fit`, such as certificate.globalBound. */
  readonly claim: string;
  readonly said: number | string | null;
  /** null where it was not computed. */
  readonly found: number | string | null;
  /** null where nothing was compared; `note` says why. */
  readonly agrees: boolean | null;
  readonly note?: string;
}

export interface Verification {
  readonly claims: readonly Claim[];
  /** No claim was found to be false. */
  readonly agrees: boolean;
}

export interface VerifyOptions {
  /** The weights of the fit. */
  readonly weights?: WeightsInput | undefined;
}

/**
 * Computes again, in plain float64 and without the kernels, what `model` says of its factors and `data`, which is what it was
 * fitted to: digest, counts, objective, loss, regularization, errors, gradient, the bound of the global optimum and the error of
 * the entries that `holdout` took. A number agrees where the difference is no more than rounding in the model's dtype can make
 * it, and a bound where the one found is no lower. Seconds, sweeps and the trace leave nothing behind that could be checked.
 *
 * @throws HadamardError `shape-mismatch`, and as `factorize` for bad data.
 */
export function verifyModel(model: Model, data: MatrixInput, options: VerifyOptions = {}): Verification {
  checkModel(model);
  checkNames(options, ['weights']);
  const { fit, biases } = model;
  const [m, n] = model.shape;
  const [rows, columns] = shapeOf(data);
  if (rows !== m || columns !== n)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The data is ${rows}×${columns} and the model is ${m}×${n}.`,
      rule: 'A model is verified with the data it was fitted to.',
      remedy: 'Give that data in its whole shape.',
    });
  const digest = digestOf([model.U.data, model.V.data, biases.rows, biases.columns]);
  const claims: Claim[] = [{ claim: 'digest', said: fit.digest, found: digest, agrees: digest === fit.digest }];
  if (fit.updates) {
    claims.push(unchecked('objective', fit.objective, 'rows or columns were changed after the fit that says so'));
    return { claims, agrees: digest === fit.digest };
  }
  const fitted = fittedData(model, data, options.weights);
  const found = recount(model, fitted.byRow, fitted.background, fitted.centredNorm);
  claims.push(...claimsOfObjective(model, found), ...claimsOfGradient(model, found));
  claims.push(...claimsOfBound(model, fitted, found), ...claimsHeldOut(model, fitted), ...claimsLeft(model));
  return { claims, agrees: claims.every(({ agrees }) => agrees !== false) };
}

/** The entries that were fitted, as the fit saw them. */
interface FittedData {
  readonly byRow: Orientation;
  readonly byColumn: Orientation;
  readonly background: SeparableBackground | undefined;
  readonly centredNorm: number;
  readonly held: ReturnType<typeof partValidation>['held'];
}

function fittedData(model: Model, data: MatrixInput, weights: WeightsInput | undefined): FittedData {
  const { options } = model.fit;
  const { rank, like, alpha, holdout } = options;
  const made = asTool(data, { rank, weights, like, alpha } as FactorizeOptions);
  const background = backgroundOf(model);
  // What `like` makes of the values has been made.
  const asked = { ...made.options, like: undefined, validation: undefined, ...(background && { background: 1 }) };
  const checked = { ...checkedOptionsOf(model, {}), holdout };
  const parted = partValidation(made.A, asked as FactorizeOptions, checked);
  const observations = observationsOf(parted.A, parted.weights, options.duplicates, background !== undefined);
  const spec = { loss: lossOf(options.loss), background } as ObjectiveSpec;
  const { centredNorm } = measureBaseline(observations, spec, background?.value ?? 0, false, model.biases.mean);
  return { byRow: observations.byRow, byColumn: observations.byColumn, background, centredNorm, held: parted.held };
}

function backgroundOf({ fit, background, shape: [m, n] }: Model): SeparableBackground | undefined {
  const said = fit.options.background;
  if (!said) return undefined;
  const { value } = said;
  if (said.weight !== 'separable')
    return { rows: new Float64Array(m).fill(said.weight), columns: new Float64Array(n).fill(1), value };
  return { ...separableLists(background), value };
}

function compared(claim: string, said: number, found: number, slack: number): Claim {
  // Sums of many terms are rounded too.
  const isNear = Math.abs(said - found) <= slack + 1e-11 * Math.abs(found);
  return { claim, said, found, agrees: isNear };
}

function unchecked(claim: string, said: number | string | null, note: string): Claim {
  return { claim, said, found: null, agrees: null, note };
}

function claimsOfObjective({ fit }: Model, found: Recounted): Claim[] {
  const { loss, regularization, observed, squares, weightSum, weightedSquares, slack } = found;
  const both = slack.loss + slack.regularization;
  const count = Math.max(observed, 1);
  const weight = Math.max(weightSum, Number.MIN_VALUE);
  return [
    { claim: 'observed', said: fit.observed, found: observed, agrees: fit.observed === observed },
    compared('objective', fit.objective, loss + regularization, both),
    compared('loss', fit.loss, loss, slack.loss),
    compared('regularization', fit.regularization, regularization, slack.regularization),
    compared('certificate.objective', fit.certificate.objective, loss + regularization, both),
    compared('rmse.train', fit.rmse.train, Math.sqrt(squares / count), slack.residual / Math.sqrt(count)),
    compared(
      'rmse.trainWeighted',
      fit.rmse.trainWeighted,
      Math.sqrt(weightedSquares / weight),
      slack.weightedResidual / Math.sqrt(weight),
    ),
  ];
}

function claimsOfGradient({ fit }: Model, found: Recounted): Claim[] {
  const { gradientNorm, relativeGradientNorm, tolerance } = fit.certificate;
  if (fit.options.hold)
    return [
      unchecked('certificate.gradientNorm.U', gradientNorm.U, 'a model does not hold which of its entries were held'),
      unchecked('certificate.gradientNorm.V', gradientNorm.V, 'a model does not hold which of its entries were held'),
    ];
  const { slack } = found;
  const least = Math.max(0, found.relativeGradientNorm - slack.relativeGradientNorm);
  return [
    compared('certificate.gradientNorm.U', gradientNorm.U, found.gradientNorm.U, slack.gradientNorm.U),
    compared('certificate.gradientNorm.V', gradientNorm.V, found.gradientNorm.V, slack.gradientNorm.V),
    compared(
      'certificate.relativeGradientNorm',
      relativeGradientNorm,
      found.relativeGradientNorm,
      slack.relativeGradientNorm,
    ),
    ...(fit.status === 'converged'
      ? [
          {
            claim: 'status',
            said: 'converged',
            found: least <= tolerance ? 'converged' : 'not stationary',
            agrees: least <= tolerance,
          },
        ]
      : []),
  ];
}

function claimsOfBound(model: Model, { byRow, byColumn, background }: FittedData, found: Recounted): Claim[] {
  const { fit, biases, rank, U, V } = model;
  const { options, certificate } = fit;
  const objective = found.loss + found.regularization;
  const has = (side: 'rows' | 'columns') => (biases[side] ? found.biasPenalties[side] : undefined);
  const free = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const bound = certifyGlobally(
    {
      byRow,
      byColumn,
      rank,
      mean: biases.mean,
      predict: (i, j) => {
        let p = (biases.rows?.[i] ?? 0) + (biases.columns?.[j] ?? 0);
        for (let c = 0; c < rank; c++) p += (U.data[i * rank + c] as number) * (V.data[j * rank + c] as number);
        return p;
      },
      penalties: found.penalties,
      biasPenalties: { rows: has('rows'), columns: has('columns') },
      bits: boundBits(fit.seed),
      objective: () => objective,
      ...boundedParts({
        loss: lossOf(options.loss).name,
        hasBackground: background !== undefined,
        freeColumns: options.freeColumns,
        bounds: options.bounds ?? { rows: free, columns: free },
        isHeld: options.hold !== undefined,
        hasL1: options.l1Rows + options.l1Columns > 0,
      }),
    },
    Number.POSITIVE_INFINITY,
  );
  const { globalBound: said, globalGap: saidGap } = certificate;
  const note = bound.globalStatement;
  const slack = 4 * found.slack.loss + found.slack.regularization + 1e-9 * objective;
  if (said === undefined)
    return [{ claim: 'certificate.globalBound', said: null, found: bound.globalBound ?? null, agrees: null, note }];
  const isReached = (bound.globalBound ?? 0) >= said - slack;
  const gap = bound.globalGap ?? Number.POSITIVE_INFINITY;
  return [
    { claim: 'certificate.globalBound', said, found: bound.globalBound ?? null, agrees: isReached, note },
    ...(saidGap === undefined
      ? []
      : [
          {
            claim: 'certificate.globalGap',
            said: saidGap,
            found: Number.isFinite(gap) ? gap : null,
            agrees: gap <= saidGap + (2 * slack) / said,
          },
        ]),
  ];
}

/** √(ΣW²r²/ΣW²) of the entries that were held out. */
function claimsHeldOut(model: Model, { held }: FittedData): Claim[] {
  const { validation, dtype } = model.fit;
  if (!validation) return [];
  if (!held) return [unchecked('validation.rmse', validation.rmse, 'of entries that were given beside the data')];
  let [squares, weight, sizes] = [0, 0, 0];
  for (let t = 0; t < held.values.length; t++) {
    const w = held.weights ? (held.weights[t] as number) : 1;
    const value = held.values[t] as number;
    const p = model.predict(held.rows[t] as number, held.columns[t] as number);
    squares += (w * (value - p)) ** 2;
    sizes += (w * (Math.abs(value) + Math.abs(p))) ** 2;
    weight += w * w;
  }
  const unit = (dtype === 'f32' ? 2 ** -24 : 2 ** -53) * 4 * (model.rank + 8);
  return [compared('validation.rmse', validation.rmse, Math.sqrt(squares / weight), unit * Math.sqrt(sizes / weight))];
}

const known = ['relativeGradientNorm', 'gradientNorm', 'objective', 'tolerance', 'globalBound', 'globalGap'];

/** What is said and not computed again. */
function claimsLeft({ fit }: Model): Claim[] {
  const left = Object.entries(fit.certificate)
    .filter(([name, value]) => !known.includes(name) && name !== 'globalStatement' && value !== undefined)
    .map(([name, value]): Claim => {
      const said = typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
      const note = name === 'monotone' ? 'of the sweeps, which leave no trace in the factors' : 'not computed again';
      return unchecked(`certificate.${name}`, said, note);
    });
  for (const name of ['explained', 'q'] as const)
    if (fit[name] !== undefined) left.push(unchecked(name, JSON.stringify(fit[name]), 'not computed again'));
  return left;
}
