/** How well a fit with these options predicts entries that it has not seen. */
import type { MatrixInput } from '../data/input.js';
import { asInput, type Listing, listEntries, listingOf } from '../data/listing.js';
import { checkInput } from '../factorize/checkInput.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { type Tool, targetsOf, tools } from '../factorize/like.js';
import { resolveBackground } from '../factorize/objectiveSpec.js';
import { withPreset } from '../factorize/presets.js';
import { mae, rmse } from '../metrics/errors.js';
import type { Status } from '../model/fitReport.js';
import { checkHandlers, checkObject } from '../options.js';
import { baselineOf, type Predictor, predictorOf } from './baseline.js';
import { allOrFirstError, type Fit, withFits } from './fits.js';
import { foldInMembers } from './foldInMembers.js';
import { isRanking, type Metric, parseMetrics } from './metricNames.js';
import { type RankingOptions, rankRows } from './rankRows.js';
import { refused } from './refused.js';
import { type Fold, role, type Split, type SplitOptions, splitEntries, splitOf } from './splits.js';
import { summary } from './summary.js';

/** Fit options that a fold has no use for, or that mean something else here. */
type NotOfFolds = 'validation' | 'holdout' | 'patience' | 'onProgress' | 'labels' | 'timeLimit';

export interface EvaluateOptions extends Omit<FactorizeOptions, NotOfFolds>, SplitOptions {
  /** rmse, mae, weighted-rmse, and precision@k, recall@k, hr@k, mrr@k, map@k, ndcg@k. Default rmse and mae, with weights weighted-rmse as well; with a background ndcg@10 and recall@20. */
  readonly metrics?: readonly string[] | undefined;
  /** What a row's test entries are ranked among: every column that it has not in training (`all`, the default), or so many drawn from those it has no entry in at all. */
  readonly negatives?: 'all' | number | undefined;
  /** A test entry is relevant from this value on; by default all are. */
  readonly relevance?: number | undefined;
  /** Of ndcg: 1 for each relevant entry (binary, the default), or its value. */
  readonly gains?: 'binary' | 'value' | undefined;
  /** After each fold. */
  readonly onProgress?: ((progress: { readonly done: number; readonly folds: number }) => void) | undefined;
}

export interface FoldResult {
  /** By the names that were asked for; NaN where a fold has nothing to measure. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The same without a model: of the training mean for every entry, and of the columns with most training entries first. */
  readonly baseline: Readonly<Record<string, number>>;
  readonly trained: number;
  readonly tested: number;
  /** Test entries whose row or column has no observation to be known by: predicted by the mean and the known bias. */
  readonly coldEntries: number;
  /** Rows that ranking metrics are averaged over. */
  readonly rankedRows: number;
  readonly status: Status;
  readonly sweeps: number;
  /** SHA-256 of the factors that were fitted to the training entries. */
  readonly digest: string;
}

export interface Evaluation {
  readonly split: Split;
  readonly folds: readonly FoldResult[];
  /** Mean over the folds, and its standard error: sd/√folds, null of one fold. */
  readonly metrics: Readonly<Record<string, { readonly mean: number; readonly standardError: number | null }>>;
  /** Likewise of the folds' baselines: a model that is not better has learnt nothing. */
  readonly baseline: Evaluation['metrics'];
  /** Seconds in all. */
  readonly seconds: number;
}

/**
 * Fits each fold's training entries alone, everything that is computed from data included, and measures its test entries.
 *
 * @throws HadamardError `invalid-option` for splits and metrics out of range or folds without entries, and as `factorize`; `AbortError` when `signal` was aborted.
 */
export async function evaluate(A: MatrixInput, given: EvaluateOptions): Promise<Evaluation> {
  const began = performance.now();
  checkObject(given);
  const { split: _split, folds: count, holdout, leave, time, given: share, ...others } = given ?? {};
  const split = splitOf(given ?? {});
  const { metrics: names, negatives = 'all', relevance, gains = 'binary', onProgress, ...plain } = others;
  const options = withPreset(plain as FactorizeOptions);
  const checked = checkInput(A, options);
  checkHandlers({ onProgress });
  const metrics = settleMetrics(options, names);
  if (!(negatives === 'all' || (Number.isInteger(negatives) && negatives >= 1)))
    throw refused('negatives', negatives, 'all, or an integer of at least 1');
  if (!(relevance === undefined || Number.isFinite(relevance)))
    throw refused('relevance', relevance, 'a finite number');
  if (gains !== 'binary' && gains !== 'value') throw refused('gains', gains, 'binary or value', ['binary', 'value']);
  const listing = listEntries(A, options.weights, checked.duplicates, options.background !== undefined);
  const folds = splitEntries(listing, { split, folds: count, holdout, leave, time, given: share }, checked.seed);
  const ranking = { negatives, relevance, gains, seed: checked.seed };
  let done = 0;
  const results = await withFits(listing, options, folds.length, (fit) =>
    allOrFirstError(
      folds.map(async (fold) => {
        const result = await runFold(fit, listing, fold, options, metrics, ranking);
        onProgress?.({ done: ++done, folds: folds.length });
        return result;
      }),
    ),
  );
  const summed = (of: 'metrics' | 'baseline') =>
    Object.fromEntries(metrics.map(({ name }) => [name, summary(results.map((result) => result[of][name] as number))]));
  return {
    split,
    folds: results,
    metrics: summed('metrics'),
    baseline: summed('baseline'),
    seconds: (performance.now() - began) / 1000,
  };
}

/** One fold from its training entries to its metrics. */
async function runFold(
  fit: Fit,
  listing: Listing,
  fold: Fold,
  options: FactorizeOptions,
  metrics: readonly Metric[],
  ranking: RankingOptions,
): Promise<FoldResult> {
  const { roles, foldIn } = fold;
  const part = (which: number) => listingOf(listing, (t) => roles[t] === which);
  const [train, test, known] = [part(role.train), part(role.test), part(role.given)];
  const background = backgroundOf(options, listing, fold);
  const fitted = await fit(() => ({ ...options, ...asInput(train), background }));
  const model = foldIn ? await foldInMembers(fitted, foldIn, known, options) : fitted;
  const like = fitted.fit.options;
  const measure = (predictor: Predictor) => measureFold(predictor, like, listing, roles, metrics, ranking);
  const measured = measure(predictorOf(model));
  return {
    metrics: measured.metrics,
    baseline: measure(baselineOf(train, targetsOf(like, train.values))).metrics,
    trained: train.values.length,
    tested: test.values.length,
    coldEntries: coldOf(test, [train, known], foldIn),
    rankedRows: measured.rows,
    status: fitted.fit.status,
    sweeps: fitted.fit.sweeps,
    digest: fitted.fit.digest,
  };
}

/** Of rows (columns) that are left out as a whole nothing is observed, not even that they list nothing. */
function backgroundOf({ background }: FactorizeOptions, { shape, ...indices }: Listing, { roles, foldIn }: Fold) {
  const lists = foldIn && resolveBackground(background, ...shape);
  if (!lists) return background;
  const { value, ...weight } = lists;
  indices[foldIn].forEach((member, t) => {
    if (roles[t] !== role.train) weight[foldIn][member] = 0;
  });
  return { weight, value };
}

/** All metrics of a fold's test entries, and the rows that ranking ones are averaged over. */
export function measureFold(
  predictor: Predictor,
  like: Pick<FactorizeOptions, 'like' | 'alpha'>,
  listing: Listing,
  roles: Uint8Array,
  metrics: readonly Metric[],
  ranking: RankingOptions,
): { readonly metrics: Record<string, number>; readonly rows: number } {
  const test = listingOf(listing, (t) => roles[t] === role.test);
  const ranked = metrics.filter(isRanking);
  const { rows, metrics: ofRows } =
    ranked.length > 0 ? rankRows(predictor, listing, roles, ranked, ranking) : { rows: 0, metrics: {} };
  const predicted = predictor.predict(test.rows, test.columns);
  const targets = targetsOf(like, test.values);
  const measures = {
    rmse: () => rmse(targets, predicted),
    mae: () => mae(targets, predicted),
    'weighted-rmse': () => rmse(targets, predicted, test.weights),
  };
  const errors = metrics.flatMap((metric) => (isRanking(metric) ? [] : [[metric.name, measures[metric.kind]()]]));
  return { rows, metrics: { ...Object.fromEntries(errors), ...ofRows } };
}

function coldOf(test: Listing, [train, known]: [Listing, Listing], foldIn: Fold['foldIn']): number {
  const [m, n] = train.shape;
  const isKnown = { rows: new Uint8Array(m), columns: new Uint8Array(n) };
  for (const side of ['rows', 'columns'] as const) {
    for (const member of train[side]) isKnown[side][member] = 1;
    if (foldIn === side) for (const member of known[side]) isKnown[side][member] = 1;
  }
  let cold = 0;
  test.rows.forEach((row, t) => {
    if (isKnown.rows[row] !== 1 || isKnown.columns[test.columns[t] as number] !== 1) cold++;
  });
  return cold;
}

/** Those that `option` named, or the standard ones. @throws HadamardError `invalid-option` */
export function settleMetrics(
  options: FactorizeOptions,
  names: readonly string[] | undefined,
  option: 'metrics' | 'metric' = 'metrics',
): Metric[] {
  if (names !== undefined) return parseMetrics(names, option);
  const tool: Tool | undefined = options.like && tools[options.like];
  if (options.background !== undefined || tool?.background) return parseMetrics(['ndcg@10', 'recall@20']);
  return parseMetrics(options.weights === undefined ? ['rmse', 'mae'] : ['weighted-rmse', 'rmse', 'mae']);
}
