/** The problem of one solved row in plain float64: the quadratic that touches it at its solution, observation by observation. */

import { minimumNormSolution } from '../kernels/minimumNorm.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { lossCurvature, lossSlope } from '../objective/losses.js';
import { otherSide } from '../parallel/layout.js';
import { unknownsOf } from '../parallel/phase.js';
import { type Beside, orientationOf } from './beside.js';

/** xᵀHx − 2Σ right_t x·z_t + … , whose minimiser over the free unknowns is the row; unknowns are u, and the own bias behind. */
export interface RowQuadratic {
  /** Unknowns that are neither held, nor at a bound, nor kept at 0 by L1. */
  readonly free: readonly number[];
  /** Σ ω z zᵀ and penalties, over all unknowns: width×width, symmetric. */
  readonly H: Float64Array;
  readonly width: number;
  /** The row itself. */
  readonly x: Float64Array;
  /** Listed entries of positive weight. */
  readonly entries: readonly QuadraticEntry[];
  /** Σ right·z of entries that are not listed. */
  readonly background: Float64Array;
  /** ½μ sign(x) of each unknown. */
  readonly slopes: Float64Array;
  /** z of a column: [v, 1 where the row has a bias]. */
  readonly designOf: (j: number) => Float64Array;
  /** o of a column in the units that A is stored in: what is predicted there without the row. */
  readonly offsetOf: (j: number) => number;
}

export interface QuadraticEntry {
  readonly other: number;
  /** In the units of A. */
  readonly value: number;
  /** W */
  readonly weight: number;
  /** ω; W² for squares. */
  readonly curvature: number;
  /** ω(p − o) − ½ℓ′(p), o being what is predicted without the row: W²(a − o) for squares. */
  readonly right: number;
}

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** @param shift what was taken from the values before they were stored. */
export function rowQuadratic({ fit, side, objective, observations }: Beside, row: number, shift: number): RowQuadratic {
  const { rank, stride } = fit;
  const { loss, background, l1 } = objective;
  // As the factor's precision has them, so that what is at a bound is seen to be.
  const bounds = fit.terms?.bounds[side] ?? unbounded;
  const fixed = otherSide(side);
  const other = factorBuffer(fit, fixed, 0);
  const width = unknownsOf(fit, side);
  const x = Float64Array.from(factorBuffer(fit, side, 0).subarray(row * stride, row * stride + width));
  const { pointers, indices, values, weights } = orientationOf(observations, side);
  const [start, end] = [pointers[row] as number, pointers[row + 1] as number];
  const H = new Float64Array(width * width);
  const ofBackground = new Float64Array(width);
  const entries: QuadraticEntry[] = [];
  const designOf = (j: number) =>
    Float64Array.from({ length: width }, (_, c) => (c < rank ? (other[j * stride + c] as number) : 1));
  const offsetOf = (j: number) => fit.mean + (fit.hasBias ? (other[j * stride + rank] as number) : 0);
  const add = (z: Float64Array, omega: number) => {
    for (let c = 0; c < width; c++)
      for (let e = 0; e < width; e++)
        H[c * width + e] = (H[c * width + e] as number) + omega * (z[c] as number) * (z[e] as number);
  };
  for (let t = start; t < end; t++) {
    const weight = weights ? (weights[t] as number) : 1;
    if (weight === 0) continue;
    const [j, a] = [indices[t] as number, values[t] as number];
    const z = designOf(j);
    const offset = offsetOf(j);
    const p = offset + dot(z, x);
    const curvature = lossCurvature(loss, weight, a, p);
    // For squares without the cancellation of p.
    const right =
      loss.name === 'quadratic'
        ? curvature * (a - offset)
        : curvature * (p - offset) - lossSlope(loss, weight, a, p) / 2;
    add(z, curvature);
    entries.push({ other: j, value: a + shift, weight, curvature, right });
  }
  if (background) {
    const isListed = new Set(indices.subarray(start, end));
    const own = background[side][row] as number;
    background[fixed].forEach((weight, j) => {
      if (isListed.has(j)) return;
      const z = designOf(j);
      const omega = own * weight;
      if (loss.name !== 'poisson') add(z, omega);
      const right = loss.name === 'poisson' ? -omega / 2 : omega * (background.value - shift - offsetOf(j));
      for (let c = 0; c < width; c++) ofBackground[c] = (ofBackground[c] as number) + right * (z[c] as number);
    });
  }
  const { penalties, biasPenalties, terms } = fit.layout.sides[side];
  const read = (address: number, at: number) =>
    address ? (new Float64Array(fit.memory.buffer, address + 8 * at, 1)[0] as number) : 0;
  const slopes = new Float64Array(width);
  const free: number[] = [];
  for (let c = 0; c < width; c++) {
    const multiple = c < objective.freeColumns ? 0 : 1;
    const penalty = c < rank ? multiple * read(penalties, row) : read(biasPenalties, row);
    H[c * width + c] = (H[c * width + c] as number) + penalty;
    const mu = c < rank && l1[side] > 0 ? multiple * read(terms?.l1 ?? 0, row) : 0;
    const value = x[c] as number;
    slopes[c] = (mu / 2) * Math.sign(value);
    const held = c < rank ? objective.hold[side]?.get(row, c) : undefined;
    const isHeld = held !== undefined && !Number.isNaN(held);
    const [lower, upper] = c < rank ? bounds : unbounded;
    if (!isHeld && value > lower && value < upper && (mu === 0 || value !== 0)) free.push(c);
  }
  return { free, H, width, x, entries, background: ofBackground, slopes, designOf, offsetOf };
}

/** H⁻¹z over the free unknowns, and 0 at the others; of smallest norm where H is singular. */
export function solveFree({ free, H, width }: RowQuadratic, z: ArrayLike<number>): Float64Array {
  const size = free.length;
  const q = new Float64Array(width);
  if (size === 0) return q;
  const part = Float64Array.from({ length: size * size }, (_, t) => {
    const [r, c] = [free[Math.floor(t / size)] as number, free[t % size] as number];
    return H[r * width + c] as number;
  });
  const right = Float64Array.from(free, (c) => z[c] as number);
  minimumNormSolution(part, right, size, size * 4 * Number.EPSILON).forEach((value, i) => {
    q[free[i] as number] = value;
  });
  return q;
}

/** zᵀH⁻¹z over the free unknowns for any number of z: by the Cholesky factor where there is one. */
export function leverageBy(quadratic: RowQuadratic): (z: Float64Array) => number {
  const L = choleskyOf(quadratic);
  if (!L) return (z) => dot(z, solveFree(quadratic, z));
  const { free } = quadratic;
  const size = free.length;
  const y = new Float64Array(size);
  return (z) => {
    let sum = 0;
    for (let r = 0; r < size; r++) {
      let value = z[free[r] as number] as number;
      for (let c = 0; c < r; c++) value -= (L[r * size + c] as number) * (y[c] as number);
      value /= L[r * size + r] as number;
      y[r] = value;
      sum += value * value;
    }
    return sum;
  };
}

/** The lower triangle; undefined where a pivot vanishes. */
function choleskyOf({ free, H, width }: RowQuadratic): Float64Array | undefined {
  const size = free.length;
  const L = new Float64Array(size * size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      const own = H[(free[r] as number) * width + (free[c] as number)] as number;
      let value = own;
      for (let e = 0; e < c; e++) value -= (L[r * size + e] as number) * (L[c * size + e] as number);
      if (r === c && !(value > size * 4 * Number.EPSILON * own)) return undefined;
      L[r * size + c] = r === c ? Math.sqrt(value) : value / (L[c * size + c] as number);
    }
  return L;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += (a[c] as number) * (b[c] as number);
  return sum;
}
