/** How gradients are made comparable: unchanged by U→cU, V→V/c and by scaling A or W. */
import type { JobTotals } from '../kernels/load.js';

/** ‖∂f/∂X‖·‖X‖ + ‖∂f/∂b‖·‖b‖ of one side: factors and biases apart, since A→cA scales them by √c and c. */
export function gradientProduct({
  gradientSquared,
  ownSquared,
  biasGradientSquared,
  biasSquared,
}: Pick<JobTotals, 'gradientSquared' | 'ownSquared' | 'biasGradientSquared' | 'biasSquared'>): number {
  return Math.sqrt(gradientSquared) * Math.sqrt(ownSquared) + Math.sqrt(biasGradientSquared) * Math.sqrt(biasSquared);
}

/** The product of both sides over 2‖W∘(A − mean)‖²; a zero gradient is zero even where nothing is observed. */
export function relativeTo(centredNorm: number, product: number): number {
  return product === 0 ? 0 : product / (2 * centredNorm);
}
