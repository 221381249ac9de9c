/** What the loop tells of its way and its end. */

/** Why the loop ended: `reason`, and what that means for the caller: `status`. */
export type StopReason = 'gradient' | 'validation' | 'objective' | 'sweeps' | 'time' | 'signal';
export type Status = 'converged' | 'validated' | 'stalled' | 'budget' | 'cancelled';

/** Of entries that are held out: Σℓ(W, a, p)/ΣW² of the loss that is fitted, and √(ΣW²r²/ΣW²). */
export interface ValidationError {
  readonly loss: number;
  readonly rmse: number;
}

export interface TraceEntry {
  readonly sweep: number;
  /** Seconds since the first sweep began. */
  readonly seconds: number;
  readonly objective: number;
  /** At the point this sweep started from, as the sweep itself measured it; null where the method does not. */
  readonly relativeGradientNorm: number | null;
  /** `plain`, `extrapolated` (accelerated and accepted) or `rejected` (tried, not accepted). */
  readonly step: 'plain' | 'extrapolated' | 'rejected';
  /** Of an accepted sweep, where entries are held out. */
  readonly validation?: ValidationError;
}
