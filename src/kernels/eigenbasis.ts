/**
 * A symmetric matrix in the basis of its eigenvectors: Householder reduction to tridiagonal form, then QL steps with implicit
 * shifts (Golub & Van Loan, Matrix Computations, 4th ed., 8.3.1 and 8.3.5; A. Dubrulle, R. Martin & J. Wilkinson, Numer. Math. 12
 * (1968)). About 9p³ flops.
 */
import { type EigenRows, kernelRows, plainRows } from './eigenRows.js';
import { tridiagonalize } from './symmetric.js';

export interface Eigenbasis {
  /** Eigenvalues, in no order. */
  readonly values: Float64Array;
  /** Row i is the eigenvector of value i. */
  readonly vectors: readonly Float64Array[];
}

/** QL steps for one eigenvalue: a few do, unless something is not a number. */
const mostSteps = 60;

/**
 * Of the p×p matrix whose lower half `A` holds, row-major; A is overwritten.
 *
 * @param module of the kernels that reduce the matrix and turn the vectors, which then hold until they are asked again; the same bits as without.
 */
export function eigenbasis(A: Float64Array, p: number, module?: WebAssembly.Module): Eigenbasis {
  const { diagonal, beside } = tridiagonalize(A, p, module);
  const rows = module ? kernelRows(module, p) : plainRows(p);
  reflect(rows, A, p, beside);
  const e = new Float64Array(p);
  e.set(beside);
  for (let low = 0; low < p; low++)
    for (let step = 0; step < mostSteps; step++) {
      let high = low;
      while (high < p - 1 && !isNegligible(diagonal, e, high)) high++;
      if (high === low) break;
      stepUp(diagonal, e, rows, low, high);
    }
  return { values: diagonal, vectors: rows.vectors };
}

/** Qᵀ of QᵀAQ = T, of which `tridiagonalize` has left the reflections below the diagonal. */
function reflect(rows: EigenRows, A: Float64Array, p: number, beside: Float64Array): void {
  for (let k = p - 3; k >= 0; k--) {
    const alpha = beside[k] as number;
    const v = new Float64Array(p);
    for (let i = k + 1; i < p; i++) v[i] = A[i * p + k] as number;
    v[k + 1] = (v[k + 1] as number) - alpha;
    const half = -alpha * (v[k + 1] as number);
    if (half > 0) rows.reflect(v, k + 1, half);
  }
}

function isNegligible(diagonal: Float64Array, beside: Float64Array, i: number): boolean {
  const size = Math.abs(diagonal[i] as number) + Math.abs(diagonal[i + 1] as number);
  return Math.abs(beside[i] as number) <= Number.EPSILON * size;
}

/** One QL step on rows low … high, from the bottom up. */
function stepUp(d: Float64Array, e: Float64Array, rows: EigenRows, low: number, high: number): void {
  const at = (list: Float64Array, i: number) => list[i] as number;
  const half = (at(d, low + 1) - at(d, low)) / (2 * at(e, low));
  const root = Math.sqrt(half * half + 1);
  let g = at(d, high) - at(d, low) + at(e, low) / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * at(e, i);
    const b = cosine * at(e, i);
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = at(d, i + 1) - shift;
      e[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = at(d, i + 1) - shift;
    const t = (at(d, i) - g) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = g + shift;
    g = cosine * t - b;
    rows.turn(i, i + 1, cosine, sine);
  }
  d[low] = at(d, low) - shift;
  e[low] = g;
  e[high] = 0;
}
