/** The start of a fit from the V of one nearby. */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { normalAt, streams } from '../starts/random.js';

/** Of the size of what is there: enough for a latent column that a larger λ has shrunk to nothing to grow again. */
const disturbance = 0.05;

/**
 * V with columns appended up to `rank`, at random and as large as the others are in the mean, and every entry a little disturbed:
 * a column of zeros would stay one, whatever λ.
 */
export function warmStart(V: NdArray<RealArray>, rank: number, seed: number): NdArray<RealArray> {
  const [n = 0, width = 0] = V.shape;
  let squares = 0;
  for (const value of V.data) squares += value * value;
  const size = Math.sqrt(squares / V.data.length) || 1;
  const start = new Float64Array(n * rank);
  for (let row = 0; row < n; row++)
    for (let c = 0; c < rank; c++) {
      const noise = size * normalAt(seed, streams.growth, row, c);
      start[row * rank + c] = c < width ? V.get(row, c) + disturbance * noise : noise;
    }
  return ndarray(start, [n, rank]);
}
