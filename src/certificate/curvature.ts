/**
 * The curvature certificate: whether a stationary point is a minimum as far as a randomized search can tell, or a saddle, which
 * a direction of negative curvature proves. Products with the Hessian, Lanczos from a random start; what it may have missed is
 * bounded by J. Kuczyński & H. Woźniakowski, SIAM J. Matrix Anal. Appl. 13 (1992), theorem 3.2.
 */

import { dot, norm, scale } from '../kernels/vectors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { otherSide, type PerSide, type Side, sides } from '../parallel/layout.js';
import { countOf, type FitContext, type PhaseCall, type Totals, unknownsOf } from '../parallel/phase.js';
import { type BlockNorm, blockNorm } from './blockNorm.js';
import { type GaugedPoint, gaugeDirections, gaugeSize } from './gauge.js';
import { asksEvery, lanczos } from './lanczos.js';

export interface Curvature {
  /**
   * `saddle`: f falls along a direction of negative curvature, which is a proof. `minimum`: no such direction was found, and the
   * Hessian's smallest eigenvalue, beyond the directions that leave f as it is, is above `eigenvalueBound` unless the random start
   * was one of a share `p` of all. `unknown`: not looked at, or too close to call.
   */
  readonly curvature: 'minimum' | 'saddle' | 'unknown';
  /** Eigenvalues of the Hessian in the norm of its diagonal blocks: 1 is a row's own curvature, whatever the units. */
  readonly smallestEigenvalue?: number;
  readonly largestEigenvalue?: number;
  readonly eigenvalueBound?: number;
  readonly p?: number;
}

/** The share of random starts that may miss what is said not to be there. */
const failure = 1e-6;

/** What the search may take: floating-point operations in all, bytes of its vectors, and steps. */
const mostWork = 2e9;
const mostBytes = 64 * 2 ** 20;
const mostSteps = 200;
const mostLooks = mostSteps / asksEvery;
/** Fewer steps tell too little. */
const leastSteps = 20;

/** Eigenvalues nearer to 0 than this, in units of the largest, are not told from it. */
const flat = 1e-10;
/** Squares of residuals that are rounding, relative to those of the values. */
const nothing = 2 ** -90;
/** What f is not known better than, relative. */
const rounding = 1e-13;

/** What the cost of a search follows from. */
export interface CurvatureShape extends Omit<GaugedPoint, 'factors'> {
  readonly counts: PerSide<number>;
  readonly observed: number;
}

/** Steps that the bounds allow; 0 where they are too few. By size alone, never by the clock. */
export function curvatureSteps(shape: CurvatureShape): number {
  const { counts, observed, stride } = shape;
  const length = (counts.rows + counts.columns) * stride;
  const gauge = gaugeSize(shape);
  const product = 16 * stride * observed + 8 * gauge * length;
  const fixed = 4 * gauge * gauge * length;
  let steps = Math.min(mostSteps, Math.floor(mostBytes / (8 * length)) - gauge);
  // The steps are orthogonal to all before them: 8·length operations each pair.
  while (steps >= leastSteps && fixed + steps * product + 4 * steps * steps * length > mostWork) steps--;
  return steps >= leastSteps ? steps : 0;
}

/** Buffers of each side that the search works with beside that of the point. */
const workBuffers = 2;
export const curvatureBuffers = 1 + workBuffers;

export interface CurvatureRequest {
  readonly fit: FitContext;
  readonly run: (call: PhaseCall) => Promise<Totals>;
  readonly point: { readonly rows: number; readonly columns: number; readonly objective: number };
  /** ‖W∘(A − mean)‖²: an f of its rounding is 0, below which nothing lies. */
  readonly squares: number;
  readonly isPenalised: GaugedPoint['isPenalised'];
  readonly steps: number;
  /** A random number of mean 0 and variance 1 for an unknown, near normal: the theorem takes directions as equally likely. */
  readonly draw: (side: Side, row: number, column: number) => number;
}

/** Where f falls: buffers that hold factors of a lower objective. */
export type Lower = { readonly rows: number; readonly columns: number; readonly objective: number };

export async function certifyCurvature(request: CurvatureRequest): Promise<Curvature & { readonly lower?: Lower }> {
  const { fit, point, steps, squares } = request;
  if (point.objective <= nothing * squares) return { curvature: 'unknown' };
  const { rank, stride, isBiasFitted } = fit;
  const factors = {
    rows: factorBuffer(fit, 'rows', point.rows),
    columns: factorBuffer(fit, 'columns', point.columns),
  };
  const work = { rows: spare(point.rows), columns: spare(point.columns) };
  for (const side of sides) {
    const other = otherSide(side);
    await request.run({ phase: 'factor', side, own: point[side], other: point[other], out: null });
  }
  const metric = blockNorm(fit);
  const { start, unknowns } = drawStart(request, metric);
  const gauge = gaugeDirections(
    { factors, rank, stride, isBiasFitted, isPenalised: request.isPenalised },
    metric.fromDirection,
  );
  const product = (x: Float64Array) => multiply(request, work, metric, x);
  const dimension = unknowns - gauge.length;
  const boundAfter = (taken: number, smallest: number, largest: number) =>
    boundBelow(taken === dimension ? 0 : missedShare(dimension, taken), smallest, largest);
  // More steps would only raise a bound that is near.
  const isEnough = (smallest: number, largest: number, taken: number) =>
    boundAfter(taken, smallest, largest) >= smallest / 2 && smallest > flat * largest;
  const found = await lanczos(product, start, gauge, Math.min(steps, dimension), isEnough);
  if (!found) return { curvature: 'unknown' };
  const { smallest, largest } = found;
  const measured = { smallestEigenvalue: smallest, largestEigenvalue: largest };
  const noise = flat * Math.max(Math.abs(largest), Math.abs(smallest));
  if (smallest < -noise) {
    metric.toDirection(found.vector);
    const lower = await descend(request, work, found.vector);
    return lower ? { curvature: 'saddle', ...measured, lower } : { curvature: 'unknown', ...measured };
  }
  if (smallest <= noise) return { curvature: 'unknown', ...measured };
  const eigenvalueBound = boundAfter(found.isExhausted ? dimension : found.steps, smallest, largest);
  if (eigenvalueBound === Number.NEGATIVE_INFINITY) return { curvature: 'unknown', ...measured };
  return { curvature: 'minimum', ...measured, eigenvalueBound, p: failure };
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

/** The first two buffers that do not hold the point. */
function spare(index: number): readonly [direction: number, product: number] {
  const [direction, product] = [0, 1, 2].filter((other) => other !== index);
  return [direction as number, product as number];
}

/** Random in every unknown that has curvature of its own, 0 elsewhere. */
function drawStart(
  { fit, draw }: CurvatureRequest,
  { isCurved }: BlockNorm,
): { start: Float64Array; unknowns: number } {
  const length = (side: Side) => countOf(fit, side) * fit.stride;
  const start = new Float64Array(length('rows') + length('columns'));
  let unknowns = 0;
  for (const side of sides) {
    const offset = side === 'rows' ? 0 : length('rows');
    const width = unknownsOf(fit, side);
    for (let row = 0; row < countOf(fit, side); row++)
      for (let c = 0; c < width; c++) {
        if (!isCurved(side, row, c)) continue;
        unknowns++;
        start[offset + row * fit.stride + c] = draw(side, row, c);
      }
  }
  return { start, unknowns };
}

type Work = PerSide<readonly [direction: number, product: number]>;

/** ½L⁻¹HL⁻ᵀ·x */
async function multiply(
  { fit, run, point }: CurvatureRequest,
  work: Work,
  metric: BlockNorm,
  x: Float64Array,
): Promise<Float64Array> {
  const direction = x.slice();
  metric.toDirection(direction);
  putBoth(fit, work, 0, direction);
  for (const side of sides) {
    const other = otherSide(side);
    const [extra, out] = work[side];
    await run({
      phase: 'hessian',
      side,
      own: point[side],
      other: point[other],
      out,
      extra,
      otherExtra: work[other][0],
    });
  }
  const product = readBoth(fit, { rows: work.rows[1], columns: work.columns[1] });
  metric.toProduct(product);
  scale(product, 0.5);
  return product;
}

function putBoth(fit: FitContext, work: Work, which: 0 | 1, x: Float64Array): void {
  let offset = 0;
  for (const side of sides) {
    const buffer = factorBuffer(fit, side, work[side][which]);
    buffer.set(x.subarray(offset, offset + buffer.length));
    offset += buffer.length;
  }
}

function readBoth(fit: FitContext, at: PerSide<number>): Float64Array {
  const [U, V] = [factorBuffer(fit, 'rows', at.rows), factorBuffer(fit, 'columns', at.columns)];
  const x = new Float64Array(U.length + V.length);
  x.set(U);
  x.set(V, U.length);
  return x;
}

/**
 * The lowest f found along a direction both ways, in steps of 1/2 from the size of the factors down. Undefined unless it lies
 * below f by more than rounding, and more than the slope there accounts for: that is what makes a saddle of the point.
 */
async function descend(request: CurvatureRequest, work: Work, direction: Float64Array): Promise<Lower | undefined> {
  const { fit, run, point } = request;
  const x = readBoth(fit, point);
  scale(direction, 1 / (norm(direction) || 1));
  const to = { rows: work.rows[0], columns: work.columns[0] };
  const valueAt = async (step: number) => {
    putBoth(
      fit,
      work,
      0,
      x.map((value, i) => value + step * (direction[i] as number)),
    );
    const ofRows = await run({ phase: 'loss', side: 'rows', own: to.rows, other: to.columns, out: null });
    const ofColumns = await run({ phase: 'loss', side: 'columns', own: to.columns, other: to.rows, out: null });
    return ofRows.loss + ofRows.penalty + ofColumns.penalty;
  };
  const before = await valueAt(0);
  const slope = await slopeAlong(request, work, direction);
  let best = { step: 0, value: before };
  const size = norm(x) || 1;
  for (let halvings = 0; halvings < 40; halvings++) {
    const length = size / 2 ** halvings;
    let isLower = false;
    for (const step of [length, -length]) {
      const value = await valueAt(step);
      if (!(value < best.value)) continue;
      best = { step, value };
      isLower = true;
    }
    if (best.step !== 0 && !isLower) break;
  }
  const explained = 2 * Math.abs(slope * best.step) + rounding * Math.abs(before);
  if (!(before - best.value > explained)) return undefined;
  return { ...to, objective: await valueAt(best.step) };
}

async function slopeAlong({ fit, run, point }: CurvatureRequest, work: Work, direction: Float64Array): Promise<number> {
  const out = { rows: work.rows[1], columns: work.columns[1] };
  await run({ phase: 'gradient', side: 'rows', own: point.rows, other: point.columns, out: out.rows });
  await run({ phase: 'gradient', side: 'columns', own: point.columns, other: point.rows, out: out.columns });
  const gradient = readBoth(fit, out);
  return dot(gradient, direction);
}
