/**
 * Tiles of C ± Σ_t P_tᵀP_t, upper half, C and P row-major: the Gram matrix of a panel, and the update of a
 * Cholesky factorization by the rows it already has. A tile of 4 rows stays in registers over the whole panel.
 */
import { madd, nmadd, spread } from "./lanes";

// @ts-ignore: decorator
@inline
function step<T>(subtract: bool, a: v128, b: v128, c: v128): v128 {
  return subtract ? nmadd<T>(a, b, c) : madd<T>(a, b, c);
}

/** C[row … row+3][column …] over two vectors of columns; `count` panel rows, `stride` bytes apart like those of C. */
// @ts-ignore: decorator
@inline
function tile2<T>(subtract: bool, C: usize, P: usize, row: usize, column: usize, count: i32, stride: usize): void {
  const c0 = C + row * stride + column * sizeof<T>();
  const c1 = c0 + stride, c2 = c1 + stride, c3 = c2 + stride;
  let x00 = v128.load(c0), x01 = v128.load(c0, 16);
  let x10 = v128.load(c1), x11 = v128.load(c1, 16);
  let x20 = v128.load(c2), x21 = v128.load(c2, 16);
  let x30 = v128.load(c3), x31 = v128.load(c3, 16);
  let a = P + row * sizeof<T>();
  let b = P + column * sizeof<T>();
  for (let t = 0; t < count; t++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = spread<T>(a);
    x00 = step<T>(subtract, s, b0, x00); x01 = step<T>(subtract, s, b1, x01);
    s = spread<T>(a, sizeof<T>());
    x10 = step<T>(subtract, s, b0, x10); x11 = step<T>(subtract, s, b1, x11);
    s = spread<T>(a, 2 * sizeof<T>());
    x20 = step<T>(subtract, s, b0, x20); x21 = step<T>(subtract, s, b1, x21);
    s = spread<T>(a, 3 * sizeof<T>());
    x30 = step<T>(subtract, s, b0, x30); x31 = step<T>(subtract, s, b1, x31);
    a += stride;
    b += stride;
  }
  v128.store(c0, x00); v128.store(c0, x01, 16);
  v128.store(c1, x10); v128.store(c1, x11, 16);
  v128.store(c2, x20); v128.store(c2, x21, 16);
  v128.store(c3, x30); v128.store(c3, x31, 16);
}

/** The same over one vector of columns. */
// @ts-ignore: decorator
@inline
function tile1<T>(subtract: bool, C: usize, P: usize, row: usize, column: usize, count: i32, stride: usize): void {
  const c0 = C + row * stride + column * sizeof<T>();
  const c1 = c0 + stride, c2 = c1 + stride, c3 = c2 + stride;
  let x0 = v128.load(c0), x1 = v128.load(c1), x2 = v128.load(c2), x3 = v128.load(c3);
  // Two panel rows at a time: four sums alone would wait for their own additions.
  let z0 = v128.splat<T>(0), z1 = v128.splat<T>(0), z2 = v128.splat<T>(0), z3 = v128.splat<T>(0);
  let a = P + row * sizeof<T>();
  let b = P + column * sizeof<T>();
  let t = 0;
  for (; t + 1 < count; t += 2) {
    const b0 = v128.load(b), b1 = v128.load(b + stride);
    const next = a + stride;
    x0 = step<T>(subtract, spread<T>(a), b0, x0);
    z0 = step<T>(subtract, spread<T>(next), b1, z0);
    x1 = step<T>(subtract, spread<T>(a, sizeof<T>()), b0, x1);
    z1 = step<T>(subtract, spread<T>(next, sizeof<T>()), b1, z1);
    x2 = step<T>(subtract, spread<T>(a, 2 * sizeof<T>()), b0, x2);
    z2 = step<T>(subtract, spread<T>(next, 2 * sizeof<T>()), b1, z2);
    x3 = step<T>(subtract, spread<T>(a, 3 * sizeof<T>()), b0, x3);
    z3 = step<T>(subtract, spread<T>(next, 3 * sizeof<T>()), b1, z3);
    a = next + stride;
    b += 2 * stride;
  }
  x0 = v128.add<T>(x0, z0); x1 = v128.add<T>(x1, z1); x2 = v128.add<T>(x2, z2); x3 = v128.add<T>(x3, z3);
  for (; t < count; t++) {
    const b0 = v128.load(b);
    x0 = step<T>(subtract, spread<T>(a), b0, x0);
    x1 = step<T>(subtract, spread<T>(a, sizeof<T>()), b0, x1);
    x2 = step<T>(subtract, spread<T>(a, 2 * sizeof<T>()), b0, x2);
    x3 = step<T>(subtract, spread<T>(a, 3 * sizeof<T>()), b0, x3);
    a += stride;
    b += stride;
  }
  v128.store(c0, x0); v128.store(c1, x1); v128.store(c2, x2); v128.store(c3, x3);
}

/** C[row … row+3][row …] ± the panel's part. */
export function accumulateRows<T>(subtract: bool, C: usize, P: usize, row: usize, count: i32, size: usize): void {
  const stride = size * sizeof<T>();
  const lanes: usize = 16 / sizeof<T>();
  let column = row;
  for (; column + 2 * lanes <= size; column += 2 * lanes) {
    if (subtract) tile2<T>(true, C, P, row, column, count, stride);
    else tile2<T>(false, C, P, row, column, count, stride);
  }
  if (column < size) {
    if (subtract) tile1<T>(true, C, P, row, column, count, stride);
    else tile1<T>(false, C, P, row, column, count, stride);
  }
}

/** C += PᵀP, upper half (and the rest of the diagonal tiles). `size` is a multiple of 4. */
export function gram<T>(C: usize, P: usize, count: i32, size: usize): void {
  for (let row: usize = 0; row < size; row += 4) accumulateRows<T>(false, C, P, row, count, size);
}

/** b += Pᵀy. */
export function rightHandSide<T>(b: usize, P: usize, y: usize, count: i32, size: usize): void {
  const stride = size * sizeof<T>();
  const lanes: usize = 16 / sizeof<T>();
  let column: usize = 0;
  for (; column + 8 * lanes <= size; column += 8 * lanes) {
    const out = b + column * sizeof<T>();
    let x0 = v128.load(out), x1 = v128.load(out, 16), x2 = v128.load(out, 32), x3 = v128.load(out, 48);
    let x4 = v128.load(out, 64), x5 = v128.load(out, 80), x6 = v128.load(out, 96), x7 = v128.load(out, 112);
    let p = P + column * sizeof<T>();
    for (let t = 0; t < count; t++) {
      const s = spread<T>(y + <usize>t * sizeof<T>());
      x0 = madd<T>(s, v128.load(p), x0); x1 = madd<T>(s, v128.load(p, 16), x1);
      x2 = madd<T>(s, v128.load(p, 32), x2); x3 = madd<T>(s, v128.load(p, 48), x3);
      x4 = madd<T>(s, v128.load(p, 64), x4); x5 = madd<T>(s, v128.load(p, 80), x5);
      x6 = madd<T>(s, v128.load(p, 96), x6); x7 = madd<T>(s, v128.load(p, 112), x7);
      p += stride;
    }
    v128.store(out, x0); v128.store(out, x1, 16); v128.store(out, x2, 32); v128.store(out, x3, 48);
    v128.store(out, x4, 64); v128.store(out, x5, 80); v128.store(out, x6, 96); v128.store(out, x7, 112);
  }
  for (; column + 4 * lanes <= size; column += 4 * lanes) {
    const out = b + column * sizeof<T>();
    let x0 = v128.load(out), x1 = v128.load(out, 16), x2 = v128.load(out, 32), x3 = v128.load(out, 48);
    let p = P + column * sizeof<T>();
    for (let t = 0; t < count; t++) {
      const s = spread<T>(y + <usize>t * sizeof<T>());
      x0 = madd<T>(s, v128.load(p), x0); x1 = madd<T>(s, v128.load(p, 16), x1);
      x2 = madd<T>(s, v128.load(p, 32), x2); x3 = madd<T>(s, v128.load(p, 48), x3);
      p += stride;
    }
    v128.store(out, x0); v128.store(out, x1, 16); v128.store(out, x2, 32); v128.store(out, x3, 48);
  }
  for (; column < size; column += lanes) {
    const out = b + column * sizeof<T>();
    let x = v128.load(out);
    let p = P + column * sizeof<T>();
    for (let t = 0; t < count; t++) {
      x = madd<T>(spread<T>(y + <usize>t * sizeof<T>()), v128.load(p), x);
      p += stride;
    }
    v128.store(out, x);
  }
}
