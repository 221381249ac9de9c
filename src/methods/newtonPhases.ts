/**
 * The phases of Newton's method without a matrix: products with the Hessian, a side's answer to a move of the other, and the
 * rows' normal equations that precondition both.
 */
import { type TangentFields, tangentBytes, writeTangent } from '../kernels/hessian.js';
import { readTotals } from '../kernels/load.js';
import { alignUp, otherSide, type PerSide, type Side } from '../parallel/layout.js';
import {
  countsOf,
  type FitContext,
  noTotals,
  type Phase,
  type PhaseCall,
  unknownsOf,
  type Workbench,
} from '../parallel/phase.js';
import { behindJob, checkBehindJob, openJob } from './rowPhases.js';

/** Where the factors of each side stand, in bytes from the start of the method's work space. */
export function factorSpace(shape: Pick<FitContext, 'rank' | 'isBiasFitted'> & { readonly counts: PerSide<number> }) {
  const bytesOf = (side: Side) => alignUp(8 * shape.counts[side] * unknownsOf(shape, side) ** 2);
  return { rows: 0, columns: bytesOf('rows'), bytes: bytesOf('rows') + bytesOf('columns') };
}

checkBehindJob(tangentBytes);

function writeFields(
  { fit, view }: Workbench,
  job: number,
  call: PhaseCall,
  uses: { readonly factors?: true; readonly otherFactors?: boolean; readonly isSolved?: true } = {},
): number {
  const { side } = call;
  const other = otherSide(side);
  const { workspace, sides } = fit.layout;
  const counts = countsOf(fit);
  const space = factorSpace({ rank: fit.rank, isBiasFitted: fit.isBiasFitted, counts });
  const fields: TangentFields = {
    own: call.extra === undefined ? 0 : (sides[side].buffers[call.extra] as number),
    other: call.otherExtra === undefined ? 0 : (sides[other].buffers[call.otherExtra] as number),
    factors: uses.factors ? workspace + space[side] : 0,
    width: unknownsOf(fit, side),
    otherFactors: uses.otherFactors ? workspace + space[other] : 0,
    otherWidth: unknownsOf(fit, other),
    isExact: call.isExact === false ? 0 : 1,
    isSolved: uses.isSolved ? 1 : 0,
  };
  writeTangent(view, job + behindJob, fields);
  return job + behindJob;
}

/** Of this side, at `own` and `other`, in the direction (`extra`, `otherExtra`): H·d to `out`; the sums' loss is d·H·d. */
export const hessianPhase: Phase = {
  name: 'hessian',
  run(workbench, call, block) {
    const job = openJob(workbench, call, block);
    workbench.kernels.hessianRows64(job.address, writeFields(workbench, job.address, call), job.first, job.last);
    return readTotals(workbench.view, job.address);
  },
};

/** −G_i⁻¹ of half H·(0, dV), to `out`: how rows that are solved exactly follow a move `otherExtra` of the other side. */
export const followPhase: Phase = {
  name: 'follow',
  run(workbench, call, block) {
    const job = openJob(workbench, call, block);
    const fields = writeFields(workbench, job.address, call, { factors: true, isSolved: true });
    workbench.kernels.hessianRows64(job.address, fields, job.first, job.last);
    return noTotals;
  },
};

/** The normal equations of this side's rows, factored; less what the other side answers where `isReduced` (it is factored then). */
export const factorPhase: Phase = {
  name: 'factor',
  run(workbench, call, block) {
    const job = openJob(workbench, call, block);
    const fields = writeFields(workbench, job.address, call, { factors: true, otherFactors: call.isReduced === true });
    workbench.kernels.factorRows64(job.address, fields, job.first, job.last);
    return noTotals;
  },
};

/** G_i⁻¹·own to `out`; the sums' loss is the product of both. */
export const preconditionPhase: Phase = {
  name: 'precondition',
  run(workbench, call, block) {
    const job = openJob(workbench, call, block);
    const fields = writeFields(workbench, job.address, call, { factors: true });
    workbench.kernels.preconditionRows64(job.address, fields, job.first, job.last);
    return readTotals(workbench.view, job.address);
  },
};
