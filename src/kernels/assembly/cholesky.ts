/** Cholesky factorization G = UᵀU of the upper half, row by row in blocks of 4 (left-looking: Golub & Van Loan, 4th ed., 4.2.9), and the two triangular solves. */
import { accumulateRows } from "./gram";
import { madd, nmadd, sumLanes } from "./lanes";

/**
 * Factors in place. Rows from `active` on must be those of the identity: they pad the size to a multiple of 4.
 * @returns false when a pivot falls to `smallestPivot` or is not a number.
 */
export function cholesky<T>(G: usize, size: usize, active: usize, smallestPivot: T): bool {
  const stride = size * sizeof<T>();
  for (let i: usize = 0; i < size; i += 4) {
    if (i > 0) accumulateRows<T>(true, G, G, i, <i32>i, size);
    if (!factorBlock<T>(G, stride, i, size, active, smallestPivot)) return false;
  }
  return true;
}

/**
 * Rows i … i+3, already updated by the rows above: their 4×4 triangle by scalars, then the rest of the four rows a vector
 * of columns at a time, in registers. The diagonal keeps the reciprocals: the solves multiply where they would divide.
 */
function factorBlock<T>(G: usize, stride: usize, i: usize, size: usize, active: usize, smallestPivot: T): bool {
  const lanes: usize = 16 / sizeof<T>();
  const row0 = G + i * stride, row1 = row0 + stride, row2 = row1 + stride, row3 = row2 + stride;
  const o = i * sizeof<T>();
  let pivot = load<T>(row0 + o);
  if (i < active && !(pivot > smallestPivot)) return false;
  const r0 = <T>1 / sqrt<T>(pivot);
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
  const s0 = v128.splat<T>(r0), s1 = v128.splat<T>(r1), s2 = v128.splat<T>(r2), s3 = v128.splat<T>(r3);
  const s01 = v128.splat<T>(u01), s02 = v128.splat<T>(u02), s03 = v128.splat<T>(u03);
  const s12 = v128.splat<T>(u12), s13 = v128.splat<T>(u13), s23 = v128.splat<T>(u23);
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
  }
  return true;
}

/** b ← U⁻¹U⁻ᵀb, the reciprocals of U's diagonal in its place. */
export function solveTriangles<T>(U: usize, size: usize, b: usize): void {
  const stride = size * sizeof<T>();
  const lanes: usize = 16 / sizeof<T>();
  // Forward: each row of U is a column of Uᵀ, so the substitution runs along contiguous rows.
  for (let j: usize = 0; j < size; j++) {
    const row = U + j * stride;
    const y = load<T>(b + j * sizeof<T>()) * load<T>(row + j * sizeof<T>());
    let c = j + 1;
    for (; c < size && (c & (lanes - 1)) != 0; c++)
      store<T>(b + c * sizeof<T>(), load<T>(b + c * sizeof<T>()) - y * load<T>(row + c * sizeof<T>()));
    const s = v128.splat<T>(y);
    for (; c < size; c += lanes) {
      const o = c * sizeof<T>();
      v128.store(b + o, nmadd<T>(s, v128.load(row + o), v128.load(b + o)));
    }
    store<T>(b + j * sizeof<T>(), y);
  }
  // Backward: a dot product with the row's part beyond the diagonal.
  for (let j: usize = size; j-- > 0; ) {
    const row = U + j * stride;
    let sum = load<T>(b + j * sizeof<T>());
    let c = j + 1;
    for (; c < size && (c & (lanes - 1)) != 0; c++) sum -= load<T>(row + c * sizeof<T>()) * load<T>(b + c * sizeof<T>());
    let s0 = v128.splat<T>(0), s1 = v128.splat<T>(0);
    for (; c + 2 * lanes <= size; c += 2 * lanes) {
      const o = c * sizeof<T>();
      s0 = madd<T>(v128.load(row + o), v128.load(b + o), s0);
      s1 = madd<T>(v128.load(row + o, 16), v128.load(b + o, 16), s1);
    }
    for (; c < size; c += lanes) {
      const o = c * sizeof<T>();
      s0 = madd<T>(v128.load(row + o), v128.load(b + o), s0);
    }
    sum -= sumLanes<T>(v128.add<T>(s0, s1));
    store<T>(b + j * sizeof<T>(), sum * load<T>(row + j * sizeof<T>()));
  }
}
