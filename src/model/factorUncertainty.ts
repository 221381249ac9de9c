/** What bootstrap and displacement have said of the profiles of a non-negative model; kept in its folder as uncertainty.json. */

/** A number for each factor (outer) and column of A (inner), in the units of A at a mean contribution of 1. */
export type ByFactor = readonly (readonly number[])[];

export interface BootstrapReport {
  readonly runs: number;
  /** Runs whose fit converged; the others count all the same. */
  readonly converged: number;
  readonly blockRows: number;
  readonly threshold: number;
  readonly seed: number;
  /** How often factor c of a run (outer) is factor p of the model (inner). */
  readonly mapping: ByFactor;
  /** How often factor c of a run is none of the model's: no correlation of contributions reaches the threshold. */
  readonly unmapped: readonly number[];
  /** Of the objective over the runs. */
  readonly objective: Readonly<Record<'lowest' | 'p25' | 'median' | 'p75' | 'highest', number>>;
  /** The model's own profiles. */
  readonly profiles: ByFactor;
  /** Percentiles of the profiles of all factors that were mapped to each; NaN (null in JSON) where none was. */
  readonly percentiles: Readonly<Record<'p5' | 'p25' | 'p50' | 'p75' | 'p95', ByFactor>>;
}

/** For each level of dQmax in turn. */
export interface DisplacementReport {
  /** dQmax */
  readonly levels: readonly number[];
  /** Columns of A that were displaced. */
  readonly columns: readonly number[];
  /** Q of the model, fitted on to the end. */
  readonly objective: number;
  /** The largest fall of Q that a displacement has found, 0 where none: above 1 % of Q the model was no global optimum. */
  readonly largestFall: number;
  /** Fits in which a factor (inner) is no longer itself, by the correlation of its contributions. */
  readonly swaps: readonly (readonly number[])[];
  readonly profiles: ByFactor;
  /** The profile element where Q has risen by dQmax, all else fitted again: level, factor, column as listed. Null: there is no such bound. */
  readonly lower: readonly (readonly (readonly (number | null)[])[])[];
  readonly upper: DisplacementReport['lower'];
}

/** Displacement within bootstrap runs: bounds that hold for 90 % of the runs. */
export interface BootstrapDisplacementReport extends Omit<DisplacementReport, 'objective'> {
  readonly runs: number;
  /** Runs in which every factor was mapped to one of its own, and which were displaced. */
  readonly accepted: number;
}

export interface FactorUncertainty {
  readonly bootstrap?: BootstrapReport;
  readonly displacement?: DisplacementReport;
  readonly bootstrapDisplacement?: BootstrapDisplacementReport;
}
