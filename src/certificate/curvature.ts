/**
 * The curvature certificate: whether a stationary point is a minimum as far as a randomized search can tell, or a saddle, which
 * a direction of negative curvature proves.
 */

import { dot, norm, scale } from '../kernels/vectors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { otherSide, type PerSide, sides } from '../parallel/layout.js';
import { countsOf, type FitContext, type PhaseCall, type Totals } from '../parallel/phase.js';
import { type BlockNorm, blockNorm } from './blockNorm.js';
import {
  type CurvatureSpace,
  curvatureOf,
  failure,
  isBoundNear,
  isMetExactly,
  searchCurvature,
} from './curvatureSearch.js';
import { answeredLater } from './lanczos.js';

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

/** What f is not known better than, relative. */
const rounding = 1e-13;

/** Buffers of each side that the search works with beside that of the point. */
const workBuffers = 2;
export const curvatureBuffers = 1 + workBuffers;

export interface CurvatureRequest extends Pick<CurvatureSpace, 'isPenalised' | 'steps' | 'draw'> {
  readonly fit: FitContext;
  readonly run: (call: PhaseCall) => Promise<Totals>;
  readonly point: { readonly rows: number; readonly columns: number; readonly objective: number };
  /** ‖W∘(A − mean)‖² */
  readonly squares: number;
}

/** Where f falls: buffers that hold factors of a lower objective. */
export type Lower = { readonly rows: number; readonly columns: number; readonly objective: number };

export async function certifyCurvature(request: CurvatureRequest): Promise<Curvature & { readonly lower?: Lower }> {
  const { fit, point, squares } = request;
  if (isMetExactly(point.objective, squares)) return { curvature: 'unknown' };
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
  const { rank, stride, isBiasFitted } = fit;
  const { isPenalised, steps, draw } = request;
  const space = { rank, stride, isBiasFitted, isPenalised, counts: countsOf(fit), factors, metric, steps, draw };
  const found = await answeredLater(searchCurvature(space, isBoundNear), (x) => multiply(request, work, metric, x));
  if (!found) return { curvature: 'unknown' };
  const measured = { smallestEigenvalue: found.smallest, largestEigenvalue: found.largest };
  switch (curvatureOf(found)) {
    case 'minimum':
      return { curvature: 'minimum', ...measured, eigenvalueBound: found.bound, p: failure };
    case 'falling': {
      const lower = await descend(request, work, found.direction);
      return lower ? { curvature: 'saddle', ...measured, lower } : { curvature: 'unknown', ...measured };
    }
    default:
      return { curvature: 'unknown', ...measured };
  }
}

/** The first two buffers that do not hold the point. */
function spare(index: number): readonly [direction: number, product: number] {
  const [direction, product] = [0, 1, 2].filter((other) => other !== index);
  return [direction as number, product as number];
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
