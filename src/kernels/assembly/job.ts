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
  gradientSquared: f64;
  ownSquared: f64;
}
