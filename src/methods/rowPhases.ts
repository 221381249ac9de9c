/**
 * The row-separable work that methods and certificates are made of. Row i of ∂f/∂U needs row i of A and W, u_i and V,
 * and nothing else; so do the exact solution of row i and its loss.
 */
import { type EntryLists, readEntries } from '../data/entryFile.js';
import type { RealArray } from '../data/input.js';
import { copyEntries, isFiled, isWeighted, readRows, type StoredOrientation } from '../data/storedRows.js';
import { type JobFields, readTotals, writeJob } from '../kernels/load.js';
import { minimumNormSolution } from '../kernels/minimumNorm.js';
import {
  alignUp,
  type EntryAddresses,
  elementBytes,
  jobBytes,
  otherSide,
  realView,
  type Side,
} from '../parallel/layout.js';
import {
  countOf,
  type FitContext,
  noTotals,
  type Phase,
  type PhaseCall,
  type Totals,
  type Workbench,
} from '../parallel/phase.js';

/** Exact weighted ridge least squares for every row of the block; `own`, if any, has its gradient measured on the way. */
export const solvePhase: Phase = {
  name: 'solve',
  run(workbench, call, block) {
    const { fit, kernels } = workbench;
    const job = openJob(workbench, call, block);
    const solve =
      fit.dtype === 'f64' ? kernels.solveRows64 : call.precise ? kernels.solveRows32in64 : kernels.solveRows32;
    solve(job.address, job.first, job.last);
    const totals = readTotals(workbench.view, job.address);
    return redoDeficientRows(workbench, call, job, totals);
  },
};

/** 2(W∘W∘(UVᵀ−A))V and the penalty's part for every row of the block, at `own`; stored to `out` if any. */
export const gradientPhase: Phase = {
  name: 'gradient',
  run(workbench, call, block) {
    const { fit, kernels } = workbench;
    const job = openJob(workbench, call, block);
    (fit.dtype === 'f64' ? kernels.gradientRows64 : kernels.gradientRows32)(job.address, job.first, job.last);
    return readTotals(workbench.view, job.address);
  },
};

/** Loss and penalty at `own`. */
export const lossPhase: Phase = {
  name: 'loss',
  run(workbench, call, block) {
    const { fit, kernels } = workbench;
    const job = openJob(workbench, call, block);
    (fit.dtype === 'f64' ? kernels.lossRows64 : kernels.lossRows32)(job.address, job.first, job.last);
    return readTotals(workbench.view, job.address);
  },
};

/** Where further fields of a kernel stand, from the job's address; the layout gives both 320 bytes. */
export const behindJob = 192;

/** Whether fields of so many bytes have room there. */
export function checkBehindJob(bytes: number): void {
  if (behindJob + bytes > jobBytes) throw new Error('The fields do not fit behind the job.');
}

/** A phase that is one kernel over a block's rows, told more than a job by fields that `writeFields` writes behind it. */
export function kernelPhase(
  name: string,
  kernel: 'projectRows64' | 'reducedRows64' | 'hessianRows64' | 'factorRows64' | 'preconditionRows64',
  writeFields: (workbench: Workbench, fields: number, call: PhaseCall) => void,
  isMeasured = false,
): Phase {
  return {
    name,
    run(workbench, call, block) {
      const job = openJob(workbench, call, block);
      const fields = job.address + behindJob;
      writeFields(workbench, fields, call);
      workbench.kernels[kernel](job.address, fields, job.first, job.last);
      return isMeasured ? readTotals(workbench.view, job.address) : noTotals;
    },
  };
}

export interface OpenJob {
  readonly address: number;
  readonly fields: JobFields;
  readonly first: number;
  readonly last: number;
}

/** Writes the job of a block into this task's scratch. */
export function openJob(workbench: Workbench, call: PhaseCall, block: number): OpenJob {
  const { fit } = workbench;
  const boundaries = fit.blocks[call.side];
  const first = boundaries[block] as number;
  const last = boundaries[block + 1] as number;
  const { resident } = fit.layout.sides[call.side];
  return openRows(workbench, call, first, last, resident ?? stage(workbench, fit.observations[call.side], first, last));
}

/** Writes a job over rows first … last−1, whose entries are at `entries`. */
export function openRows(
  { fit, scratch, view }: Workbench,
  call: PhaseCall,
  first: number,
  last: number,
  entries: EntryAddresses,
): OpenJob {
  const address = scratch + fit.layout.jobOffset;
  const side = fit.layout.sides[call.side];
  const other = fit.layout.sides[otherSide(call.side)];
  const fields: JobFields = {
    rank: fit.rank,
    stride: fit.stride,
    hasBias: fit.hasBias ? 1 : 0,
    ownBiasFree: fit.isBiasFitted[call.side] ? 1 : 0,
    out: call.out === null ? 0 : (side.buffers[call.out] as number),
    own: call.own === null ? 0 : (side.buffers[call.own] as number),
    other: other.buffers[call.other] as number,
    pointers: entries.pointers,
    indices: entries.indices,
    values: entries.values,
    weights: entries.weights,
    penalties: side.penalties,
    biasPenalties: side.biasPenalties,
    scratch,
    status: side.status,
    isLossWanted: call.isLossUnwanted ? 0 : 1,
    mean: fit.mean,
  };
  writeJob(view, address, fields);
  return { address, fields, first, last };
}

/** Brings a block's observations from outside the memory into this task's scratch: from a file without a copy between. */
function stage(workbench: Workbench, from: StoredOrientation, first: number, last: number): EntryAddresses {
  const start = from.pointers[first] as number;
  const end = from.pointers[last] as number;
  const { addresses, pointers, lists } = stageRoom(workbench, from, first, last, end - start);
  for (let i = 0; i < pointers.length; i++) pointers[i] = (from.pointers[first + i] as number) - start;
  if (isFiled(from)) readEntries(from.file, start, lists);
  else copyEntries(lists, 0, from, start, end);
  return addresses;
}

/** Room in this task's scratch for `count` entries of rows first … last−1, no more of either than a block has. */
export function stageRoom(
  { fit, scratch }: Workbench,
  from: StoredOrientation,
  first: number,
  last: number,
  count: number,
): { readonly addresses: EntryAddresses; readonly pointers: Uint32Array; readonly lists: EntryLists } {
  const { buffer } = fit.memory;
  let next = scratch + fit.layout.stageOffset;
  const reserve = (bytes: number): number => {
    const address = next;
    next = alignUp(next + bytes);
    return address;
  };
  const rows = last - first;
  const pointers = reserve((rows + 1) * 4);
  const indices = reserve(count * 4);
  const values = reserve(count * elementBytes(fit.dtype));
  const weights = isWeighted(from) ? reserve(count * elementBytes(fit.dtype)) : 0;
  return {
    // The kernels read pointers[row] by absolute row number.
    addresses: { pointers: pointers - first * 4, indices, values, weights },
    pointers: new Uint32Array(buffer, pointers, rows + 1),
    lists: {
      indices: new Uint32Array(buffer, indices, count),
      values: realView(fit.dtype, buffer, values, count),
      weights: weights ? realView(fit.dtype, buffer, weights, count) : undefined,
    },
  };
}

/**
 * Rows whose Cholesky factorization met a vanishing pivot: in f32 once more in f64 arithmetic, and where that does not
 * help either from W_iV_i itself by a rank-revealing route, which gives the answer of minimum norm in place of NaN.
 */
export function redoDeficientRows(workbench: Workbench, call: PhaseCall, job: OpenJob, totals: Totals): Totals {
  const { fit, kernels, view } = workbench;
  return redoRows(workbench, call, job, totals, (row, isLeft) => {
    if (fit.dtype === 'f32' && !call.precise) {
      // The gradient at `own` was measured before the pivot vanished.
      writeJob(view, job.address, { ...job.fields, own: 0 });
      kernels.solveRows32in64(job.address, row, row + 1);
      if (!isLeft(row)) return readTotals(view, job.address);
    }
    return solveDeficientRow(fit, call, row);
  });
}

/**
 * Once more the rows of a block whose status says that they need it; what they lose and pay is added to the sums.
 *
 * @param redo is told how to ask the row's status again.
 */
export function redoRows(
  { fit, bytes }: Workbench,
  { side }: PhaseCall,
  { first, last }: OpenJob,
  totals: Totals,
  redo: (row: number, isLeft: (row: number) => boolean) => Pick<Totals, 'loss' | 'penalty'>,
): Totals {
  const { status } = fit.layout.sides[side];
  // Not in the loop, where it would be made anew for each row.
  const isLeft = (row: number) => bytes[status + row] !== 0;
  let redone = totals;
  for (let row = first; row < last; row++) {
    if (!isLeft(row)) continue;
    const again = redo(row, isLeft);
    redone = { ...redone, loss: redone.loss + again.loss, penalty: redone.penalty + again.penalty };
  }
  return redone;
}

/** A factor-sized buffer of the shared memory as numbers, row-major with the fit's stride. */
export function factorBuffer(fit: FitContext, side: Side, index: number): RealArray {
  const rows = countOf(fit, side);
  const address = fit.layout.sides[side].buffers[index] as number;
  return realView(fit.dtype, fit.memory.buffer, address, rows * fit.stride);
}

/** The rounding unit below which singular values of a row's design count as zero. */
const epsilon = { f32: 2 ** -23, f64: 2 ** -52 } as const;

function solveDeficientRow(fit: FitContext, call: PhaseCall, row: number): { loss: number; penalty: number } {
  const { rank, stride, mean } = fit;
  const stored = fit.observations[call.side];
  const { indices, values, weights, ...entries } = readRows(stored, row, row + 1);
  const start = (stored.pointers[row] as number) - entries.start;
  const count = (stored.pointers[row + 1] as number) - entries.start - start;
  const other = factorBuffer(fit, otherSide(call.side), call.other);
  const out = factorBuffer(fit, call.side, call.out as number);
  const isBiasFree = fit.isBiasFitted[call.side];
  const width = rank + (isBiasFree ? 1 : 0);
  const lists = penaltyLists(fit, call.side);
  const lambda = lists.latent[row] as number;
  const biasLambda = lists.bias ? (lists.bias[row] as number) : 0;
  const hasPenalty = lambda > 0 || biasLambda > 0;
  const X = new Float64Array((count + (hasPenalty ? width : 0)) * width);
  const y = new Float64Array(count + (hasPenalty ? width : 0));
  const design = (c: number, at: number) => (c < rank ? (other[at + c] as number) : 1);
  for (let t = 0; t < count; t++) {
    const weight = weights ? (weights[start + t] as number) : 1;
    const at = (indices[start + t] as number) * stride;
    for (let c = 0; c < width; c++) X[t * width + c] = weight * design(c, at);
    y[t] = weight * ((values[start + t] as number) - mean - (fit.hasBias ? (other[at + rank] as number) : 0));
  }
  // A ridge is √λ more observations of zero.
  if (hasPenalty)
    for (let c = 0; c < width; c++) X[(count + c) * width + c] = Math.sqrt(c < rank ? lambda : biasLambda);
  const solution = minimumNormSolution(X, y, width, Math.max(count, width) * epsilon[fit.dtype]);
  out.fill(0, row * stride, (row + 1) * stride);
  out.set(solution, row * stride);

  let loss = 0;
  for (let t = 0; t < count; t++) {
    const at = (indices[start + t] as number) * stride;
    let residual = (values[start + t] as number) - mean - (fit.hasBias ? (other[at + rank] as number) : 0);
    for (let c = 0; c < width; c++) residual -= (out[row * stride + c] as number) * design(c, at);
    const weighted = (weights ? (weights[start + t] as number) : 1) * residual;
    loss += weighted * weighted;
  }
  return { loss, penalty: penaltiesIn(fit, call.side, out)(row) };
}

/** λ_i‖x_i‖² (and μ_i‖x_i‖₁) and the bias's part, of each row i in `factor`. */
function penaltiesIn(fit: FitContext, side: Side, factor: RealArray): (row: number) => number {
  const { rank, stride } = fit;
  const { latent, bias } = penaltyLists(fit, side);
  const { l1, multiples } = termLists(fit, side);
  return (row) => {
    const lambda = latent[row] as number;
    const mu = l1 ? (l1[row] as number) : 0;
    const start = row * stride;
    let penalty = 0;
    for (let c = 0; c < rank; c++) {
      const x = factor[start + c] as number;
      const multiple = multiples ? (multiples[c] as number) : 1;
      penalty += multiple * (lambda * x * x + mu * Math.abs(x));
    }
    if (!bias) return penalty;
    const x = factor[start + rank] as number;
    return penalty + (bias[row] as number) * x * x;
  };
}

/** `before` and those of rows of `factor`, all or first … last−1, in their order. */
export function penaltyOf(
  fit: FitContext,
  side: Side,
  factor: RealArray,
  before = 0,
  [first, last]: readonly [first: number, last: number] = [0, countOf(fit, side)],
): number {
  const penalty = penaltiesIn(fit, side, factor);
  let sum = before;
  for (let row = first; row < last; row++) sum += penalty(row);
  return sum;
}

/** What a composed objective adds to penalties, where there is one. */
function termLists(fit: FitContext, side: Side): { l1?: Float64Array; multiples?: Float64Array } {
  const { terms } = fit.layout.sides[side];
  if (!terms) return {};
  const { buffer } = fit.memory;
  return {
    ...(terms.l1 && { l1: new Float64Array(buffer, terms.l1, countOf(fit, side)) }),
    multiples: new Float64Array(buffer, terms.multiples, fit.stride),
  };
}

function penaltyLists(fit: FitContext, side: Side): { latent: Float64Array; bias: Float64Array | undefined } {
  const { penalties, biasPenalties } = fit.layout.sides[side];
  const list = (address: number) => new Float64Array(fit.memory.buffer, address, countOf(fit, side));
  return { latent: list(penalties), bias: fit.hasBias ? list(biasPenalties) : undefined };
}
