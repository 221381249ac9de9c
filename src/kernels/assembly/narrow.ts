/**
 * Rows of factors that are two vectors of f32, 5 to 8 columns, without biases or weights: G = ZᵀZ and b = Zᵀy stay in registers
 * over all observations of a row, and no panel is written. Each sum takes its terms in the order of gather and gram: the same bits.
 */
import { RowJob } from "./job";
import { madd } from "./lanes";
import { panelRows } from "./space";

export const narrowStride: usize = 8;

/** Vectors of a row's sums: see {@link accumulateNarrow}. */
export const narrowSums: usize = 13;

/**
 * Writes G and b as vectors, what is the same in both halves once: of the first four columns the diagonal, (01, 12, 23, 30) and
 * (02, 13, …); b; then columns 4 … of G, their first four rows; then its rows 4 …, their last four columns.
 */
export function accumulateNarrow(job: RowJob, to: usize, start: usize, end: usize): void {
  const rest = job.rank - 4;
  if (rest == 1) twoVectors(1, job, to, start, end);
  else if (rest == 2) twoVectors(2, job, to, start, end);
  else if (rest == 3) twoVectors(3, job, to, start, end);
  else twoVectors(4, job, to, start, end);
}

/** `rest`: columns behind the first four that are not padding. */
// @ts-ignore: decorator
@inline
function twoVectors(rest: i32, job: RowJob, to: usize, start: usize, end: usize): void {
  const zero = f32x4.splat(0);
  let b0 = zero, b1 = zero;
  let x0 = zero, x1 = zero, x2 = zero;
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero;
  let y0 = zero, y1 = zero, y2 = zero, y3 = zero;
  const other = job.other, toValue = job.values - job.indices;
  let index = job.indices + (start << 2);
  const last = job.indices + (end << 2);
  while (index != last) {
    const panelEnd = min(index + (panelRows << 2), last);
    // As tile1 does: even and odd observations apart.
    let z0 = zero, z1 = zero, z2 = zero, z3 = zero;
    while (true) {
      let v = other + (<usize>load<u32>(index) << 5);
      let low = v128.load(v), high = v128.load(v, 16);
      let s = v128.load32_splat(index + toValue);
      b0 = madd<f32>(s, low, b0); b1 = madd<f32>(s, high, b1);
      x0 = madd<f32>(low, low, x0);
      x1 = madd<f32>(low, v128.shuffle<f32>(low, low, 1, 2, 3, 0), x1);
      x2 = madd<f32>(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1), x2);
      s = v128.load32_splat(v, 16);
      c0 = madd<f32>(s, low, c0); y0 = madd<f32>(s, high, y0);
      if (rest > 1) { s = v128.load32_splat(v, 20); c1 = madd<f32>(s, low, c1); y1 = madd<f32>(s, high, y1); }
      if (rest > 2) { s = v128.load32_splat(v, 24); c2 = madd<f32>(s, low, c2); y2 = madd<f32>(s, high, y2); }
      if (rest > 3) { s = v128.load32_splat(v, 28); c3 = madd<f32>(s, low, c3); y3 = madd<f32>(s, high, y3); }
      index += 4;
      if (index == panelEnd) break;
      v = other + (<usize>load<u32>(index) << 5);
      low = v128.load(v);
      high = v128.load(v, 16);
      s = v128.load32_splat(index + toValue);
      b0 = madd<f32>(s, low, b0); b1 = madd<f32>(s, high, b1);
      x0 = madd<f32>(low, low, x0);
      x1 = madd<f32>(low, v128.shuffle<f32>(low, low, 1, 2, 3, 0), x1);
      x2 = madd<f32>(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1), x2);
      s = v128.load32_splat(v, 16);
      c0 = madd<f32>(s, low, c0); z0 = madd<f32>(s, high, z0);
      if (rest > 1) { s = v128.load32_splat(v, 20); c1 = madd<f32>(s, low, c1); z1 = madd<f32>(s, high, z1); }
      if (rest > 2) { s = v128.load32_splat(v, 24); c2 = madd<f32>(s, low, c2); z2 = madd<f32>(s, high, z2); }
      if (rest > 3) { s = v128.load32_splat(v, 28); c3 = madd<f32>(s, low, c3); z3 = madd<f32>(s, high, z3); }
      index += 4;
      if (index == panelEnd) break;
    }
    y0 = f32x4.add(y0, z0);
    if (rest > 1) y1 = f32x4.add(y1, z1);
    if (rest > 2) y2 = f32x4.add(y2, z2);
    if (rest > 3) y3 = f32x4.add(y3, z3);
  }
  v128.store(to, x0); v128.store(to, x1, 16); v128.store(to, x2, 32);
  v128.store(to, b0, 48); v128.store(to, b1, 64);
  v128.store(to, c0, 80); v128.store(to, c1, 96); v128.store(to, c2, 112); v128.store(to, c3, 128);
  v128.store(to, y0, 144); v128.store(to, y1, 160); v128.store(to, y2, 176); v128.store(to, y3, 192);
}

/** Σ W²r² as lossOfRow sums it, the row's doubles in registers: `weights` is 0 where all are 1. */
export function lossNarrow(job: RowJob, wide: usize, bias: f64, first: usize, last: usize): f64 {
  return job.rank + job.hasBias <= 6 ? lossOf(3, job, wide, bias, first, last) : lossOf(4, job, wide, bias, first, last);
}

/** `pairs` of columns, what is behind them being padding. Two observations at a time, but for the sum. */
// @ts-ignore: decorator
@inline
function lossOf(pairs: i32, job: RowJob, wide: usize, bias: f64, first: usize, last: usize): f64 {
  const other = job.other, toValue = job.values - job.indices, weights = job.weights, toWeight = weights - job.indices;
  const offset = job.mean + bias, offsets = f64x2.splat(offset);
  const end = job.indices + (last << 2);
  let index = job.indices + (first << 2);
  let loss: f64 = 0;
  if (!weights)
    for (; index + 8 <= end; index += 8) {
      const s = dotPairs(pairs, wide, other + (<usize>load<u32>(index) << 5));
      const t = dotPairs(pairs, wide, other + (<usize>load<u32>(index, 4) << 5));
      const dots = f64x2.add(v128.shuffle<f64>(s, t, 0, 2), v128.shuffle<f64>(s, t, 1, 3));
      const a = f64x2.promote_low_f32x4(v128.load64_zero(index + toValue));
      const r = f64x2.sub(f64x2.sub(a, offsets), dots);
      const squares = f64x2.mul(r, r);
      loss += f64x2.extract_lane(squares, 0);
      loss += f64x2.extract_lane(squares, 1);
    }
  for (; index != end; index += 4) {
    const s = dotPairs(pairs, wide, other + (<usize>load<u32>(index) << 5));
    let r = <f64>load<f32>(index + toValue) - offset - (f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1));
    if (weights) r *= <f64>load<f32>(index + toWeight);
    loss += r * r;
  }
  return loss;
}

// @ts-ignore: decorator
@inline
function dotPairs(pairs: i32, wide: usize, v: usize): v128 {
  const s0 = f64x2.mul(v128.load(wide), f64x2.promote_low_f32x4(v128.load64_zero(v)));
  const s1 = f64x2.mul(v128.load(wide, 16), f64x2.promote_low_f32x4(v128.load64_zero(v, 8)));
  let s2 = f64x2.mul(v128.load(wide, 32), f64x2.promote_low_f32x4(v128.load64_zero(v, 16)));
  if (pairs > 3) s2 = f64x2.add(s2, f64x2.mul(v128.load(wide, 48), f64x2.promote_low_f32x4(v128.load64_zero(v, 24))));
  return f64x2.add(f64x2.add(s0, s1), s2);
}
