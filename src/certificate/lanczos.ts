/**
 * The smallest eigenvalue of a symmetric operator by the Lanczos process with full reorthogonalization, on the complement of a
 * given space: C. Lanczos, J. Res. Nat. Bur. Standards 45 (1950); B. N. Parlett, The Symmetric Eigenvalue Problem (1998), ch. 13.
 */

export interface Lanczos {
  readonly smallest: number;
  readonly largest: number;
  /** The Ritz vector of the smallest, of norm 1. */
  readonly vector: Float64Array;
  readonly steps: number;
  /** The Krylov space is invariant: its eigenvalues are the operator's. */
  readonly isExhausted: boolean;
}

/** A next vector shorter than this, relative to the spread of the Ritz values, is rounding. */
const exhausted = 1e-12;

/**
 * @param start changed in place.
 * @param deflated an orthonormal basis of the space that is left out.
 * @returns undefined where nothing of `start` lies outside that space.
 */
export async function lanczos(
  multiply: (x: Float64Array) => Promise<Float64Array>,
  start: Float64Array,
  deflated: readonly Float64Array[],
  mostSteps: number,
): Promise<Lanczos | undefined> {
  const basis: Float64Array[] = [];
  // One list: what is left of a product after long cancellation must be orthogonal to all of it.
  const all = [...deflated];
  const alpha: number[] = [];
  const beta: number[] = [];
  let next = start;
  const before = norm(next);
  orthogonalize(next, deflated);
  if (!(norm(next) > 1e-10 * before)) return undefined;
  scale(next, 1 / norm(next));
  let isExhausted = false;
  while (basis.length < mostSteps && !isExhausted) {
    basis.push(next);
    all.push(next);
    const product = await multiply(next);
    alpha.push(product.reduce((sum, x, i) => sum + x * (next[i] as number), 0));
    orthogonalize(product, all);
    const length = norm(product);
    const spread =
      alpha.reduce((most, x) => Math.max(most, Math.abs(x)), 0) + beta.reduce((most, x) => Math.max(most, x), 0);
    isExhausted = !(length > exhausted * spread);
    if (isExhausted || basis.length === mostSteps) break;
    beta.push(length);
    scale(product, 1 / length);
    next = product;
  }
  const smallest = extreme(alpha, beta, false);
  const weights = tridiagonalVector(alpha, beta, smallest);
  const vector = new Float64Array(start.length);
  basis.forEach((each, s) => {
    const weight = weights[s] as number;
    for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) + weight * (each[i] as number);
  });
  scale(vector, 1 / norm(vector));
  return { smallest, largest: extreme(alpha, beta, true), vector, steps: basis.length, isExhausted };
}

/** Takes out of x what lies along each vector of an orthonormal list: twice, so that what is left is orthogonal to rounding. */
export function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const b of basis) {
      let product = 0;
      for (let i = 0; i < x.length; i++) product += (x[i] as number) * (b[i] as number);
      for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) - product * (b[i] as number);
    }
}

/** The smallest or largest eigenvalue of a tridiagonal matrix, by bisection with Sturm counts (J. W. Givens, 1954). */
function extreme(alpha: readonly number[], beta: readonly number[], isLargest: boolean): number {
  const radius = alpha.map((_, i) => (beta[i - 1] ?? 0) + (i < alpha.length - 1 ? (beta[i] ?? 0) : 0));
  let low = Math.min(...alpha.map((a, i) => a - (radius[i] as number)));
  let high = Math.max(...alpha.map((a, i) => a + (radius[i] as number)));
  const sought = isLargest ? alpha.length : 1;
  for (let halvings = 0; halvings < 200 && low < high; halvings++) {
    const middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) break;
    if (countBelow(alpha, beta, middle) >= sought) high = middle;
    else low = middle;
  }
  return low + 0.5 * (high - low);
}

/** Eigenvalues below a shift: negative pivots of the shifted matrix. */
function countBelow(alpha: readonly number[], beta: readonly number[], shift: number): number {
  let count = 0;
  let pivot = 1;
  alpha.forEach((a, i) => {
    const b = i === 0 ? 0 : (beta[i - 1] as number);
    pivot = a - shift - (b * b) / pivot;
    if (pivot === 0) pivot = Number.MIN_VALUE;
    if (pivot < 0) count++;
  });
  return count;
}

/** By inverse iteration from below the smallest eigenvalue, where the matrix is positive definite. */
function tridiagonalVector(alpha: readonly number[], beta: readonly number[], smallest: number): Float64Array {
  const size = alpha.length;
  const largest = alpha.reduce((most, a) => Math.max(most, Math.abs(a)), 0) + Math.max(0, ...beta);
  const shift = smallest - 1e-12 * (largest || 1);
  const pivots = new Float64Array(size);
  alpha.forEach((a, i) => {
    const b = i === 0 ? 0 : (beta[i - 1] as number);
    pivots[i] = a - shift - (i === 0 ? 0 : (b * b) / (pivots[i - 1] as number));
  });
  const x = new Float64Array(size).fill(1);
  for (let pass = 0; pass < 4; pass++) {
    for (let i = 1; i < size; i++)
      x[i] = (x[i] as number) - ((beta[i - 1] as number) * (x[i - 1] as number)) / (pivots[i - 1] as number);
    for (let i = size - 1; i >= 0; i--) {
      const above = i + 1 < size ? (beta[i] as number) * (x[i + 1] as number) : 0;
      x[i] = ((x[i] as number) - above) / (pivots[i] as number);
    }
    scale(x, 1 / norm(x));
  }
  return x;
}

export function norm(x: Float64Array): number {
  let squared = 0;
  for (let i = 0; i < x.length; i++) squared += (x[i] as number) ** 2;
  return Math.sqrt(squared);
}

export function scale(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) * factor;
}
