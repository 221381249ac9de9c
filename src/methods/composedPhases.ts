/** The phases of composed objectives: those of the rows by the composed kernels, and the sums over all rows of a background. */
import { isConjugate, rotationAt, writeBasis } from '../kernels/backgroundBasis.js';
import { backgroundLength, type TermFields, termBytes, writeTerms } from '../kernels/composed.js';
import { readTotals, writeJob } from '../kernels/load.js';
import { backgroundGroups, otherSide, type Side, type TermAddresses } from '../parallel/layout.js';
import {
  countOf,
  type FitContext,
  type FitTerms,
  noTotals,
  type Phase,
  type PhaseCall,
  type Totals,
  type Workbench,
} from '../parallel/phase.js';
import { behindJob, checkBehindJob, type OpenJob, openJob, redoRows } from './rowPhases.js';

/** Tangent quadratics a row in one sweep: more bring little before the other side has moved too. */
const stepsOfSweep = 2;

/** The phases that a composed objective has of its own, by the name of the plain one. */
const composedNames: Readonly<Record<string, string>> = {
  solve: 'composedSolve',
  gradient: 'composedMeasure',
  loss: 'composedLoss',
  block: 'block',
};

/** Runs a method's phases on a composed objective: under their composed names, the background's sums brought up to date before. */
export function composedRun(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
): (call: PhaseCall) => Promise<Totals> {
  const { terms } = fit;
  if (!terms) return run;
  return async (call) => {
    const phase = composedNames[call.phase];
    if (phase === undefined) return run(call);
    const side = otherSide(call.side);
    // By blocks the entries of a full matrix count one by one.
    if (terms.hasGram && !(terms.isFull && phase === 'block')) {
      await run({ phase: 'background', side, own: call.other, other: 0, out: null });
      addGroups(fit, side);
    }
    if (phase === 'composedSolve' && isInBasis(fit, call)) {
      const { sums, basis } = fit.layout.sides[side].terms as TermAddresses;
      writeBasis(fit.memory.buffer, sums, basis, fit);
      await run({ phase: 'rotate', side, own: call.other, other: 0, out: null });
    }
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
  const fitted = fit.terms as FitTerms;
  writeTerms(view, terms, { ...termsOf(fit, fitted, call), residuals: measured ?? 0, start: job.fields.own });
  const solve = (address: number, first: number, last: number) =>
    kernels[`composed${kernel}${fit.dtype === 'f64' ? 64 : 32}`](address, terms, first, last);
  if (!(kernel === 'Solve' && isSingle(fit, call) && fitted.isSquares)) {
    solve(job.address, job.first, job.last);
    return readTotals(view, job.address);
  }
  // Its gradient is measured only where it is wanted.
  writeJob(view, job.address, { ...job.fields, own: call.own === null ? 0 : job.fields.own });
  kernels.squaresSolve32(job.address, terms, job.first, job.last);
  return redoInDouble(workbench, call, job, (row) => solve(job.address, row, row + 1));
}

/** Whether a phase computes in f32. */
export function isSingle({ dtype, terms }: FitContext, { precise }: PhaseCall): boolean {
  return dtype === 'f32' && !precise && (terms?.fitsSingle ?? true);
}

/** Whether rows are solved in the eigenbasis of the background. */
function isInBasis(fit: FitContext, call: PhaseCall): boolean {
  return isSingle(fit, call) && (fit.layout.sides[otherSide(call.side)].terms?.rotated ?? 0) > 0;
}

/** Whether rows of U are solved step by step, to what a sweep needs. */
export function isByGradients(fit: FitContext): boolean {
  return isConjugate(fit.rank) && (fit.layout.sides.columns.terms?.rotated ?? 0) > 0;
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

checkBehindJob(termBytes);

export function termsOf(fit: FitContext, terms: FitTerms, call: PhaseCall): TermFields {
  const own = fit.layout.sides[call.side].terms;
  const other = fit.layout.sides[otherSide(call.side)].terms;
  if (!own || !other) throw new Error('The layout has no room for the terms of this objective.');
  const matrix = 8 * fit.stride * fit.stride;
  const [lower, upper] = terms.bounds[call.side];
  return {
    loss: terms.loss,
    innerSteps: call.innerSteps ?? stepsOfSweep,
    gram: terms.hasGram ? other.sums : 0,
    gramSum: other.sums + matrix,
    ownWeights: own.weights,
    otherWeights: other.weights,
    l1: own.l1,
    columnMultiples: own.multiples,
    held: own.held,
    isFull: terms.isFull ? 1 : 0,
    residuals: 0,
    basis: other.basis,
    rotated: isInBasis(fit, call) ? other.rotated : 0,
    start: 0,
    isSettled: call.innerSteps === undefined ? 0 : 1,
    lossParameter: terms.lossParameter,
    lower,
    upper,
    value: terms.value,
    constant: terms.hasGram
      ? (new Float64Array(fit.memory.buffer, other.sums + matrix + 8 * fit.stride, 1)[0] as number)
      : 0,
  };
}

/**
 * Σ c_j z_j z_jᵀ and its companions over the rows of this side at `own`. The first block of each group takes the group's
 * rows; groups depend on the blocks alone, so the sums have the same bits for every number of threads.
 */
export const backgroundPhase: Phase = {
  name: 'background',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const size = groupSize(fit, call.side);
    if (block % size !== 0) return noTotals;
    const { side } = call;
    const solved = otherSide(side);
    const boundaries = fit.blocks[side];
    const first = boundaries[block] as number;
    const last = boundaries[Math.min(block + size, boundaries.length - 1)] as number;
    // The sums are those of the other side's row problems: this side is their fixed factor.
    const job = openJob(workbench, { ...call, side: solved, own: null, other: call.own as number }, 0);
    const terms = job.address + behindJob;
    writeTerms(view, terms, termsOf(fit, fit.terms as FitTerms, { ...call, side: solved }));
    const group = block / size;
    const out = (fit.layout.sides[side].terms?.groups as number) + group * backgroundLength(fit.stride) * 8;
    kernels[fit.dtype === 'f64' ? 'backgroundRows64' : 'backgroundRows32'](job.address, terms, first, last, out);
    return noTotals;
  },
};

function groupSize(fit: FitContext, side: Side): number {
  return Math.ceil((fit.blocks[side].length - 1) / backgroundGroups);
}

/** Adds the groups' sums up in their order. */
function addGroups(fit: FitContext, side: Side): void {
  const addresses = fit.layout.sides[side].terms;
  if (!addresses) return;
  const length = backgroundLength(fit.stride);
  const groups = Math.ceil((fit.blocks[side].length - 1) / groupSize(fit, side));
  const sums = new Float64Array(fit.memory.buffer, addresses.sums, length).fill(0);
  for (let group = 0; group < groups; group++) {
    const part = new Float64Array(fit.memory.buffer, addresses.groups + group * length * 8, length);
    for (let i = 0; i < length; i++) sums[i] = (sums[i] as number) + (part[i] as number);
  }
}

/** This side's factor at `own` in the eigenbasis of its sums. */
export const rotatePhase: Phase = {
  name: 'rotate',
  run({ fit, kernels }, { side, own }, block) {
    const { buffers, terms } = fit.layout.sides[side];
    const { rotated, basis } = terms as TermAddresses;
    const [first, last] = [fit.blocks[side][block] as number, fit.blocks[side][block + 1] as number];
    const skip = 4 * fit.stride * first;
    const from = (buffers[own as number] as number) + skip;
    kernels.rotateRows32(rotated + skip, from, rotationAt(basis, fit.stride), fit.stride, last - first);
    return noTotals;
  },
};
