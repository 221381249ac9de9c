/** One-sided Jacobi rotations (Golub & Van Loan, Matrix Computations, 4th ed., 8.6.3): singular values to high relative accuracy. */
import { dot } from './vectors.js';

/** Rotates the columns of B (and P alike) until they are orthogonal to working precision: with P = I before, B·P⁻¹ is as it was. */
export function orthogonalizeColumns(B: Float64Array[], P: Float64Array[]): void {
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let i = 0; i < B.length; i++)
      for (let j = i + 1; j < B.length; j++) {
        const a = B[i] as Float64Array;
        const b = B[j] as Float64Array;
        const aa = dot(a, a);
        const bb = dot(b, b);
        const ab = dot(a, b);
        if (!(Math.abs(ab) > 1e-15 * Math.sqrt(aa) * Math.sqrt(bb))) continue;
        rotated = true;
        const tau = (bb - aa) / (2 * ab);
        const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
        const cosine = 1 / Math.sqrt(1 + t * t);
        rotate(a, b, cosine, cosine * t);
        rotate(P[i] as Float64Array, P[j] as Float64Array, cosine, cosine * t);
      }
    if (!rotated) return;
  }
}

export function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}
