/** How far predictions are from what was observed. */
import { HadamardError } from '../errors.js';

/**
 * √(Σr²/count), or √(ΣW²r²/ΣW²) with weights, where r = actual − predicted; NaN where there is nothing to average.
 *
 * @param weights W, the square root of what multiplies the squared residual, as everywhere.
 * @throws HadamardError `shape-mismatch` when the lengths differ.
 */
export function rmse(actual: ArrayLike<number>, predicted: ArrayLike<number>, weights?: ArrayLike<number>): number {
  return Math.sqrt(meanOf(actual, predicted, weights, (r) => r * r));
}

/**
 * Σ|r|/count, or ΣW²|r|/ΣW² with weights, where r = actual − predicted; NaN where there is nothing to average.
 *
 * @param weights W, as of {@link rmse}.
 * @throws HadamardError `shape-mismatch` when the lengths differ.
 */
export function mae(actual: ArrayLike<number>, predicted: ArrayLike<number>, weights?: ArrayLike<number>): number {
  return meanOf(actual, predicted, weights, Math.abs);
}

function meanOf(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  cost: (residual: number) => number,
): number {
  const count = actual.length;
  if (predicted.length !== count || (weights !== undefined && weights.length !== count))
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `There are ${count} actual values, ${predicted.length} predicted${weights ? ` and ${weights.length} weights` : ''}.`,
      rule: 'Each actual value has one prediction and, where weights are given, one weight.',
      remedy: 'Give arrays of one length.',
    });
  let sum = 0;
  let total = 0;
  for (let t = 0; t < count; t++) {
    const squaredWeight = weights ? (weights[t] as number) ** 2 : 1;
    sum += squaredWeight * cost((actual[t] as number) - (predicted[t] as number));
    total += squaredWeight;
  }
  return sum / total;
}
