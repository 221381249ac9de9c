/** What the objective needs to know of the data before the first sweep, and the penalties it puts on each row. */
import type { Observations, Orientation } from '../data/observations.js';

export interface Scales {
  /** ΣW²A/ΣW². */
  readonly weightedMean: number;
  /** ΣW². */
  readonly weightSum: number;
}

/** One pass in row order, so that the sums do not depend on how the entries were listed. */
export function measureScales({ byRow, observed }: Observations): Scales {
  let weightSum = 0;
  let valueSum = 0;
  for (let t = 0; t < observed; t++) {
    const weight = byRow.weights ? (byRow.weights[t] as number) : 1;
    weightSum += weight * weight;
    valueSum += weight * weight * (byRow.values[t] as number);
  }
  return { weightSum, weightedMean: weightSum > 0 ? valueSum / weightSum : 0 };
}

/** ‖W∘(A − mean)‖² = ΣW²(A − mean)². */
export function centredNorm({ byRow, observed }: Observations, mean: number): number {
  let sum = 0;
  for (let t = 0; t < observed; t++) {
    const weighted = (byRow.weights ? (byRow.weights[t] as number) : 1) * ((byRow.values[t] as number) - mean);
    sum += weighted * weighted;
  }
  return sum;
}

/** What λ is multiplied by in each row: 1, its number of observations, or its sum of W². */
export type PenaltyScale = 'row' | 'count' | 'weight';

/** Writes λ_i = λ·scale_i of every row to `out`. */
export function writePenalties(
  { pointers, weights }: Orientation,
  lambda: number,
  scale: PenaltyScale,
  out: Float64Array,
): void {
  for (let row = 0; row < out.length; row++) {
    const start = pointers[row] as number;
    const end = pointers[row + 1] as number;
    let multiple = scale === 'row' ? 1 : end - start;
    if (scale === 'weight' && weights) {
      multiple = 0;
      for (let t = start; t < end; t++) multiple += (weights[t] as number) * (weights[t] as number);
    }
    out[row] = lambda * multiple;
  }
}
