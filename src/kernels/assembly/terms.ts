/** What an objective has beyond weighted squares and a ridge. Field order is the contract with composed.ts in the folder above. */

@unmanaged
export class Terms {
  /** One of {@link Loss}. */
  loss: i32;
  /** How often a row's losses are replaced by their tangent quadratics and solved, at the most. */
  innerSteps: i32;
  /** Σ_j c_j z_j z_jᵀ over all rows of the other side, f64, upper half (0: no background), */
  gram: usize;
  /** Σ_j c_j (β − o_j) z_j, o_j being mean + the other side's bias (poisson: −½Σ_j c_j z_j). */
  gramSum: usize;
  /** r_i and c_j of the background's weight r_i·c_j, f64. */
  ownWeights: usize;
  otherWeights: usize;
  /** μ_i of μ_i‖x_i‖₁, f64 (0: none). */
  l1: usize;
  /** What λ and μ are multiplied by in each latent column, f64 (0: 1). */
  columnMultiples: usize;
  /** u8 an entry of the own factor, 1 where it is held at its value (0: none is). */
  held: usize;
  /** Every entry is listed with weight r_i·c_j, so that G is r_i times the Gram matrix of all and there is no background else. */
  isFull: i32;
  /** f64 a row, where it is measured: ‖projected gradient‖ relative to its right-hand side (0: not wanted). */
  residuals: usize;
  /** The eigenbasis QΛQᵀ of `gram`: Λ, Qᵀ·gramSum, the last row of Q, Q and Qᵀ, f32 (0: not wanted). */
  basis: usize;
  /** The other side's rows in that basis, Qᵀz_j, f32. */
  rotated: usize;
  /** What the own rows are solved from, f32 (0: from 0). */
  start: usize;
  /** A solution is to be exact to rounding, rather than as exact as a sweep needs it. */
  isSettled: i32;
  /** δ of huber, ε of l1. */
  lossParameter: f64;
  /** Bounds of the latent part. */
  lower: f64;
  upper: f64;
  /** β, the background's value. */
  value: f64;
  /** Σ_j c_j (β − o_j)² (poisson: Σ_j c_j o_j). */
  constant: f64;
}
