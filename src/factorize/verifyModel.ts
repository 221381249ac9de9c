/** Every claim of a model that its data can prove or refute, computed again from both. */
import { certifyGlobally, distanceInWords } from '../certificate/globalBound.js';
import { residualsOf } from '../certificate/relaxationBound.js';
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import { digestOf } from '../model/digest.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { checkNames } from '../options.js';
import { boundBits, boundedParts } from './boundOfFit.js';
import { type Claim, compared, matched, unchecked } from './claim.js';
import { type FittedData, fittedData } from './fittedData.js';
import { type Recounted, recount } from './recount.js';
import { plainProblem } from './recountHessian.js';
import { claimsOfCurvature } from './verifyCurvature.js';
import { claimsHeldOut, claimsOfExplained, claimsOfQ, claimsOfStarts } from './verifyReports.js';
import { claimsOfUncertainty } from './verifyUncertainty.js';

export type { Claim } from './claim.js';

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
 * fitted to: digest, counts, objective, loss, regularization, errors, gradient and KKT residual, curvature, the bound of the
 * global optimum, the error of the entries that `holdout` took, explained variance, Q and R², degrees of freedom and
 * covariances, the best of many starts. A number agrees where the difference is no more than rounding in the model's dtype can
 * make it, and a bound where the one found is no lower; of a list the number is shown that is furthest off. A saddle is proved by
 * a direction along which f falls, and a minimum by the search of the fit over again. What the way to the factors was (seconds,
 * sweeps, trace, monotone, the other starts) leaves nothing behind that could be checked; every row without an answer says why.
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
  const claims: Claim[] = [matched('digest', fit.digest, digest)];
  if (fit.updates) {
    claims.push(unchecked('objective', fit.objective, 'rows or columns were changed after the fit that says so'));
    return { claims, agrees: digest === fit.digest };
  }
  const fitted = fittedData(model, data, options.weights);
  const found = recount(model, fitted.byRow, fitted.background, fitted.centredNorm);
  const problem = plainProblem(model, fitted, found);
  const objective = found.loss + found.regularization;
  const shapeIn = (of: { rows: number; columns: number; rank: number }) => `${of.rows}×${of.columns}, rank ${of.rank}`;
  claims.push(
    matched('shape', shapeIn(fit), shapeIn({ rows: m, columns: n, rank: model.rank })),
    ...claimsOfObjective(model, found),
    ...claimsOfGradient(model, found),
    ...claimsOfCurvature(model, isComposed(model) ? undefined : problem, { ...fitted, objective }),
    ...claimsOfBound(model, fitted, found),
    ...claimsOfStarts(model, found),
    ...claimsHeldOut(model, fitted),
    ...claimsOfExplained(model, fitted, found),
    ...claimsOfQ(model, fitted),
    ...claimsOfUncertainty(model, problem, fitted, found, isComposed(model)),
    ...claimsLeft(model),
  );
  return { claims, agrees: claims.every(({ agrees }) => agrees !== false) };
}

/** Whether the objective is more than weighted squares and a ridge. */
function isComposed({ fit }: Model): boolean {
  const { loss, background, bounds, hold, l1Rows, l1Columns, freeColumns } = fit.options;
  return loss !== 'quadratic' || Boolean(background || bounds || hold) || l1Rows + l1Columns + freeColumns > 0;
}

function claimsOfObjective({ fit }: Model, found: Recounted): Claim[] {
  const { loss, regularization, observed, squares, weightSum, weightedSquares, slack } = found;
  const both = slack.loss + slack.regularization;
  const count = Math.max(observed, 1);
  const weight = Math.max(weightSum, Number.MIN_VALUE);
  return [
    matched('observed', fit.observed, observed),
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
  const { gradientNorm, relativeGradientNorm, tolerance, kkt } = fit.certificate;
  if (fit.options.hold)
    return [
      ['gradientNorm.U', gradientNorm.U] as const,
      ['gradientNorm.V', gradientNorm.V] as const,
      ['relativeGradientNorm', relativeGradientNorm] as const,
      ['kkt', kkt ?? null] as const,
    ].map(([name, said]) =>
      unchecked(`certificate.${name}`, said, 'a model does not hold which of its entries were held'),
    );
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
    ...(kkt === undefined ? [] : [compared('certificate.kkt', kkt, found.kkt, slack.kkt)]),
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
      residuals: () =>
        residualsOf(byRow, biases.mean, (i, j) => {
          let p = (biases.rows?.[i] ?? 0) + (biases.columns?.[j] ?? 0);
          for (let c = 0; c < rank; c++) p += (U.data[i * rank + c] as number) * (V.data[j * rank + c] as number);
          return p;
        }),
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
  const { globalBound: said, globalGap: saidGap, globalStatement } = certificate;
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
    ...(saidGap === undefined || globalStatement === undefined
      ? []
      : [claimOfStatement(globalStatement, saidGap, gap)]),
  ];
}

/** A statement begins with its gap in words. What is found may differ from it by rounding, and the gap has a row of its own. */
function claimOfStatement(said: string, saidGap: number, foundGap: number): Claim {
  const words = [saidGap, foundGap].map(distanceInWords);
  const agrees = words.some((each) => said.startsWith(`${each}: `));
  return { claim: 'certificate.globalStatement', said, found: words[1] as string, agrees };
}

/** What is said of the way to the factors, which they do not show. */
function claimsLeft({ fit }: Model): Claim[] {
  const { certificate, sweeps, trace, seconds } = fit;
  const way = 'of the way to the factors, which they do not show';
  const total = Object.values(seconds).reduce((sum, part) => sum + part, 0);
  return [
    unchecked('certificate.monotone', String(certificate.monotone), way),
    ...(certificate.escapes === undefined ? [] : [unchecked('certificate.escapes', certificate.escapes, way)]),
    unchecked('sweeps', sweeps, way),
    unchecked('trace', `${trace.length} entries`, way),
    unchecked('seconds', total, 'of a machine and a day'),
  ];
}
