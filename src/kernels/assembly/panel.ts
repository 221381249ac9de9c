/**
 * A panel: the rows z_t of some observations of one row, scaled by their weights, side by side, and its part of Zᵀy.
 * Weights are divided by the row's largest, so that f32 neither overflows nor underflows.
 */
import { RowJob } from "./job";
import { Space } from "./space";
import { madd } from "./lanes";

/** Gathers `count` ≥ 1 observations from `start` on, W/largest·z_t to P (`stride` apart), and adds Zᵀy to b. */
export function gather<S, T>(job: RowJob, space: Space, start: usize, count: usize, largest: f64, P: usize): void {
  locate<S, T>(job, space, start, count, 1 / largest);
  collect<S, T>(job, space, count, P, job.weights != 0);
}

/** Copies the located factors, scaled unless all scales are 1, to P and adds Σ rights_t·z_t to b. */
export function collect<S, T>(job: RowJob, space: Space, count: usize, P: usize, isScaled: bool): void {
  const stride = <usize>job.stride;
  const biasAt = <usize>job.rank;
  const biasSum = space.b + biasAt * sizeof<T>();
  const before = job.hasBias ? load<T>(biasSum) : <T>0;
  if (isScaled) someColumns<S, T>(true, space, 0, stride, count, P);
  else someColumns<S, T>(false, space, 0, stride, count, P);
  // The other side's bias has come along: in its place belongs the own bias's column of ones.
  if (job.hasBias) store<T>(biasSum, before + ones<T>(space, stride, count, P + biasAt * sizeof<T>(), job.ownBiasFree));
}

/** Where each observation's factor is, its scale and its scaled target: a − mean − the other side's bias. */
export function locate<S, T>(job: RowJob, space: Space, start: usize, count: usize, inverse: f64): void {
  // Fields are read once: the compiler cannot know that no store changes them.
  const from = <usize>job.stride * sizeof<S>(), other = job.other, mean = job.mean, hasBias = job.hasBias, weights = job.weights;
  const biasOffset = <usize>job.rank * sizeof<S>();
  let index = job.indices + (start << 2);
  let value = job.values + start * sizeof<S>();
  const toWeight = weights - job.values;
  let scale = space.scales, target = space.y, address = space.addresses;
  const toRight = space.rights - target;
  const end = address + (count << 2);
  if (sizeof<S>() == 4 && sizeof<T>() == 4 && !hasBias) {
    // Four at a time: without biases the mean is 0, and targets are the values.
    const factors = i32x4.splat(<i32>other), bytes = i32x4.splat(<i32>from), inverses = f32x4.splat(<f32>inverse);
    for (; address + 16 <= end; address += 16) {
      v128.store(address, i32x4.add(factors, i32x4.mul(bytes, v128.load(index))));
      let y = v128.load(value);
      if (weights) {
        const s = f32x4.mul(inverses, v128.load(value + toWeight));
        y = f32x4.mul(s, y);
        v128.store(scale, s);
        v128.store(target, y);
        v128.store(target + toRight, f32x4.mul(s, y));
        scale += 16;
      } else {
        v128.store(target, y);
        v128.store(target + toRight, y);
      }
      index += 16;
      value += 16;
      target += 16;
    }
  }
  for (; address != end; address += 4) {
    const v = other + <usize>load<u32>(index) * from;
    let y = <f64>load<S>(value) - mean;
    if (hasBias) y -= <f64>load<S>(v + biasOffset);
    const s: T = weights ? <T>(<f64>load<S>(value + toWeight) * inverse) : 1;
    store<u32>(address, <u32>v);
    store<T>(scale, s);
    const scaled = s * <T>y;
    store<T>(target, scaled);
    store<T>(target + toRight, s * scaled);
    index += 4;
    value += sizeof<S>();
    scale += sizeof<T>();
    target += sizeof<T>();
  }
}

/** Columns first … first+size−1 of the located factors, to a panel and a right-hand side that have these alone. */
// @ts-ignore: decorator
@inline
export function someColumns<S, T>(isScaled: bool, space: Space, first: usize, size: usize, count: usize, P: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  let column: usize = 0;
  for (; column + 4 * lanes <= size; column += 4 * lanes) columns<S, T>(4, isScaled, space, first, column, size, count, P);
  const rest = (size - column) / lanes;
  if (rest == 3) columns<S, T>(3, isScaled, space, first, column, size, count, P);
  else if (rest == 2) columns<S, T>(2, isScaled, space, first, column, size, count, P);
  else if (rest == 1) columns<S, T>(1, isScaled, space, first, column, size, count, P);
}

/** `width` vectors of columns, 1 to 4: as many as stay in registers with their sums. */
// @ts-ignore: decorator
@inline
function columns<S, T>(
  width: i32, isScaled: bool, space: Space, first: usize, column: usize, size: usize, count: usize, P: usize,
): void {
  const isSame = sizeof<S>() == sizeof<T>();
  const skip = (first + column) * sizeof<S>(), bytes = size * sizeof<T>();
  const sums = space.b + column * sizeof<T>();
  let b0 = v128.load(sums), b1 = b0, b2 = b0, b3 = b0;
  if (width > 1) b1 = v128.load(sums, 16);
  if (width > 2) b2 = v128.load(sums, 32);
  if (width > 3) b3 = v128.load(sums, 48);
  let to = P + column * sizeof<T>();
  let scale = space.scales, right = space.rights;
  for (let address = space.addresses, end = address + (count << 2); address != end; address += 4) {
    const v = <usize>load<u32>(address) + skip;
    const r = v128.load_splat<T>(right);
    let s = r;
    if (isScaled) {
      s = v128.load_splat<T>(scale);
      scale += sizeof<T>();
    }
    const z0 = isSame ? v128.load(v) : f64x2.promote_low_f32x4(v128.load64_zero(v));
    v128.store(to, isScaled ? v128.mul<T>(s, z0) : z0);
    b0 = madd<T>(r, z0, b0);
    if (width > 1) {
      const z = isSame ? v128.load(v, 16) : f64x2.promote_low_f32x4(v128.load64_zero(v, 8));
      v128.store(to, isScaled ? v128.mul<T>(s, z) : z, 16);
      b1 = madd<T>(r, z, b1);
    }
    if (width > 2) {
      const z = isSame ? v128.load(v, 32) : f64x2.promote_low_f32x4(v128.load64_zero(v, 16));
      v128.store(to, isScaled ? v128.mul<T>(s, z) : z, 32);
      b2 = madd<T>(r, z, b2);
    }
    if (width > 3) {
      const z = isSame ? v128.load(v, 48) : f64x2.promote_low_f32x4(v128.load64_zero(v, 24));
      v128.store(to, isScaled ? v128.mul<T>(s, z) : z, 48);
      b3 = madd<T>(r, z, b3);
    }
    to += bytes;
    right += sizeof<T>();
  }
  v128.store(sums, b0);
  if (width > 1) v128.store(sums, b1, 16);
  if (width > 2) v128.store(sums, b2, 32);
  if (width > 3) v128.store(sums, b3, 48);
}

/** Writes the own bias's column of the panel. @returns its part of Zᵀy. */
export function ones<T>(space: Space, size: usize, count: usize, at: usize, isFree: i32): T {
  let sum: T = 0;
  for (let t: usize = 0; t < count; t++) {
    store<T>(at + t * size * sizeof<T>(), isFree ? load<T>(space.scales + t * sizeof<T>()) : 0);
    if (isFree) sum += load<T>(space.rights + t * sizeof<T>());
  }
  return sum;
}
