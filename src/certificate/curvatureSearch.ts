/**
 * The search for negative curvature, whoever makes its products with the Hessian: Lanczos from a random start in the norm of the
 * Hessian's diagonal blocks, beyond the directions that leave f as it is. What it may have missed is bounded by J. Kuczyński &
 * H. Woźniakowski, SIAM J. Matrix Anal. Appl. 13 (1992), theorem 3.2.
 */

import { type PerSide, type Side, sides } from '../parallel/layout.js';
import { unknownsOf } from '../parallel/phase.js';
import type { BlockNorm } from './blockNorm.js';
import { type GaugedPoint, gaugeDirections, gaugeSize } from './gauge.js';
import { asksEvery, lanczos } from './lanczos.js';

/** The share of random starts that may miss what is said not to be there. */
export const failure = 1e-6;

/** What the search may take: floating-point operations in all, bytes of its vectors, and steps. */
const mostWork = 2e9;
const mostBytes = 64 * 2 ** 20;
const mostSteps = 200;
const mostLooks = mostSteps / asksEvery;
/** Fewer steps tell too little. */
const leastSteps = 20;

/** Eigenvalues nearer to 0 than this, in units of the largest, are not told from it; nor than what rounding makes of blocks near singular. */
const flat = 1e-10;
const unit = 2 ** -52;

/** Squares of residuals that are rounding, relative to those of the values. */
const nothing = 2 ** -90;

/** Whether an f is 0 but for rounding, ‖W∘(A − mean)‖² being `squares`: nothing lies below. */
export const isMetExactly = (objective: number, squares: number): boolean => objective <= nothing * squares;

/** What the cost of a search follows from. */
export interface CurvatureShape extends Omit<GaugedPoint, 'factors'> {
  readonly counts: PerSide<number>;
  readonly observed: number;
}

/** Steps that the bounds allow; 0 where they are too few. By size alone, never by the clock. */
export function curvatureSteps(shape: CurvatureShape): number {
  const length = lengthOf(shape);
  let steps = Math.min(mostSteps, Math.floor(mostBytes / (8 * length)) - gaugeSize(shape));
  while (steps >= leastSteps && curvatureWork(shape, steps) > mostWork) steps--;
  return steps >= leastSteps ? steps : 0;
}

/** Floating-point operations of a search of so many steps, by default the fewest that tell something. */
export function curvatureWork(shape: CurvatureShape, steps: number = leastSteps): number {
  const length = lengthOf(shape);
  const gauge = gaugeSize(shape);
  const product = 16 * shape.stride * shape.observed + 8 * gauge * length;
  // The steps are orthogonal to all before them: 8·length operations each pair.
  return 4 * gauge * gauge * length + steps * product + 4 * steps * steps * length;
}

const lengthOf = ({ counts, stride }: CurvatureShape) => (counts.rows + counts.columns) * stride;

export interface CurvatureSpace extends Omit<CurvatureShape, 'observed'>, GaugedPoint {
  readonly metric: BlockNorm;
  readonly steps: number;
  /** A random number of mean 0 and variance 1 for an unknown, near normal: the theorem takes directions as equally likely. */
  readonly draw: (side: Side, row: number, column: number) => number;
}

/** What is known after some steps. */
export interface CurvatureLook {
  /** Extreme eigenvalues found, in the norm of the diagonal blocks. */
  readonly smallest: number;
  readonly largest: number;
  /** No eigenvalue lies below, but for a share {@link failure} of starts; −∞ where the steps are too few. */
  readonly bound: number;
  /** Eigenvalues nearer to 0 are not told from it. */
  readonly noise: number;
}

export interface FoundCurvature extends CurvatureLook {
  /** The direction of the smallest, as a change of the factors. */
  readonly direction: Float64Array;
}

/**
 * Asks for ½L⁻¹HL⁻ᵀ·x, L Lᵀ the diagonal blocks of ½H.
 *
 * @param isEnough asked now and then whether more steps would say nothing that is wanted.
 * @returns undefined where all directions leave f as it is.
 */
export function* searchCurvature(
  space: CurvatureSpace,
  isEnough: (look: CurvatureLook) => boolean,
): Generator<Float64Array, FoundCurvature | undefined, Float64Array> {
  const { metric } = space;
  const { start, unknowns } = drawStart(space);
  const gauge = gaugeDirections(space, metric.fromDirection);
  const dimension = unknowns - gauge.length;
  const lookAt = (smallest: number, largest: number, taken: number): CurvatureLook => ({
    smallest,
    largest,
    bound: boundBelow(taken === dimension ? 0 : missedShare(dimension, taken), smallest, largest),
    noise: Math.max(flat, unit * metric.cancellation) * Math.max(Math.abs(largest), Math.abs(smallest)),
  });
  const found = yield* lanczos(start, gauge, Math.min(space.steps, dimension), (...look) => isEnough(lookAt(...look)));
  if (!found) return undefined;
  metric.toDirection(found.vector);
  return {
    ...lookAt(found.smallest, found.largest, found.isExhausted ? dimension : found.steps),
    direction: found.vector,
  };
}

/** What the smallest eigenvalue says: whether f falls along it (a proof is wanted yet), and whether no other is lower. */
export function curvatureOf({ smallest, bound, noise }: CurvatureLook): 'minimum' | 'falling' | 'unknown' {
  if (smallest < -noise) return 'falling';
  return smallest > noise && bound > Number.NEGATIVE_INFINITY ? 'minimum' : 'unknown';
}

/** More steps would only raise a bound that is near. */
export function isBoundNear({ smallest, bound, noise }: CurvatureLook): boolean {
  return bound >= smallest / 2 && smallest > noise;
}

/** Below the smallest Ritz value by a share of the spread of the eigenvalues, of which the Ritz values see all but twice that share. */
function boundBelow(share: number, smallest: number, largest: number): number {
  return share >= 0.25 ? Number.NEGATIVE_INFINITY : smallest - (share / (1 - 2 * share)) * (largest - smallest);
}

/**
 * ε of the theorem: after s steps in dimension N an extreme eigenvalue is missed by more than ε of the spread with a probability
 * of at most 1.648·√N·e^(−√ε(2s−1)); not quite half of the failures for each end, and of each the same share for every number
 * of steps at which the search may have ended, so that all stay below.
 */
function missedShare(dimension: number, steps: number): number {
  const root = Math.log((1.648 * Math.sqrt(dimension) * mostLooks) / (0.49 * failure)) / (2 * steps - 1);
  return root * root;
}

/** Random in every unknown that has curvature of its own, 0 elsewhere. */
function drawStart(space: CurvatureSpace): { start: Float64Array; unknowns: number } {
  const { counts, stride, metric, draw } = space;
  const start = new Float64Array((counts.rows + counts.columns) * stride);
  let unknowns = 0;
  for (const side of sides) {
    const offset = side === 'rows' ? 0 : counts.rows * stride;
    const width = unknownsOf(space, side);
    for (let row = 0; row < counts[side]; row++)
      for (let c = 0; c < width; c++) {
        if (!metric.isCurved(side, row, c)) continue;
        unknowns++;
        start[offset + row * stride + c] = draw(side, row, c);
      }
  }
  return { start, unknowns };
}
