/** The first-order certificate: objective and gradient of the final factors, by a pass that no method's step uses. */
import { gradientProduct, relativeTo } from '../objective/relativeGradient.js';
import type { PhaseCall, Totals } from '../parallel/phase.js';

export interface FirstOrder {
  readonly objective: number;
  readonly loss: number;
  readonly regularization: number;
  /**
   * (‖∂f/∂U‖·‖U‖ + ‖∂f/∂V‖·‖V‖) / (2‖W∘(A − mean)‖²), where there are biases with ‖∂f/∂b‖·‖b‖ of each side beside:
   * unchanged by U→cU, V→V/c and by scaling A or W.
   */
  readonly relativeGradientNorm: number;
  readonly gradientNorm: { readonly U: number; readonly V: number };
  readonly errors: TrainErrors;
}

/** Of entries of positive weight, whatever was minimised: Σr², ΣW²r² and how many there are. */
export type TrainErrors = Pick<Totals, 'squares' | 'weightedSquares' | 'observed'>;

export async function certifyFirstOrder(
  run: (call: PhaseCall) => Promise<Totals>,
  point: { readonly rows: number; readonly columns: number },
  centredNorm: number,
): Promise<FirstOrder> {
  const base = { phase: 'gradient', out: null };
  const ofU = await run({ ...base, side: 'rows', own: point.rows, other: point.columns });
  const ofV = await run({ ...base, side: 'columns', own: point.columns, other: point.rows });
  const regularization = ofU.penalty + ofV.penalty;
  return {
    loss: ofU.loss,
    regularization,
    objective: ofU.loss + regularization,
    relativeGradientNorm: relativeTo(centredNorm, gradientProduct(ofU) + gradientProduct(ofV)),
    gradientNorm: { U: gradientNorm(ofU), V: gradientNorm(ofV) },
    errors: { squares: ofU.squares, weightedSquares: ofU.weightedSquares, observed: ofU.observed },
  };
}

/** Of a side's factor and biases together. */
function gradientNorm({ gradientSquared, biasGradientSquared }: Totals): number {
  return Math.sqrt(gradientSquared + biasGradientSquared);
}
