/** The quadratic that is tangent to a row's smooth part at its present value, its background's Gram matrix included. */
import { ComposedSpace, penaltyFactor } from "./composedSpace";
import { copy } from "./entryLanes";
import { downdate, gram } from "./gram";
import { RowJob } from "./job";
import { curvature, halfSlope, Loss } from "./losses";
import { collect, locate as locateObservations } from "./panel";
import { dotWide } from "./residual";
import { ownBias, widen } from "./rowValue";
import { Space } from "./space";
import { Terms } from "./terms";

/** Observations of a panel. */
export const panelRows: usize = 64;

/** G (upper half) and b, of T, of the quadratic xᵀGx − 2bᵀx tangent to the row's smooth part at x of the space. */
export function tangent<S, T>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const space = work.space;
  const stride = work.size;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  if (terms.gram) {
    const weight = load<f64>(terms.ownWeights + (<usize>row << 3));
    for (let r: usize = 0; r < stride; r += 4)
      for (let i = r; i < r + 4; i++)
        scaleTo<T>(work.G + (i * stride + r) * sizeof<T>(), terms.gram + ((i * stride + r) << 3), weight, stride - r);
    if (work.right) copy(work.b, work.right, stride * sizeof<T>());
    else if (terms.isFull) memory.fill(work.b, 0, stride * sizeof<T>());
    else scaleTo<T>(work.b, terms.gramSum, weight, stride);
  } else {
    memory.fill(work.G, 0, stride * stride * sizeof<T>());
    memory.fill(work.b, 0, stride * sizeof<T>());
  }
  const wide = widen(job, work, space.x);
  for (let t = work.right ? end : start; t < end; t += panelRows) {
    const count = min(panelRows, end - t);
    const added = locate<S, T>(job, terms, work, row, wide, t, count);
    collect<S, T>(job, space, count, space.P, job.weights != 0 || !areSquares(terms));
    if (terms.isFull) continue;
    if (added > 0) gram<T>(work.G, space.P, <i32>added, stride);
    if (added < count) downdate<T>(work.G, space.P + added * stride * sizeof<T>(), <i32>(count - added), stride);
  }
  for (let c: usize = 0; c < stride; c++) {
    const diagonal = work.G + c * (stride + 1) * sizeof<T>();
    store<T>(diagonal, c < work.n ? load<T>(diagonal) + <T>penaltyFactor(job, terms, row, c) : 1);
    if (c >= work.n) store<T>(work.b + c * sizeof<T>(), 0);
  }
}

/** `count` numbers, a multiple of 4, from f64 to T. */
// @ts-ignore: decorator
@inline
function scaleTo<T>(to: usize, from: usize, factor: f64, count: usize): void {
  const s = f64x2.splat(factor);
  for (const end = from + (count << 3); from != end; from += 32, to += 4 * sizeof<T>()) {
    const low = f64x2.mul(s, v128.load(from)), high = f64x2.mul(s, v128.load(from, 16));
    if (sizeof<T>() == 4)
      v128.store(to, v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5));
    else {
      v128.store(to, low);
      v128.store(to, high, 16);
    }
  }
}

/** Fills the panel's lists, observations that add to G from the front, those that take from it from the back. @returns how many add. */
function locate<S, T>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, wide: usize, start: usize, count: usize): usize {
  const space = work.space;
  if (areSquares(terms)) {
    locateObservations<S, T>(job, space, start, count, 1);
    return count;
  }
  const bytes = <usize>job.stride * sizeof<S>();
  const bias = ownBias(job, space.x);
  const loss = terms.loss, d = terms.lossParameter;
  const r: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  let front: usize = 0, back = count;
  let t = start;
  const isPlain = loss == Loss.Quadratic && !job.hasBias;
  if (sizeof<S>() == 4 && sizeof<T>() == 4 && isPlain) {
    front = locateFours(job, terms, space, r, start, count);
    t += front;
  }
  for (; t < start + count; t++) {
    const j = <usize>load<u32>(job.indices + (t << 2));
    const v = job.other + j * bytes;
    const a = <f64>load<S>(job.values + t * sizeof<S>());
    const w: f64 = job.weights ? <f64>load<S>(job.weights + t * sizeof<S>()) : 1;
    const offset = offsetOf<S>(job, v);
    let omega: f64, right: f64;
    if (loss == Loss.Quadratic) {
      omega = w * w;
      right = omega * (a - offset);
    } else {
      const p = dotWide<S>(wide, v, job.stride) + bias + job.mean;
      omega = curvature(loss, w, a, p, d);
      right = omega * (p - offset) - halfSlope(loss, w, a, p, d);
    }
    if (terms.gram) {
      const rc = r * load<f64>(terms.otherWeights + (j << 3));
      if (loss == Loss.Poisson) right += 0.5 * rc;
      else {
        omega -= rc;
        right -= rc * (terms.value - offset);
      }
    }
    const slot = omega >= 0 ? front++ : --back;
    store<u32>(space.addresses + (slot << 2), <u32>v);
    store<T>(space.scales + slot * sizeof<T>(), <T>sqrt(abs(omega)));
    store<T>(space.rights + slot * sizeof<T>(), <T>right);
  }
  return front;
}

/** Whether there are weighted squares alone, so that all entries add to G. */
// @ts-ignore: decorator
@inline
function areSquares(terms: Terms): bool {
  return terms.loss == Loss.Quadratic && (!terms.gram || terms.isFull);
}

/** The first entries of a panel by fours, as long as they add to G. @returns how many. Without biases the mean is 0. */
function locateFours(job: RowJob, terms: Terms, space: Space, r: f64, start: usize, count: usize): usize {
  const bytes = i32x4.splat(job.stride << 2), other = i32x4.splat(<i32>job.other);
  const own = f32x4.splat(<f32>r), value = f32x4.splat(<f32>terms.value);
  const weights = job.weights, otherWeights = terms.otherWeights;
  let index = job.indices + (start << 2), at = job.values + (start << 2);
  const toWeight = weights - job.values;
  let done: usize = 0;
  for (; done + 4 <= count; done += 4) {
    const c = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(
      <f32>load<f64>(otherWeights + (<usize>load<u32>(index) << 3))),
      1, <f32>load<f64>(otherWeights + (<usize>load<u32>(index, 4) << 3))),
      2, <f32>load<f64>(otherWeights + (<usize>load<u32>(index, 8) << 3))),
      3, <f32>load<f64>(otherWeights + (<usize>load<u32>(index, 12) << 3)));
    const w = weights ? v128.load(at + toWeight) : f32x4.splat(1);
    const squared = f32x4.mul(w, w), rc = f32x4.mul(own, c);
    const omega = f32x4.sub(squared, rc);
    if (i32x4.bitmask(omega) != 0) break;
    v128.store(space.addresses + (done << 2), i32x4.add(other, i32x4.mul(bytes, v128.load(index))));
    v128.store(space.scales + (done << 2), f32x4.sqrt(omega));
    v128.store(space.rights + (done << 2), f32x4.sub(f32x4.mul(squared, v128.load(at)), f32x4.mul(rc, value)));
    index += 16;
    at += 16;
  }
  return done;
}

/** mean + the other side's bias at `v`. */
// @ts-ignore: decorator
@inline
export function offsetOf<S>(job: RowJob, v: usize): f64 {
  return job.hasBias ? job.mean + <f64>load<S>(v + <usize>job.rank * sizeof<S>()) : job.mean;
}
