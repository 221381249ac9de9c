/** What a caller may give beside the data. */
import type { NdArray } from 'ndarray';
import type { MatrixInput, RealArray, WeightsInput } from '../data/input.js';
import type { ValidationError } from '../engine/trace.js';
import type { Labels, Model } from '../model/model.js';
import type { FitOptions } from '../options.js';
import type { ObjectiveOptions } from './objectiveSpec.js';

/** Where to start from: V alone suffices, since U is solved exactly from it; U alone gives V the same way. */
export interface Init {
  /** m×k */
  readonly U?: NdArray<RealArray> | undefined;
  /** n×k */
  readonly V?: NdArray<RealArray> | undefined;
  /** NaN in U and V is drawn at random from the seed, as all of V is without a start. Default false: NaN is refused. */
  readonly isPartial?: boolean | undefined;
  /** m and n values; passed over where the side's bias is not fitted. */
  readonly biases?: { readonly rows?: RealArray | undefined; readonly columns?: RealArray | undefined } | undefined;
}

export interface Progress {
  /**
   * Once `prepare`, before the data is checked and laid out; `start` after the stages of a start rank by rank, whose sweeps count
   * for themselves; `sweep` after each one; once `certify`, when they are over.
   */
  readonly phase: 'prepare' | 'start' | 'sweep' | 'certify';
  readonly sweep: number;
  readonly maxSweeps: number;
  /** NaN in `prepare`: there is none yet. */
  readonly objective: number;
  readonly relativeGradientNorm: number | null;
  /** Since the first sweep began. */
  readonly seconds: number;
  readonly observationsPerSecond: number;
  /** Of many starts: how many are done, of at most how many, and the lowest objective of them. */
  readonly starts?: { readonly done: number; readonly of: number; readonly best: number | null };
  /** Of the held-out entries after this sweep, where there are any. */
  readonly validation?: ValidationError;
}

/** Entries to watch a fit by; their weights mean what those of A do. */
export interface ValidationData {
  readonly data: MatrixInput;
  readonly weights?: WeightsInput | undefined;
}

export interface FactorizeOptions extends FitOptions, ObjectiveOptions {
  readonly weights?: WeightsInput | undefined;
  /**
   * A start, or a model to go on from: its factors and biases. A model of lower rank gives the first columns, the others are
   * drawn at random; one of higher rank its leading canonical components (refused where it has bounds, held entries, L1 or free
   * columns).
   */
  readonly init?: Init | Model | undefined;
  /** Held-out entries of your own, in place of `holdout`. */
  readonly validation?: ValidationData | undefined;
  /**
   * The lists of triples or CSR and of their weights are given up: they are detached as soon as they are sorted, which for data as large
   * as memory makes room for the fit. Lists in shared memory and other forms of A stay as they are. Default false.
   */
  readonly handOver?: boolean | undefined;
  /** Names of rows and columns, kept with the model. */
  readonly labels?: Labels | undefined;
  /** Where it throws, or rejects while the fit lasts, the fit rejects with the same; it is not waited for. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where a bundled application put workers/rows.cjs, and the folder of the two .wasm files. */
  readonly workerUrl?: string | undefined;
  readonly wasmUrl?: string | undefined;
}
