/**
 * The covariance of every row given the other side: the inverse of its normal equations G = Σ W² z zᵀ + λ, over the unknowns
 * that are free (not held, not at a bound, not kept at 0 by L1). Plain float64: it is taken once, after a fit.
 */
import type { RealArray } from '../data/input.js';
import { readRows } from '../data/storedRows.js';
import { otherSide, type Side } from '../parallel/layout.js';
import { countOf, type FitContext, noTotals, type Phase, unknownsOf } from '../parallel/phase.js';
import { heldMask } from './composedPhases.js';
import { factorBuffer } from './rowPhases.js';

/** Entries of a symmetric matrix's lower triangle, row by row. */
export const packedLength = (width: number): number => (width * (width + 1)) / 2;

/**
 * Writes G⁻¹ of each row at `own` to `address`, packed; NaN where the row does not determine its unknowns. `loss` is the
 * trace of ΣW²zᵀG⁻¹z (the degrees of freedom that the rows take), `penalty` the number of free unknowns that the rows of any entry determine.
 */
export const covariancePhase: Phase = {
  name: 'covariance',
  run({ fit }, call, block) {
    const { side } = call;
    const own = factorBuffer(fit, side, call.own as number);
    const other = factorBuffer(fit, otherSide(side), call.other);
    const width = unknownsOf(fit, side);
    const length = packedLength(width);
    const isFree = freeUnknowns(fit, side, own);
    const penaltyOf = rowPenalties(fit, side);
    const G = new Float64Array(width * width);
    const z = new Float64Array(width).fill(1);
    let spent = 0;
    let unknowns = 0;
    for (let row = fit.blocks[side][block] as number; row < (fit.blocks[side][block + 1] as number); row++) {
      const out = new Float64Array(fit.memory.buffer, (call.address as number) + 8 * length * row, length);
      const entries = addEntries(fit, side, row, other, z, G);
      const free = Array.from({ length: width }, (_, c) => c).filter((c) => isFree(row, c));
      for (const c of free) G[c * width + c] = (G[c * width + c] as number) + penaltyOf(row, c);
      const rank = invertFree(G, width, free, out);
      if (entries === 0) continue;
      unknowns += rank;
      spent += rank;
      if (rank < free.length) continue;
      for (const c of free) spent -= penaltyOf(row, c) * (out[packedLength(c) + c] as number);
    }
    return { ...noTotals, loss: spent, penalty: unknowns };
  },
};

/** G = ΣW²zzᵀ, lower half, z = [v_j, 1]; the number of entries that count. */
function addEntries(
  fit: FitContext,
  side: Side,
  row: number,
  other: RealArray,
  z: Float64Array,
  G: Float64Array,
): number {
  const { pointers } = fit.observations[side];
  const { start, indices, weights } = readRows(fit.observations[side], row, row + 1);
  const width = z.length;
  G.fill(0);
  let entries = 0;
  for (let t = (pointers[row] as number) - start; t < (pointers[row + 1] as number) - start; t++) {
    const weight = weights ? (weights[t] as number) : 1;
    if (weight === 0) continue;
    entries++;
    const at = (indices[t] as number) * fit.stride;
    for (let c = 0; c < fit.rank; c++) z[c] = other[at + c] as number;
    for (let c = 0; c < width; c++) {
      const scaled = weight * weight * (z[c] as number);
      for (let e = 0; e <= c; e++) G[c * width + e] = (G[c * width + e] as number) + scaled * (z[e] as number);
    }
  }
  return entries;
}

function freeUnknowns(fit: FitContext, side: Side, own: RealArray): (row: number, c: number) => boolean {
  const [lower, upper] = fit.terms?.bounds[side] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const held = heldMask(fit, side);
  const l1 = listAt(fit, side, fit.layout.sides[side].terms?.l1);
  return (row, c) => {
    if (c >= fit.rank) return true;
    const at = row * fit.stride + c;
    const value = own[at] as number;
    return held?.[at] !== 1 && value > lower && value < upper && !((l1?.[row] as number) > 0 && value === 0);
  };
}

/** λ of a row's unknowns. */
export function rowPenalties(fit: FitContext, side: Side): (row: number, c: number) => number {
  const { penalties, biasPenalties, terms } = fit.layout.sides[side];
  const lambda = listAt(fit, side, penalties) as Float64Array;
  const biasLambda = fit.hasBias ? listAt(fit, side, biasPenalties) : undefined;
  const multiples = terms && new Float64Array(fit.memory.buffer, terms.multiples, fit.stride);
  return (row, c) => {
    if (c >= fit.rank) return biasLambda?.[row] as number;
    return (multiples ? (multiples[c] as number) : 1) * (lambda[row] as number);
  };
}

function listAt(fit: FitContext, side: Side, address: number | undefined): Float64Array | undefined {
  return address ? new Float64Array(fit.memory.buffer, address, countOf(fit, side)) : undefined;
}

/**
 * The inverse of a positive definite matrix (row-major, lower half) on some of its unknowns, packed, 0 for the others. All is
 * NaN where it is singular to rounding. @returns its rank.
 */
function invertFree(G: Float64Array, width: number, free: readonly number[], out: Float64Array): number {
  const size = free.length;
  const L = new Float64Array(size * size);
  let rank = 0;
  for (let r = 0; r < size; r++) {
    for (let c = 0; c <= r; c++) {
      const entry = G[(free[r] as number) * width + (free[c] as number)] as number;
      let value = entry;
      for (let e = 0; e < c; e++) value -= (L[r * size + e] as number) * (L[c * size + e] as number);
      const pivot = L[c * size + c] as number;
      if (c < r) L[r * size + c] = pivot > 0 ? value / pivot : 0;
      else if (value > size * 16 * Number.EPSILON * entry) {
        L[r * size + c] = Math.sqrt(value);
        rank++;
      }
    }
  }
  out.fill(rank < size ? Number.NaN : 0);
  if (rank < size) return rank;
  const inverse = lowerInverse(L, size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let sum = 0;
      for (let e = r; e < size; e++) sum += (inverse[e * size + r] as number) * (inverse[e * size + c] as number);
      out[packedLength(free[r] as number) + (free[c] as number)] = sum;
    }
  return rank;
}

/** L⁻¹ of a lower triangle, row-major. */
function lowerInverse(L: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let sum = r === c ? 1 : 0;
      for (let e = c; e < r; e++) sum -= (L[r * size + e] as number) * (inverse[e * size + c] as number);
      inverse[r * size + c] = sum / (L[r * size + r] as number);
    }
  return inverse;
}
