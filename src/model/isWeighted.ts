/** Whether a model was fitted with weights, which it does not keep. */
import type { Model } from './model.js';

/** Whether the weights of the entries differ, as far as the fit tells. */
export function isWeighted({ fit, run }: Pick<Model, 'fit' | 'run'>): boolean {
  const { train, trainWeighted } = fit.rmse;
  return Math.abs(train - trainWeighted) > 1e-6 * train || run?.options.weightsAre !== undefined;
}
