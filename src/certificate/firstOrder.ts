/** The first-order certificate: objective and gradient of the final factors, by a pass that no method's step uses. */
import type { FitContext, PhaseCall, Totals } from '../parallel/phase.js';

export interface FirstOrder {
  readonly objective: number;
  readonly loss: number;
  readonly regularization: number;
  /**
   * (‖∂f/∂U‖·‖U‖ + ‖∂f/∂V‖·‖V‖) / (2‖W∘(A − mean)‖²): unchanged by U→cU, V→V/c and by scaling A or W.
   *
   * With biases a factor row is [u_i, b_i], and both norms are over that row. The norms' invariance to W stays, but A→cA
   * takes u to √c·u and b to c·b, their gradients to c^{3/2} and c times themselves, and a norm over both is neither: at
   * one point in other units the number differs, by as much as one part outweighs the other. It is 0 at stationary points
   * alone all the same. Products for factors and biases apart would be invariant; the kernels sum over the whole row.
   */
  readonly relativeGradientNorm: number;
  readonly gradientNorm: { readonly U: number; readonly V: number };
}

/** The measure of all relative gradients; a zero gradient is zero even where nothing is observed. */
export function relativeTo(centredNorm: number, product: number): number {
  return product === 0 ? 0 : product / (2 * centredNorm);
}

export async function certifyFirstOrder(
  run: (fit: FitContext, call: PhaseCall) => Promise<Totals>,
  fit: FitContext,
  point: { readonly rows: number; readonly columns: number },
  centredNorm: number,
): Promise<FirstOrder> {
  const base = { phase: 'gradient', out: null };
  const ofU = await run(fit, { ...base, side: 'rows', own: point.rows, other: point.columns });
  const ofV = await run(fit, { ...base, side: 'columns', own: point.columns, other: point.rows });
  const product = Math.sqrt(ofU.gradientSquared * ofU.ownSquared) + Math.sqrt(ofV.gradientSquared * ofV.ownSquared);
  const regularization = ofU.penalty + ofV.penalty;
  return {
    loss: ofU.loss,
    regularization,
    objective: ofU.loss + regularization,
    relativeGradientNorm: relativeTo(centredNorm, product),
    gradientNorm: { U: Math.sqrt(ofU.gradientSquared), V: Math.sqrt(ofV.gradientSquared) },
  };
}
