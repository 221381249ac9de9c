/** The phases of composed objectives: those of the rows by the composed kernels. */
import { writeTerms } from '../kernels/composed.js';
import { readTotals, writeJob } from '../kernels/load.js';
import { otherSide, type Side } from '../parallel/layout.js';
import {
  countOf,
  type FitContext,
  type Phase,
  type PhaseCall,
  type Totals,
  type Workbench,
} from '../parallel/phase.js';
import { rotateIn, sumUp } from './backgroundPhases.js';
import { preconditionedRun } from './preconditionedPhase.js';
import { behindJob, type OpenJob, openJob, redoRows } from './rowPhases.js';
import { isInBasis, isSingle, termsOf } from './termFields.js';

/** The phases that a composed objective has of its own, by the name of the plain one. */
const composedNames: Readonly<Record<string, string>> = {
  solve: 'composedSolve',
  gradient: 'composedMeasure',
  loss: 'composedLoss',
  block: 'block',
};

/** Runs a method's phases on the objective of a fit: a composed one's under their composed names, what rows share brought up to date before. */
export function composedRun(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
): (call: PhaseCall) => Promise<Totals> {
  const { terms } = fit;
  if (!terms) return fit.layout.sides.rows.gram ? preconditionedRun(fit, run) : run;
  return async (call) => {
    const phase = composedNames[call.phase];
    if (phase === undefined) return run(call);
    const side = otherSide(call.side);
    // By blocks the entries of a full matrix count one by one.
    if (terms.hasGram && !(terms.isFull && phase === 'block')) await sumUp(fit, run, side, call.other);
    if (phase === 'composedSolve' && isInBasis(fit, call)) await rotateIn(fit, run, side, call.other);
    return run({ ...call, phase });
  };
}

export const composedSolvePhase: Phase = {
  name: 'composedSolve',
  run: (workbench, call, block) => runComposed(workbench, call, block, 'Solve'),
};

/** Loss, penalty and projected gradient at `own`; each row's residual is kept for the certificate. */
export const composedMeasurePhase: Phase = {
  name: 'composedMeasure',
  run: (workbench, call, block) => runComposed(workbench, call, block, 'Measure'),
};

export const composedLossPhase: Phase = {
  name: 'composedLoss',
  run: (workbench, call, block) => runComposed(workbench, call, block, 'Loss'),
};

function runComposed(
  workbench: Workbench,
  call: PhaseCall,
  block: number,
  kernel: 'Solve' | 'Measure' | 'Loss',
): Totals {
  const { fit, kernels, view } = workbench;
  const own = call.own ?? call.start ?? null;
  const job = openJob(workbench, { ...call, own }, block);
  const terms = job.address + behindJob;
  const measured = kernel === 'Measure' ? fit.layout.sides[call.side].terms?.residuals : 0;
  writeTerms(view, terms, { ...termsOf(fit, call), residuals: measured ?? 0, start: job.fields.own });
  const solve = (address: number, first: number, last: number) =>
    kernels[`composed${kernel}${fit.dtype === 'f64' ? 64 : 32}`](address, terms, first, last);
  if (!(kernel === 'Solve' && isSingle(fit, call) && fit.terms?.isSquares)) {
    solve(job.address, job.first, job.last);
    return readTotals(view, job.address);
  }
  // Its gradient is measured only where it is wanted.
  writeJob(view, job.address, { ...job.fields, own: call.own === null ? 0 : job.fields.own });
  kernels.squaresSolve32(job.address, terms, job.first, job.last);
  return redoInDouble(workbench, call, job, (row) => solve(job.address, row, row + 1));
}

/** Rows that say in their status that f32 was not enough, once more in f64. */
export function redoInDouble(
  workbench: Workbench,
  call: PhaseCall,
  job: OpenJob,
  solve: (row: number) => void,
): Totals {
  const { view } = workbench;
  return redoRows(workbench, call, job, readTotals(view, job.address), (row) => {
    writeJob(view, job.address, job.fields);
    solve(row);
    return readTotals(view, job.address);
  });
}

/** 1 where an entry of the side's factor is held; undefined where none is. */
export function heldMask(fit: FitContext, side: Side): Uint8Array | undefined {
  const address = fit.layout.sides[side].terms?.held;
  const rows = countOf(fit, side);
  return address ? new Uint8Array(fit.memory.buffer, address, rows * fit.stride) : undefined;
}
