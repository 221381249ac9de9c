/** The start of a fit from the V of one nearby. */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { normalAt, streams } from '../starts/random.js';

/** Of a fresh start's size: enough for a direction that a larger λ has shrunk to nothing to grow again. */
const disturbance = 0.1;

/** The size of a fresh start's entries, at which UVᵀ is as large as the data (see factorize/start.ts). */
export function startSize(
  { values, weights }: { readonly values: RealArray; readonly weights: RealArray | undefined },
  hasMean: boolean,
  rank: number,
): number {
  let [total, sum, squares] = [0, 0, 0];
  values.forEach((value, t) => {
    const weight = weights ? (weights[t] as number) ** 2 : 1;
    total += weight;
    sum += weight * value;
    squares += weight * value * value;
  });
  const variance = squares / total - (hasMean ? (sum / total) ** 2 : 0);
  return Math.sqrt((Math.sqrt(Math.max(0, variance)) || 1) / Math.sqrt(rank));
}

/**
 * V with columns appended up to `rank`, fresh ones of this size. What is there is disturbed a little, and a column that has shrunk
 * is filled up: at a column of zeros, or nearly so, the gradient is zero whatever λ, and a fit would stay there.
 */
export function pathStart(V: NdArray<RealArray>, rank: number, size: number, seed: number): NdArray<RealArray> {
  const [n = 0, width = 0] = V.shape;
  const lacking = Float64Array.from({ length: rank }, (_, c) => {
    let squares = 0;
    for (let row = 0; c < width && row < n; row++) squares += V.get(row, c) ** 2;
    return Math.max(disturbance * size, size - Math.sqrt(squares / n));
  });
  const start = new Float64Array(n * rank);
  for (let row = 0; row < n; row++)
    for (let c = 0; c < rank; c++)
      start[row * rank + c] =
        (c < width ? V.get(row, c) : 0) + (lacking[c] as number) * normalAt(seed, streams.growth, row, c);
  return ndarray(start, [n, rank]);
}
