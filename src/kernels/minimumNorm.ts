/**
 * Minimum-norm least squares by a rank-revealing route, in float64: the row problems that a Cholesky factorization of
 * the Gram matrix must not be trusted with.
 *
 * X is reduced to a triangle R by Householder QR (never to XᵀX, which squares the condition number), and R by one-sided
 * Jacobi SVD (Golub & Van Loan, Matrix Computations, 4th ed., 8.6.3). Singular values below the tolerance count as zero, as numpy's lstsq does.
 */
import { orthogonalizeColumns } from './jacobi.js';
import { dot } from './vectors.js';

/**
 * The z of smallest norm among those that minimise ‖Xz − y‖, X p-column row-major.
 *
 * @param X n×p, overwritten.
 * @param y n, overwritten.
 * @param relativeTolerance singular values at or below this times the largest are taken as zero.
 */
export function minimumNormSolution(
  X: Float64Array,
  y: Float64Array,
  p: number,
  relativeTolerance: number,
): Float64Array {
  const n = y.length;
  triangularize(X, y, n, p);
  const size = Math.min(n, p);
  // Jacobi works on the columns of B = Rᵀ (p×size): B = Q·diag(s)·Pᵀ, so R = P·diag(s)·Qᵀ and z = Q·diag(1/s)·Pᵀ(Rotated y).
  const B: Float64Array[] = Array.from({ length: size }, (_, i) => X.slice(i * p, (i + 1) * p));
  const P: Float64Array[] = Array.from({ length: size }, (_, i) => {
    const column = new Float64Array(size);
    column[i] = 1;
    return column;
  });
  orthogonalizeColumns(B, P);
  const s = B.map((column) => Math.sqrt(dot(column, column)));
  const cutoff = relativeTolerance * Math.max(0, ...s);
  const z = new Float64Array(p);
  B.forEach((column, j) => {
    const singular = s[j] as number;
    if (!(singular > cutoff)) return;
    const weight = dot(P[j] as Float64Array, y.subarray(0, size)) / (singular * singular);
    for (let i = 0; i < p; i++) z[i] = (z[i] as number) + weight * (column[i] as number);
  });
  return z;
}

/** Householder QR in place: the upper triangle of the first min(n, p) rows of X becomes R, y becomes Qᵀy. */
function triangularize(X: Float64Array, y: Float64Array, n: number, p: number): void {
  const v = new Float64Array(n);
  for (let c = 0; c < Math.min(n, p); c++) {
    let squared = 0;
    for (let i = c; i < n; i++) squared += (X[i * p + c] as number) * (X[i * p + c] as number);
    const norm = Math.sqrt(squared);
    if (norm === 0) continue;
    const head = X[c * p + c] as number;
    const alpha = head > 0 ? -norm : norm;
    for (let i = c; i < n; i++) v[i] = X[i * p + c] as number;
    v[c] = head - alpha;
    const scale = 1 / (norm * (norm + Math.abs(head)));
    for (let j = c; j < p; j++) {
      let sum = 0;
      for (let i = c; i < n; i++) sum += (v[i] as number) * (X[i * p + j] as number);
      sum *= scale;
      for (let i = c; i < n; i++) X[i * p + j] = (X[i * p + j] as number) - sum * (v[i] as number);
    }
    let sum = 0;
    for (let i = c; i < n; i++) sum += (v[i] as number) * (y[i] as number);
    sum *= scale;
    for (let i = c; i < n; i++) y[i] = (y[i] as number) - sum * (v[i] as number);
    for (let i = c + 1; i < n; i++) X[i * p + c] = 0;
  }
}
