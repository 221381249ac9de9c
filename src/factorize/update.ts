/** Rows of a model added, replaced and removed without a new fit: exact for the other factor as it is. */
import { visitEntries } from '../data/entries.js';
import type { MatrixInput, RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { checkModel } from '../model/checkModel.js';
import { digestOf } from '../model/digest.js';
import type { FitReport, ModelUpdate } from '../model/fitReport.js';
import { Model, matrix } from '../model/model.js';
import type { Biases } from '../model/parts.js';
import { gradientProduct, relativeTo } from '../objective/relativeGradient.js';
import { checkHandlers, checkObject } from '../options.js';
import type { Side } from '../parallel/layout.js';
import { countOf, type FitContext } from '../parallel/phase.js';
import { type Beside, type BesideOptions, unweightedNotes, withMeaning } from './beside.js';
import { factorize } from './factorize.js';
import type { FactorizeOptions, Progress } from './factorizeOptions.js';
import { checkBeside, type FoldedIn, foldInAnd } from './foldIn.js';
import { measureBaseline } from './layOutTerms.js';
import { computeOptions, fitOptionsOf } from './modelProblem.js';
import { type Arrangement, arrangeRows } from './updateRows.js';

export interface UpdateOptions extends BesideOptions {
  /**
   * What each row of the data is: its label, or its index where the model has no labels. One that the model has is replaced,
   * another is added; of indices these are the next, in order. Left out, all are added (only where the model has no labels).
   */
  readonly names?: readonly (string | number)[] | undefined;
  /** Rows to take out, named in the same way. */
  readonly remove?: readonly (string | number)[] | undefined;
  /** Sweeps of `factorize` from here, so that the other factor follows too; the data then has every row. Default 0: none. */
  readonly refresh?: number | undefined;
  /** Of the sweeps of `refresh`. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The model with rows (or columns, `side`) added, replaced or removed. They are solved as by `foldIn`, exactly for V as it is;
 * the rest of the model keeps every bit. `fit` stays the report of the fit, and its last `updates` says what was done and how
 * far V is from stationary for the rows given:
 *
 *     drift = ‖∂L/∂V‖·‖V‖ / (2‖W∘(A − mean)‖²),   L the loss of these rows
 *
 * (with ‖∂L/∂c‖·‖c‖ of biases beside), to be compared with that of rows which the fit has seen. Where the data has every row
 * of the result, `relativeGradientNorm` is that of the whole objective there, as a certificate has it.
 *
 * With `refresh: N` follow N sweeps of `factorize` from there, and the report is that of a fit.
 *
 * @param data m'×n; undefined where rows are only removed.
 * @throws HadamardError `not-found` for a row to be removed that is not there, `invalid-option` for names that are not one for
 *   each row, `index-out-of-range` for new indices that are not the next in order, `incompatible-options` for a refresh on part
 *   of the rows, and as `foldIn`.
 */
export async function update(model: Model, data: MatrixInput | undefined, options: UpdateOptions = {}): Promise<Model> {
  checkModel(model);
  checkObject(options);
  const { names, remove, refresh = 0, onProgress, ...beside } = options;
  checkBeside(beside, true);
  checkHandlers({ onProgress });
  checkRefresh(refresh);
  const side = beside.side ?? 'rows';
  const arranged = arrangeRows(model, side, data, names, remove);
  if (data === undefined) {
    refuseRefresh(refresh);
    return updated(model, arranged, undefined, undefined, undefined);
  }
  const { folded, measured } = await foldInAnd(model, data, beside, (found) => measureDrift(found, arranged.isWhole));
  const background = options.backgroundWeights;
  const next = updated(model, arranged, folded, measured, background);
  if (refresh === 0) return next;
  if (!arranged.isWhole) refuseRefresh(refresh);
  const fitted = await refreshed(next, data, arranged, options, refresh);
  const lost = unweightedNotes(model, options.weights, 'its refresh was given none');
  return lost.length === 0
    ? fitted
    : new Model({ ...fitted, fit: { ...fitted.fit, notes: [...lost, ...fitted.fit.notes] } });
}

function checkRefresh(refresh: unknown): void {
  if (Number.isInteger(refresh) && (refresh as number) >= 0) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `refresh is ${typeof refresh === 'string' ? `"${refresh}"` : String(refresh)}.`,
    position: { option: 'refresh' },
    rule: 'refresh is an integer of at least 0, the number of sweeps.',
    remedy: 'Give such a number, or leave refresh out.',
  });
}

function refuseRefresh(refresh: number): void {
  if (refresh === 0) return;
  throw new HadamardError({
    code: 'incompatible-options',
    what: `refresh is ${refresh}, and the data does not have every row of the result.`,
    position: { option: 'refresh' },
    rule: 'V depends on all rows, so that its sweeps need them all.',
    remedy: 'Give all rows with their names, or leave refresh out: the update is exact for V as it is.',
  });
}

type Drift = Pick<ModelUpdate, 'drift' | 'relativeGradientNorm'>;

/** The gradient of the fixed side, of the loss alone or, where the data is all that there is, of f. */
async function measureDrift(beside: Beside, isWhole: boolean): Promise<Drift> {
  const { fit, side, other, objective, observations, run } = beside;
  const value = fit.terms?.value ?? 0;
  const { centredNorm } = measureBaseline(observations, objective, value, fit.hasBias, 0);
  const gradientOf = async (of: Side) =>
    gradientProduct(await run({ phase: 'gradient', side: of, own: 0, other: 0, out: null }));
  const whole = isWhole ? relativeTo(centredNorm, (await gradientOf(side)) + (await gradientOf(other))) : undefined;
  clearPenalties(fit, other);
  return {
    drift: relativeTo(centredNorm, await gradientOf(other)),
    ...(whole !== undefined && { relativeGradientNorm: whole }),
  };
}

/** The penalties of V belong to all rows together, not to some. */
function clearPenalties(fit: FitContext, side: Side): void {
  const { penalties, biasPenalties, terms } = fit.layout.sides[side];
  const rows = countOf(fit, side);
  for (const address of [penalties, biasPenalties, terms?.l1])
    if (address) new Float64Array(fit.memory.buffer, address, rows).fill(0);
}

/** The model's parts in their new order: each row is an old one or one of the data. */
function updated(
  model: Model,
  arranged: Arrangement,
  folded: FoldedIn | undefined,
  drift: Drift | undefined,
  backgroundWeights: ArrayLike<number> | undefined,
): Model {
  const { side, sources, labels } = arranged;
  const { U, V, biases, background } = model;
  const k = model.rank;
  const own = pick(side === 'rows' ? U.data : V.data, folded?.factor.data, sources, k);
  const bias = biases[side] && pick(biases[side], folded?.bias, sources, 1);
  const given = Float64Array.from(backgroundWeights ?? new Float64Array(folded?.observed.length ?? 0).fill(1));
  const weights = background && pick(background[side], given, sources, 1);
  const factors = {
    U: side === 'rows' ? matrix(own, sources.length, k) : U,
    V: side === 'columns' ? matrix(own, sources.length, k) : V,
  };
  const nextBiases: Biases = { ...biases, ...(bias && { [side]: bias }) };
  const entry: ModelUpdate = {
    side,
    ...arranged.counts,
    observed: folded?.observed.reduce((sum, count) => sum + count, 0) ?? 0,
    ...drift,
    ...(folded && folded.notes.length > 0 && { notes: folded.notes }),
  };
  return new Model({
    ...factors,
    biases: nextBiases,
    labels,
    fit: reportOf(model.fit, factors, nextBiases, entry),
    ...(background && { background: { ...background, [side]: weights } }),
  });
}

/** Rows of `width` numbers; source t ≥ 0 is row t of the old ones, and −1 − t row t of the new. */
function pick<T extends RealArray>(old: T, fresh: RealArray | undefined, sources: Int32Array, width: number): T {
  const rows = new (old.constructor as new (length: number) => T)(sources.length * width);
  sources.forEach((source, i) => {
    const [from, at] = source >= 0 ? [old, source] : [fresh as RealArray, -1 - source];
    rows.set(from.subarray(at * width, (at + 1) * width), i * width);
  });
  return rows;
}

const updateNote =
  'Rows or columns were updated after the fit: objective, errors, certificate, trace and all other notes are those of the fit before.';

function reportOf(fit: FitReport, { U, V }: Pick<Model, 'U' | 'V'>, biases: Biases, entry: ModelUpdate): FitReport {
  // The covariances were those of the rows that were.
  const { uncertainty: _uncertainty, ...rest } = fit;
  return {
    ...rest,
    rows: U.shape[0] as number,
    columns: V.shape[0] as number,
    notes: [...new Set([...fit.notes, updateNote])],
    updates: [...(fit.updates ?? []), entry],
    digest: digestOf([U.data, V.data, biases.rows, biases.columns]),
  };
}

/** Sweeps over the data, its rows in the order of the model. */
async function refreshed(
  model: Model,
  data: MatrixInput,
  { side, sources }: Arrangement,
  options: UpdateOptions,
  sweeps: number,
): Promise<Model> {
  const { A, weights } = withMeaning(model, data, options);
  const places = new Int32Array(sources.length);
  sources.forEach((source, i) => {
    places[-1 - source] = i;
  });
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  const squareRoots: number[] = [];
  visitEntries(
    A,
    weights,
    (row, column, value, weight) => {
      rows.push(side === 'rows' ? (places[row] as number) : row);
      columns.push(side === 'columns' ? (places[column] as number) : column);
      values.push(value);
      squareRoots.push(weight);
    },
    true,
  );
  const triples = {
    rows: Uint32Array.from(rows),
    columns: Uint32Array.from(columns),
    values: Float64Array.from(values),
    shape: model.shape,
  };
  const computing: Partial<FactorizeOptions> = Object.fromEntries(computeOptions.map((name) => [name, options[name]]));
  const { hold, duplicates, signal, onProgress } = options;
  return factorize(triples, {
    ...fitOptionsOf(model),
    ...computing,
    ...(duplicates && { duplicates }),
    weights: { sqrtWeight: Float64Array.from(squareRoots) },
    hold,
    signal,
    onProgress,
    init: model,
    labels: model.labels,
    maxSweeps: sweeps,
  });
}
