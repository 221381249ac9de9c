/**
 * The smallest eigenvalue of a symmetric operator by the Lanczos process with full reorthogonalization, on the complement of a
 * given space: C. Lanczos, J. Res. Nat. Bur. Standards 45 (1950); B. N. Parlett, The Symmetric Eigenvalue Problem (1998), ch. 13.
 */
import { largestEigenvalues, smallestEigenvalue } from '../kernels/symmetric.js';
import { addScaled, dot, norm, scale } from '../kernels/vectors.js';

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
/** Steps from one question whether they are enough to the next. */
export const asksEvery = 10;

/**
 * Asks for the products with the operator one by one, so that whoever makes them may take turns with others, or not: see
 * {@link answered}.
 *
 * @param start changed in place.
 * @param deflated an orthonormal basis of the space that is left out.
 * @param isEnough asked now and then, with the extreme Ritz values so far: whether more steps would say nothing that is wanted.
 * @returns undefined where nothing of `start` lies outside that space.
 */
export function* lanczos(
  start: Float64Array,
  deflated: readonly Float64Array[],
  mostSteps: number,
  isEnough: (smallest: number, largest: number, steps: number) => boolean = () => false,
): Generator<Float64Array, Lanczos | undefined, Float64Array> {
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
    const product = yield next;
    alpha.push(dot(product, next));
    // The three terms first: of what is left one pass is enough, as a rule.
    addScaled(product, -(alpha.at(-1) as number), next);
    if (basis.length > 1) addScaled(product, -(beta.at(-1) as number), basis.at(-2) as Float64Array);
    orthogonalize(product, all);
    const length = norm(product);
    const spread =
      alpha.reduce((most, x) => Math.max(most, Math.abs(x)), 0) + beta.reduce((most, x) => Math.max(most, x), 0);
    isExhausted = !(length > exhausted * spread);
    if (isExhausted || basis.length === mostSteps) break;
    if (basis.length % asksEvery === 0) {
      const T = tridiagonal(alpha, beta);
      if (isEnough(smallestEigenvalue(T), largestOf(T), basis.length)) break;
    }
    beta.push(length);
    scale(product, 1 / length);
    next = product;
  }
  const T = tridiagonal(alpha, beta);
  const smallest = smallestEigenvalue(T);
  const weights = tridiagonalVector(alpha, beta, smallest);
  const vector = new Float64Array(start.length);
  basis.forEach((each, s) => {
    addScaled(vector, weights[s] as number, each);
  });
  scale(vector, 1 / norm(vector));
  return { smallest, largest: largestOf(T), vector, steps: basis.length, isExhausted };
}

/** Runs a process with products that are made at once. */
export function answered<Result>(
  process: Generator<Float64Array, Result, Float64Array>,
  multiply: (x: Float64Array) => Float64Array,
): Result {
  let asked = process.next();
  while (!asked.done) asked = process.next(multiply(asked.value));
  return asked.value;
}

/** The same with products that are waited for. */
export async function answeredLater<Result>(
  process: Generator<Float64Array, Result, Float64Array>,
  multiply: (x: Float64Array) => Promise<Float64Array>,
): Promise<Result> {
  let asked = process.next();
  while (!asked.done) asked = process.next(await multiply(asked.value));
  return asked.value;
}

function tridiagonal(alpha: readonly number[], beta: readonly number[]) {
  return { diagonal: Float64Array.from(alpha), beside: Float64Array.from(beta) };
}

const largestOf = (T: ReturnType<typeof tridiagonal>) => largestEigenvalues(T, 1)[0] as number;

/**
 * Takes out of x what lies along each vector of an orthonormal list; once more where much of x went, so that what is left is
 * orthogonal to rounding: J. W. Daniel, W. B. Gragg, L. Kaufman & G. W. Stewart, Math. Comp. 30 (1976).
 */
export function orthogonalize(x: Float64Array, basis: readonly Float64Array[]): void {
  const before = norm(x);
  for (const b of basis) addScaled(x, -dot(x, b), b);
  if (norm(x) < 0.7 * before) for (const b of basis) addScaled(x, -dot(x, b), b);
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
