import { expect, it } from 'vitest';
import { gramMatrix, gramStride } from '../../dist/src/kernels/gramMatrix.js';

it('sums each entry over the rows in their order, to the last bit', () => {
  for (let p = 1; p <= 13; p++) {
    const [rows, stride] = [37, gramStride(p)];
    const X = new Float64Array(rows * stride);
    for (let i = 0; i < rows; i++) for (let c = 0; c < p; c++) X[i * stride + c] = Math.sin(i * 13 + c * c + p);
    const expected = new Float64Array(p * p);
    for (let r = 0; r < p; r++)
      for (let c = 0; c <= r; c++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += (X[i * stride + r] as number) * (X[i * stride + c] as number);
        expected[r * p + c] = sum;
      }
    expect(gramMatrix(X, rows, p)).toEqual(expected);
  }
});
