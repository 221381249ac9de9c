/** The problem that a non-negative model was fitted to, for the many fits of bootstrap and displacement. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput } from '../data/input.js';
import { type Listing, listEntries } from '../data/listing.js';
import { HadamardError } from '../errors.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { fitOptionsOf } from '../factorize/modelProblem.js';
import { checkModel } from '../model/checkModel.js';
import type { Model } from '../model/model.js';
import { checkHandlers, checkNames } from '../options.js';
import { squaresOf } from './displacement.js';
import { refused } from './refused.js';

/** What all of these take. */
export interface SourceOptions
  extends Pick<FactorizeOptions, 'weights' | 'threads' | 'memoryLimit' | 'signal' | 'workerUrl' | 'wasmUrl'> {
  /** The correlation of contributions from which on a factor is one of the model's. Default 0.6. */
  readonly threshold?: number | undefined;
  /** After each fit that belongs to the result. */
  readonly onProgress?: ((progress: { readonly done: number; readonly of: number }) => void) | undefined;
}

const shared = [
  'weights',
  'threshold',
  'threads',
  'memoryLimit',
  'signal',
  'workerUrl',
  'wasmUrl',
  'onProgress',
] as const;

export interface SourceProblem {
  readonly listing: Listing;
  /** As the model was fitted. */
  readonly options: FactorizeOptions;
  readonly threshold: number;
}

/**
 * @param names options beside the shared ones.
 * @throws HadamardError `incompatible-options`, `shape-mismatch`, `invalid-option`, and as `factorize` for bad data.
 */
export function openProblem(
  A: MatrixInput,
  model: Model,
  given: SourceOptions,
  names: readonly string[],
  isPlain: boolean,
): SourceProblem {
  checkModel(model);
  checkNames(given, [...shared, ...names]);
  checkHandlers(given);
  checkSources(model, isPlain);
  const [m, n] = shapeOf(A);
  if (m !== model.shape[0] || n !== model.shape[1])
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The data is ${m}×${n} and the model ${model.shape.join('×')}.`,
      rule: 'The uncertainty of a model is that under the data it was fitted to.',
      remedy: 'Give A as it was fitted.',
    });
  const { threshold = 0.6 } = given;
  if (!(threshold >= -1 && threshold <= 1)) throw refused('threshold', threshold, 'a correlation, −1 … 1');
  const listing = listEntries(A, given.weights, model.fit.options.duplicates);
  checkLoss(listing, model);
  const { intervals: _intervals, ...options } = fitOptionsOf(model);
  const { threads, memoryLimit, signal, workerUrl, wasmUrl } = given;
  const computing = Object.entries({ threads, memoryLimit, signal, workerUrl, wasmUrl });
  const said = Object.fromEntries(computing.filter(([, value]) => value !== undefined));
  // How many threads there are is this call's to say, not the fit's.
  return {
    listing,
    threshold,
    options: { ...options, threads: undefined, ...said, dtype: 'f64', acceleration: 'anderson' },
  };
}

/** Other data, or other weights, would be fitted without a word. */
function checkLoss(listing: Listing, model: Model): void {
  const { loss, options, updates } = model.fit;
  if (options.loss !== 'quadratic' || options.background || updates) return;
  const squares = squaresOf(listing, model);
  if (Math.abs(squares - loss) <= 1e-3 * Math.max(squares, loss)) return;
  throw new HadamardError({
    code: 'invalid-input',
    what: `Σ W²r² of this data is ${squares.toPrecision(6)}, and that of the fit was ${loss.toPrecision(6)}.`,
    rule: 'The uncertainty of a model is that under the data and the weights it was fitted to.',
    remedy: 'Give A and its weights as they were fitted.',
  });
}

/** Non-negative factors mean what they are; `isPlain` asks for weighted squares alone. */
function checkSources({ fit: { options } }: Model, isPlain: boolean): void {
  const { bounds, hold, biases, background, loss, lambdaRows, lambdaColumns, l1Rows, l1Columns } = options;
  const isNonnegative = [bounds?.rows, bounds?.columns].every((side) => side?.[0] === 0 && side[1] === null);
  const what = !isNonnegative
    ? 'The factors are not kept non-negative.'
    : hold || biases !== 'none' || background
      ? 'The model has held entries, biases or a background.'
      : isPlain && (loss !== 'quadratic' || lambdaRows + lambdaColumns + l1Rows + l1Columns > 0)
        ? 'The objective is more than weighted squares.'
        : undefined;
  if (what === undefined) return;
  throw new HadamardError({
    code: 'incompatible-options',
    what,
    rule: `Bootstrap and displacement are of non-negative factors alone${isPlain ? ', displacement of weighted squares' : ''}: U, V ≥ 0 and nothing beside.`,
    remedy: 'Fit with preset pmf or nmf; for other models fit with intervals.',
  });
}
