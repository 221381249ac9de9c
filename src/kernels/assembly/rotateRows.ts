/**
 * Rows of a factor in another basis. The `stride`×`stride` matrix M stands in columns of 8 (the last of 4): a column at a time,
 * its rows one behind the other, so that it is read once, in order, for all rows of a batch.
 */
import { madd } from "./lanes";

/** `count` rows of `to` ← Mᵀ times those of `from`, f32. */
export function rotateRows(to: usize, from: usize, M: usize, stride: usize, count: usize): void {
  const bytes = stride << 2;
  let column: usize = 0;
  for (; column + 8 <= stride; column += 8) {
    const m = M + column * bytes, out = to + (column << 2);
    let row: usize = 0;
    for (; row + 4 <= count; row += 4) columns(4, 2, out + row * bytes, from + row * bytes, m, stride);
    for (; row < count; row++) columns(1, 2, out + row * bytes, from + row * bytes, m, stride);
  }
  if (column < stride)
    for (let row: usize = 0; row < count; row++)
      columns(1, 1, to + row * bytes + (column << 2), from + row * bytes, M + column * bytes, stride);
}

/** One column of M, `width` vectors wide, of 1 or 4 rows: their sums stay in registers. */
// @ts-ignore: decorator
@inline
function columns(rows: i32, width: i32, to: usize, from: usize, m: usize, stride: usize): void {
  const bytes = stride << 2;
  const zero = f32x4.splat(0);
  let a0 = zero, a1 = zero, b0 = zero, b1 = zero, c0 = zero, c1 = zero, d0 = zero, d1 = zero;
  for (let a = from, end = from + bytes; a != end; a += 4, m += width << 4) {
    const m0 = v128.load(m), m1 = width > 1 ? v128.load(m, 16) : m0;
    let x = v128.load32_splat(a);
    a0 = madd<f32>(x, m0, a0);
    if (width > 1) a1 = madd<f32>(x, m1, a1);
    if (rows > 1) {
      x = v128.load32_splat(a + bytes);
      b0 = madd<f32>(x, m0, b0);
      if (width > 1) b1 = madd<f32>(x, m1, b1);
      x = v128.load32_splat(a + 2 * bytes);
      c0 = madd<f32>(x, m0, c0);
      if (width > 1) c1 = madd<f32>(x, m1, c1);
      x = v128.load32_splat(a + 3 * bytes);
      d0 = madd<f32>(x, m0, d0);
      if (width > 1) d1 = madd<f32>(x, m1, d1);
    }
  }
  v128.store(to, a0);
  if (width > 1) v128.store(to, a1, 16);
  if (rows == 1) return;
  v128.store(to + bytes, b0);
  v128.store(to + 2 * bytes, c0);
  v128.store(to + 3 * bytes, d0);
  if (width == 1) return;
  v128.store(to + bytes, b1, 16);
  v128.store(to + 2 * bytes, c1, 16);
  v128.store(to + 3 * bytes, d1, 16);
}
