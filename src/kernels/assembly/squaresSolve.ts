/**
 * Rows of weighted squares with a background and a ridge, and no more: solved in T as plain rows are, beside one Gram matrix
 * of all rows of the other side. That matrix is summed in f64, and so is f.
 */
import { choleskySolve } from "./cholesky";
import { ComposedSpace, openComposed, takeOwn } from "./composedSpace";
import { RowJob } from "./job";
import { epsilon } from "./lanes";
import { addGradient } from "./normalEquations";
import { penaltyOfRow } from "./residual";
import { lossAt, ownBias } from "./rowValue";
import { tangent } from "./tangent";
import { Terms } from "./terms";

export function squaresSolve<S, T>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = openComposed(job);
  memory.fill(work.space.x, 0, work.size << 3);
  memory.fill(work.mu, 0, work.size << 3);
  for (let row = first; row < last; row++) solveRow<S, T>(job, terms, work, row);
}

/** A row whose pivots vanish in T is left for f64, and says so in its status. */
function solveRow<S, T>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const stride = work.size;
  const x = work.space.x;
  store<u8>(job.status + row, 0);
  tangent<S, T>(job, terms, work, row);
  let biggest: f64 = 0;
  for (let c: usize = 0; c < work.n; c++) biggest = max(biggest, <f64>load<T>(work.G + c * (stride + 1) * sizeof<T>()));
  if (job.own) {
    takeOwn<S>(job, work, row);
    for (let c: usize = 0; c < stride; c++) store<T>(x + c * sizeof<T>(), <T>load<f64>(x + (c << 3)));
    addGradient<T>(job, work.space, work.G, stride, work.n, 2);
  }
  const isSolved = choleskySolve<T>(work.G, stride, work.n, <T>(<f64>work.n * epsilon<T>() * biggest), work.b);
  if (!isSolved) {
    store<u8>(job.status + row, 1);
    return;
  }
  const out = job.out + <usize>row * stride * sizeof<S>();
  for (let c: usize = 0; c < stride; c++) {
    const rounded = c < work.n ? <S>load<T>(work.b + c * sizeof<T>()) : <S>0;
    store<S>(out + c * sizeof<S>(), rounded);
    store<f64>(x + (c << 3), <f64>rounded);
  }
  if (job.isLossWanted) job.loss += lossAt<S>(job, terms, work, x, row);
  job.penalty += penaltyOfRow(job, x, ownBias(job, x), row);
}
