/** What a sub-epoch of stochastic gradient steps is told beside a row job. */

/** Field order is the contract with sgd.ts of the host. The job's `own` is read, `out` written, `other` written and moved in place. */
@unmanaged
export class Descent {
  /** The block's first entry; those of a row stand behind those of the row before. */
  start: usize;
  /** u32 a row: the end of its entries. */
  ends: usize;
  /** Rates: read, written, and moved in place. */
  ownRates: usize;
  outRates: usize;
  otherRates: usize;
  /** What the other side's rows of the block and their rates are copied from. */
  otherFrom: usize;
  otherRatesFrom: usize;
  /** The other side's rows of the block. */
  otherFirst: i32;
  otherLast: i32;
  /** Whether these are the first rows of the block, and its last: the other side's rows are opened before, and closed behind. */
  isFirst: i32;
  isLast: i32;
  otherBiasFree: i32;
  isBounded: i32;
  /** 1/size of a gradient of residuals. */
  scale: f64;
  step: f64;
  /** ρ. */
  lead: f64;
  biasStep: f64;
  ownLower: f64;
  ownUpper: f64;
  otherLower: f64;
  otherUpper: f64;
}
