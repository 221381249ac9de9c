/** The claims of curvature, against the search that recountCurvature makes. */
import {
  type CurvatureLook,
  curvatureSteps,
  curvatureWork,
  failure,
  isMetExactly,
} from '../certificate/curvatureSearch.js';
import type { Model } from '../model/model.js';
import { type Claim, compared, matched, unchecked } from './claim.js';
import { curvatureShapeOf, type RecountedCurvature, recountCurvature } from './recountCurvature.js';
import type { PlainProblem } from './recountHessian.js';

/** How far rounding may move eigenvalues, in units of the largest, where no row's block is near singular. */
const rounding = 1e-6;

/**
 * A minimum is refuted by a direction along which f falls, and a saddle where none is found. Where the fit did not look, what is
 * found is said, and nothing is compared.
 *
 * @param problem undefined where the objective is more than squares and a ridge.
 * @param found f, and what gradients are measured by.
 */
export function claimsOfCurvature(
  { fit }: Model,
  problem: PlainProblem | undefined,
  found: { readonly objective: number; readonly centredNorm: number },
): Claim[] {
  const { curvature, smallestEigenvalue } = fit.certificate;
  if (curvature === undefined) return [];
  const isClaimed = curvature !== 'unknown' || smallestEigenvalue !== undefined;
  const claim = 'certificate.curvature';
  if (!problem) {
    const note = 'no fit looks at it where the objective is more than squares and a ridge';
    return [
      isClaimed ? { claim, said: curvature, found: 'unknown', agrees: false, note } : unchecked(claim, curvature, note),
    ];
  }
  if (!isClaimed && fit.status !== 'converged')
    return [unchecked(claim, curvature, 'the factors are no stationary point, so it would say nothing')];
  const { lambdaRows, lambdaColumns, biasLambda } = fit.options;
  const shape = curvatureShapeOf(problem, { latent: lambdaRows + lambdaColumns > 0, bias: biasLambda > 0 });
  if (curvatureSteps(shape) === 0) {
    const cost = `a search takes ${curvatureWork(shape).toPrecision(2)} operations at the least, and is not affordable`;
    return [unchecked(claim, curvature, cost)];
  }
  const isExact = isMetExactly(found.objective, found.centredNorm);
  const again: RecountedCurvature = isExact
    ? { curvature: 'unknown', looks: [] }
    : recountCurvature(problem, shape, fit.seed);
  if (!isClaimed) {
    const note = isExact
      ? 'f is 0 to rounding, and nothing lies below'
      : 'of a search of its own: the fit says nothing';
    return [{ claim, said: curvature, found: again.curvature, agrees: null, note }];
  }
  const verdict =
    curvature === 'unknown'
      ? { claim, said: curvature, found: again.curvature, agrees: null, note: 'the fit found it too close to call' }
      : matched(claim, curvature, again.curvature);
  return [verdict, ...claimsOfEigenvalues(fit, again)];
}

function claimsOfEigenvalues({ certificate }: Model['fit'], { looks }: RecountedCurvature): Claim[] {
  const { smallestEigenvalue, largestEigenvalue, eigenvalueBound, p } = certificate;
  const slackOf = ({ largest, noise }: CurvatureLook) => rounding * Math.abs(largest) + 16 * noise;
  const [none, ...others] = looks.map((look) =>
    [
      ['smallestEigenvalue', smallestEigenvalue, look.smallest] as const,
      ['largestEigenvalue', largestEigenvalue, look.largest] as const,
      ['eigenvalueBound', eigenvalueBound, look.bound] as const,
    ].flatMap(([name, said, found]) =>
      said === undefined ? [] : [compared(`certificate.${name}`, said, found, slackOf(look))],
    ),
  );
  if (!none) return [];
  const right = (claims: readonly Claim[]) => claims.filter(({ agrees }) => agrees).length;
  // The fit ended its search at one of the looks: that which speaks for it, of the later ones at the least.
  const best = others.reduce((before, next) => (right(next) >= right(before) ? next : before), none);
  return [...best, ...(p === undefined ? [] : [matched('certificate.p', p, failure)])];
}
