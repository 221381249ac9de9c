/** Vector work on factor-sized buffers: addresses of 16 bytes, counts that are multiples of 4; sums in float64, whatever the storage. */
import { madd } from "./lanes";

/** r ← g − x, its change since `before` to `step`, and a copy of g. */
export function advance<T>(x: usize, g: usize, before: usize, r: usize, step: usize, copy: usize, count: i32): void {
  const bytes = <usize>count * sizeof<T>();
  for (let at: usize = 0; at < bytes; at += 16) {
    const image = v128.load(g + at);
    const residual = v128.sub<T>(image, v128.load(x + at));
    v128.store(r + at, residual);
    v128.store(step + at, v128.sub<T>(residual, v128.load(before + at)));
    v128.store(copy + at, image);
  }
}

/** a·b, in four sums side by side: one alone waits for each addition before it. */
export function dot<T>(a: usize, b: usize, count: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const bytes = <usize>count * sizeof<T>();
  const end = a + bytes;
  for (const whole = a + (bytes & ~(8 * sizeof<T>() - 1)); a < whole; a += 8 * sizeof<T>(), b += 8 * sizeof<T>()) {
    s0 = madd<f64>(pair<T>(a, 0), pair<T>(b, 0), s0);
    s1 = madd<f64>(pair<T>(a, 1), pair<T>(b, 1), s1);
    s2 = madd<f64>(pair<T>(a, 2), pair<T>(b, 2), s2);
    s3 = madd<f64>(pair<T>(a, 3), pair<T>(b, 3), s3);
  }
  if (a < end) {
    s0 = madd<f64>(pair<T>(a, 0), pair<T>(b, 0), s0);
    s1 = madd<f64>(pair<T>(a, 1), pair<T>(b, 1), s1);
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** A vector of a linear combination; the order of its fields is the contract with ../vectorTerms.ts. */
@unmanaged
export class Term {
  coefficient: f64;
  address: usize;
}
const termBytes: usize = 16;

/** out ← Σ coefficient·vector over `size` terms; with a base, out ← base + Σ coefficient·(vector − base). */
export function combine<T>(terms: usize, size: i32, base: usize, out: usize, count: i32): void {
  const end = terms + <usize>size * termBytes;
  const zero = f64x2.splat(0);
  for (let at: usize = 0; at < <usize>count * sizeof<T>(); at += 4 * sizeof<T>()) {
    const b0 = base ? pair<T>(base + at, 0) : zero, b1 = base ? pair<T>(base + at, 1) : zero;
    let s0 = b0, s1 = b1;
    for (let each = terms; each < end; each += termBytes) {
      const term = changetype<Term>(each);
      const c = v128.load64_splat(each);
      s0 = madd<f64>(c, f64x2.sub(pair<T>(term.address + at, 0), b0), s0);
      s1 = madd<f64>(c, f64x2.sub(pair<T>(term.address + at, 1), b1), s1);
    }
    if (sizeof<T>() == 4)
      v128.store(out + at, v128.shuffle<i32>(f32x4.demote_f64x2_zero(s0), f32x4.demote_f64x2_zero(s1), 0, 1, 4, 5));
    else {
      v128.store(out + at, s0);
      v128.store(out + at, s1, 16);
    }
  }
}

/** Numbers 2i and 2i + 1 at an address, in float64. */
// @ts-ignore: decorator
@inline
function pair<T>(address: usize, i: i32): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(address + <usize>(i << 3)));
  return v128.load(address + <usize>(i << 4));
}
