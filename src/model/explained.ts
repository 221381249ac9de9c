/** How much of the weighted variance each canonical component explains. */
import { type StoredOrientation, stretchesOf } from '../data/storedRows.js';
import type { Canonical } from './canonical.js';

/** Mean and biases, in the units that the observations are stored in. */
export interface Offsets {
  readonly mean: number;
  readonly rows?: ArrayLike<number> | undefined;
  readonly columns?: ArrayLike<number> | undefined;
}

/**
 * 1 − ΣW²(A − offsets − first c components)²/ΣW²(A − offsets)², less that of the components before: one share for each
 * component, in the order of d. With missing entries or weights a share may be negative; together they are what UVᵀ explains.
 */
export function explainedVariance(observations: StoredOrientation, { U, d, V }: Canonical, offsets: Offsets): number[] {
  const k = d.length;
  const left = new Float64Array(k + 1);
  const { pointers } = observations;
  for (const { first, last, start, indices, values, weights } of stretchesOf(observations))
    for (let i = first, t = (pointers[i] as number) - start; i < last; i++)
      for (; t < (pointers[i + 1] as number) - start; t++) {
        const j = indices[t] as number;
        const w = weights ? (weights[t] as number) : 1;
        let r = (values[t] as number) - offsets.mean - (offsets.rows?.[i] ?? 0) - (offsets.columns?.[j] ?? 0);
        left[0] = (left[0] as number) + (w * r) ** 2;
        for (let c = 0; c < k; c++) {
          r -= (U.data[i * k + c] as number) * (d[c] as number) * (V.data[j * k + c] as number);
          left[c + 1] = (left[c + 1] as number) + (w * r) ** 2;
        }
      }
  const all = left[0] as number;
  return Array.from(d, (_, c) => (all > 0 ? ((left[c] as number) - (left[c + 1] as number)) / all : 0));
}
