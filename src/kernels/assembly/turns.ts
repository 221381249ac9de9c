/** Turns of vectors in float64, as kernels/eigenbasis.ts makes them without kernels: each sum in the same order, the same bits. */
import { madd, nmadd } from "./lanes";

/** a ← cosine·a − sine·b and b ← sine·a + cosine·b; `count` is even. */
export function turnPair(a: usize, b: usize, count: i32, cosine: f64, sine: f64): void {
  const c = f64x2.splat(cosine), s = f64x2.splat(sine);
  for (const end = a + (<usize>count << 3); a < end; a += 16, b += 16) {
    const x = v128.load(a), y = v128.load(b);
    v128.store(a, nmadd<f64>(s, y, f64x2.mul(c, x)));
    v128.store(b, madd<f64>(s, x, f64x2.mul(c, y)));
  }
}

/** Rows ← rows·(1 − v·vᵀ/half), `count` of `size` numbers at `rows` and every `bytes` on; v is 0 before number `first`. */
export function reflectRows(rows: usize, bytes: usize, count: i32, v: usize, size: i32, first: i32, half: f64): void {
  const from = <usize>(first & ~1) << 3;
  for (; count > 0; count--, rows += bytes) {
    const s = f64x2.splat(dotOf(rows, v, size) / half);
    for (let at = from; at < <usize>size << 3; at += 16)
      v128.store(rows + at, nmadd<f64>(s, v128.load(v + at), v128.load(rows + at)));
  }
}

/** Four sums side by side, what is left over to the first: `dot` of kernels/vectors.ts. */
function dotOf(a: usize, b: usize, size: i32): f64 {
  let even = f64x2.splat(0), odd = even;
  const end = a + (<usize>size << 3);
  for (const whole = a + (<usize>(size & ~3) << 3); a < whole; a += 32, b += 32) {
    even = madd<f64>(v128.load(a), v128.load(b), even);
    odd = madd<f64>(v128.load(a, 16), v128.load(b, 16), odd);
  }
  let sum = f64x2.extract_lane(even, 0);
  for (; a < end; a += 8, b += 8) sum += load<f64>(a) * load<f64>(b);
  return sum + f64x2.extract_lane(even, 1) + (f64x2.extract_lane(odd, 0) + f64x2.extract_lane(odd, 1));
}
