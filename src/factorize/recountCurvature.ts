/** The curvature of f at a model's factors: the search of the certificate, its products made by the plain Hessian. */
import {
  type CurvatureLook,
  type CurvatureShape,
  curvatureOf,
  curvatureSteps,
  isBoundNear,
  searchCurvature,
} from '../certificate/curvatureSearch.js';
import { answered } from '../certificate/lanczos.js';
import { norm, scale } from '../kernels/vectors.js';
import { strideOf } from '../parallel/layout.js';
import { normalAt, streams } from '../starts/random.js';
import { along, halfHessianProduct, type PlainProblem, plainBlockNorm } from './recountHessian.js';

export interface RecountedCurvature {
  readonly curvature: 'minimum' | 'saddle' | 'unknown';
  /** After every ten steps and at the end: what a search that ends there has found. */
  readonly looks: readonly CurvatureLook[];
}

/** What f is not known better than, relative. */
const rounding = 1e-13;

/** What the cost of the search follows from, as for the fit. */
export function curvatureShapeOf(
  { counts, rank, isBiasFitted, byRow, stride }: PlainProblem,
  isPenalised: CurvatureShape['isPenalised'],
): CurvatureShape {
  const observed = byRow.pointers.at(-1) as number;
  return { counts, observed, rank, isBiasFitted, isPenalised, stride: strideOf(rank, stride > rank) };
}

/**
 * From the start that the seed gives. A fit ends its search where more steps would say little; this one goes a look further, so
 * that rounding decides nothing.
 */
export function recountCurvature(problem: PlainProblem, shape: CurvatureShape, seed: number): RecountedCurvature {
  const metric = plainBlockNorm(problem);
  const looks: CurvatureLook[] = [];
  let wasNear = false;
  const search = searchCurvature(
    {
      ...problem,
      isPenalised: shape.isPenalised,
      metric,
      steps: curvatureSteps(shape),
      draw: (side, row, c) => normalAt(seed, side === 'rows' ? streams.curvatureU : streams.curvatureV, row, c),
    },
    (look) => {
      looks.push(look);
      const isEnough = wasNear;
      wasNear = isBoundNear(look);
      return isEnough;
    },
  );
  const found = answered(search, (x) => {
    const direction = x.slice();
    metric.toDirection(direction);
    const product = halfHessianProduct(problem, direction);
    metric.toProduct(product);
    return product;
  });
  if (!found) return { curvature: 'unknown', looks };
  looks.push(found);
  const curvature = curvatureOf(found);
  if (curvature !== 'falling') return { curvature, looks };
  return { curvature: isLower(problem, found.direction) ? 'saddle' : 'unknown', looks };
}

/** Whether f falls along a direction by more than rounding, and more than its slope accounts for. */
function isLower(problem: PlainProblem, direction: Float64Array): boolean {
  scale(direction, 1 / (norm(direction) || 1));
  const { value: before, slope } = along(problem, direction, 0);
  let length = Math.hypot(norm(problem.factors.rows), norm(problem.factors.columns)) || 1;
  for (let halvings = 0; halvings < 40; halvings++, length /= 2)
    for (const step of [length, -length]) {
      const fall = before - along(problem, direction, step).value;
      if (fall > 2 * Math.abs(slope * step) + rounding * before) return true;
    }
  return false;
}
