/** What a fit says about itself; saved in model.json and printed by `--json`. */
import type { Status, StopReason, TraceEntry, ValidationError } from '../engine/trace.js';
import type { ResolvedOptions } from '../options.js';
import type { UncertaintyReport } from './covariances.js';

export type { Status, StopReason, TraceEntry, ValidationError };

/** First-order certificate: measured from the final factors by a pass of its own, not taken from the loop. */
export interface Certificate {
  /**
   * (‖∂f/∂U‖·‖U‖ + ‖∂f/∂V‖·‖V‖) / (2‖W∘(A − mean)‖²), with ‖∂f/∂b‖·‖b‖ of each side's biases beside: unchanged by U→cU,
   * V→V/c and by scaling A or W.
   */
  readonly relativeGradientNorm: number;
  readonly gradientNorm: { readonly U: number; readonly V: number };
  readonly objective: number;
  /** From the start on, no accepted objective lies above the best before it (beyond rounding: 1e-12 relative in f64, 1e-6 in f32). */
  readonly monotone: boolean;
  readonly tolerance: number;
  /** The largest ‖projected gradient‖ of a row, relative to its right-hand side ‖2b‖; where the objective is more than squares and a ridge. */
  readonly kkt?: number;
  /** No U, V (and biases) of this rank have an objective below this; absent where there is no bound. */
  readonly globalBound?: number;
  /** (f − bound)/bound with f summed in float64: f is at most 1 + gap times the global optimum. */
  readonly globalGap?: number;
  /** What is known of the global optimum and why, or why nothing is; absent in models of older versions. */
  readonly globalStatement?: string;
  /**
   * Of the Hessian of f at a stationary point, beyond the directions that leave f as it is. `saddle`: f falls along a direction of
   * negative curvature, which is a proof. `minimum`: Lanczos from a random start found no such direction, and no eigenvalue lies below
   * `eigenvalueBound`, unless the start was one of a share `p` of all. `unknown`: not looked at (f32, another objective than squares
   * with a ridge, not converged, too large), or too close to call. Absent from models of older versions.
   */
  readonly curvature?: 'minimum' | 'saddle' | 'unknown';
  readonly smallestEigenvalue?: number;
  readonly largestEigenvalue?: number;
  readonly eigenvalueBound?: number;
  readonly p?: number;
  /** Saddles that the fit has left on its way; absent where there was none. */
  readonly escapes?: number;
}

/** What a search from many starts has found. */
export interface StartsReport {
  /** Starts that were run; of these so many converged and so many were given up, the others ended above the tolerance. */
  readonly count: number;
  readonly converged: number;
  readonly abandoned: number;
  /** Optima among the converged: two are one where f differs by at most 1e-6 of it. */
  readonly distinct: number;
  /** The lowest of these, and how many starts found it; without any the objective of the model, and 0. */
  readonly best: { readonly objective: number; readonly hits: number };
  /** best.hits / count */
  readonly hitRate: number;
  /** From the beginning of the search until the first and second hit of the best optimum; null where there was none. */
  readonly secondsToBest: number | null;
  readonly secondsToSecondHit: number | null;
  /** Each optimum, the best first: its least objective, the RMSE there over observed entries, its hits. */
  readonly optima: readonly { readonly objective: number; readonly rmse: number; readonly hits: number }[];
  /**
   * Why the search ended: as many as asked for (count); the optima seen are likely to be all (agreement), or the budget of
   * `auto` ran out before that (budget); the time limit, which alone depends on the clock (time); an abort (signal).
   */
  readonly stopped: 'count' | 'agreement' | 'budget' | 'time' | 'signal';
  /** The start that the model is of, counted from 0, and the seed that gives it as a fit without starts. */
  readonly start: number;
  readonly seed: number;
}

/** Rows (or columns) added, replaced and removed after the fit, for the other factor as it was. */
export interface ModelUpdate {
  readonly side: 'rows' | 'columns';
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** Entries of positive weight in the rows given. */
  readonly observed: number;
  /**
   * ‖∂L/∂V‖·‖V‖ / (2‖W∘(A − mean)‖²) of the loss L of the rows given: how far V is from stationary for these; of updated
   * columns that of U. Absent where rows were removed alone.
   */
  readonly drift?: number;
  /** As in a certificate, of the whole objective; where the rows given are all that the model has. */
  readonly relativeGradientNorm?: number;
  /** What there was to know of the rows given, a sentence each; absent where there was nothing. */
  readonly notes?: readonly string[];
}

export interface FitReport {
  readonly status: Status;
  readonly reason: StopReason;
  /** f = loss + regularization. */
  readonly objective: number;
  /** Σ W²(A − prediction)² over observed entries. */
  readonly loss: number;
  readonly regularization: number;
  readonly sweeps: number;
  readonly method: { readonly name: string; readonly reason: string };
  readonly certificate: Certificate;
  readonly trace: readonly TraceEntry[];
  /**
   * Seconds of each part, in order, that add up to the call: checking and laying out the data, the exact start (workers
   * start here too), the sweeps, the certificate. The command line adds `read` and `write`.
   */
  readonly seconds: {
    readonly prepare: number;
    readonly start: number;
    readonly fit: number;
    readonly certify: number;
  };
  /** √(Σr²/count) over entries with W > 0, and √(ΣW²r²/ΣW²). */
  readonly rmse: { readonly train: number; readonly trainWeighted: number };
  /** Of more than one start; what else stands here is of the start that the model is of, seconds of them all. */
  readonly starts?: StartsReport;
  /** Where entries were held out: their error at these factors, how many they are, and the sweep that the factors are of. */
  readonly validation?: ValidationError & { readonly entries: number; readonly sweep: number };
  /** Of preset pca: the share of the weighted variance around the column means that each canonical component explains. */
  readonly explained?: readonly number[];
  /** Of preset pmf: Q as US EPA PMF reports it, and the squared correlation of each column (null where it does not vary). */
  readonly q?: {
    readonly true: number;
    readonly robust: number;
    readonly expected: number;
    readonly r2: readonly (number | null)[];
  };
  /** Of fits with option `intervals`. */
  readonly uncertainty?: UncertaintyReport;
  readonly rows: number;
  readonly columns: number;
  readonly observed: number;
  readonly rank: number;
  readonly threads: number;
  readonly inline: boolean;
  /** Number of row blocks of U and of V. */
  readonly blocks: { readonly rows: number; readonly columns: number };
  /** Observations resident in the WebAssembly memory, or staged into it block by block. */
  readonly resident: boolean;
  /** Observations were in files, and read block by block. */
  readonly onDisk?: true;
  readonly dtype: 'f32' | 'f64';
  /** What was really used: `fast` falls back where the engine has no relaxed SIMD. */
  readonly arithmetic: 'reproducible' | 'fast';
  readonly seed: number;
  readonly options: ResolvedOptions;
  /** Share of the sweeps' time that each worker was busy, 0…1. */
  readonly utilization: readonly number[];
  readonly memoryBytes: { readonly planned: number; readonly peakRss: number };
  /** What was done to the model after the fit, in order; all else here is the report of the fit. */
  readonly updates?: readonly ModelUpdate[];
  /** Advice in one sentence each, e.g. about λ = 0 with short rows. */
  readonly notes: readonly string[];
  /** SHA-256 (hex) of U, V, row bias, column bias as little-endian row-major bytes without padding. */
  readonly digest: string;
  readonly versions: { readonly hadamard: string; readonly node: string };
}
