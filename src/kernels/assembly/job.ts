/** What a kernel is asked to do: addresses, counts and strides. Field order is the contract with load.ts. */
@unmanaged
export class RowJob {
  rank: i32;
  stride: i32;
  hasBias: i32;
  ownBiasFree: i32;
  out: usize;
  own: usize;
  other: usize;
  pointers: usize;
  indices: usize;
  values: usize;
  weights: usize;
  penalties: usize;
  biasPenalties: usize;
  scratch: usize;
  status: usize;
  /** 0: the solve leaves the loss out. */
  isLossWanted: i32;
  mean: f64;
  loss: f64;
  penalty: f64;
  /** Of the latent part; the bias's own stands apart, since it scales otherwise. */
  gradientSquared: f64;
  ownSquared: f64;
  biasGradientSquared: f64;
  biasSquared: f64;
  /** Of entries of positive weight, where the gradient is measured: Σr², ΣW²r² and how many there are. */
  squares: f64;
  weightedSquares: f64;
  observed: f64;

  /** Adds entry c of a gradient to the sum it belongs to. */
  // @ts-ignore: decorator
  @inline
  addGradient(c: i32, d: f64): void {
    if (c < this.rank) this.gradientSquared += d * d;
    else this.biasGradientSquared += d * d;
  }

  /** The same for the factor row itself. */
  // @ts-ignore: decorator
  @inline
  addOwn(c: i32, x: f64): void {
    if (c < this.rank) this.ownSquared += x * x;
    else this.biasSquared += x * x;
  }
}
