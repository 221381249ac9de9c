/** Which factor of one model is which of another, by the correlation of their contributions. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';

/**
 * For each column of U the column of `base` that it is correlated best with, row t of U being row rows[t] of `base`; −1 where
 * Pearson's correlation stays below the threshold with all. Two columns may be mapped to one.
 */
export function matchFactors(
  U: NdArray<RealArray>,
  base: NdArray<RealArray>,
  rows: Uint32Array,
  threshold: number,
): number[] {
  const k = base.shape[1] as number;
  return Array.from({ length: U.shape[1] as number }, (_, c) => {
    let best = -1;
    let highest = threshold;
    for (let p = 0; p < k; p++) {
      const r = correlation(
        rows.length,
        (t) => U.get(t, c),
        (t) => base.get(rows[t] as number, p),
      );
      if (!(r >= highest) || (best >= 0 && r === highest)) continue;
      [best, highest] = [p, r];
    }
    return best;
  });
}

/** NaN where one of the two does not vary. */
function correlation(length: number, x: (t: number) => number, y: (t: number) => number): number {
  let [sumX, sumY] = [0, 0];
  for (let t = 0; t < length; t++) {
    sumX += x(t);
    sumY += y(t);
  }
  const [meanX, meanY] = [sumX / length, sumY / length];
  let [xx, yy, xy] = [0, 0, 0];
  for (let t = 0; t < length; t++) {
    const [a, b] = [x(t) - meanX, y(t) - meanY];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xy / Math.sqrt(xx * yy);
}

export interface Sources {
  /** Mean of each column of U. */
  readonly means: readonly number[];
  /** Factor by column of A: V at contributions of mean 1. */
  readonly profiles: readonly (readonly number[])[];
}

export function sourcesOf({ U, V }: { readonly U: NdArray<RealArray>; readonly V: NdArray<RealArray> }): Sources {
  const [m = 0, k = 0] = U.shape;
  const means = Array.from({ length: k }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < m; i++) sum += U.get(i, c);
    return sum / m;
  });
  const profiles = means.map((mean, c) => Array.from({ length: V.shape[0] as number }, (_, j) => mean * V.get(j, c)));
  return { means, profiles };
}
