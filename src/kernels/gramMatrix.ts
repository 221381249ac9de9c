/** XᵀX in float64, for matrices that are too small to be worth the way into WebAssembly memory. */

/** Columns are taken in fours: the numbers of a row of X stand this far apart, zeros behind them. */
export function gramStride(columns: number): number {
  return Math.ceil(columns / 4) * 4;
}

/**
 * The lower half of XᵀX, p×p and row-major, of `rows` rows of p numbers, {@link gramStride} apart. Each entry is summed over the
 * rows in their order, eight at a time in registers.
 */
export function gramMatrix(X: Float64Array, rows: number, p: number): Float64Array {
  const stride = gramStride(p);
  const gram = new Float64Array(p * p);
  const put = (row: number, column: number, value: number) => {
    if (row < p && column <= row) gram[row * p + column] = value;
  };
  for (let r = 0; r < p; r += 4)
    for (let c = 0; c < r + 4 && c < p; c += 2) {
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let i = 0, a = r, b = c; i < rows; i++, a += stride, b += stride) {
        const x = X[b] as number;
        const y = X[b + 1] as number;
        const a0 = X[a] as number;
        const a1 = X[a + 1] as number;
        const a2 = X[a + 2] as number;
        const a3 = X[a + 3] as number;
        s00 += a0 * x;
        s01 += a0 * y;
        s10 += a1 * x;
        s11 += a1 * y;
        s20 += a2 * x;
        s21 += a2 * y;
        s30 += a3 * x;
        s31 += a3 * y;
      }
      put(r, c, s00);
      put(r, c + 1, s01);
      put(r + 1, c, s10);
      put(r + 1, c + 1, s11);
      put(r + 2, c, s20);
      put(r + 2, c + 1, s21);
      put(r + 3, c, s30);
      put(r + 3, c + 1, s31);
    }
  return gram;
}
