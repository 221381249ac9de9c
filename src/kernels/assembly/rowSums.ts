/** Σ α_t B_t over rows of f32: the sums of some columns stay in registers from row to row. */
import { madd } from "./lanes";

/** x += Σ α_t B_t; B_t stand one behind the other from B on or, with `isListed`, where the u32 from B on say. */
// @ts-ignore: decorator
@inline
export function addRows(isListed: bool, x: usize, B: usize, alpha: usize, count: usize, bytes: usize): void {
  let column: usize = 0;
  for (; column + 64 <= bytes; column += 64) addColumns(4, isListed, x, B, alpha, count, bytes, column);
  for (; column < bytes; column += 16) addColumns(1, isListed, x, B, alpha, count, bytes, column);
}

/** `width` vectors of columns, 1 or 4. */
// @ts-ignore: decorator
@inline
function addColumns(
  width: i32, isListed: bool, x: usize, B: usize, alpha: usize, count: usize, bytes: usize, column: usize,
): void {
  x += column;
  let x0 = v128.load(x), x1 = x0, x2 = x0, x3 = x0;
  if (width > 1) {
    x1 = v128.load(x, 16);
    x2 = v128.load(x, 32);
    x3 = v128.load(x, 48);
  }
  for (const end = alpha + (count << 2); alpha != end; alpha += 4, B += isListed ? 4 : bytes) {
    const row = (isListed ? <usize>load<u32>(B) : B) + column, a = v128.load32_splat(alpha);
    x0 = madd<f32>(a, v128.load(row), x0);
    if (width == 1) continue;
    x1 = madd<f32>(a, v128.load(row, 16), x1);
    x2 = madd<f32>(a, v128.load(row, 32), x2);
    x3 = madd<f32>(a, v128.load(row, 48), x3);
  }
  v128.store(x, x0);
  if (width == 1) return;
  v128.store(x, x1, 16);
  v128.store(x, x2, 32);
  v128.store(x, x3, 48);
}
