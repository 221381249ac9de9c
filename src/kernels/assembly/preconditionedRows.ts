/**
 * Long rows of weighted squares with a ridge, (VᵀW²V + λ)x = VᵀW²a, by conjugate gradients from where they are. What conditions them,
 * rΛ + λ in the eigenbasis of the other side's Gram matrix, is their own matrix but for what tells a row from the others: see
 * conjugateRows.ts. Short rows are solved n×n, and what steps do not solve in the time of a k×k matrix is solved by that.
 */
import { isShort, lengthOf } from "./basisRows";
import { rotateIn, rotateOut } from "./batch";
import { batchRows, openComposed } from "./composedSpace";
import { solvePreconditioned } from "./conjugateRows";
import { RowJob } from "./job";
import { measure, solveRow, takeOwn } from "./solveRows";
import { openSpace } from "./space";
import { Terms } from "./terms";

/** Of what entries are expected to weigh in a direction. */
const leastRidge: f64 = 1e-2;

export function preconditionedRows(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const rank = <usize>job.rank, unknowns = rank + <usize>job.ownBiasFree;
  const typical = meanOf(terms.basis, unknowns);
  const rows = openComposed(job).batchList;
  let held: usize = 0;
  for (let row = first; row < last; row++) {
    const count = lengthOf(job, row), o = <usize>row << 3;
    // What few entries leave open a small ridge decides: weak directions, which the expected matrix does not know of.
    const isOpen = count < 2 * unknowns && load<f64>(job.penalties + o) < leastRidge * load<f64>(terms.ownWeights + o) * typical;
    if (isOpen || isShort(count, rank)) {
      solveRow<f32, f32>(job, openSpace<f32>(job), row);
      continue;
    }
    store<i32>(rows + (held++ << 2), row);
    if (held < batchRows) continue;
    solveBatch(job, terms, rows, held);
    held = 0;
  }
  if (held > 0) solveBatch(job, terms, rows, held);
}

function meanOf(numbers: usize, count: usize): f64 {
  let sum: f64 = 0;
  for (let c: usize = 0; c < count; c++) sum += <f64>load<f32>(numbers + (c << 2));
  return sum / <f64>count;
}

function solveBatch(job: RowJob, terms: Terms, rows: usize, count: usize): void {
  const work = openComposed(job);
  const bytes = work.size << 2;
  rotateIn(terms, work, rows, count);
  let solved = 0;
  for (let i: usize = 0; i < count; i++)
    if (solvePreconditioned(job, terms, work, load<i32>(rows + (i << 2)), work.rotatedBatch + i * bytes)) solved |= 1 << <i32>i;
  rotateOut(terms, work, count);
  const batch = work.batch, space = openSpace<f32>(job);
  for (let i: usize = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if (!((solved >> <i32>i) & 1)) {
      solveRow<f32, f32>(job, space, row);
      continue;
    }
    if (job.own) takeOwn<f32, f32>(job, space, row, <usize>(job.rank + job.ownBiasFree));
    memory.copy(job.out + <usize>row * bytes, batch + i * bytes, bytes);
    store<u8>(job.status + row, 0);
    measure<f32>(job, space, row);
  }
}
