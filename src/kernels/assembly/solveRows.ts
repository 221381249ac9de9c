/**
 * The exact solution of each row: min over x of Σ W²(y − x·z)² + λ‖x‖² (+ β of the bias), z = [v_j, 1 where the own bias
 * is fitted]. S is how numbers are stored, T how they are computed with.
 *
 * Weights are divided by the row's largest, so that f32 neither overflows nor underflows; penalties with them.
 */
import { RowJob } from "./job";
import { narrowStride } from "./narrow";
import { solveLanes } from "./narrowRows";
import { accumulate, normalEquations } from "./normalEquations";
import { observationSpace } from "./observationSpace";
import { lossOfRow, penaltyOfRow, weightOf, widen } from "./residual";
import { openSpace, Space } from "./space";

export function solveRows<S, T>(job: RowJob, first: i32, last: i32): void {
  const space = openSpace<T>(job);
  const isNarrow = sizeof<S>() == 4 && sizeof<T>() == 4 && <usize>job.stride == narrowStride && !job.hasBias && !job.weights;
  for (let row = first; row < last; ) {
    const count = isNarrow ? longRows(job, row, min(row + 4, last)) : 0;
    if (count > 0) solveLanes(job, row, count);
    else solveRow<S, T>(job, space, row);
    row += max(count, 1);
  }
}

/** How many rows from `first` on have no fewer observations than unknowns. */
function longRows(job: RowJob, first: i32, end: i32): i32 {
  let row = first;
  for (; row < end; row++) {
    const at = job.pointers + (<usize>row << 2);
    if (load<u32>(at, 4) - load<u32>(at) < <u32>job.rank) break;
  }
  return row - first;
}

/** Only the Gram matrices and right-hand sides, for measuring. */
export function accumulateOnly<S, T>(job: RowJob, first: i32, last: i32): void {
  const space = openSpace<T>(job);
  for (let row = first; row < last; row++) {
    const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    accumulate<S, T>(job, space, start, end, 1);
  }
}

/** Of λ: a bias that pays less is larger than the others by √(λ/β) in the n×n system, which loses as many digits. */
const leastShare: f64 = 1 / 128;

/** A row whose pivots vanish in T says so in its status. */
export function solveRow<S, T>(job: RowJob, space: Space, row: i32): void {
  const stride = <usize>job.stride;
  const width = stride * sizeof<S>();
  const out = job.out + <usize>row * width;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  const active = <usize>job.rank + <usize>job.ownBiasFree;
  const lambda = load<f64>(job.penalties + (<usize>row << 3));
  const beta = job.hasBias ? load<f64>(job.biasPenalties + (<usize>row << 3)) : 0;
  store<u8>(job.status + row, 0);

  const largest = largestWeight<S>(job, start, end);
  if (job.own) takeOwn<S, T>(job, space, row, active);
  if (end == start) {
    if (job.own) addPenaltyGradient<T>(job, space, lambda, beta);
    memory.fill(out, 0, width);
    return;
  }
  const squaredLargest = largest * largest;
  const isPenalised = lambda > 0 && (!job.ownBiasFree || beta >= leastShare * lambda);
  const isFree = lambda == 0 && (!job.ownBiasFree || beta == 0);
  let solved: bool;
  if (end - start < active && (isPenalised || isFree))
    solved = observationSpace<S, T>(job, space, start, end, active, largest, lambda / squaredLargest, beta / squaredLargest);
  else solved = normalEquations<S, T>(job, space, start, end, active, largest, lambda / squaredLargest, beta / squaredLargest);
  if (!solved) {
    store<u8>(job.status + row, 1);
    return;
  }
  for (let c: usize = 0; c < stride; c++)
    store<S>(out + c * sizeof<S>(), c < active ? <S>load<T>(space.b + c * sizeof<T>()) : <S>0);
  measure<S>(job, space, row);
}

/** What a row that has been solved loses and pays. */
export function measure<S>(job: RowJob, space: Space, row: i32): void {
  const at = job.pointers + (<usize>row << 2);
  const bias = widen<S>(job, job.out + <usize>row * <usize>job.stride * sizeof<S>(), space.wide);
  if (job.isLossWanted) job.loss += lossOfRow<S>(job, space.wide, bias, <usize>load<u32>(at), <usize>load<u32>(at, 4));
  job.penalty += penaltyOfRow(job, space.wide, bias, row);
}

function largestWeight<S>(job: RowJob, start: usize, end: usize): f64 {
  if (job.weights == 0) return 1;
  let largest: f64 = 0;
  for (let t = start; t < end; t++) largest = max(largest, weightOf<S>(job, t));
  return largest;
}

/** The row's old value, zero beyond its active part, and its squares. */
export function takeOwn<S, T>(job: RowJob, space: Space, row: i32, active: usize): void {
  const own = job.own + <usize>row * <usize>job.stride * sizeof<S>();
  for (let c: usize = 0; c < <usize>job.stride; c++) {
    const x = c < active ? <f64>load<S>(own + c * sizeof<S>()) : 0;
    job.addOwn(<i32>c, x);
    store<T>(space.x + c * sizeof<T>(), <T>x);
  }
}

/** 2Dx of a row without observations. */
function addPenaltyGradient<T>(job: RowJob, space: Space, lambda: f64, beta: f64): void {
  for (let c = 0; c < job.stride; c++)
    job.addGradient(c, 2 * (c < job.rank ? lambda : beta) * <f64>load<T>(space.x + <usize>c * sizeof<T>()));
}
