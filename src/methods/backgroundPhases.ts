/** The sums over all rows of a side that the rows of the other side share, and this side's factor in the eigenbasis of their matrix. */
import { rotationAt, writeBasis } from '../kernels/backgroundBasis.js';
import { backgroundLength, writeTerms } from '../kernels/composed.js';
import { type GramAddresses, gramGroups, otherSide, type Side } from '../parallel/layout.js';
import {
  countOf,
  type FitContext,
  noTotals,
  type Phase,
  type PhaseCall,
  type Totals,
  unknownsOf,
} from '../parallel/phase.js';
import { behindJob, factorBuffer, openJob } from './rowPhases.js';
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
  writeBasis(fit.memory.buffer, sums, basis, { ...fit, rank: unknownsOf(fit, otherSide(side)) });
  await run({ phase: 'rotate', side, own, other: 0, out: null });
}

/**
 * Σ c_j z_j z_jᵀ and its companions over the rows of this side at `own`, in groups of about as many rows: blocks are of as many entries, and
 * what rows share does not ask for these. The first blocks take a group each, so the sums have the same bits for every number of threads.
 */
export const backgroundPhase: Phase = {
  name: 'background',
  run(workbench, call, block) {
    const { fit, kernels, view } = workbench;
    const { side } = call;
    const rows = countOf(fit, side);
    const groups = groupsOf(rows);
    if (block >= groups) return noTotals;
    // The sums are those of the other side's row problems: this side is their fixed factor.
    const ofOthers = { ...call, side: otherSide(side), own: null, other: call.own as number };
    const job = openJob(workbench, ofOthers, 0);
    const terms = job.address + behindJob;
    writeTerms(view, terms, termsOf(fit, ofOthers));
    const sum = kernels[fit.dtype === 'f64' ? 'backgroundRows64' : 'backgroundRows32'];
    const bytes = backgroundLength(fit.stride) * 8;
    const edge = (group: number) => Math.floor((group * rows) / groups);
    for (let group = block; group < groups; group += fit.blocks[side].length - 1)
      sum(job.address, terms, edge(group), edge(group + 1), gramOf(fit, side).groups + group * bytes);
    return noTotals;
  },
};

/** Rows of a group at the least. */
const groupRows = 64;

const groupsOf = (rows: number) => Math.min(Math.ceil(rows / groupRows), gramGroups);

/** Adds the groups' sums up in their order. */
function addGroups(fit: FitContext, side: Side): void {
  const addresses = gramOf(fit, side);
  const length = backgroundLength(fit.stride);
  const groups = groupsOf(countOf(fit, side));
  const sums = new Float64Array(fit.memory.buffer, addresses.sums, length).fill(0);
  for (let group = 0; group < groups; group++) {
    const part = new Float64Array(fit.memory.buffer, addresses.groups + group * length * 8, length);
    for (let i = 0; i < length; i++) sums[i] = (sums[i] as number) + (part[i] as number);
  }
}

/** Rows that are read once more while they are in a first-level cache. */
const batchRows = 16;

/** This side's factor at `own` in the eigenbasis of its sums. */
export const rotatePhase: Phase = {
  name: 'rotate',
  run({ fit, kernels, scratch }, { side, own }, block) {
    const { rank, stride, hasBias } = fit;
    const { rotated, basis } = gramOf(fit, side);
    const Q = rotationAt(basis, stride);
    const [first, last] = [fit.blocks[side][block] as number, fit.blocks[side][block + 1] as number];
    const bytes = 4 * stride;
    if (!hasBias) {
      const from = fit.layout.sides[side].buffers[own as number] as number;
      kernels.rotateRows32(rotated + bytes * first, from + bytes * first, Q, stride, last - first);
      return noTotals;
    }
    // In the place of this side's biases stands the column of ones of the other side's.
    const one = fit.isBiasFitted[otherSide(side)] ? 1 : 0;
    const factor = factorBuffer(fit, side, own as number);
    const batch = new Float32Array(fit.memory.buffer, scratch, batchRows * stride);
    for (let row = first; row < last; row += batchRows) {
      const count = Math.min(batchRows, last - row);
      batch.set(factor.subarray(row * stride, (row + count) * stride));
      for (let i = 0; i < count; i++) batch[i * stride + rank] = one;
      kernels.rotateRows32(rotated + bytes * row, scratch, Q, stride, count);
    }
    return noTotals;
  },
};

function gramOf(fit: FitContext, side: Side): GramAddresses {
  const { gram } = fit.layout.sides[side];
  if (!gram) throw new Error('The layout has no room for sums over all rows.');
  return gram;
}
