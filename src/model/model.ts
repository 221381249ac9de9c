/** A fitted model: the factors, what they predict, and what the fit says about itself. */
import ndarray, { type NdArray } from 'ndarray';
import type { MatrixInput, RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { checkNames } from '../options.js';
import { allowedColumns, type ColumnFilter, columnList } from './allowedColumns.js';
import { Best, checkTop } from './best.js';
import { type Canonical, canonicalForm, type Rotated, varimaxForm } from './canonical.js';
import type { Covariances } from './covariances.js';
import type { FactorUncertainty } from './factorUncertainty.js';
import type { Certificate, FitReport, StartsReport, TraceEntry } from './fitReport.js';
import {
  intervalOf,
  type PredictIntervalOptions,
  type PredictionInterval,
  type PredictionIntervals,
} from './intervals.js';
import { type ObjectiveOptions, objectiveOf, predictEntry } from './objective.js';
import type { BackgroundLists, Biases, Labels, ModelParts, RunRecord } from './parts.js';
import { saveModel } from './save.js';

export type { ObjectiveOptions } from './objective.js';
export type { BackgroundLists, Biases, Labels, ModelParts, RunRecord } from './parts.js';

export interface Recommendation {
  readonly column: number;
  /** The column's label, where the model has labels. */
  readonly label?: string;
  readonly prediction: number;
}

export interface RecommendOptions extends ColumnFilter {
  /** How many at most; default 10. */
  readonly top?: number;
  /** Columns to leave out, such as those the row has already. */
  readonly exclude?: Iterable<number>;
}

export interface SaveOptions {
  /** Write canonical/U.npy, d.npy and V.npy as well; see {@link Model.canonical}. Default false. */
  readonly canonical?: boolean;
}

export class Model implements ModelParts {
  /** m×k, row-major, owned by the model. */
  readonly U: NdArray<RealArray>;
  /** n×k, row-major, owned by the model (scikit-learn's components_ is Vᵀ). */
  readonly V: NdArray<RealArray>;
  readonly biases: Biases;
  readonly labels: Labels;
  readonly fit: FitReport;
  readonly background?: BackgroundLists;
  /** Where the fit was given `intervals`; see {@link Model.predict}. */
  readonly covariances?: Covariances;
  readonly factorUncertainty?: FactorUncertainty;
  readonly run?: RunRecord;
  #rowIndex: Map<string, number> | undefined;
  #columnIndex: Map<string, number> | undefined;

  constructor(parts: ModelParts) {
    this.U = parts.U;
    this.V = parts.V;
    this.biases = parts.biases;
    this.labels = parts.labels ?? {};
    this.fit = parts.fit;
    if (parts.background) this.background = parts.background;
    if (parts.covariances) this.covariances = parts.covariances;
    if (parts.factorUncertainty) this.factorUncertainty = parts.factorUncertainty;
    if (parts.run) this.run = parts.run;
  }

  /** [m, n] */
  get shape(): readonly [number, number] {
    return [this.U.shape[0] as number, this.V.shape[0] as number];
  }

  get rank(): number {
    return this.U.shape[1] as number;
  }

  get trace(): readonly TraceEntry[] {
    return this.fit.trace;
  }

  get certificate(): Certificate {
    return this.fit.certificate;
  }

  /** What the search from many starts has found; undefined where there was one start. */
  get starts(): StartsReport | undefined {
    return this.fit.starts;
  }

  /** The index of a row's label; undefined where there is no such label. */
  rowIndex(label: string): number | undefined {
    this.#rowIndex ??= indexOf(this.labels.rows);
    return this.#rowIndex.get(label);
  }

  /** The index of a column's label; undefined where there is no such label. */
  columnIndex(label: string): number | undefined {
    this.#columnIndex ??= indexOf(this.labels.columns);
    return this.#columnIndex.get(label);
  }

  /** Whether a row or column has factor and bias 0, as one without an observation of positive weight has. */
  isUnobserved(side: 'rows' | 'columns', index: number): boolean {
    const { data } = side === 'rows' ? this.U : this.V;
    for (let t = index * this.rank; t < (index + 1) * this.rank; t++) if (data[t] !== 0) return false;
    return (this.biases[side]?.[index] ?? 0) === 0;
  }

  /**
   * mean + b_i + c_j + u_i·v_j of one entry, or of every pair (rows[t], columns[t]); indices count from 0. A row or
   * column that had no weight in the fit has factor and bias 0, so the mean and the other bias are what remains.
   *
   * With `{ interval: 0.9, of: 'mean' }` a model that was fitted with option `intervals` adds the standard error and an
   * interval that covers the matrix under the noise ('mean', the default) or a new observation of it ('observation') with
   * that probability: see UncertaintyReport for what it rests on.
   *
   * @throws HadamardError `index-out-of-range`; `shape-mismatch` when rows and columns differ in length; `invalid-input`
   *   for anything but indices, such as labels; `invalid-option`, and `incompatible-options` for an interval of a model
   *   without covariances.
   */
  predict(row: number, column: number): number;
  predict(row: number, column: number, options: PredictIntervalOptions): PredictionInterval;
  predict(rows: ArrayLike<number>, columns: ArrayLike<number>): Float64Array;
  predict(rows: ArrayLike<number>, columns: ArrayLike<number>, options: PredictIntervalOptions): PredictionIntervals;
  predict(
    rows: number | ArrayLike<number>,
    columns: number | ArrayLike<number>,
    options?: PredictIntervalOptions,
  ): number | Float64Array | PredictionInterval | PredictionIntervals {
    const within = options && intervalOf(this, options);
    if (typeof rows === 'number' && typeof columns === 'number') {
      this.#check(rows, columns, undefined);
      const prediction = predictEntry(this, rows, columns);
      return within ? within(rows, columns, prediction) : prediction;
    }
    const rule = 'predict takes two indices, or two arrays of indices of one length.';
    for (const given of [rows, columns]) if (!isIndices(given)) throw notAnIndex(given, rule);
    if (typeof rows === 'number' || typeof columns === 'number' || rows.length !== columns.length)
      throw new HadamardError({
        code: 'shape-mismatch',
        what: `There are ${lengthOf(rows)} rows and ${lengthOf(columns)} columns.`,
        rule,
        remedy: 'Repeat the row or the column where one is meant for all.',
      });
    const predictions = new Float64Array(rows.length);
    for (let t = 0; t < predictions.length; t++) {
      const [row, column] = [rows[t] as number, columns[t] as number];
      this.#check(row, column, t);
      predictions[t] = predictEntry(this, row, column);
    }
    if (!within) return predictions;
    const each = Array.from(predictions, (p, t) => within(rows[t] as number, columns[t] as number, p));
    const all = (name: 'standardError' | 'lower' | 'upper') => Float64Array.from(each, (one) => one[name]);
    return { predictions, standardErrors: all('standardError'), lower: all('lower'), upper: all('upper') };
  }

  /**
   * The objective of the fit, f = Σ W²(A − prediction)² + regularization, recomputed in float64 from `data`.
   *
   * @throws HadamardError `shape-mismatch`, `invalid-option` for duplicates, and as `factorize` for bad data.
   */
  objective(data: MatrixInput, options: ObjectiveOptions = {}): number {
    return objectiveOf(this, data, options);
  }

  /**
   * The columns of highest prediction for a row, best first, ties by column; exact: every column is scored in float64.
   * `recommendAll` and `recommendEach` do the same for many rows, faster and on all cores.
   *
   * @throws HadamardError `index-out-of-range` for the row or a column, `invalid-input` for labels in place of indices,
   *   `invalid-option` when top is not an integer of at least 1 or a list of columns is none.
   */
  recommend(row: number, options: RecommendOptions = {}): Recommendation[] {
    checkNames(options ?? {}, ['top', 'exclude', 'only', 'without']);
    const { top = 10, exclude = [], ...filter } = options ?? {};
    this.#check(row, 0, undefined);
    checkTop(top);
    const n = this.shape[1];
    const excluded = columnList('exclude', exclude, n);
    const best = new Best(top);
    for (const column of allowedColumns(filter, n))
      if (!excluded.has(column)) best.offer(column, predictEntry(this, row, column));
    const { columns } = this.labels;
    const found: Recommendation[] = [];
    best.take((column, prediction) => {
      found.push({ column, ...(columns && { label: columns[column] as string }), prediction });
    });
    return found;
  }

  /**
   * Writes the model to a folder: U.npy, V.npy, row_bias.npy and column_bias.npy, rows.jsonl and columns.jsonl where
   * there are biases and labels, and model.json. An older hadamard model there is replaced as a whole or not at all.
   *
   * @throws HadamardError `invalid-option` when `directory` is no path, `output-refused` when the folder holds anything else, `output-failed` when it cannot be written.
   */
  async save(directory: string, { canonical = false }: SaveOptions = {}): Promise<void> {
    await saveModel(this, directory, canonical ? this.canonical() : undefined);
  }

  /**
   * UVᵀ = U·diag(d)·Vᵀ with orthonormal U (m×k) and V (n×k), d falling, the entry of largest magnitude in each column of V
   * positive: the singular value decomposition of UVᵀ, which does not depend on how the factors were reached.
   *
   * @throws HadamardError `incompatible-options` for a model with bounds, held entries, L1 or free columns: its factors mean
   *   what they are, and a rotation of them would not.
   */
  canonical(): Canonical {
    this.#checkFree('canonical');
    return canonicalForm(this.U, this.V);
  }

  /** UVᵀ = scores·loadingsᵀ by a varimax rotation of the canonical loadings. @throws HadamardError as `canonical`. */
  varimax(): Rotated {
    this.#checkFree('varimax');
    return varimaxForm(canonicalForm(this.U, this.V));
  }

  /** Whether its factors may be rotated: a model with bounds, held entries, L1 or free columns means what they are. */
  get isRotatable(): boolean {
    const { bounds, hold, l1Rows, l1Columns, freeColumns } = this.fit.options;
    return !bounds && !hold && l1Rows + l1Columns === 0 && freeColumns === 0;
  }

  #checkFree(form: string): void {
    if (this.isRotatable) return;
    throw new HadamardError({
      code: 'incompatible-options',
      what: `${form} rotates the factors, and this model was fitted with bounds, held entries, L1 or free columns.`,
      position: { option: form },
      rule: 'A rotation keeps UVᵀ and ridge penalties; it does not keep signs, zeros and known columns.',
      remedy: 'Use U and V as they are, or fit without these.',
    });
  }

  #check(row: number, column: number, index: number | undefined): void {
    const [m, n] = this.shape;
    for (const given of [row, column])
      if (typeof given !== 'number') throw notAnIndex(given, 'Rows and columns are named by their indices.', index);
    if (Number.isInteger(row) && row >= 0 && row < m && Number.isInteger(column) && column >= 0 && column < n) return;
    throw new HadamardError({
      code: 'index-out-of-range',
      what: `Entry (${row}, ${column})${index === undefined ? '' : ` at ${index}`} is not in a ${m}×${n} model.`,
      position: { row, column, ...(index !== undefined && { index }) },
      rule: `Rows are the integers 0…${m - 1} and columns 0…${n - 1}, counted from 0.`,
      remedy: 'Correct the index; rowIndex and columnIndex give those of labels.',
    });
  }

  /** One line in place of every factor, where Node prints a model. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const [m, n] = this.shape;
    return `Model ${m}×${n}, rank ${this.rank}, ${this.fit.status}, f = ${this.fit.objective}`;
  }
}

/** A row-major ndarray over `data`. */
export function matrix(data: RealArray, rows: number, columns: number): NdArray<RealArray> {
  return ndarray(data, [rows, columns]);
}

function indexOf(labels: readonly string[] = []): Map<string, number> {
  return new Map(labels.map((label, index) => [label, index]));
}

function isIndices(given: unknown): boolean {
  return (
    typeof given === 'number' || Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView))
  );
}

function notAnIndex(given: unknown, rule: string, index?: number): HadamardError {
  const isLabel = typeof given === 'string';
  return new HadamardError({
    code: 'invalid-input',
    what: isLabel ? `"${given}" is a label, not an index.` : `${String(given)} is no index.`,
    ...(index !== undefined && { position: { index } }),
    rule,
    remedy: isLabel ? 'model.rowIndex(label) and model.columnIndex(label) give the index.' : 'Count from 0.',
  });
}

function lengthOf(value: number | ArrayLike<number>): string {
  return typeof value === 'number' ? 'one' : String(value.length);
}
