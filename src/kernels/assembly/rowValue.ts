/** What a composed objective is at a row: the loss over its entries, the background's part over all others, the penalty. */
import { ComposedSpace, penaltyFactor } from "./composedSpace";
import { copy } from "./entryLanes";
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { Loss, lossValue } from "./losses";
import { nextDots } from "./residual";
import { squaresOf } from "./squarePairs";
import { Terms } from "./terms";

/** Σ ℓ over listed entries, and the background's part over all others. */
export function lossAt<S>(job: RowJob, terms: Terms, work: ComposedSpace, x: usize, row: i32): f64 {
  // Fields are read once: the compiler cannot know that no store changes them.
  const stride = job.stride, other = job.other, weights = job.weights, otherWeights = terms.otherWeights;
  const wide = widen(job, work, x);
  const offset = job.mean + ownBias(job, x);
  const loss = terms.loss, d = terms.lossParameter, value = terms.value;
  const hasBackground = terms.gram != 0 && !terms.isFull;
  const r: f64 = hasBackground ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  let sum = hasBackground ? r * backgroundAt(terms, work, x) : 0;
  const products = work.space.y;
  let t = <usize>load<u32>(job.pointers + (<usize>row << 2));
  if (loss == Loss.Quadratic) {
    const last = t + ((end - t) & ~3);
    sum += squaresOf<S>(job, terms, wide, offset, r, t, last, products);
    t = last;
  }
  while (t < end) {
    let index = job.indices + (t << 2);
    const taken = nextDots<S>(wide, other, index, end - t, stride, products);
    for (let product = products, last = products + (taken << 3); product != last; product += 8, index += 4, t++) {
      const a = <f64>load<S>(job.values + t * sizeof<S>());
      const w: f64 = weights ? <f64>load<S>(weights + t * sizeof<S>()) : 1;
      const p = load<f64>(product) + offset;
      sum += lossOf(loss, w, a, p, d);
      if (hasBackground) sum -= backgroundOf(loss, r * load<f64>(otherWeights + (<usize>load<u32>(index) << 3)), p, value);
    }
  }
  return sum;
}

/** ℓ of a listed entry; one of weight 0 is there for the background alone. */
// @ts-ignore: decorator
@inline
export function lossOf(loss: i32, w: f64, a: f64, p: f64, d: f64): f64 {
  const gap = p - a;
  if (loss == Loss.Quadratic) return w * gap * (w * gap);
  return w > 0 ? lossValue(loss, w, a, p, d) : 0;
}

/** The background's part that a listed entry takes the place of. */
// @ts-ignore: decorator
@inline
export function backgroundOf(loss: i32, rc: f64, p: f64, value: f64): f64 {
  const gap = value - p;
  return loss == Loss.Poisson ? rc * p : rc * gap * gap;
}

/** Σ_j c_j (β − o_j − x·z_j)² from the sums over all j. */
export function backgroundAt(terms: Terms, work: ComposedSpace, x: usize): f64 {
  const bytes = work.size << 3;
  let sum = terms.constant;
  for (let c: usize = 0; c < work.n; c++) {
    const row = terms.gram + c * bytes;
    const value = load<f64>(x + (c << 3));
    let half = 0.5 * load<f64>(row + (c << 3)) * value - load<f64>(terms.gramSum + (c << 3));
    let e = c + 1;
    for (; (e & 3) != 0; e++) half += load<f64>(row + (e << 3)) * load<f64>(x + (e << 3));
    let s0 = f64x2.splat(0), s1 = s0;
    for (let o = e << 3; o < bytes; o += 32) {
      s0 = f64x2.add(s0, f64x2.mul(v128.load(row + o), v128.load(x + o)));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(row + o, 16), v128.load(x + o, 16)));
    }
    sum += 2 * value * (half + sumLanes<f64>(f64x2.add(s0, s1)));
  }
  return sum;
}

export function penaltyAt(job: RowJob, terms: Terms, work: ComposedSpace, x: usize, row: i32): f64 {
  let sum: f64 = 0;
  for (let c: usize = 0; c < work.n; c++) {
    const value = load<f64>(x + (c << 3));
    sum += penaltyFactor(job, terms, row, c) * value * value + load<f64>(work.mu + (c << 3)) * abs(value);
  }
  return sum;
}

/** x as `dotWide` wants it: a 1 meets the other side's bias. */
export function widen(job: RowJob, work: ComposedSpace, x: usize): usize {
  copy(work.space.wide, x, work.size << 3);
  for (let c = <usize>job.rank; c < work.size; c++) store<f64>(work.space.wide + (c << 3), 0);
  if (job.hasBias) store<f64>(work.space.wide + (<usize>job.rank << 3), 1);
  return work.space.wide;
}

// @ts-ignore: decorator
@inline
export function ownBias(job: RowJob, x: usize): f64 {
  return job.ownBiasFree ? load<f64>(x + (<usize>job.rank << 3)) : 0;
}
