/** What the penalties of each row are scaled by. */
import type { IndexArray, RealArray } from '../data/input.js';
import { type StoredOrientation, stretchesOf } from '../data/storedRows.js';

/** What λ is multiplied by in each row: 1, its number of observations, or its sum of W². */
export type PenaltyScale = 'row' | 'count' | 'weight';

/** Of a side: its background weights, and the sum of the other side's. */
export interface BackgroundScale {
  readonly own: Float64Array;
  readonly other: Float64Array;
  readonly otherSum: number;
}

/**
 * The scale of every row: 1 (row), its number of observations or its ΣW², to the power ν. A background counts n_i + weight ·
 * (rows of the other side), as iALS does; its ΣW² is that of the entries that are not listed.
 *
 * @param hasExcluded whether entries of weight 0 may be among them, which do not count.
 */
export function penaltyScales(
  observations: StoredOrientation,
  scale: PenaltyScale,
  power: (base: number) => number,
  hasExcluded: boolean,
  background: BackgroundScale | undefined,
): Float64Array {
  const { pointers } = observations;
  const scales = new Float64Array(pointers.length - 1).fill(1);
  if (scale === 'row') return scales;
  /** Less what is listed of it. */
  const ofOthers = (row: number, listed: number) =>
    background ? (background.own[row] as number) * (background.otherSum - listed) : 0;
  if (scale === 'count' && !hasExcluded)
    return scales.map((_, row) => power((pointers[row + 1] as number) - (pointers[row] as number) + ofOthers(row, 0)));
  for (const { first, last, start: base, indices, weights } of stretchesOf(observations))
    for (let row = first; row < last; row++) {
      const start = (pointers[row] as number) - base;
      const end = (pointers[row + 1] as number) - base;
      if (scale === 'count' && weights) {
        scales[row] = power(positiveOf(weights, start, end) + ofOthers(row, 0));
        continue;
      }
      const sum = weights ? squaresOf(weights, start, end) : end - start;
      scales[row] = power(sum + ofOthers(row, background ? listedOf(background.other, indices, start, end) : 0));
    }
  return scales;
}

// A loop each, for the compiler.

function positiveOf(weights: RealArray, start: number, end: number): number {
  let count = 0;
  for (let t = start; t < end; t++) if ((weights[t] as number) > 0) count++;
  return count;
}

function squaresOf(weights: RealArray, start: number, end: number): number {
  let sum = 0;
  for (let t = start; t < end; t++) {
    const weight = weights[t] as number;
    sum += weight * weight;
  }
  return sum;
}

function listedOf(others: Float64Array, indices: IndexArray, start: number, end: number): number {
  let sum = 0;
  for (let t = start; t < end; t++) sum += others[indices[t] as number] as number;
  return sum;
}
