/** The sums over all rows of a side that the rows of the other side share, and this side's factor in the eigenbasis of their matrix. */
import { rotationAt, writeBasis } from '../kernels/backgroundBasis.js';
import { backgroundLength, writeTerms } from '../kernels/composed.js';
import { type GramAddresses, gramGroups, otherSide, type Side } from '../parallel/layout.js';
import { type FitContext, noTotals, type Phase, type PhaseCall, type Totals } from '../parallel/phase.js';
import { behindJob, openJob } from './rowPhases.js';
import { termsOf } from './termFields.js';

/** Brings the sums over `side` up to date with its buffer `own`. */
export async function sumUp(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
  side: Side,
  own: number,
): Promise<void> {
  await run({ phase: 'background', side, own, other: 0, out: null });
  addGroups(fit, side);
}

/** The eigenbasis of those sums, and the buffer in it. */
export async function rotateIn(
  fit: FitContext,
  run: (call: PhaseCall) => Promise<Totals>,
  side: Side,
  own: number,
): Promise<void> {
  const { sums, basis } = gramOf(fit, side);
  writeBasis(fit.memory.buffer, sums, basis, fit);
  await run({ phase: 'rotate', side, own, other: 0, out: null });
}

/**
 * Σ c_j z_j z_jᵀ and its companions over the rows of this side at `own`. The first block of each group takes the group's
 * rows; groups depend on the blocks alone, so the sums have the same bits for every number of threads.
 */
export const backgroundPhase: Phase = {
  name: 'background',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const { side } = call;
    const size = groupSize(fit, side);
    if (block % size !== 0) return noTotals;
    const boundaries = fit.blocks[side];
    const first = boundaries[block] as number;
    const last = boundaries[Math.min(block + size, boundaries.length - 1)] as number;
    // The sums are those of the other side's row problems: this side is their fixed factor.
    const ofOthers = { ...call, side: otherSide(side), own: null, other: call.own as number };
    const job = openJob(workbench, ofOthers, 0);
    const terms = job.address + behindJob;
    writeTerms(view, terms, termsOf(fit, ofOthers));
    const out = gramOf(fit, side).groups + (block / size) * backgroundLength(fit.stride) * 8;
    kernels[fit.dtype === 'f64' ? 'backgroundRows64' : 'backgroundRows32'](job.address, terms, first, last, out);
    return noTotals;
  },
};

function groupSize(fit: FitContext, side: Side): number {
  return Math.ceil((fit.blocks[side].length - 1) / gramGroups);
}

/** Adds the groups' sums up in their order. */
function addGroups(fit: FitContext, side: Side): void {
  const addresses = gramOf(fit, side);
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
    const { rotated, basis } = gramOf(fit, side);
    const [first, last] = [fit.blocks[side][block] as number, fit.blocks[side][block + 1] as number];
    const skip = 4 * fit.stride * first;
    const from = (fit.layout.sides[side].buffers[own as number] as number) + skip;
    kernels.rotateRows32(rotated + skip, from, rotationAt(basis, fit.stride), fit.stride, last - first);
    return noTotals;
  },
};

function gramOf(fit: FitContext, side: Side): GramAddresses {
  const { gram } = fit.layout.sides[side];
  if (!gram) throw new Error('The layout has no room for sums over all rows.');
  return gram;
}
