/**
 * The phases of Newton's method without a matrix: products with the Hessian, a side's answer to a move of the other, and the
 * rows' normal equations that precondition both.
 */
import { type TangentFields, tangentBytes, writeTangent } from '../kernels/hessian.js';
import { alignUp, otherSide, type PerSide, type Side } from '../parallel/layout.js';
import {
  countsOf,
  type FitContext,
  type Phase,
  type PhaseCall,
  unknownsOf,
  type Workbench,
} from '../parallel/phase.js';
import { checkBehindJob, kernelPhase } from './rowPhases.js';

/** Where the factors of each side stand, in bytes from the start of the method's work space. */
export function factorSpace(shape: Pick<FitContext, 'rank' | 'isBiasFitted'> & { readonly counts: PerSide<number> }) {
  const bytesOf = (side: Side) => alignUp(8 * shape.counts[side] * unknownsOf(shape, side) ** 2);
  return { rows: 0, columns: bytesOf('rows'), bytes: bytesOf('rows') + bytesOf('columns') };
}

checkBehindJob(tangentBytes);

/** What the kernels are told of a call; `factors`: the side's normal equations are factored, or will be. */
const tangents =
  (uses: { readonly factors?: true; readonly isSolved?: true } = {}) =>
  ({ fit, view }: Workbench, address: number, call: PhaseCall): void => {
    const { side } = call;
    const other = otherSide(side);
    const { workspace, sides } = fit.layout;
    const space = factorSpace({ rank: fit.rank, isBiasFitted: fit.isBiasFitted, counts: countsOf(fit) });
    const fields: TangentFields = {
      own: call.extra === undefined ? 0 : (sides[side].buffers[call.extra] as number),
      other: call.otherExtra === undefined ? 0 : (sides[other].buffers[call.otherExtra] as number),
      factors: uses.factors ? workspace + space[side] : 0,
      width: unknownsOf(fit, side),
      otherFactors: call.isReduced ? workspace + space[other] : 0,
      otherWidth: unknownsOf(fit, other),
      isExact: call.isExact === false ? 0 : 1,
      isSolved: uses.isSolved ? 1 : 0,
    };
    writeTangent(view, address, fields);
  };

/** Of this side, at `own` and `other`, in the direction (`extra`, `otherExtra`): H·d to `out`; the sums' loss is d·H·d. */
export const hessianPhase: Phase = kernelPhase('hessian', 'hessianRows64', tangents(), true);

/** −G_i⁻¹ of half H·(0, dV), to `out`: how rows that are solved exactly follow a move `otherExtra` of the other side. */
export const followPhase: Phase = kernelPhase('follow', 'hessianRows64', tangents({ factors: true, isSolved: true }));

/** The normal equations of this side's rows, factored; less what the other side answers where `isReduced` (it is factored then). */
export const factorPhase: Phase = kernelPhase('factor', 'factorRows64', tangents({ factors: true }));

/** G_i⁻¹·own to `out`; the sums' loss is the product of both. */
export const preconditionPhase: Phase = kernelPhase(
  'precondition',
  'preconditionRows64',
  tangents({ factors: true }),
  true,
);
