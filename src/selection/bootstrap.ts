/** Block bootstrap of a non-negative model: how far its profiles depend on which samples there were. */
import type { MatrixInput } from '../data/input.js';
import { asInput, gathered, type Listing } from '../data/listing.js';
import { quantileOf } from '../metrics/quantile.js';
import type { BootstrapReport } from '../model/factorUncertainty.js';
import type { Model } from '../model/model.js';
import { checkOption } from '../options.js';
import { bitsAt, streams } from '../starts/random.js';
import { matchFactors, sourcesOf } from './factorMatching.js';
import { allOrFirstError, withFits } from './fits.js';
import { refused } from './refused.js';
import { openProblem, type SourceOptions } from './sourceProblem.js';

export interface ResampleOptions extends SourceOptions {
  /** Default 100. */
  readonly runs?: number | undefined;
  /** Rows of a block: those that follow each other belong together, as hours do. Default the cube root of m. */
  readonly blockRows?: number | undefined;
  /** Of the blocks that are drawn. Default 1. */
  readonly seed?: number | undefined;
}

export const resampleNames = ['runs', 'blockRows', 'seed'] as const;

/**
 * Draws blocks of consecutive rows with replacement until there are as many rows as A has, fits them as the model was fitted,
 * from its V, and finds out which factor is which, as US EPA PMF 5 does (P. Paatero, S. Eberly, S. G. Brown & G. A. Norris,
 * Atmos. Meas. Tech. 7 (2014)). Profiles are at contributions of mean 1, in each run over its own rows.
 *
 * The result depends on the seed alone, not on the threads.
 *
 * @param A the data of the fit, m×n.
 * @throws HadamardError `incompatible-options` for a model that is not non-negative, `invalid-option`, `shape-mismatch`, and as
 *   `factorize`; `AbortError` when `signal` was aborted.
 */
export async function bootstrap(A: MatrixInput, model: Model, options: ResampleOptions = {}): Promise<BootstrapReport> {
  const { listing, options: fitOptions, threshold } = openProblem(A, model, options, resampleNames, false);
  const { runs, blockRows, seed } = settleResampling(options, listing);
  const results = await withFits(listing, fitOptions, runs, (fit) =>
    overRuns(listing, { runs, blockRows, seed }, options.onProgress, async (rows) => {
      const fitted = await fit(() => ({ ...fitOptions, ...asInput(resample(listing, rows)), init: { V: model.V } }));
      const { objective, status } = fitted.fit;
      return { objective, status, ...sourcesOf(fitted), mapped: matchFactors(fitted.U, model.U, rows, threshold) };
    }),
  );
  return { runs, blockRows, threshold, seed, ...summarized(model, results) };
}

interface RunResult {
  readonly objective: number;
  readonly status: string;
  readonly profiles: readonly (readonly number[])[];
  readonly mapped: readonly number[];
}

function summarized(model: Model, results: readonly RunResult[]) {
  const { rank } = model;
  const mapping = Array.from({ length: rank }, () => new Array<number>(rank).fill(0));
  const unmapped = new Array<number>(rank).fill(0);
  const found: (readonly number[])[][] = Array.from({ length: rank }, () => []);
  for (const { mapped, profiles } of results)
    mapped.forEach((base, c) => {
      if (base < 0) {
        unmapped[c] = (unmapped[c] as number) + 1;
        return;
      }
      const counts = mapping[c] as number[];
      counts[base] = (counts[base] as number) + 1;
      found[base]?.push(profiles[c] as readonly number[]);
    });
  const percentile = (share: number) =>
    found.map((profiles) =>
      Array.from({ length: model.shape[1] }, (_, j) =>
        quantileOf(
          profiles.map((profile) => profile[j] as number),
          share,
        ),
      ),
    );
  const objectives = results.map(({ objective }) => objective);
  return {
    converged: results.filter(({ status }) => status === 'converged').length,
    mapping,
    unmapped,
    objective: {
      lowest: quantileOf(objectives, 0),
      p25: quantileOf(objectives, 0.25),
      median: quantileOf(objectives, 0.5),
      p75: quantileOf(objectives, 0.75),
      highest: quantileOf(objectives, 1),
    },
    profiles: sourcesOf(model).profiles,
    percentiles: {
      p5: percentile(0.05),
      p25: percentile(0.25),
      p50: percentile(0.5),
      p75: percentile(0.75),
      p95: percentile(0.95),
    },
  };
}

/** @throws HadamardError `invalid-option` */
export function settleResampling(options: ResampleOptions, { shape: [m] }: Listing) {
  const { runs = 100, blockRows = Math.max(1, Math.round(Math.cbrt(m))), seed = 1 } = options;
  if (!(Number.isInteger(runs) && runs >= 1)) throw refused('runs', runs, 'an integer of at least 1');
  if (!(Number.isInteger(blockRows) && blockRows >= 1 && blockRows <= m))
    throw refused('blockRows', blockRows, `an integer from 1 to the ${m} rows`);
  checkOption('seed', seed);
  return { runs, blockRows, seed };
}

/** What `work` makes of the rows of each run. */
export function overRuns<T>(
  listing: Listing,
  { runs, blockRows, seed }: ReturnType<typeof settleResampling>,
  onProgress: SourceOptions['onProgress'],
  work: (rows: Uint32Array) => Promise<T>,
): Promise<T[]> {
  let done = 0;
  return allOrFirstError(
    Array.from({ length: runs }, async (_, run) => {
      const result = await work(drawRows(listing, blockRows, seed, run));
      onProgress?.({ done: ++done, of: runs });
      return result;
    }),
  );
}

/** The rows of a run, m of them: blocks from random places, the first row following the last. */
export function drawRows({ shape: [m] }: Listing, blockRows: number, seed: number, run: number): Uint32Array {
  return Uint32Array.from({ length: m }, (_, t) => {
    const start = bitsAt(seed, streams.bootstrap, run, Math.floor(t / blockRows)) % m;
    return (start + (t % blockRows)) % m;
  });
}

/** Row t of the result is row rows[t] of the listing. */
export function resample(listing: Listing, rows: Uint32Array): Listing {
  const starts = new Float64Array(listing.shape[0] + 1);
  for (const row of listing.rows) starts[row + 1] = (starts[row + 1] as number) + 1;
  for (let row = 0; row < listing.shape[0]; row++)
    starts[row + 1] = (starts[row + 1] as number) + (starts[row] as number);
  const from: number[] = [];
  const to: number[] = [];
  rows.forEach((row, t) => {
    for (let at = starts[row] as number; at < (starts[row + 1] as number); at++) {
      from.push(at);
      to.push(t);
    }
  });
  return { ...gathered(listing, Uint32Array.from(from)), rows: Uint32Array.from(to) };
}
