/** What a fit with option `intervals` keeps, and what it says of it. */

/** Lower triangles row by row, q(q + 1)/2 numbers for each row or column, q = k + 1 with a bias (behind) and k without. */
export interface Covariances {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** Mean W² of each column's entries: an observation in it has variance s²/W². */
  readonly columnWeights: Float64Array;
}

/** What a fit says of its uncertainty. */
export interface UncertaintyReport {
  /** The share that intervals were asked to cover; others can be had from the same covariances. */
  readonly level: number;
  /** Of the whole Gauss–Newton matrix, or of each side with the other taken as known. */
  readonly kind: 'full' | 'conditional';
  /** λ > 0 shrinks predictions: intervals are around the shrunk ones, whose bias they do not know. */
  readonly isBiased: boolean;
  /** The standard deviation of an error is s/W: s = 1 as the weights say, or s² is the reduced χ² of the residuals. */
  readonly noise: 'weights' | 'residuals';
  /** s */
  readonly spread: number;
  /** Degrees of freedom that the fit takes: Σ_i min(n_i, k) + nk − k² where λ = 0, the trace of its smoother else. */
  readonly fittedDegrees: number;
  /** Observed entries less those. */
  readonly residualDegrees: number;
  /** ΣW²r² / residualDegrees; null where none are left. */
  readonly reducedChiSquare: number | null;
}
