/** An upper bound of the largest singular value of a sparse matrix, which is what a certificate may divide by. */
import { fullGram } from '../kernels/fullGram.js';
import { largestEigenvalues, tridiagonalize } from '../kernels/symmetric.js';
import { norm, scale } from '../kernels/vectors.js';

/** CSR: row i holds entries pointers[i] … pointers[i+1]−1, their indices rising; one that is listed twice counts as the sum. */
export interface SparseRows {
  readonly pointers: ArrayLike<number>;
  readonly indices: ArrayLike<number>;
  readonly values: Float64Array;
  readonly columns: number;
}

export interface NormBound {
  /** ‖M‖₂ is at most this. */
  readonly bound: number;
  /** From all eigenvalues of MᵀM, or from so many steps of Lanczos. */
  readonly from: 'eigenvalues' | 'lanczos';
  readonly steps?: number;
}

/** The smaller side up to which MᵀM is formed and its eigenvalues are computed. */
export const denseLimit = 512;
/** Where it is not: ‖M‖₂² falls short of the bound by more than this share with at most this probability, over Lanczos' random start. */
export const shortfall = 1e-3;
export const failureProbability = 1e-9;

const unit = 2 ** -53;

/** Multiplications that {@link spectralNormBound} takes, counted. */
export function normCost(pointers: ArrayLike<number>, otherPointers: ArrayLike<number>): number {
  const [rows, columns] = [pointers.length - 1, otherPointers.length - 1];
  const size = Math.min(rows, columns);
  const longer = rows < columns ? otherPointers : pointers;
  const entries = pointers[rows] as number;
  if (size > denseLimit) return 2 * entries * lanczosSteps(size);
  let gram = 0;
  for (let i = 0; i + 1 < longer.length; i++) gram += ((longer[i + 1] as number) - (longer[i] as number)) ** 2;
  return gram / 2 + (2 / 3) * size ** 3;
}

/**
 * Where the smaller side has at most {@link denseLimit} rows, the largest eigenvalue of MᵀM and what rounding can have taken from
 * it; else θ/(1 − ε) of Lanczos' largest Ritz value θ, which is below ‖M‖₂² with probability at most {@link failureProbability}
 * by the theorem of Kuczyński & Woźniakowski (SIAM J. Matrix Anal. Appl. 13, 1992, theorem 4.2): for a start uniform on the
 * sphere, P(θ < (1 − ε)λ₁) ≤ 1.648·√p·exp(−√ε(2·steps − 1)).
 *
 * @param bits 32 random bits for each index, which fix the start.
 * @param module of kernels for what is dense.
 */
export function spectralNormBound(
  M: SparseRows,
  bits: (index: number) => number,
  module?: WebAssembly.Module,
): NormBound {
  const rows = M.pointers.length - 1;
  const tall = rows < M.columns ? transposed(M) : M;
  return tall.columns <= denseLimit ? byEigenvalues(tall, module) : byLanczos(tall, bits);
}

function byEigenvalues(M: SparseRows, module: WebAssembly.Module | undefined): NormBound {
  const { pointers, indices, values, columns: p } = M;
  const counts = new Float64Array(p);
  let squares = 0;
  for (let t = 0; t < values.length; t++) {
    const at = indices[t] as number;
    counts[at] = (counts[at] as number) + 1;
    squares += (values[t] as number) * (values[t] as number);
  }
  const rows = pointers.length - 1;
  const isFull = values.length > leastFilled * rows * p && rows * p <= mostWrittenOut;
  const gram = isFull ? fullGram(rows, p, (to, width) => writeOut(M, to, width), module) : gramOfEntries(M);
  const off = eigenvalueMargin(gram, p);
  const [theta = 0] = largestEigenvalues(tridiagonalize(gram, p, module), 1);
  // Each product of two columns is a sum of so many terms at most: |fl(MᵀM) − MᵀM| ≤ γ|M|ᵀ|M|, whose norm is at most γ‖M‖_F².
  const margin = 2 * (longest(counts) + 8) * unit * squares;
  return { bound: Math.sqrt(Math.max(0, theta + off + margin)) * (1 + 4 * unit), from: 'eigenvalues' };
}

/** The share of entries from which on it is faster to multiply a matrix as a full one, up to so many numbers. */
const leastFilled = 0.4;
const mostWrittenOut = 2 ** 20;

/** MᵀM, its lower half. */
function gramOfEntries({ pointers, indices, values, columns: p }: SparseRows): Float64Array {
  const gram = new Float64Array(p * p);
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let s = pointers[i] as number; s < (pointers[i + 1] as number); s++) {
      const a = values[s] as number;
      const at = indices[s] as number;
      const row = at * p;
      for (let t = pointers[i] as number; t <= s; t++) {
        const place = row + (indices[t] as number);
        gram[place] = (gram[place] as number) + a * (values[t] as number);
      }
      // Of an index that is listed twice, both orders fall on the diagonal.
      for (let t = s - 1; t >= (pointers[i] as number) && indices[t] === at; t--)
        gram[row + at] = (gram[row + at] as number) + a * (values[t] as number);
    }
  return gram;
}

/** Adds the entries to rows of so many numbers. */
function writeOut({ pointers, indices, values }: SparseRows, to: Float64Array, width: number): void {
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const at = (indices[t] as number) + i * width;
      to[at] = (to[at] as number) + (values[t] as number);
    }
}

/** How far an eigenvalue may be off after {@link tridiagonalize} of the p×p matrix with this lower half. */
export function eigenvalueMargin(lower: Float64Array, p: number): number {
  return 10 * p * p * unit * Math.SQRT2 * norm(lower);
}

function lanczosSteps(p: number): number {
  return Math.ceil((Math.log((1.648 * Math.sqrt(p)) / failureProbability) / Math.sqrt(shortfall) + 1) / 2);
}

/**
 * Lanczos on MᵀM without reorthogonalization: directions lose orthogonality only to Ritz vectors that have converged (Paige,
 * J. Inst. Maths Applics 18, 1976; Greenbaum, Linear Algebra Appl. 113, 1989), and once the largest has, nothing is missing.
 */
function byLanczos(M: SparseRows, bits: (index: number) => number): NormBound {
  const p = M.columns;
  const steps = lanczosSteps(p);
  const diagonal: number[] = [];
  const beside: number[] = [];
  let previous: Float64Array = new Float64Array(p);
  let current: Float64Array = gaussian(p, bits);
  scale(current, 1 / norm(current));
  const image = new Float64Array(M.pointers.length - 1);
  for (let step = 0; step < steps; step++) {
    const next = gramTimes(M, current, image);
    const beta = beside.at(-1) ?? 0;
    let alpha = 0;
    for (let i = 0; i < p; i++) {
      next[i] = (next[i] as number) - beta * (previous[i] as number);
      alpha += (next[i] as number) * (current[i] as number);
    }
    diagonal.push(alpha);
    for (let i = 0; i < p; i++) next[i] = (next[i] as number) - alpha * (current[i] as number);
    const length = norm(next);
    // The space is invariant: its largest eigenvalue is that of the whole.
    if (!(length > unit * Math.abs(alpha))) break;
    if (step + 1 < steps) beside.push(length);
    scale(next, 1 / length);
    previous = current;
    current = next;
  }
  const T = { diagonal: Float64Array.from(diagonal), beside: Float64Array.from(beside) };
  const [theta = 0] = largestEigenvalues(T, 1);
  const rounding = 1 + 1e3 * (steps + longest(rowLengths(M))) * unit;
  return {
    bound: Math.sqrt((Math.max(0, theta) * rounding) / (1 - shortfall)),
    from: 'lanczos',
    steps: diagonal.length,
  };
}

function gramTimes({ pointers, indices, values, columns }: SparseRows, x: Float64Array, image: Float64Array) {
  const product = new Float64Array(columns);
  for (let i = 0; i < image.length; i++) {
    const end = pointers[i + 1] as number;
    let sum = 0;
    for (let t = pointers[i] as number; t < end; t++)
      sum += (values[t] as number) * (x[indices[t] as number] as number);
    for (let t = pointers[i] as number; t < end; t++) {
      const j = indices[t] as number;
      product[j] = (product[j] as number) + sum * (values[t] as number);
    }
  }
  return product;
}

/** Independent normal numbers by Marsaglia's polar method, so that their direction is uniform on the sphere. */
function gaussian(count: number, bits: (index: number) => number): Float64Array {
  const numbers = new Float64Array(count);
  let drawn = 0;
  const uniform = () => ((bits(drawn++) + 0.5) / 2 ** 32) * 2 - 1;
  for (let i = 0; i < count; ) {
    const [x, y] = [uniform(), uniform()];
    const square = x * x + y * y;
    if (square >= 1) continue;
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    numbers[i++] = x * factor;
    if (i < count) numbers[i++] = y * factor;
  }
  return numbers;
}

export function transposed({ pointers, indices, values, columns }: SparseRows): SparseRows {
  const starts = new Float64Array(columns + 1);
  for (let t = 0; t < values.length; t++) {
    const at = (indices[t] as number) + 1;
    starts[at] = (starts[at] as number) + 1;
  }
  for (let j = 0; j < columns; j++) starts[j + 1] = (starts[j + 1] as number) + (starts[j] as number);
  const cursor = starts.slice();
  const turned = { indices: new Uint32Array(values.length), values: new Float64Array(values.length) };
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const j = indices[t] as number;
      const at = cursor[j] as number;
      cursor[j] = at + 1;
      turned.indices[at] = i;
      turned.values[at] = values[t] as number;
    }
  return { pointers: starts, ...turned, columns: pointers.length - 1 };
}

function rowLengths({ pointers }: SparseRows): Float64Array {
  return Float64Array.from(
    { length: pointers.length - 1 },
    (_, i) => (pointers[i + 1] as number) - (pointers[i] as number),
  );
}

export function longest(counts: Float64Array): number {
  return counts.reduce((most, count) => Math.max(most, count), 0);
}
