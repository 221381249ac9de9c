/** What the penalties of each row are scaled by. */
import { isWeighted, type StoredOrientation, stretchesOf } from '../data/storedRows.js';

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
 */
export function penaltyScales(
  observations: StoredOrientation,
  scale: PenaltyScale,
  power: (base: number) => number,
  background: BackgroundScale | undefined,
): Float64Array {
  const { pointers } = observations;
  const scales = new Float64Array(pointers.length - 1).fill(1);
  if (scale === 'row') return scales;
  /** Less what is listed of it. */
  const ofOthers = (row: number, listed: number) =>
    background ? (background.own[row] as number) * (background.otherSum - listed) : 0;
  if (scale === 'count' && !isWeighted(observations))
    return scales.map((_, row) => power((pointers[row + 1] as number) - (pointers[row] as number) + ofOthers(row, 0)));
  for (const { first, last, start: base, indices, weights } of stretchesOf(observations))
    for (let row = first; row < last; row++) {
      const start = (pointers[row] as number) - base;
      const end = (pointers[row + 1] as number) - base;
      let sum = 0;
      let listed = 0;
      for (let t = start; t < end; t++) {
        const weight = weights ? (weights[t] as number) : 1;
        if (scale === 'weight') sum += weight * weight;
        else if (weight > 0) sum++;
        if (background) listed += background.other[indices[t] as number] as number;
      }
      scales[row] = power(sum + ofOthers(row, scale === 'weight' ? listed : 0));
    }
  return scales;
}
