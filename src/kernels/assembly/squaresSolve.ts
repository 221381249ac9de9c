/**
 * Rows of weighted squares with a background and a ridge, and no more: solved in f32 as plain rows are, beside one Gram matrix
 * of all rows of the other side. That matrix is summed in f64, and so is f.
 */
import { isConjugate, isShort, lengthOf, solveShort } from "./basisRows";
import { rotateIn, rotateOut } from "./batch";
import { choleskySolve } from "./cholesky";
import { batchRows, ComposedSpace, openComposed, takeOwn } from "./composedSpace";
import { solveByGradients } from "./conjugateRows";
import { RowJob } from "./job";
import { epsilon } from "./lanes";
import { addGradient } from "./normalEquations";
import { penaltyOfRow } from "./residual";
import { lossAt, ownBias } from "./rowValue";
import { tangent } from "./tangent";
import { Terms } from "./terms";

export function squaresSolve(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = openComposed(job);
  if (terms.rotated) solveInBatches(true, job, terms, work, first, last);
  if (terms.rotated && isConjugate(<usize>job.rank)) solveInBatches(false, job, terms, work, first, last);
  else
    for (let row = first; row < last; row++)
      if (!terms.rotated || !isShort(lengthOf(job, row), <usize>job.rank)) solveRow(job, terms, work, row);
}

/** The short rows, or the others. */
function solveInBatches(areShort: bool, job: RowJob, terms: Terms, work: ComposedSpace, first: i32, last: i32): void {
  const rows = work.batchList;
  let held: usize = 0;
  for (let row = first; row < last; row++) {
    if (isShort(lengthOf(job, row), <usize>job.rank) != areShort) continue;
    store<i32>(rows + (held++ << 2), row);
    if (held < batchRows) continue;
    solveBatch(areShort, job, terms, work, rows, held);
    held = 0;
  }
  if (held > 0) solveBatch(areShort, job, terms, work, rows, held);
}

/** Rows together in and out of the background's eigenbasis. */
function solveBatch(areShort: bool, job: RowJob, terms: Terms, work: ComposedSpace, rows: usize, count: usize): void {
  // The solution of a short row does not depend on where it starts.
  if (!areShort || job.own) rotateIn(terms, work, rows, count);
  const bytes = work.size << 2;
  let solved = 0;
  for (let i: usize = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2)), x = work.rotatedBatch + i * bytes;
    const isSolved = areShort ? solveShort(job, terms, work, row, x) : solveByGradients(job, terms, work, row, x);
    if (isSolved) solved |= 1 << <i32>i;
  }
  rotateOut(terms, work, count);
  let left: usize = 0;
  for (let i: usize = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if ((solved >> <i32>i) & 1) {
      if (job.own) takeOwn<f32>(job, work, row);
      keep(job, terms, work, row, work.batch + i * bytes);
    } else if (areShort && isConjugate(<usize>job.rank)) store<i32>(rows + (left++ << 2), row);
    else solveRow(job, terms, work, row);
  }
  // Where an entry counts less than an unlisted one its weight beyond that has no root; steps need none.
  if (left > 0) solveBatch(false, job, terms, work, rows, left);
}

/** k×k. A row whose pivots vanish in f32 is left for f64, and says so in its status. */
function solveRow(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const stride = work.size;
  const x = work.space.x;
  tangent<f32, f32>(job, terms, work, row);
  let biggest: f32 = 0;
  for (let c: usize = 0; c < work.n; c++) biggest = max(biggest, load<f32>(work.G + c * ((stride + 1) << 2)));
  if (job.own) {
    takeOwn<f32>(job, work, row);
    for (let c: usize = 0; c < stride; c++) store<f32>(x + (c << 2), <f32>load<f64>(x + (c << 3)));
    addGradient<f32>(job, work.space, work.G, stride, work.n, 2);
  }
  if (choleskySolve<f32>(work.G, stride, work.n, <f32>(<f64>work.n * epsilon<f32>()) * biggest, work.b))
    keep(job, terms, work, row, work.b);
  else store<u8>(job.status + row, 1);
}

/** A row's solution, f32, to its place, and what it costs. */
function keep(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, solution: usize): void {
  const x = work.space.x;
  const out = job.out + <usize>row * (work.size << 2);
  for (let c: usize = 0; c < work.size; c++) {
    const value: f32 = c < work.n ? load<f32>(solution + (c << 2)) : 0;
    store<f32>(out + (c << 2), value);
    store<f64>(x + (c << 3), <f64>value);
  }
  store<u8>(job.status + row, 0);
  if (job.isLossWanted) job.loss += lossAt<f32>(job, terms, work, x, row);
  job.penalty += penaltyOfRow(job, x, ownBias(job, x), row);
}
