/** Predictions and residuals of a row in float64, whatever the storage: f is never summed in f32. */
import { RowJob } from "./job";
import { lossNarrow, narrowStride } from "./narrow";

/**
 * Writes row x as float64 to `wide`, with 1 in the bias slot (which meets the other side's bias there).
 * @returns the row's own bias.
 */
export function widen<S>(job: RowJob, x: usize, wide: usize): f64 {
  const rank = job.rank;
  for (let c = 0; c < job.stride; c++)
    store<f64>(wide + (<usize>c << 3), c < rank ? <f64>load<S>(x + <usize>c * sizeof<S>()) : 0);
  if (!job.hasBias) return 0;
  store<f64>(wide + (<usize>rank << 3), 1);
  return job.ownBiasFree ? <f64>load<S>(x + <usize>rank * sizeof<S>()) : 0;
}

/** wide·v, v of S. `stride` is a multiple of 4. */
// @ts-ignore: decorator
@inline
export function dotWide<S>(wide: usize, v: usize, stride: i32): f64 {
  const s = dotVector<S>(wide, v, stride);
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** The sums of its even and odd columns; eight sums side by side, so that none waits for its own addition. */
// @ts-ignore: decorator
@inline
export function dotVector<S>(wide: usize, v: usize, stride: i32): v128 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const end = wide + (<usize>stride << 3);
  if (stride & 4) {
    if (sizeof<S>() == 4) {
      s0 = f64x2.mul(v128.load(wide), f64x2.promote_low_f32x4(v128.load64_zero(v)));
      s1 = f64x2.mul(v128.load(wide, 16), f64x2.promote_low_f32x4(v128.load64_zero(v, 8)));
    } else {
      s0 = f64x2.mul(v128.load(wide), v128.load(v));
      s1 = f64x2.mul(v128.load(wide, 16), v128.load(v, 16));
    }
    wide += 32;
    v += 4 * sizeof<S>();
  }
  for (; wide != end; wide += 64, v += 8 * sizeof<S>()) {
    if (sizeof<S>() == 4) {
      s0 = f64x2.add(s0, f64x2.mul(v128.load(wide), f64x2.promote_low_f32x4(v128.load64_zero(v))));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(wide, 16), f64x2.promote_low_f32x4(v128.load64_zero(v, 8))));
      s2 = f64x2.add(s2, f64x2.mul(v128.load(wide, 32), f64x2.promote_low_f32x4(v128.load64_zero(v, 16))));
      s3 = f64x2.add(s3, f64x2.mul(v128.load(wide, 48), f64x2.promote_low_f32x4(v128.load64_zero(v, 24))));
    } else {
      s0 = f64x2.add(s0, f64x2.mul(v128.load(wide), v128.load(v)));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(wide, 16), v128.load(v, 16)));
      s2 = f64x2.add(s2, f64x2.mul(v128.load(wide, 32), v128.load(v, 32)));
      s3 = f64x2.add(s3, f64x2.mul(v128.load(wide, 48), v128.load(v, 48)));
    }
  }
  return f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
}

/**
 * wide·v of the rows that the next entries name at `index`, of S, as f64 to `out`: four at a time come sooner from where they are.
 *
 * @param left how many there are, at least 1.
 * @returns how many were taken.
 */
// @ts-ignore: decorator
@inline
export function nextDots<S>(wide: usize, other: usize, index: usize, left: usize, stride: i32, out: usize): usize {
  const bytes = <usize>stride * sizeof<S>();
  const a = other + <usize>load<u32>(index) * bytes;
  if (left < 4) {
    store<f64>(out, dotWide<S>(wide, a, stride));
    return 1;
  }
  const b = other + <usize>load<u32>(index, 4) * bytes, c = other + <usize>load<u32>(index, 8) * bytes;
  dotsOfFour<S>(wide, a, b, c, other + <usize>load<u32>(index, 12) * bytes, stride, out);
  return 4;
}

// @ts-ignore: decorator
@inline
function dotsOfFour<S>(wide: usize, a: usize, b: usize, c: usize, d: usize, stride: i32, out: usize): void {
  const zero = f64x2.splat(0);
  let a0 = zero, b0 = zero, c0 = zero, d0 = zero, a1 = zero, b1 = zero, c1 = zero, d1 = zero;
  for (const end = wide + (<usize>stride << 3); wide != end; wide += 32) {
    const w0 = v128.load(wide), w1 = v128.load(wide, 16);
    a0 = f64x2.add(a0, f64x2.mul(w0, wideLow<S>(a)));
    b0 = f64x2.add(b0, f64x2.mul(w0, wideLow<S>(b)));
    c0 = f64x2.add(c0, f64x2.mul(w0, wideLow<S>(c)));
    d0 = f64x2.add(d0, f64x2.mul(w0, wideLow<S>(d)));
    a1 = f64x2.add(a1, f64x2.mul(w1, wideHigh<S>(a)));
    b1 = f64x2.add(b1, f64x2.mul(w1, wideHigh<S>(b)));
    c1 = f64x2.add(c1, f64x2.mul(w1, wideHigh<S>(c)));
    d1 = f64x2.add(d1, f64x2.mul(w1, wideHigh<S>(d)));
    a += 4 * sizeof<S>();
    b += 4 * sizeof<S>();
    c += 4 * sizeof<S>();
    d += 4 * sizeof<S>();
  }
  v128.store(out, sumsOfTwo(f64x2.add(a0, a1), f64x2.add(b0, b1)));
  v128.store(out, sumsOfTwo(f64x2.add(c0, c1), f64x2.add(d0, d1)), 16);
}

// @ts-ignore: decorator
@inline
export function wideLow<S>(at: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at)) : v128.load(at);
}

// @ts-ignore: decorator
@inline
function wideHigh<S>(at: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at, 8)) : v128.load(at, 16);
}

// @ts-ignore: decorator
@inline
function sumsOfTwo(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}

// @ts-ignore: decorator
@inline
export function weightOf<S>(job: RowJob, t: usize): f64 {
  return job.weights ? <f64>load<S>(job.weights + t * sizeof<S>()) : 1;
}

/** Σ W²r² over the entries first … last−1 of a row widened to `wide`, behind which there is room for four doubles. */
export function lossOfRow<S>(job: RowJob, wide: usize, bias: f64, first: usize, last: usize): f64 {
  // Fields are read once: the compiler cannot know that no store changes them.
  const stride = job.stride, other = job.other, weights = job.weights;
  if (sizeof<S>() == 4 && stride == <i32>narrowStride) return lossNarrow(job, wide, bias, first, last);
  const offset = job.mean + bias;
  let index = job.indices + (first << 2);
  let value = job.values + first * sizeof<S>();
  const end = job.values + last * sizeof<S>();
  const toWeight = weights - job.values;
  const products = wide + (<usize>stride << 3);
  let loss: f64 = 0;
  while (value < end) {
    const taken = nextDots<S>(wide, other, index, (end - value) / sizeof<S>(), stride, products);
    for (let product = products, last = products + (taken << 3); product != last; product += 8, value += sizeof<S>()) {
      let r = <f64>load<S>(value) - offset - load<f64>(product);
      if (weights) r *= <f64>load<S>(value + toWeight);
      loss += r * r;
    }
    index += taken << 2;
  }
  return loss;
}

/** λ_i‖x‖² + β_i b², of row `row` widened to `wide`. */
export function penaltyOfRow(job: RowJob, wide: usize, bias: f64, row: i32): f64 {
  let squared: f64 = 0;
  for (let c = 0; c < job.rank; c++) {
    const x = load<f64>(wide + (<usize>c << 3));
    squared += x * x;
  }
  const penalty = load<f64>(job.penalties + (<usize>row << 3)) * squared;
  return job.hasBias ? penalty + load<f64>(job.biasPenalties + (<usize>row << 3)) * bias * bias : penalty;
}

export function lossRows<S>(job: RowJob, first: i32, last: i32): void {
  const wide = job.scratch;
  for (let row = first; row < last; row++) {
    const bias = widen<S>(job, job.own + <usize>row * <usize>job.stride * sizeof<S>(), wide);
    const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    job.loss += lossOfRow<S>(job, wide, bias, start, end);
    job.penalty += penaltyOfRow(job, wide, bias, row);
  }
}
