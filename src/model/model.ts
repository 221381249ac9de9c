/** A fitted model: the factors, what they predict, and what the fit says about itself. */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Certificate, FitReport, TraceEntry } from './fitReport.js';

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

export interface ModelParts {
  readonly U: NdArray<RealArray>;
  readonly V: NdArray<RealArray>;
  readonly biases: Biases;
  readonly labels?: Labels;
  readonly fit: FitReport;
}

export class Model {
  /** m×k, row-major, owned by the model. */
  readonly U: NdArray<RealArray>;
  /** n×k, row-major, owned by the model (scikit-learn's components_ is Vᵀ). */
  readonly V: NdArray<RealArray>;
  readonly biases: Biases;
  readonly labels: Labels;
  readonly fit: FitReport;

  constructor(parts: ModelParts) {
    this.U = parts.U;
    this.V = parts.V;
    this.biases = parts.biases;
    this.labels = parts.labels ?? {};
    this.fit = parts.fit;
  }

  get trace(): readonly TraceEntry[] {
    return this.fit.trace;
  }

  get certificate(): Certificate {
    return this.fit.certificate;
  }
}

/** A row-major ndarray over `data`. */
export function matrix(data: RealArray, rows: number, columns: number): NdArray<RealArray> {
  return ndarray(data, [rows, columns]);
}
