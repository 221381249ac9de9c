/**
 * Covariances of rows and columns from the whole Gauss–Newton matrix H = JᵀJ + Λ of the problem, both factors together.
 *
 * The side with more rows is eliminated: with G_i its normal equations, d_j = [v_j, 1] and h_i = [u_i, 1],
 *
 *     S_jj′ = δ_jj′ Λ_j + Σ_i c_jj′ h_i h_iᵀ,   c_jj′ = δ_jj′ w_j² − w_j² d_jᵀG_i⁻¹d_j′ w_j′²   (the Schur complement)
 *
 * UVᵀ does not change along V → VB, nor along V → V + 1tᵀ and the like where there are biases: dV is taken orthogonal to
 * Q ⊗ I, Q a basis of [V, 1]. Then Σ_V = Z(ZᵀSZ)⁻¹Zᵀ, Z a basis of what is left, and
 * Σ_{u_i} = G_i⁻¹ + Σ_jj′ y_j y_j′ᵀ (h_iᵀ Σ_jj′ h_i), y_j = w_j² G_i⁻¹ d_j.
 */
import type { RealArray } from '../data/input.js';
import { readRows } from '../data/storedRows.js';
import { packedLength, rowPenalties } from '../methods/covariancePhase.js';
import { addGauge, gaugeOf } from '../methods/reducedGauge.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { otherSide, type PerSide, type Side } from '../parallel/layout.js';
import { countOf, type FitContext, unknownsOf } from '../parallel/phase.js';

/** Operations beyond which a fit is left with the covariances of each side given the other: some ten seconds. */
export const mostCovarianceWork = 6e9;

/** What the count of operations needs of a fit. */
type Shape = Pick<FitContext, 'rank' | 'isBiasFitted'> & {
  readonly counts: PerSide<number>;
  /** Of the rows of the eliminated side. */
  readonly pointers: Float64Array;
};

/** Operations for S, its inverse, and the covariances of the eliminated rows, each taken up to twice. */
export function covarianceWork(shape: Shape, side: Side): number {
  const { pointers, counts } = shape;
  const staying = otherSide(side);
  const widths = unknownsOf(shape, side) ** 2 + unknownsOf(shape, staying) ** 2;
  const unknowns = counts[staying] * unknownsOf(shape, staying);
  let pairs = 0;
  for (let i = 1; i < pointers.length; i++) pairs += ((pointers[i] as number) - (pointers[i - 1] as number)) ** 2;
  return 2 * pairs * widths + unknowns ** 3;
}

export interface FullCovariance {
  /** Packed, of every row and column. */
  readonly covariances: PerSide<Float64Array>;
  /** Degrees of freedom of the fit: the trace of J H⁻¹ Jᵀ. */
  readonly spent: number;
}

/**
 * @param side the side to eliminate.
 * @param inverses G⁻¹ of its rows, packed.
 * @param pause gives the event loop its turn.
 * @returns undefined where the data do not determine the factors, up to their gauge.
 */
export async function fullCovariance(
  fit: FitContext,
  point: PerSide<number>,
  side: Side,
  inverses: Float64Array,
  pause: () => Promise<void>,
): Promise<FullCovariance | undefined> {
  const rows = openRows(fit, point, side, inverses);
  const staying = otherSide(side);
  const [count, width] = [countOf(fit, staying), unknownsOf(fit, staying)];
  const order = count * width;
  const S = await schurComplement(fit, rows, staying, count, pause);
  const isPenalised = hasPenalties(fit, side) || hasPenalties(fit, staying);
  const gauge = gaugeOf(fit, staying, rows.other, 'all');
  const { basis, columns } = gauge;
  if (!isPenalised) addGauge(S, { order, width, scale: meanDiagonal(S, order), ...gauge });
  if (!(await invert(S, order, pause))) return undefined;
  let spent = rows.unknowns + order - columns * width;
  if (isPenalised) {
    const whole = await eliminatedCovariance(fit, rows, S, order, pause);
    spent +=
      columns * width - penaltyTrace(fit, side, whole) - penaltyTrace(fit, staying, diagonalBlocks(S, count, width));
  }
  constrain(S, order, width, basis, columns);
  const covariances = {
    [side]: await eliminatedCovariance(fit, rows, S, order, pause),
    [staying]: diagonalBlocks(S, count, width),
  } as unknown as PerSide<Float64Array>;
  return { covariances, spent };
}

interface Rows {
  readonly side: Side;
  readonly own: RealArray;
  readonly other: RealArray;
  readonly width: number;
  readonly inverses: Float64Array;
  /** Of all rows together. */
  readonly unknowns: number;
  readonly rank: number;
  readonly stride: number;
}

function openRows(fit: FitContext, point: PerSide<number>, side: Side, inverses: Float64Array): Rows {
  const width = unknownsOf(fit, side);
  return {
    side,
    own: factorBuffer(fit, side, point[side]),
    other: factorBuffer(fit, otherSide(side), point[otherSide(side)]),
    width,
    inverses,
    unknowns: countOf(fit, side) * width,
    rank: fit.rank,
    stride: fit.stride,
  };
}

/** What row i brings: its entries, y_j = w_j²G_i⁻¹d_j of each, and h_i. */
function openRow(fit: FitContext, rows: Rows, row: number) {
  const { side, width, rank, stride } = rows;
  const stored = fit.observations[side];
  const { indices, weights, ...entries } = readRows(stored, row, row + 1);
  const start = (stored.pointers[row] as number) - entries.start;
  const count = (stored.pointers[row + 1] as number) - entries.start - start;
  const d = new Float64Array(count * width).fill(1);
  const y = new Float64Array(count * width);
  const squares = new Float64Array(count);
  const at = packedLength(width) * row;
  for (let t = 0; t < count; t++) {
    const weight = weights ? (weights[start + t] as number) : 1;
    squares[t] = weight * weight;
    const from = (indices[start + t] as number) * stride;
    for (let c = 0; c < rank; c++) d[t * width + c] = rows.other[from + c] as number;
    for (let c = 0; c < width; c++) {
      let sum = 0;
      for (let e = 0; e < width; e++) {
        const packed = c >= e ? packedLength(c) + e : packedLength(e) + c;
        sum += (rows.inverses[at + packed] as number) * (d[t * width + e] as number);
      }
      y[t * width + c] = weight * weight * sum;
    }
  }
  const h = new Float64Array(unknownsOf(fit, otherSide(side))).fill(1);
  for (let c = 0; c < rank; c++) h[c] = rows.own[row * stride + c] as number;
  return { count, columns: indices.subarray(start, start + count), d, y, squares, h };
}

async function schurComplement(
  fit: FitContext,
  rows: Rows,
  staying: Side,
  count: number,
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const width = unknownsOf(fit, staying);
  const order = count * width;
  const S = new Float64Array(order * order);
  const penaltyOf = rowPenalties(fit, staying);
  for (let j = 0; j < count; j++) for (let c = 0; c < width; c++) S[(j * width + c) * (order + 1)] = penaltyOf(j, c);
  for (let row = 0; row * rows.width < rows.unknowns; row++) {
    const { count: entries, columns, d, y, squares, h } = openRow(fit, rows, row);
    for (let t = 0; t < entries; t++)
      for (let s = 0; s < entries; s++) {
        let coefficient = s === t ? (squares[t] as number) : 0;
        let product = 0;
        for (let c = 0; c < rows.width; c++)
          product += (y[t * rows.width + c] as number) * (d[s * rows.width + c] as number);
        coefficient -= product * (squares[s] as number);
        const at = (columns[t] as number) * width * order + (columns[s] as number) * width;
        for (let a = 0; a < width; a++)
          for (let b = 0; b < width; b++)
            S[at + a * order + b] =
              (S[at + a * order + b] as number) + coefficient * (h[a] as number) * (h[b] as number);
      }
    await pause();
  }
  return S;
}

/** Σ_{u_i} of every eliminated row, packed, from the covariance of all that stays. */
async function eliminatedCovariance(
  fit: FitContext,
  rows: Rows,
  S: Float64Array,
  order: number,
  pause: () => Promise<void>,
): Promise<Float64Array> {
  const staying = unknownsOf(fit, otherSide(rows.side));
  const { width } = rows;
  const covariance = rows.inverses.slice();
  const length = packedLength(width);
  for (let row = 0; row * width < rows.unknowns; row++) {
    const { count, columns, y, h } = openRow(fit, rows, row);
    const sums = new Float64Array(width);
    for (let t = 0; t < count; t++) {
      // Σ_s y_s (hᵀ Σ_ts h)
      sums.fill(0);
      for (let s = 0; s < count; s++) {
        const at = (columns[t] as number) * staying * order + (columns[s] as number) * staying;
        let value = 0;
        for (let a = 0; a < staying; a++)
          for (let b = 0; b < staying; b++)
            value += (h[a] as number) * (h[b] as number) * (S[at + a * order + b] as number);
        for (let c = 0; c < width; c++) sums[c] = (sums[c] as number) + value * (y[s * width + c] as number);
      }
      for (let c = 0; c < width; c++)
        for (let e = 0; e <= c; e++) {
          const at = length * row + packedLength(c) + e;
          covariance[at] = (covariance[at] as number) + (y[t * width + c] as number) * (sums[e] as number);
        }
    }
    await pause();
  }
  return covariance;
}

function diagonalBlocks(S: Float64Array, count: number, width: number): Float64Array {
  const order = count * width;
  const blocks = new Float64Array(count * packedLength(width));
  for (let j = 0; j < count; j++)
    for (let c = 0; c < width; c++)
      for (let e = 0; e <= c; e++)
        blocks[j * packedLength(width) + packedLength(c) + e] = S[(j * width + c) * order + j * width + e] as number;
  return blocks;
}

function hasPenalties(fit: FitContext, side: Side): boolean {
  const penaltyOf = rowPenalties(fit, side);
  const rows = countOf(fit, side);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < unknownsOf(fit, side); c++) if (penaltyOf(row, c) > 0) return true;
  return false;
}

/** tr(H⁻¹Λ) over a side. */
function penaltyTrace(fit: FitContext, side: Side, packed: Float64Array): number {
  const width = unknownsOf(fit, side);
  const penaltyOf = rowPenalties(fit, side);
  let trace = 0;
  for (let at = 0, row = 0; at < packed.length; at += packedLength(width), row++)
    for (let c = 0; c < width; c++) trace += penaltyOf(row, c) * (packed[at + packedLength(c) + c] as number);
  return trace;
}

/** The mean of S's diagonal, the scale of what is added to it. */
function meanDiagonal(S: Float64Array, order: number): number {
  let trace = 0;
  for (let i = 0; i < order; i++) trace += S[i * (order + 1)] as number;
  return trace / order || 1;
}

/** The inverse of a symmetric positive definite matrix in its own place; false where it is not, to rounding. */
async function invert(S: Float64Array, order: number, pause: () => Promise<void>): Promise<boolean> {
  // LLᵀ below the diagonal, row by row.
  for (let r = 0; r < order; r++) {
    for (let c = 0; c <= r; c++) {
      const entry = S[r * order + c] as number;
      let value = entry;
      for (let e = 0; e < c; e++) value -= (S[r * order + e] as number) * (S[c * order + e] as number);
      if (c < r) S[r * order + c] = value / (S[c * order + c] as number);
      else if (value > order * Number.EPSILON * entry) S[r * order + r] = Math.sqrt(value);
      else return false;
    }
    await pause();
  }
  // L⁻¹, its transpose above the diagonal: row c there is column c of L⁻¹.
  const diagonal = Float64Array.from({ length: order }, (_, i) => 1 / (S[i * (order + 1)] as number));
  for (let c = 0; c < order; c++) {
    for (let r = c + 1; r < order; r++) {
      let sum = (S[r * order + c] as number) * (diagonal[c] as number);
      for (let e = c + 1; e < r; e++) sum += (S[r * order + e] as number) * (S[c * order + e] as number);
      S[c * order + r] = -sum * (diagonal[r] as number);
    }
    await pause();
  }
  // L⁻ᵀL⁻¹ below, then both halves.
  for (let r = 0; r < order; r++) S[r * (order + 1)] = diagonal[r] as number;
  for (let c = 0; c < order; c++) {
    for (let r = c; r < order; r++) {
      let sum = 0;
      for (let e = r; e < order; e++) sum += (S[r * order + e] as number) * (S[c * order + e] as number);
      // Row c above the diagonal is needed by no later r than this.
      S[r * order + c] = sum;
    }
    await pause();
  }
  for (let r = 0; r < order; r++) for (let c = 0; c < r; c++) S[c * order + r] = S[r * order + c] as number;
  return true;
}

/** Σ − ΣQ(QᵀΣQ)⁻¹QᵀΣ with Q ⊗ I: the covariance of what moves orthogonally to the gauge. */
function constrain(S: Float64Array, order: number, width: number, basis: Float64Array, columns: number): void {
  const size = columns * width;
  const SQ = new Float64Array(order * size);
  for (let i = 0; i < order; i++)
    for (let l = 0; l * width < order; l++)
      for (let c = 0; c < columns; c++)
        for (let a = 0; a < width; a++) {
          const at = i * size + c * width + a;
          SQ[at] = (SQ[at] as number) + (S[i * order + l * width + a] as number) * (basis[l * columns + c] as number);
        }
  const K = new Float64Array(size * size);
  for (let j = 0; j * width < order; j++)
    for (let a = 0; a < width; a++)
      for (let c = 0; c < columns; c++)
        for (let t = 0; t < size; t++) {
          const at = (c * width + a) * size + t;
          K[at] = (K[at] as number) + (basis[j * columns + c] as number) * (SQ[(j * width + a) * size + t] as number);
        }
  // K = LLᵀ; SQ·L⁻ᵀ row by row, and its square is taken off. A direction that is not there (a zero in Q) is passed over.
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let value = K[r * size + c] as number;
      const entry = value;
      for (let e = 0; e < c; e++) value -= (K[r * size + e] as number) * (K[c * size + e] as number);
      const pivot = K[c * size + c] as number;
      if (c < r) K[r * size + c] = pivot > 0 ? value / pivot : 0;
      else K[r * size + r] = value > size * Number.EPSILON * entry ? Math.sqrt(value) : 0;
    }
  for (let i = 0; i < order; i++)
    for (let r = 0; r < size; r++) {
      let value = SQ[i * size + r] as number;
      for (let e = 0; e < r; e++) value -= (K[r * size + e] as number) * (SQ[i * size + e] as number);
      const pivot = K[r * size + r] as number;
      SQ[i * size + r] = pivot > 0 ? value / pivot : 0;
    }
  for (let i = 0; i < order; i++)
    for (let l = 0; l < order; l++) {
      let sum = 0;
      for (let t = 0; t < size; t++) sum += (SQ[i * size + t] as number) * (SQ[l * size + t] as number);
      S[i * order + l] = (S[i * order + l] as number) - sum;
    }
}
