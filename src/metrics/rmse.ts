/** Root mean squared error. */
import { HadamardError } from '../errors.js';

/**
 * √(Σr²/count), or √(ΣW²r²/ΣW²) with weights, where r = actual − predicted; NaN where there is nothing to average.
 *
 * @param weights W, the square root of what multiplies the squared residual, as everywhere.
 * @throws HadamardError `shape-mismatch` when the lengths differ.
 */
export function rmse(actual: ArrayLike<number>, predicted: ArrayLike<number>, weights?: ArrayLike<number>): number {
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
    const residual = (actual[t] as number) - (predicted[t] as number);
    const squaredWeight = weights ? (weights[t] as number) ** 2 : 1;
    sum += squaredWeight * residual * residual;
    total += squaredWeight;
  }
  return Math.sqrt(sum / total);
}
