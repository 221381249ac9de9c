/**
 * The exact solution of each row: min over x of Σ W²(y − x·z)² + λ‖x‖² (+ β of the bias), z = [v_j, 1 where the own bias
 * is fitted]. S is how numbers are stored, T how they are computed with.
 *
 * Weights are divided by the row's largest, so that f32 neither overflows nor underflows; penalties with them.
 */
import { cholesky, solveTriangles } from "./cholesky";
import { gram, rightHandSide } from "./gram";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";
import { lossOfRow, penaltyOfRow, weightOf, widen } from "./residual";

/** Panel rows gathered at a time, at the most. */
const panelRows: usize = 64;
/** What a panel may fill of a first-level cache of 48 KiB, which also holds the tile's rows of G. */
const panelBytes: usize = 32768;

/** A row's work space: G, then the panel, then vectors. See scratchBytes in load.ts. */
@unmanaged
class Space {
  G: usize;
  P: usize;
  /** Targets of the panel. */
  y: usize;
  b: usize;
  /** The row at its old value, then products with it. */
  x: usize;
  wide: usize;
}

export function solveRows<S, T>(job: RowJob, first: i32, last: i32): void {
  const space = openSpace<T>(job);
  for (let row = first; row < last; row++) solveRow<S, T>(job, space, row);
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

function openSpace<T>(job: RowJob): Space {
  const stride = <usize>job.stride;
  const space = changetype<Space>(job.scratch);
  space.G = job.scratch + 64;
  space.P = space.G + stride * stride * sizeof<T>();
  space.y = space.P + max(panelRows, stride) * stride * sizeof<T>();
  space.b = space.y + max(panelRows, stride) * sizeof<T>();
  space.x = space.b + stride * sizeof<T>();
  space.wide = space.x + stride * sizeof<T>();
  return space;
}

function solveRow<S, T>(job: RowJob, space: Space, row: i32): void {
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
    if (job.own) job.gradientSquared += penaltyGradient<T>(job, space, lambda, beta);
    memory.fill(out, 0, width);
    return;
  }
  const squaredLargest = largest * largest;
  const isPenalised = lambda > 0 && (!job.ownBiasFree || beta > 0);
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
  const bias = widen<S>(job, out, space.wide);
  if (job.isLossWanted) job.loss += lossOfRow<S>(job, space.wide, bias, start, end);
  job.penalty += penaltyOfRow(job, space.wide, bias, row);
}

function largestWeight<S>(job: RowJob, start: usize, end: usize): f64 {
  if (job.weights == 0) return 1;
  let largest: f64 = 0;
  for (let t = start; t < end; t++) largest = max(largest, weightOf<S>(job, t));
  return largest;
}

/** The row's old value, zero beyond its active part, and its square. */
function takeOwn<S, T>(job: RowJob, space: Space, row: i32, active: usize): void {
  const own = job.own + <usize>row * <usize>job.stride * sizeof<S>();
  let squared: f64 = 0;
  for (let c: usize = 0; c < <usize>job.stride; c++) {
    const x = c < active ? <f64>load<S>(own + c * sizeof<S>()) : 0;
    squared += x * x;
    store<T>(space.x + c * sizeof<T>(), <T>x);
  }
  job.ownSquared += squared;
}

/** ‖2Dx‖² of a row without observations. */
function penaltyGradient<T>(job: RowJob, space: Space, lambda: f64, beta: f64): f64 {
  let squared: f64 = 0;
  for (let c = 0; c < job.stride; c++) {
    const d = 2 * (c < job.rank ? lambda : beta) * <f64>load<T>(space.x + <usize>c * sizeof<T>());
    squared += d * d;
  }
  return squared;
}

/**
 * Copies v_j of `count` entries from `start` on, scaled by W/largest, to panel rows, their targets beside; the own bias
 * is a column of ones.
 */
function gather<S, T>(job: RowJob, start: usize, count: usize, largest: f64, P: usize, y: usize): void {
  // Fields are read once: the compiler cannot know that no store changes them.
  const stride = <usize>job.stride, other = job.other, indices = job.indices, values = job.values;
  const weights = job.weights, hasBias = job.hasBias, ownBiasFree = job.ownBiasFree, mean = job.mean;
  const biasOffset = <usize>job.rank;
  const from = stride * sizeof<S>(), bytes = stride * sizeof<T>();
  const inverse = 1 / largest;
  let to = P;
  for (let t = start; t < start + count; t++) {
    const v = other + <usize>load<u32>(indices + (t << 2)) * from;
    let target = <f64>load<S>(values + t * sizeof<S>()) - mean;
    let s: T = 1;
    if (sizeof<S>() != sizeof<T>()) {
      if (weights) s = <T>(<f64>load<S>(weights + t * sizeof<S>()) * inverse);
      for (let c: usize = 0; c < stride; c++) store<T>(to + c * sizeof<T>(), s * <T>load<S>(v + c * sizeof<S>()));
    } else if (weights) {
      s = <T>(<f64>load<S>(weights + t * sizeof<S>()) * inverse);
      const factor = v128.splat<T>(s);
      for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, v128.mul<T>(factor, v128.load(v + o)));
    } else {
      for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, v128.load(v + o));
    }
    if (hasBias) {
      target -= <f64>load<S>(v + biasOffset * sizeof<S>());
      store<T>(to + biasOffset * sizeof<T>(), ownBiasFree ? s : <T>0);
    }
    store<T>(y, s * <T>target);
    to += bytes;
    y += sizeof<T>();
  }
}

/** G = ZᵀZ and b = Zᵀy, a panel of rows at a time. */
function accumulate<S, T>(job: RowJob, space: Space, start: usize, end: usize, largest: f64): void {
  const stride = <usize>job.stride;
  const bytes = stride * sizeof<T>();
  memory.fill(space.G, 0, stride * bytes);
  memory.fill(space.b, 0, bytes);
  const most = max<usize>(8, min(panelRows, panelBytes / bytes));
  for (let t = start; t < end; t += most) {
    const count = min(most, end - t);
    gather<S, T>(job, t, count, largest, space.P, space.y);
    gram<T>(space.G, space.P, <i32>count, stride);
    rightHandSide<T>(space.b, space.P, space.y, <i32>count, stride);
  }
}

/** (ZᵀZ + D)x = Zᵀy, ZᵀZ being k×k. */
function normalEquations<S, T>(
  job: RowJob, space: Space, start: usize, end: usize, active: usize, largest: f64, lambda: f64, beta: f64,
): bool {
  const stride = <usize>job.stride;
  const bytes = stride * sizeof<T>();
  accumulate<S, T>(job, space, start, end, largest);
  let biggest: f64 = 0;
  for (let c: usize = 0; c < stride; c++) {
    const diagonal = space.G + c * bytes + c * sizeof<T>();
    const penalty = c < <usize>job.rank ? lambda : beta;
    store<T>(diagonal, c < active ? load<T>(diagonal) + <T>penalty : <T>1);
    if (c < active) biggest = max(biggest, <f64>load<T>(diagonal));
  }
  if (job.own) job.gradientSquared += normalGradient<T>(space, stride, active, 4 * largest * largest * largest * largest);
  if (!cholesky<T>(space.G, stride, active, <T>(<f64>active * epsilon<T>() * biggest))) return false;
  solveTriangles<T>(space.G, stride, space.b);
  return true;
}

// @ts-ignore: decorator
@inline
function epsilon<T>(): f64 {
  return sizeof<T>() == 4 ? <f64>f32.EPSILON : f64.EPSILON;
}

/** ‖Gx − b‖² times `scale`, from the upper half of G: each row gives a dot product and its mirror image an axpy. */
function normalGradient<T>(space: Space, stride: usize, active: usize, scale: f64): f64 {
  const lanes: usize = 16 / sizeof<T>();
  const g = space.wide;
  for (let c: usize = 0; c < stride; c++) store<T>(g + c * sizeof<T>(), -load<T>(space.b + c * sizeof<T>()));
  for (let r: usize = 0; r < active; r++) {
    const row = space.G + r * stride * sizeof<T>();
    const x = load<T>(space.x + r * sizeof<T>());
    let sum = load<T>(row + r * sizeof<T>()) * x;
    let c = r + 1;
    for (; c < stride && (c & (lanes - 1)) != 0; c++) {
      const o = c * sizeof<T>();
      sum += load<T>(row + o) * load<T>(space.x + o);
      store<T>(g + o, load<T>(g + o) + x * load<T>(row + o));
    }
    const s = v128.splat<T>(x);
    let dot = v128.splat<T>(0);
    for (; c < stride; c += lanes) {
      const o = c * sizeof<T>();
      const entry = v128.load(row + o);
      dot = madd<T>(entry, v128.load(space.x + o), dot);
      v128.store(g + o, madd<T>(s, entry, v128.load(g + o)));
    }
    store<T>(g + r * sizeof<T>(), load<T>(g + r * sizeof<T>()) + sum + sumLanes<T>(dot));
  }
  let squared: f64 = 0;
  for (let c: usize = 0; c < active; c++) {
    const d = <f64>load<T>(g + c * sizeof<T>());
    squared += d * d;
  }
  return scale * squared;
}

/**
 * For fewer observations than unknowns: x = D⁻¹Zᵀα with (ZD⁻¹Zᵀ + I)α = y (Woodbury), n×n in place of k×k; without
 * penalty D = 1 and no I, which is the solution of minimum norm.
 */
function observationSpace<S, T>(
  job: RowJob, space: Space, start: usize, end: usize, active: usize, largest: f64, lambda: f64, beta: f64,
): bool {
  const stride = <usize>job.stride;
  const count = end - start;
  const size = (count + 3) & ~3;
  const bytes = size * sizeof<T>();
  const isPenalised = lambda > 0;
  const perFactor = isPenalised ? <T>(1 / Math.sqrt(lambda)) : <T>1;
  const perBias = isPenalised && job.ownBiasFree ? <T>(1 / Math.sqrt(beta)) : <T>1;
  // The panel transposed: row c holds column c of ZD^−½, so that the Gram kernel sums over unknowns.
  memory.fill(space.P, 0, active * bytes);
  for (let r: usize = 0; r < count; r++) {
    gather<S, T>(job, start + r, 1, largest, space.wide, space.y + r * sizeof<T>());
    for (let c: usize = 0; c < active; c++)
      store<T>(
        space.P + c * bytes + r * sizeof<T>(),
        (c < <usize>job.rank ? perFactor : perBias) * load<T>(space.wide + c * sizeof<T>()),
      );
  }
  if (job.own) job.gradientSquared += observationGradient<T>(job, space, count, bytes, active, largest, lambda, beta, perFactor, perBias);
  memory.fill(space.G, 0, size * bytes);
  gram<T>(space.G, space.P, <i32>active, size);
  let biggest: f64 = 0;
  for (let r: usize = 0; r < size; r++) {
    const diagonal = space.G + r * bytes + r * sizeof<T>();
    store<T>(diagonal, r < count ? load<T>(diagonal) + (isPenalised ? <T>1 : <T>0) : <T>1);
    if (r < count) biggest = max(biggest, <f64>load<T>(diagonal));
    else store<T>(space.y + r * sizeof<T>(), <T>0);
  }
  if (!cholesky<T>(space.G, size, count, <T>(<f64>active * epsilon<T>() * biggest))) return false;
  solveTriangles<T>(space.G, size, space.y);
  for (let c: usize = 0; c < active; c++) {
    let sum = v128.splat<T>(0);
    for (let o: usize = 0; o < bytes; o += 16)
      sum = madd<T>(v128.load(space.P + c * bytes + o), v128.load(space.y + o), sum);
    store<T>(space.b + c * sizeof<T>(), (c < <usize>job.rank ? perFactor : perBias) * sumLanes<T>(sum));
  }
  return true;
}

/** ‖2(Zᵀ(Zx − y) + Dx)‖² in float64 from the transposed panel (which holds ZD^−½). */
function observationGradient<T>(
  job: RowJob, space: Space, count: usize, bytes: usize, active: usize, largest: f64, lambda: f64, beta: f64, perFactor: T, perBias: T,
): f64 {
  // Residuals go to G, which is not in use yet.
  for (let r: usize = 0; r < count; r++) {
    let residual: f64 = -<f64>load<T>(space.y + r * sizeof<T>());
    for (let c: usize = 0; c < active; c++)
      residual +=
        (<f64>load<T>(space.P + c * bytes + r * sizeof<T>()) / <f64>(c < <usize>job.rank ? perFactor : perBias)) *
        <f64>load<T>(space.x + c * sizeof<T>());
    store<f64>(space.G + (r << 3), residual);
  }
  let squared: f64 = 0;
  for (let c: usize = 0; c < active; c++) {
    const isFactor = c < <usize>job.rank;
    let d = (isFactor ? lambda : beta) * <f64>load<T>(space.x + c * sizeof<T>());
    const per = <f64>(isFactor ? perFactor : perBias);
    for (let r: usize = 0; r < count; r++)
      d += (<f64>load<T>(space.P + c * bytes + r * sizeof<T>()) / per) * load<f64>(space.G + (r << 3));
    squared += d * d;
  }
  return 4 * largest * largest * largest * largest * squared;
}
