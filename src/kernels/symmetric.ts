/**
 * Eigenvalues of a dense symmetric matrix, largest first: Householder reduction to tridiagonal form, then bisection by Sturm
 * counts (Golub & Van Loan, Matrix Computations, 4th ed., 8.3.1 and 8.4.1). No eigenvectors.
 */
import { begin, ownMemory } from './ownMemory.js';

export interface Tridiagonal {
  /** p values. */
  readonly diagonal: Float64Array;
  /** p − 1 values beside the diagonal. */
  readonly beside: Float64Array;
}

/**
 * QᵀAQ for the p×p matrix whose lower half `A` holds, row-major; A is overwritten. (4/3)p³ flops. The result is that of a matrix
 * A + E with ‖E‖_F of at most a small multiple of p²·2⁻⁵³·‖A‖_F (Higham, Accuracy and Stability, 2nd ed., 19.3).
 *
 * @param module of the kernel that does it, to the same bits in strict arithmetic.
 */
export function tridiagonalize(A: Float64Array, p: number, module?: WebAssembly.Module): Tridiagonal {
  if (module) return byKernel(A, p, module);
  const diagonal = new Float64Array(p);
  const beside = new Float64Array(Math.max(0, p - 1));
  const v = new Float64Array(p);
  const w = new Float64Array(p);
  for (let k = 0; k + 2 < p; k++) {
    let squares = 0;
    for (let i = k + 1; i < p; i++) {
      const x = A[i * p + k] as number;
      v[i] = x;
      squares += x * x;
    }
    const first = v[k + 1] as number;
    const alpha = first > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    beside[k] = alpha;
    // Half of vᵀv, which is 0 where there is nothing to reflect.
    const half = squares - first * alpha;
    if (!(half > 0)) continue;
    v[k + 1] = first - alpha;
    // w = Av/half, of which the lower half gives both triangles.
    w.fill(0, k + 1);
    for (let i = k + 1; i < p; i++) addRow(A, i * p, v, w, k + 1, i);
    let inner = 0;
    for (let i = k + 1; i < p; i++) {
      w[i] = (w[i] as number) / half;
      inner += (w[i] as number) * (v[i] as number);
    }
    const shift = inner / (2 * half);
    for (let i = k + 1; i < p; i++) w[i] = (w[i] as number) - shift * (v[i] as number);
    for (let i = k + 1; i < p; i++) {
      const row = i * p;
      const vi = v[i] as number;
      const wi = w[i] as number;
      for (let j = k + 1; j <= i; j++)
        A[row + j] = (A[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
    }
  }
  if (p > 1) beside[p - 2] = A[(p - 1) * p + p - 2] as number;
  for (let i = 0; i < p; i++) diagonal[i] = A[i * p + i] as number;
  return { diagonal, beside };
}

/** w ← w + what row i of the lower half, from `from` on, brings to Av. Four sums side by side: one alone waits for each addition. */
function addRow(A: Float64Array, row: number, v: Float64Array, w: Float64Array, from: number, i: number): void {
  const vi = v[i] as number;
  const sums: [number, number, number, number] = [(A[row + i] as number) * vi, 0, 0, 0];
  const whole = from + ((i - from) & ~3);
  for (let j = from; j < i; j++) {
    const a = A[row + j] as number;
    const lane = j < whole ? (j - from) % 4 : 0;
    sums[lane] = (sums[lane] as number) + a * (v[j] as number);
    w[j] = (w[j] as number) + a * vi;
  }
  w[i] = (w[i] as number) + (sums[0] + (sums[1] + (sums[2] + sums[3])));
}

function byKernel(A: Float64Array, p: number, module: WebAssembly.Module): Tridiagonal {
  const { buffer, kernels } = ownMemory(module, 8 * (p * p + 4 * p));
  const list = (at: number, length: number) => new Float64Array(buffer, begin + 8 * at, length);
  const [matrix, diagonal, beside] = [list(0, p * p), list(p * p, p), list(p * p + p, Math.max(0, p - 1))];
  const [v, w] = [list(p * p + 2 * p, p), list(p * p + 3 * p, p)];
  matrix.set(A);
  const addresses = [diagonal, beside, v, w].map(({ byteOffset }) => byteOffset);
  kernels.tridiagonalize64(begin, p, ...(addresses as [number, number, number, number]));
  A.set(matrix);
  return { diagonal: diagonal.slice(), beside: beside.slice() };
}

/** The `count` largest eigenvalues, falling: each the upper end of an interval no wider than rounding in the largest of them. */
export function largestEigenvalues({ diagonal, beside }: Tridiagonal, count: number): Float64Array {
  const p = diagonal.length;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < p; i++) {
    const radius = Math.abs(beside[i - 1] ?? 0) + Math.abs(beside[i] ?? 0);
    lowest = Math.min(lowest, (diagonal[i] as number) - radius);
    highest = Math.max(highest, (diagonal[i] as number) + radius);
  }
  const width = 2 ** -52 * Math.max(Math.abs(lowest), Math.abs(highest));
  const found = new Float64Array(Math.min(count, p));
  for (let index = 0; index < found.length; index++) {
    let [low, high] = [lowest, index === 0 ? highest : (found[index - 1] as number)];
    while (high - low > width) {
      const middle = low + (high - low) / 2;
      if (!(middle > low && middle < high)) break;
      if (countAbove(diagonal, beside, middle) > index) low = middle;
      else high = middle;
    }
    found[index] = high;
  }
  return found;
}

/** The smallest: the lower end of its interval. */
export function smallestEigenvalue({ diagonal, beside }: Tridiagonal): number {
  return -(largestEigenvalues({ diagonal: diagonal.map((value) => -value), beside }, 1)[0] as number);
}

/** How many eigenvalues lie above x: the positive pivots of T − xI. */
function countAbove(diagonal: Float64Array, beside: Float64Array, x: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const e = i === 0 ? 0 : (beside[i - 1] as number);
    pivot = (diagonal[i] as number) - x - (e === 0 ? 0 : (e * e) / pivot);
    // A pivot of 0 is moved by less than rounding.
    if (pivot === 0) pivot = -Number.MIN_VALUE * 2 ** 52;
    if (pivot > 0) count++;
  }
  return count;
}
