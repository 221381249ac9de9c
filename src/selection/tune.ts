/**
 * Rank and λ by cross-validation. For each rank a path over λ from large to small, each fit starting from the V of the one
 * before; a path ends where its error has clearly risen, and the path of a further rank begins near the best λ so far.
 */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, Triples } from '../data/input.js';
import { asInput, type Listing, listEntries, listingOf } from '../data/listing.js';
import { checkInput } from '../factorize/checkInput.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { withPreset } from '../factorize/presets.js';
import { checkHandlers, checkObject } from '../options.js';
import { share } from '../session/share.js';
import { predictorOf } from './baseline.js';
import { measureFold, settleMetrics } from './evaluate.js';
import { allOrFirstError, type Fits, openFits } from './fits.js';
import { lambdaPath } from './lambdaPath.js';
import { isRanking, type Metric } from './metricNames.js';
import { pathStart, startSize } from './pathStart.js';
import { type Cell, isClearlyWorse, recommend, type TuneChoice } from './recommendation.js';
import { refused } from './refused.js';
import { type Fold, role, splitEntries } from './splits.js';
import { summary } from './summary.js';
import { fingerprintOf, keyOf, openState, type TuneState } from './tuneState.js';

/** Fit options that the search chooses itself, or that a fold has no use for. */
type NotOfSearch =
  | 'rank'
  | 'lambda'
  | 'lambdaRows'
  | 'lambdaColumns'
  | 'init'
  | 'validation'
  | 'holdout'
  | 'patience'
  | 'onProgress'
  | 'labels'
  | 'timeLimit';

export interface TuneOptions extends Omit<FactorizeOptions, NotOfSearch> {
  /** Default 1, 2, 4, 8, 16 and 32, as far as the smaller side of A goes. */
  readonly ranks?: readonly number[] | undefined;
  /** Default 25 values from the smallest λ that makes every factor zero for all of A, five a decade: the grid alone sees test entries. */
  readonly lambdas?: readonly number[] | undefined;
  /** Default 5. */
  readonly folds?: number | undefined;
  /** Folds of entries at random (`k-fold`, the default) or of blocks of rows and columns; see `evaluate`. */
  readonly split?: 'k-fold' | 'blocks' | undefined;
  /** One of those of `evaluate`; default rmse, with weights weighted-rmse, with a background ndcg@10. */
  readonly metric?: string | undefined;
  /** A file that keeps what has been found: a search that was ended goes on from it, to the same result. */
  readonly state?: string | undefined;
  /** After each fit. */
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
}

export interface TuneProgress {
  readonly rank: number;
  readonly lambda: number;
  readonly fold: number;
  readonly folds: number;
  readonly error: number;
  /** Fits done, those from a state file among them. */
  readonly fits: number;
}

export interface Tuning extends TuneChoice {
  readonly metric: string;
  readonly split: 'k-fold' | 'blocks';
  readonly folds: number;
  /** Every rank and λ that was tried, by rank and then from the largest λ. */
  readonly cells: readonly Cell[];
  readonly ranks: readonly number[];
  readonly lambdas: readonly number[];
  /** Fits that were made, of ranks × λ × folds that a full grid would take. */
  readonly fits: { readonly made: number; readonly ofGrid: number };
  readonly seconds: number;
}

/** Fits of a search need not be converged to the last digit: errors are compared to within their standard error. */
const searchTolerance = 1e-4;
/** Steps above the best λ so far at which the path of a further rank begins. */
const headStart = 1;

/**
 * Each fold's training entries alone are fitted, as by `evaluate`. The result has the same bits for every number of threads, and
 * whether it was interrupted or not.
 *
 * @throws HadamardError `invalid-option` for ranks, lambdas, folds, split or metric out of range; `incompatible-options` for a
 *   state of other data or options; as `factorize`; `AbortError` when `signal` was aborted.
 */
export async function tune(A: MatrixInput, given: TuneOptions = {}): Promise<Tuning> {
  const began = performance.now();
  const search = await openSearch(A, given);
  try {
    const cells = await search.run();
    return {
      ...recommend(cells, search),
      metric: search.metric,
      split: search.split,
      folds: search.folds,
      cells: [...cells].sort((a, b) => a.rank - b.rank || b.lambda - a.lambda),
      ranks: search.ranks,
      lambdas: search.lambdas,
      fits: { made: cells.length * search.folds, ofGrid: search.ranks.length * search.lambdas.length * search.folds },
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await search.close();
  }
}

async function openSearch(A: MatrixInput, given: TuneOptions) {
  checkObject(given);
  const {
    ranks: someRanks,
    lambdas: someLambdas,
    folds: count = 5,
    split = 'k-fold',
    metric,
    state: path,
    onProgress,
    ...plain
  } = given;
  const [m, n] = shapeOf(A);
  const ranks = ascending('ranks', someRanks ?? [1, 2, 4, 8, 16, 32].filter((rank) => rank <= Math.min(m, n)));
  const options = withPreset({ ...plain, rank: ranks.at(-1) as number } as FactorizeOptions);
  const checked = checkInput(A, options);
  checkHandlers({ onProgress });
  if (options.hold !== undefined) throw refused('hold', 'given', 'left out: its entries are of one rank');
  if (split !== 'k-fold' && split !== 'blocks') throw refused('split', split, 'k-fold or blocks', ['k-fold', 'blocks']);
  const [settled] = settleMetrics(options, metric === undefined ? undefined : [metric], 'metric') as [Metric];
  const listing = listEntries(A, options.weights, checked.duplicates, options.background !== undefined);
  const lambdas = (someLambdas === undefined ? lambdaPath(listing, checked) : ascending('lambdas', someLambdas)).sort(
    (a, b) => b - a,
  );
  const folds = splitEntries(listing, { split, folds: count }, checked.seed);
  const {
    threads: _threads,
    memoryLimit: _limit,
    signal: _signal,
    workerUrl: _worker,
    wasmUrl: _wasm,
    ...own
  } = options;
  const fingerprint = fingerprintOf(listing, {
    ...own,
    rank: undefined,
    ranks,
    lambdas,
    folds: count,
    split,
    metric: settled.name,
  });
  const state = await openState(path, fingerprint);
  const fits = openFits(listing, options, folds.length);
  const search = new Search(listing, folds, options, settled, ranks, lambdas, state, fits, checked.seed, onProgress);
  return Object.assign(search, { split: split as 'k-fold' | 'blocks' });
}

/** Where a fit starts from: a cell that is done. */
type Source = Cell | undefined;

class Search {
  readonly metric: string;
  readonly sign: 1 | -1;
  readonly ranks: readonly number[];
  readonly lambdas: readonly number[];
  readonly #listing: Listing;
  readonly #folds: readonly Fold[];
  readonly #options: FactorizeOptions;
  readonly #measured: Metric;
  readonly #state: TuneState;
  readonly #fits: Fits;
  readonly #seed: number;
  readonly #onProgress: TuneOptions['onProgress'];
  readonly #training = new Map<number, Promise<Training>>();
  #done = 0;

  constructor(
    listing: Listing,
    folds: readonly Fold[],
    options: FactorizeOptions,
    measured: Metric,
    ranks: readonly number[],
    lambdas: readonly number[],
    state: TuneState,
    fits: Fits,
    seed: number,
    onProgress: TuneOptions['onProgress'],
  ) {
    this.#listing = listing;
    this.#folds = folds;
    this.#options = options;
    this.#measured = measured;
    this.metric = measured.name;
    this.sign = isRanking(measured) ? -1 : 1;
    this.ranks = ranks;
    this.lambdas = lambdas;
    this.#state = state;
    this.#fits = fits;
    this.#seed = seed;
    this.#onProgress = onProgress;
  }

  get folds(): number {
    return this.#folds.length;
  }

  async close(): Promise<void> {
    await this.#fits.close();
  }

  /** All cells that were worth a look. Two ranks in a row that bring nothing end it. */
  async run(): Promise<Cell[]> {
    const cells: Cell[] = [];
    let best: Cell | undefined;
    /** The best cell of the rank before. */
    let before: Cell | undefined;
    let without = 0;
    for (const rank of this.ranks) {
      const path = await this.#path(rank, before, best);
      cells.push(...path);
      before = this.#bestOf(path);
      if (best && this.sign * before.mean >= this.sign * best.mean) without++;
      else {
        without = 0;
        best = before;
      }
      if (without === 2) break;
    }
    return cells;
  }

  /** A rank's cells: down from the first λ until the error has clearly risen, then up where the first was the best. */
  async #path(rank: number, before: Source, best: Source): Promise<Cell[]> {
    const first = best ? Math.max(0, this.lambdas.indexOf(best.lambda) - headStart) : 0;
    const down = await this.#walk(rank, first, 1, before, [before]);
    const [top] = down as [Cell];
    const up = this.#bestOf(down) === top && first > 0 ? await this.#walk(rank, first - 1, -1, top, [before, top]) : [];
    // The next rank starts from the best of these alone.
    const path = [...up, ...down];
    this.#keep([this.#bestOf(path)]);
    return path;
  }

  async #walk(rank: number, from: number, step: 1 | -1, source: Source, kept: readonly Source[]): Promise<Cell[]> {
    const cells: Cell[] = [];
    for (let at = from; at >= 0 && at < this.lambdas.length; at += step) {
      const last = cells.at(-1);
      const cell = await this.#cell(rank, this.lambdas[at] as number, last ?? source);
      cells.push(cell);
      const least = this.#bestOf([...cells, ...(step === -1 && source ? [source] : [])]);
      this.#keep([...kept, cells[0], cell, least]);
      if (isClearlyWorse(cell, least, this.sign)) break;
    }
    return cells;
  }

  #bestOf(cells: readonly Cell[]): Cell {
    return cells.reduce((least, cell) => (this.sign * cell.mean < this.sign * least.mean ? cell : least));
  }

  /** Lets go of the starts of all cells that have been passed, but for these. */
  #keep(kept: readonly Source[]): void {
    for (const cell of this.#passed) {
      if (kept.includes(cell)) continue;
      this.#passed.delete(cell);
      this.#folds.forEach((_, fold) => {
        this.#state.starts.delete(keyOf(cell.rank, cell.lambda, fold));
      });
    }
  }

  readonly #passed = new Set<Cell>();

  async #cell(rank: number, lambda: number, source: Source): Promise<Cell> {
    const results = await allOrFirstError(this.#folds.map((_, fold) => this.#fold(rank, lambda, fold, source)));
    const errors = results.map(({ error }) => error);
    const { mean, standardError } = summary(errors);
    const sweeps = summary(results.map((result) => result.sweeps)).mean;
    const cell = { rank, lambda, mean, standardError: standardError ?? 0, errors, sweeps };
    this.#passed.add(cell);
    return cell;
  }

  async #fold(rank: number, lambda: number, fold: number, source: Source) {
    const { results, starts, save } = this.#state;
    const key = keyOf(rank, lambda, fold);
    let result = results.get(key);
    if (!result) {
      const began = performance.now();
      const { A, sqrtWeight: weights } = await this.#trainingOf(fold);
      const size = startSize({ values: A.values, weights }, (this.#options.biases ?? 'none') !== 'none', rank);
      const V = source && starts.get(keyOf(source.rank, source.lambda, fold));
      const model = await this.#fits.fit(() => ({
        ...this.#options,
        A,
        tolerance: this.#options.tolerance ?? searchTolerance,
        rank,
        lambda,
        weights: weights && { sqrtWeight: weights },
        ...(V && { init: { V: pathStart(V, rank, size, this.#seed) } }),
      }));
      const { roles } = this.#folds[fold] as Fold;
      const error = measureFold(predictorOf(model), model.fit.options, this.#listing, roles, [this.#measured], {
        negatives: 'all',
        relevance: undefined,
        gains: 'binary',
        seed: this.#seed,
      }).metrics[this.metric] as number;
      const seconds = (performance.now() - began) / 1000;
      result = { rank, lambda, fold, error, sweeps: model.fit.sweeps, seconds };
      results.set(key, result);
      starts.set(key, model.V);
      await save();
    }
    this.#onProgress?.({ rank, lambda, fold, folds: this.folds, error: result.error, fits: ++this.#done });
    return result;
  }

  /** In shared memory, so that no fit copies it. */
  #trainingOf(fold: number): Promise<Training> {
    const { roles } = this.#folds[fold] as Fold;
    const known = this.#training.get(fold);
    if (known) return known;
    const train = listingOf(this.#listing, (t) => roles[t] === role.train);
    const shared = share({ A: asInput(train).A, sqrtWeight: train.weights }) as Promise<Training>;
    this.#training.set(fold, shared);
    return shared;
  }
}

/** The training entries of a fold. */
interface Training {
  readonly A: Triples;
  readonly sqrtWeight: Float64Array | undefined;
}

/** @throws HadamardError `invalid-option` */
function ascending(option: 'ranks' | 'lambdas', given: readonly number[]): number[] {
  const isAllowed = (value: unknown) =>
    option === 'ranks'
      ? Number.isInteger(value) && (value as number) >= 1
      : Number.isFinite(value) && (value as number) >= 0;
  const rule = option === 'ranks' ? 'integers of at least 1' : 'finite numbers of at least 0';
  if (!Array.isArray(given) || given.length === 0) throw refused(option, given, `a list of ${rule}`);
  for (const value of given) if (!isAllowed(value)) throw refused(option, value, `a list of ${rule}`);
  return [...new Set(given)].sort((a, b) => a - b);
}
