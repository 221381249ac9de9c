/**
 * Tiles of C ± Σ_t P_tᵀP_t, upper half, C and P row-major: the Gram matrix of a panel, and the update of a
 * Cholesky factorization by the rows it already has. A tile of 4 rows stays in registers over the whole panel.
 */
import { madd, nmadd } from "./lanes";

// @ts-ignore: decorator
@inline
function step<T>(subtract: bool, a: v128, b: v128, c: v128): v128 {
  return subtract ? nmadd<T>(a, b, c) : madd<T>(a, b, c);
}

/** C[row … row+3][column …] over two vectors of columns; `count` ≥ 1 panel rows, `stride` bytes apart like those of C. */
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
  const end = b + <usize>count * stride;
  do {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let s = v128.load_splat<T>(a);
    x00 = step<T>(subtract, s, b0, x00); x01 = step<T>(subtract, s, b1, x01);
    s = v128.load_splat<T>(a, sizeof<T>());
    x10 = step<T>(subtract, s, b0, x10); x11 = step<T>(subtract, s, b1, x11);
    s = v128.load_splat<T>(a, 2 * sizeof<T>());
    x20 = step<T>(subtract, s, b0, x20); x21 = step<T>(subtract, s, b1, x21);
    s = v128.load_splat<T>(a, 3 * sizeof<T>());
    x30 = step<T>(subtract, s, b0, x30); x31 = step<T>(subtract, s, b1, x31);
    a += stride;
    b += stride;
  } while (b != end);
  v128.store(c0, x00); v128.store(c0, x01, 16);
  v128.store(c1, x10); v128.store(c1, x11, 16);
  v128.store(c2, x20); v128.store(c2, x21, 16);
  v128.store(c3, x30); v128.store(c3, x31, 16);
}

/**
 * The same over one vector of columns: four sums for even and four for odd panel rows, or they would wait for themselves.
 * The exit between the two keeps V8 from loading both rows first, for which there are not enough registers.
 */
// @ts-ignore: decorator
@inline
function tile1<T>(subtract: bool, C: usize, P: usize, row: usize, column: usize, count: i32, stride: usize): void {
  const c0 = C + row * stride + column * sizeof<T>();
  const c1 = c0 + stride, c2 = c1 + stride, c3 = c2 + stride;
  let x0 = v128.load(c0), x1 = v128.load(c1), x2 = v128.load(c2), x3 = v128.load(c3);
  let z0 = v128.splat<T>(0), z1 = z0, z2 = z0, z3 = z0;
  let a = P + row * sizeof<T>();
  let b = P + column * sizeof<T>();
  const end = b + <usize>count * stride;
  while (true) {
    let b0 = v128.load(b);
    x0 = step<T>(subtract, v128.load_splat<T>(a), b0, x0);
    x1 = step<T>(subtract, v128.load_splat<T>(a, sizeof<T>()), b0, x1);
    x2 = step<T>(subtract, v128.load_splat<T>(a, 2 * sizeof<T>()), b0, x2);
    x3 = step<T>(subtract, v128.load_splat<T>(a, 3 * sizeof<T>()), b0, x3);
    a += stride;
    b += stride;
    if (b == end) break;
    b0 = v128.load(b);
    z0 = step<T>(subtract, v128.load_splat<T>(a), b0, z0);
    z1 = step<T>(subtract, v128.load_splat<T>(a, sizeof<T>()), b0, z1);
    z2 = step<T>(subtract, v128.load_splat<T>(a, 2 * sizeof<T>()), b0, z2);
    z3 = step<T>(subtract, v128.load_splat<T>(a, 3 * sizeof<T>()), b0, z3);
    a += stride;
    b += stride;
    if (b == end) break;
  }
  v128.store(c0, v128.add<T>(x0, z0)); v128.store(c1, v128.add<T>(x1, z1));
  v128.store(c2, v128.add<T>(x2, z2)); v128.store(c3, v128.add<T>(x3, z3));
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

/** C −= PᵀP */
export function downdate<T>(C: usize, P: usize, count: i32, size: usize): void {
  for (let row: usize = 0; row < size; row += 4) accumulateRows<T>(true, C, P, row, count, size);
}
