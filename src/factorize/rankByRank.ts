/**
 * A start for problems whose observations are few or whose singular values lie far apart, where alternating least squares from
 * random factors ends at factors that fit what is observed and nothing else. One latent column after the other: column s
 * begins as the leading singular pair of G = W∘W∘(A − X), X being the fit of rank s − 1, under a ridge on it alone that falls
 * from half of its singular value; the columns before it carry no penalty. Greedy rank updates after A. Uschmajew &
 * B. Vandereycken, Proc. NOLTA (2014); the falling ridge after R. Mazumder, T. Hastie & R. Tibshirani, JMLR 11 (2010).
 */
import ndarray from 'ndarray';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { asInput, type Listing, listEntries } from '../data/listing.js';
import { norm, scale } from '../kernels/vectors.js';
import type { Model } from '../model/model.js';
import type { CheckedOptions } from '../options.js';
import { Interrupted } from '../parallel/crew.js';
import { normalAt, streams } from '../starts/random.js';
import type { FactorizeOptions, Init } from './factorizeOptions.js';
import { type Hire, keepCrews } from './hireCrew.js';
import { warmStart } from './warmStart.js';

/** By what the ridge is divided from one stay to the next: the last column decides, and takes its time. */
const steps = { before: 2, last: 1.3 };
/** Sweeps at each ridge. */
const sweepsEach = 5;
/** The ridge begins at this share of the column's singular value, */
const firstShare = 0.5;
/** and ends at this share of the next one's, or, in the last column, of its own. */
const lastShares = { before: 0.02, last: 1e-4 };
const iterations = { first: 40, again: 15 };

/** A start, and what it took. */
export interface RankedStart {
  readonly init: Init;
  readonly sweeps: number;
  readonly seconds: number;
}

/** How a start was made, for the reason of a method. */
export const rankedInWords = ({ sweeps }: RankedStart) => `begun rank by rank, by ${sweeps} sweeps of its own`;

export interface RankByRankRequest {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  readonly checked: CheckedOptions;
  /** Of the fit that the start is for: its signal, and where its workers come from. */
  readonly options: FactorizeOptions;
  readonly hire: Hire;
  readonly fit: (hire: Hire, A: MatrixInput, options: FactorizeOptions) => Promise<Model>;
  readonly report: (progress: { sweep: number; seconds: number; objective: number }) => void;
}

/**
 * Where the time limit is over before the last column has its place, those that are missing are drawn at random.
 *
 * @throws HadamardError as `factorize`; Interrupted when the signal aborts.
 */
export async function startRankByRank({
  A,
  weights,
  checked,
  options: { signal, workerUrl, wasmUrl },
  hire,
  fit,
  report,
}: RankByRankRequest): Promise<RankedStart> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const listing = listEntries(A, weights, checked.duplicates === 'keep' ? 'last' : checked.duplicates);
  const input = asInput(listing);
  const { rank, seed, biases, biasLambda, threads, arithmetic, inline, memoryLimit } = checked;
  const common: Omit<FactorizeOptions, 'rank'> = {
    weights: input.weights,
    biases,
    biasLambda,
    method: 'als',
    dtype: 'f64',
    maxSweeps: sweepsEach,
    tolerance: 0,
    certificate: 'first-order',
    threads,
    arithmetic,
    inline,
    memoryLimit,
    signal,
    workerUrl,
    wasmUrl,
  };
  const { timeLimit = Number.POSITIVE_INFINITY } = checked;
  const crews = keepCrews(hire);
  let before: Model | undefined;
  let sweeps = 0;
  try {
    for (let column = 1; column <= rank; column++) {
      const { value, u, v } = leadingPair(listing, before, seed, column, iterations.first);
      // Where A is met to the last bit, what is left has no direction.
      if (!(value > 0)) break;
      let init: Init | Model = withColumn(before && warmStart(before, column), column, Math.sqrt(value), u, v);
      const kind = column === rank ? 'last' : 'before';
      for (let lambda = firstShare * value; seconds() < timeLimit; lambda /= steps[kind]) {
        const free = { lambda, ...(column > 1 && { freeColumns: column - 1 }) };
        before = init = await fit(crews.hire, input.A, { ...common, ...free, rank: column, init });
        if (before.fit.status === 'cancelled') throw new Interrupted();
        sweeps += before.fit.sweeps;
        report({ sweep: sweeps, seconds: seconds(), objective: before.fit.objective });
        const next = kind === 'last' ? value : leadingPair(listing, before, seed, column + 1, iterations.again).value;
        if (lambda < lastShares[kind] * next) break;
      }
    }
  } catch (error) {
    throw signal?.aborted ? new Interrupted() : error;
  } finally {
    await crews.release();
  }
  return { init: before ? warmStart(before, rank) : {}, sweeps, seconds: seconds() };
}

function withColumn(init: Init | undefined, rank: number, size: number, u: Float64Array, v: Float64Array): Init {
  const factor = (name: 'U' | 'V', column: Float64Array) => {
    const own = init?.[name] ?? ndarray(new Float64Array(column.length), [column.length, 1]);
    column.forEach((x, row) => {
      own.set(row, rank - 1, size * x);
    });
    return own;
  };
  return { ...init, U: factor('U', u), V: factor('V', v) };
}

/** The leading singular pair of G by power iteration on GᵀG; a value from below. */
function leadingPair(
  { rows, columns, values, weights, shape: [m, n] }: Listing,
  model: Model | undefined,
  seed: number,
  column: number,
  count: number,
): { readonly value: number; readonly u: Float64Array; readonly v: Float64Array } {
  const G = values.map((a, t) => {
    const w = weights ? (weights[t] as number) : 1;
    return w * w * (a - (model?.predict(rows[t] as number, columns[t] as number) ?? 0));
  });
  const u = new Float64Array(m);
  const v = Float64Array.from({ length: n }, (_, j) => normalAt(seed, streams.V, j, column));
  let value = 0;
  for (let i = 0; i < count; i++) {
    multiply(G, rows, columns, v, u);
    scale(u, 1 / (norm(u) || 1));
    multiply(G, columns, rows, u, v);
    value = norm(v);
    scale(v, 1 / (value || 1));
  }
  return { value, u, v };
}

/** to ← Σ_t G_t·from at the entry's other place, at its own. */
function multiply(G: Float64Array, own: Uint32Array, other: Uint32Array, from: Float64Array, to: Float64Array): void {
  to.fill(0);
  for (let t = 0; t < G.length; t++) {
    const at = own[t] as number;
    to[at] = (to[at] as number) + (G[t] as number) * (from[other[t] as number] as number);
  }
}
