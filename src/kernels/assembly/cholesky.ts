/** Cholesky factorization G = UᵀU of the upper half, row by row in blocks of 4 (left-looking: Golub & Van Loan, 4th ed., 4.2.9), and the two triangular solves. */
import { accumulateRows } from "./gram";
import { madd, nmadd, sumLanes } from "./lanes";

/**
 * Factors in place. Rows from `active` on must be those of the identity: they pad the size to a multiple of 4.
 * @returns false when a pivot falls to `smallestPivot` or is not a number.
 */
export function cholesky<T>(G: usize, size: usize, active: usize, smallestPivot: T): bool {
  const stride = size * sizeof<T>();
  const lanes: usize = 16 / sizeof<T>();
  for (let i: usize = 0; i < size; i += 4) {
    if (i > 0) accumulateRows<T>(true, G, G, i, <i32>i, size);
    for (let r = i; r < i + 4; r++) {
      const row = G + r * stride;
      for (let q = i; q < r; q++) {
        const earlier = G + q * stride;
        const s = v128.splat<T>(load<T>(earlier + r * sizeof<T>()));
        for (let c = i; c < size; c += lanes) {
          const o = c * sizeof<T>();
          v128.store(row + o, nmadd<T>(s, v128.load(earlier + o), v128.load(row + o)));
        }
      }
      const pivot = load<T>(row + r * sizeof<T>());
      if (r < active && !(pivot > smallestPivot)) return false;
      const s = v128.splat<T>(<T>1 / sqrt<T>(pivot));
      for (let c = i; c < size; c += lanes) {
        const o = c * sizeof<T>();
        v128.store(row + o, v128.mul<T>(s, v128.load(row + o)));
      }
    }
  }
  return true;
}

/** b ← U⁻¹U⁻ᵀb. */
export function solveTriangles<T>(U: usize, size: usize, b: usize): void {
  const stride = size * sizeof<T>();
  const lanes: usize = 16 / sizeof<T>();
  // Forward: each row of U is a column of Uᵀ, so the substitution runs along contiguous rows.
  for (let j: usize = 0; j < size; j++) {
    const row = U + j * stride;
    const y = load<T>(b + j * sizeof<T>()) / load<T>(row + j * sizeof<T>());
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
    store<T>(b + j * sizeof<T>(), sum / load<T>(row + j * sizeof<T>()));
  }
}
