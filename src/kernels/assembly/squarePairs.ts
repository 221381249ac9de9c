/** Weighted squares of entries beside a background, two at a time, in float64. */
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { nextDots, wideLow } from "./residual";
import { Terms } from "./terms";

/** Σ W²(p − a)² − rc(p − β)² over entries first … last−1, a multiple of 4 of them; p is wide·v + offset. Without a background r is 0. */
export function squaresOf<S>(
  job: RowJob, terms: Terms, wide: usize, offset: f64, r: f64, first: usize, last: usize, products: usize,
): f64 {
  // Fields are read once: the compiler cannot know that no store changes them.
  const stride = job.stride, other = job.other, toWeight = job.weights ? job.weights - job.values : 0;
  const otherWeights = terms.otherWeights;
  const o = f64x2.splat(offset), value = f64x2.splat(terms.value), own = f64x2.splat(r);
  let index = job.indices + (first << 2), at = job.values + first * sizeof<S>();
  let even = f64x2.splat(0), odd = even;
  for (let t = first; t < last; t += 4) {
    nextDots<S>(wide, other, index, 4, stride, products);
    even = f64x2.add(even, squares<S>(f64x2.add(v128.load(products), o), at, toWeight, index, otherWeights, r, own, value));
    at += 2 * sizeof<S>();
    odd = f64x2.add(odd, squares<S>(f64x2.add(v128.load(products, 16), o), at, toWeight, index + 8, otherWeights, r, own, value));
    at += 2 * sizeof<S>();
    index += 16;
  }
  return sumLanes<f64>(f64x2.add(even, odd));
}

// @ts-ignore: decorator
@inline
function squares<S>(
  p: v128, at: usize, toWeight: usize, index: usize, otherWeights: usize, r: f64, own: v128, value: v128,
): v128 {
  let gap = f64x2.sub(p, wideLow<S>(at));
  if (toWeight) gap = f64x2.mul(gap, wideLow<S>(at + toWeight));
  const sum = f64x2.mul(gap, gap);
  if (r == 0) return sum;
  const d = f64x2.sub(p, value);
  return f64x2.sub(sum, f64x2.mul(f64x2.mul(own, weightsOf(otherWeights, index)), f64x2.mul(d, d)));
}

/** c of the two rows that entries name at `index`. */
// @ts-ignore: decorator
@inline
function weightsOf(otherWeights: usize, index: usize): v128 {
  const c = v128.load64_zero(otherWeights + (<usize>load<u32>(index) << 3));
  return v128.load_lane<f64>(otherWeights + (<usize>load<u32>(index, 4) << 3), c, 1);
}

/** Sums over a row's entries. */
@unmanaged
export class Sums {
  loss: f64;
  slope: f64;
  right: f64;
}

/**
 * What multiplies z_t in half the gradient and in b, of two entries at a time, to the lists `scale` and `right` of f64; the products
 * stand in the first. Without biases.
 *
 * @returns how many entries were taken: all, or all but one.
 */
export function slopesOf<S>(
  job: RowJob, terms: Terms, sums: Sums, r: f64, start: usize, count: usize, addresses: usize, scale: usize, right: usize,
): usize {
  const size = sizeof<S>();
  const toWeight = job.weights ? job.weights - job.values : 0;
  const otherWeights = terms.otherWeights;
  const bytes = i32x4.splat(job.stride * <i32>size), other = i32x4.splat(<i32>job.other);
  const mean = f64x2.splat(job.mean), value = f64x2.splat(terms.value), own = f64x2.splat(r), zero = f64x2.splat(0), one = f64x2.splat(1);
  const ofNone = f64x2.sub(value, mean);
  let index = job.indices + (start << 2), at = job.values + start * size;
  let weighted = zero, unlisted = zero, unweighted = zero, observed = zero;
  const taken = count & ~1;
  for (let t: usize = 0; t < taken; t += 2) {
    v128.store64_lane(addresses, i32x4.add(other, i32x4.mul(bytes, v128.load64_zero(index))), 0);
    const p = f64x2.add(v128.load(scale), mean), a = wideLow<S>(at);
    const w = toWeight ? wideLow<S>(at + toWeight) : one;
    const gap = f64x2.sub(p, a), squared = f64x2.mul(w, w), isSeen = f64x2.gt(w, zero);
    const rest = f64x2.mul(w, gap);
    weighted = f64x2.add(weighted, f64x2.mul(rest, rest));
    unweighted = f64x2.add(unweighted, v128.and(isSeen, f64x2.mul(gap, gap)));
    observed = f64x2.add(observed, v128.and(isSeen, one));
    let s = f64x2.mul(squared, gap), b = f64x2.mul(squared, f64x2.sub(a, mean));
    if (r != 0) {
      const rc = f64x2.mul(own, weightsOf(otherWeights, index)), d = f64x2.sub(p, value);
      unlisted = f64x2.add(unlisted, f64x2.mul(rc, f64x2.mul(d, d)));
      s = f64x2.sub(s, f64x2.mul(rc, d));
      b = f64x2.sub(b, f64x2.mul(rc, ofNone));
    }
    v128.store(scale, s);
    v128.store(right, b);
    index += 8;
    at += size << 1;
    addresses += 8;
    scale += 16;
    right += 16;
  }
  sums.loss += sumLanes<f64>(f64x2.sub(weighted, unlisted));
  job.weightedSquares += sumLanes<f64>(weighted);
  job.squares += sumLanes<f64>(unweighted);
  job.observed += sumLanes<f64>(observed);
  return taken;
}
