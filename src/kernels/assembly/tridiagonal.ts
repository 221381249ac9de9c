/** Reduction of a symmetric matrix to tridiagonal form, as kernels/symmetric.ts makes it without kernels: each sum in the same order. */
import { madd, nmadd } from "./lanes";

/**
 * QᵀAQ of the p×p matrix whose lower half stands at `A`, which is overwritten: p numbers to `diagonal`, p − 1 to `beside`. `v` and `w`
 * are room for p numbers each.
 */
export function tridiagonalize(A: usize, p: i32, diagonal: usize, beside: usize, v: usize, w: usize): void {
  const size = <usize>p << 3;
  for (let k: usize = 0; k + 16 < size; k += 8) {
    const from = k + 8;
    let squares: f64 = 0;
    for (let i = from, at = A + <usize>(k >> 3) * size + size + k; i < size; i += 8, at += size) {
      const x = load<f64>(at);
      store<f64>(v + i, x);
      squares += x * x;
    }
    const first = load<f64>(v + from);
    const alpha = first > 0 ? -sqrt(squares) : sqrt(squares);
    store<f64>(beside + k, alpha);
    const half = squares - first * alpha;
    if (!(half > 0)) continue;
    store<f64>(v + from, first - alpha);
    memory.fill(w + from, 0, size - from);
    const rows = A + <usize>(from >> 3) * size;
    for (let i = from, row = rows; i < size; i += 8, row += size) addRow(row, v, w, from, i);
    let inner: f64 = 0;
    for (let i = from; i < size; i += 8) {
      const x = load<f64>(w + i) / half;
      store<f64>(w + i, x);
      inner += x * load<f64>(v + i);
    }
    const shift = inner / (2 * half);
    for (let i = from; i < size; i += 8) store<f64>(w + i, load<f64>(w + i) - shift * load<f64>(v + i));
    for (let i = from, row = rows; i < size; i += 8, row += size) takeRow(row, v, w, from, i);
  }
  if (p > 1) store<f64>(beside + size - 16, load<f64>(A + <usize>(p - 1) * size + size - 16));
  for (let i: usize = 0, at = A; i < size; i += 8, at += size + 8) store<f64>(diagonal + i, load<f64>(at));
}

/** w ← w + what row i of the lower half, from `from` on, brings to Av: itself, and its numbers before i as a column. */
// @ts-ignore: decorator
@inline
function addRow(row: usize, v: usize, w: usize, from: usize, i: usize): void {
  const vi = load<f64>(v + i), own = f64x2.splat(vi);
  let even = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(row + i) * vi), odd = f64x2.splat(0);
  let j = from;
  for (; j + 24 < i; j += 32) {
    const a = v128.load(row + j), b = v128.load(row + j, 16);
    even = madd<f64>(a, v128.load(v + j), even);
    odd = madd<f64>(b, v128.load(v + j, 16), odd);
    v128.store(w + j, madd<f64>(a, own, v128.load(w + j)));
    v128.store(w + j, madd<f64>(b, own, v128.load(w + j, 16)), 16);
  }
  let sum = f64x2.extract_lane(even, 0);
  for (; j < i; j += 8) {
    const a = load<f64>(row + j);
    sum += a * load<f64>(v + j);
    store<f64>(w + j, load<f64>(w + j) + a * vi);
  }
  sum += f64x2.extract_lane(even, 1) + (f64x2.extract_lane(odd, 0) + f64x2.extract_lane(odd, 1));
  store<f64>(w + i, load<f64>(w + i) + sum);
}

/** Row i ← row i − v_i wᵀ − w_i vᵀ, from `from` to its diagonal. */
// @ts-ignore: decorator
@inline
function takeRow(row: usize, v: usize, w: usize, from: usize, i: usize): void {
  const vi = load<f64>(v + i), wi = load<f64>(w + i), V = f64x2.splat(vi), W = f64x2.splat(wi);
  let j = from;
  for (; j < i; j += 16)
    v128.store(row + j, nmadd<f64>(W, v128.load(v + j), nmadd<f64>(V, v128.load(w + j), v128.load(row + j))));
  if (j === i) store<f64>(row + j, load<f64>(row + j) - vi * load<f64>(w + j) - wi * load<f64>(v + j));
}
