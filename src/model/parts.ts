/** What a model is made of. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Covariances } from './covariances.js';
import type { FactorUncertainty } from './factorUncertainty.js';
import type { FitReport } from './fitReport.js';

export interface Biases {
  readonly kind: 'none' | 'rows' | 'columns' | 'both';
  /** The weighted mean ΣW²A/ΣW² where biases are fitted, else 0. */
  readonly mean: number;
  /** m values, absent unless kind is rows or both. */
  readonly rows?: RealArray;
  /** n values, absent unless kind is columns or both. */
  readonly columns?: RealArray;
}

export interface Labels {
  readonly rows?: readonly string[];
  readonly columns?: readonly string[];
}

/** m and n weights. */
export interface BackgroundLists {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** The command that made a model, so that it can be run again. */
export interface RunRecord {
  readonly command: string;
  /** Positional arguments, such as the path of A. */
  readonly inputs: readonly string[];
  /** The flags that were given, in camelCase, but for those that say where and how to print. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where it ran, as seen from the model's folder: paths above are relative to this one. */
  readonly directory?: string;
}

export interface ModelParts {
  /** m×k, row-major without padding. */
  readonly U: NdArray<RealArray>;
  /** n×k, row-major without padding. */
  readonly V: NdArray<RealArray>;
  readonly biases: Biases;
  readonly labels?: Labels;
  readonly fit: FitReport;
  /** r and c of a separable background, W² = r_i·c_j of unlisted entries. */
  readonly background?: BackgroundLists;
  /** Of fits with option `intervals`. */
  readonly covariances?: Covariances;
  /** What `bootstrap` and `displace` have said of it, where it was kept. */
  readonly factorUncertainty?: FactorUncertainty;
  /** Of models made on the command line. */
  readonly run?: RunRecord;
}
