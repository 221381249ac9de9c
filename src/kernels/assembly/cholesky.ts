/**
 * Cholesky factorization G = UᵀU of the upper half, row by row in blocks of 4 (left-looking: Golub & Van Loan, 4th ed.,
 * 4.2.9), and the solution of Gx = b. The forward substitution goes along: a block's rows are still in registers.
 */
import { accumulateRows } from "./gram";
import { madd, nmadd, sumLanes } from "./lanes";

/**
 * b ← G⁻¹b; G is overwritten. Rows from `active` on must be those of the identity: they pad the size to a multiple of 4.
 * @returns false when a pivot falls to `smallestPivot` or is not a number.
 */
export function choleskySolve<T>(G: usize, size: usize, active: usize, smallestPivot: T, b: usize): bool {
  const stride = size * sizeof<T>();
  for (let i: usize = 0; i < size; i += 4) {
    if (i > 0) accumulateRows<T>(true, G, G, i, <i32>i, size);
    if (!factorBlock<T>(G, stride, i, size, active, smallestPivot, b)) return false;
  }
  for (let i = size; i > 0; i -= 4) substituteBlock<T>(G, stride, i - 4, size, b);
  return true;
}

/**
 * Rows i … i+3, already updated by the rows above: their 4×4 triangle and y = U⁻ᵀb by scalars, then the rest of the four
 * rows and of b a vector of columns at a time, in registers. The diagonal keeps the reciprocals: what follows multiplies
 * where it would divide.
 */
function factorBlock<T>(G: usize, stride: usize, i: usize, size: usize, active: usize, smallestPivot: T, b: usize): bool {
  const lanes: usize = 16 / sizeof<T>();
  const row0 = G + i * stride, row1 = row0 + stride, row2 = row1 + stride, row3 = row2 + stride;
  const o = i * sizeof<T>();
  let pivot = load<T>(row0 + o);
  if (i < active && !(pivot > smallestPivot)) return false;
  const r0 = <T>1 / sqrt<T>(pivot);
  if (i + 1 == active) {
    // What is left is padding: already its own factor, and 0 in b.
    store<T>(row0 + o, r0);
    store<T>(b + o, load<T>(b + o) * r0);
    return true;
  }
  const u01 = load<T>(row0 + o, sizeof<T>()) * r0;
  const u02 = load<T>(row0 + o, 2 * sizeof<T>()) * r0;
  const u03 = load<T>(row0 + o, 3 * sizeof<T>()) * r0;
  pivot = load<T>(row1 + o, sizeof<T>()) - u01 * u01;
  if (i + 1 < active && !(pivot > smallestPivot)) return false;
  const r1 = <T>1 / sqrt<T>(pivot);
  const u12 = (load<T>(row1 + o, 2 * sizeof<T>()) - u01 * u02) * r1;
  const u13 = (load<T>(row1 + o, 3 * sizeof<T>()) - u01 * u03) * r1;
  pivot = load<T>(row2 + o, 2 * sizeof<T>()) - u02 * u02 - u12 * u12;
  if (i + 2 < active && !(pivot > smallestPivot)) return false;
  const r2 = <T>1 / sqrt<T>(pivot);
  const u23 = (load<T>(row2 + o, 3 * sizeof<T>()) - u02 * u03 - u12 * u13) * r2;
  pivot = load<T>(row3 + o, 3 * sizeof<T>()) - u03 * u03 - u13 * u13 - u23 * u23;
  if (i + 3 < active && !(pivot > smallestPivot)) return false;
  const r3 = <T>1 / sqrt<T>(pivot);
  store<T>(row0 + o, r0);
  store<T>(row0 + o, u01, sizeof<T>());
  store<T>(row0 + o, u02, 2 * sizeof<T>());
  store<T>(row0 + o, u03, 3 * sizeof<T>());
  store<T>(row1 + o, r1, sizeof<T>());
  store<T>(row1 + o, u12, 2 * sizeof<T>());
  store<T>(row1 + o, u13, 3 * sizeof<T>());
  store<T>(row2 + o, r2, 2 * sizeof<T>());
  store<T>(row2 + o, u23, 3 * sizeof<T>());
  store<T>(row3 + o, r3, 3 * sizeof<T>());
  const y0 = load<T>(b + o) * r0;
  const y1 = (load<T>(b + o, sizeof<T>()) - u01 * y0) * r1;
  const y2 = (load<T>(b + o, 2 * sizeof<T>()) - u02 * y0 - u12 * y1) * r2;
  const y3 = (load<T>(b + o, 3 * sizeof<T>()) - u03 * y0 - u13 * y1 - u23 * y2) * r3;
  store<T>(b + o, y0);
  store<T>(b + o, y1, sizeof<T>());
  store<T>(b + o, y2, 2 * sizeof<T>());
  store<T>(b + o, y3, 3 * sizeof<T>());
  const s0 = v128.splat<T>(r0), s1 = v128.splat<T>(r1), s2 = v128.splat<T>(r2), s3 = v128.splat<T>(r3);
  const s01 = v128.splat<T>(u01), s02 = v128.splat<T>(u02), s03 = v128.splat<T>(u03);
  const s12 = v128.splat<T>(u12), s13 = v128.splat<T>(u13), s23 = v128.splat<T>(u23);
  const t0 = v128.splat<T>(y0), t1 = v128.splat<T>(y1), t2 = v128.splat<T>(y2), t3 = v128.splat<T>(y3);
  for (let c = i + 4; c < size; c += lanes) {
    const at = c * sizeof<T>();
    const x0 = v128.mul<T>(s0, v128.load(row0 + at));
    const x1 = v128.mul<T>(s1, nmadd<T>(s01, x0, v128.load(row1 + at)));
    const x2 = v128.mul<T>(s2, nmadd<T>(s12, x1, nmadd<T>(s02, x0, v128.load(row2 + at))));
    const x3 = v128.mul<T>(s3, nmadd<T>(s23, x2, nmadd<T>(s13, x1, nmadd<T>(s03, x0, v128.load(row3 + at)))));
    v128.store(row0 + at, x0);
    v128.store(row1 + at, x1);
    v128.store(row2 + at, x2);
    v128.store(row3 + at, x3);
    const z = nmadd<T>(t1, x1, nmadd<T>(t0, x0, v128.load(b + at)));
    v128.store(b + at, nmadd<T>(t3, x3, nmadd<T>(t2, x2, z)));
  }
  return true;
}

/** b ← G⁻¹b once more, for a G that {@link choleskySolve} has factored. */
export function solveFactored<T>(U: usize, size: usize, b: usize): void {
  const stride = size * sizeof<T>();
  for (let i: usize = 0; i < size; i += 4) eliminateBlock<T>(U, stride, i, size, b);
  for (let i = size; i > 0; i -= 4) substituteBlock<T>(U, stride, i - 4, size, b);
}

/** Entries i … i+3 of y = U⁻ᵀb, and what they take away from those behind them. */
function eliminateBlock<T>(U: usize, stride: usize, i: usize, size: usize, b: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  const o = i * sizeof<T>();
  const row0 = U + i * stride, row1 = row0 + stride, row2 = row1 + stride, row3 = row2 + stride;
  const y0 = load<T>(b + o) * load<T>(row0 + o);
  const y1 = (load<T>(b + o, sizeof<T>()) - load<T>(row0 + o, sizeof<T>()) * y0) * load<T>(row1 + o, sizeof<T>());
  const y2 = (load<T>(b + o, 2 * sizeof<T>()) - load<T>(row0 + o, 2 * sizeof<T>()) * y0 - load<T>(row1 + o, 2 * sizeof<T>()) * y1) * load<T>(row2 + o, 2 * sizeof<T>());
  const y3 = (load<T>(b + o, 3 * sizeof<T>()) - load<T>(row0 + o, 3 * sizeof<T>()) * y0 - load<T>(row1 + o, 3 * sizeof<T>()) * y1 - load<T>(row2 + o, 3 * sizeof<T>()) * y2) * load<T>(row3 + o, 3 * sizeof<T>());
  store<T>(b + o, y0);
  store<T>(b + o, y1, sizeof<T>());
  store<T>(b + o, y2, 2 * sizeof<T>());
  store<T>(b + o, y3, 3 * sizeof<T>());
  const t0 = v128.splat<T>(y0), t1 = v128.splat<T>(y1), t2 = v128.splat<T>(y2), t3 = v128.splat<T>(y3);
  for (let c = i + 4; c < size; c += lanes) {
    const at = c * sizeof<T>();
    const z = nmadd<T>(t1, v128.load(row1 + at), nmadd<T>(t0, v128.load(row0 + at), v128.load(b + at)));
    v128.store(b + at, nmadd<T>(t3, v128.load(row3 + at), nmadd<T>(t2, v128.load(row2 + at), z)));
  }
}

/** Entries i … i+3 of x = U⁻¹y, those behind them being known. */
function substituteBlock<T>(U: usize, stride: usize, i: usize, size: usize, b: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  const o = i * sizeof<T>();
  const row0 = U + i * stride, row1 = row0 + stride, row2 = row1 + stride, row3 = row2 + stride;
  let s0 = v128.splat<T>(0), s1 = s0, s2 = s0, s3 = s0;
  for (let c = i + 4; c < size; c += lanes) {
    const at = c * sizeof<T>();
    const x = v128.load(b + at);
    s0 = madd<T>(v128.load(row0 + at), x, s0);
    s1 = madd<T>(v128.load(row1 + at), x, s1);
    s2 = madd<T>(v128.load(row2 + at), x, s2);
    s3 = madd<T>(v128.load(row3 + at), x, s3);
  }
  const x3 = (load<T>(b + o, 3 * sizeof<T>()) - sumLanes<T>(s3)) * load<T>(row3 + o, 3 * sizeof<T>());
  const x2 = (load<T>(b + o, 2 * sizeof<T>()) - sumLanes<T>(s2) - load<T>(row2 + o, 3 * sizeof<T>()) * x3) * load<T>(row2 + o, 2 * sizeof<T>());
  const x1 = (load<T>(b + o, sizeof<T>()) - sumLanes<T>(s1) - load<T>(row1 + o, 2 * sizeof<T>()) * x2 - load<T>(row1 + o, 3 * sizeof<T>()) * x3) * load<T>(row1 + o, sizeof<T>());
  const x0 = (load<T>(b + o) - sumLanes<T>(s0) - load<T>(row0 + o, sizeof<T>()) * x1 - load<T>(row0 + o, 2 * sizeof<T>()) * x2 - load<T>(row0 + o, 3 * sizeof<T>()) * x3) * load<T>(row0 + o);
  store<T>(b + o, x0);
  store<T>(b + o, x1, sizeof<T>());
  store<T>(b + o, x2, 2 * sizeof<T>());
  store<T>(b + o, x3, 3 * sizeof<T>());
}
