/**
 * Rows of weighted squares with a ridge at large ranks, in f32: conjugate gradients from where they are, in place of a k×k matrix a
 * row. What conditions them is the matrix that rows would have if entries weighed s_i s_j/S, s being the ΣW² of rows and of columns and
 * S of all: a background of that weight, in whose eigenbasis it is diagonal for all rows at once. See assembly/preconditionedRows.ts.
 */
import { isSettledBySteps } from '../kernels/backgroundBasis.js';
import { writeTerms } from '../kernels/composed.js';
import { readTotals, writeJob } from '../kernels/load.js';
import { otherSide } from '../parallel/layout.js';
import type { FitContext, Phase, PhaseCall, Totals } from '../parallel/phase.js';
import { rotateIn, sumUp } from './backgroundPhases.js';
import { behindJob, openJob, redoDeficientRows } from './rowPhases.js';
import { isInBasis, termsOf } from './termFields.js';

/** Runs a method's phases on such an objective, the conditioning brought up to date before rows are solved. */
export function preconditionedRun(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
): (call: PhaseCall) => Promise<Totals> {
  return async (call) => {
    const isByMatrix = call.innerSteps !== undefined && !isSettledBySteps(fit.rank);
    if (call.phase !== 'solve' || isByMatrix || !isInBasis(fit, call)) return run(call);
    const other = otherSide(call.side);
    await sumUp(fit, run, other, call.other);
    await rotateIn(fit, run, other, call.other);
    return run({ ...call, phase: 'preconditionedSolve' });
  };
}

export const preconditionedSolvePhase: Phase = {
  name: 'preconditionedSolve',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const job = openJob(workbench, { ...call, own: call.own ?? call.start ?? null }, block);
    const terms = job.address + behindJob;
    writeTerms(view, terms, { ...termsOf(fit, call), start: job.fields.own });
    const fields = { ...job.fields, own: call.own === null ? 0 : job.fields.own };
    // Its gradient is measured only where it is wanted.
    writeJob(view, job.address, fields);
    kernels.preconditionedRows32(job.address, terms, job.first, job.last);
    return redoDeficientRows(workbench, call, { ...job, fields }, readTotals(view, job.address));
  },
};
