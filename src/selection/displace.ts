/** Displacement (DISP) of a non-negative model, and displacement within bootstrap runs (BS-DISP). */
import ndarray from 'ndarray';
import type { MatrixInput } from '../data/input.js';
import { asInput, type Listing } from '../data/listing.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { quantileOf } from '../metrics/quantile.js';
import type { BootstrapDisplacementReport, DisplacementReport } from '../model/factorUncertainty.js';
import type { Model } from '../model/model.js';
import { overRuns, type ResampleOptions, resample, resampleNames, settleResampling } from './bootstrap.js';
import { type Displacement, type DisplacementBase, displaceElement, squaresOf } from './displacement.js';
import { matchFactors, sourcesOf } from './factorMatching.js';
import { allOrFirstError, type Fit, withFits } from './fits.js';
import { refused } from './refused.js';
import { openProblem, type SourceOptions } from './sourceProblem.js';

export interface DisplaceOptions extends SourceOptions {
  /** dQmax, rising. Default 4, 8, 15 and 25. */
  readonly levels?: readonly number[] | undefined;
  /** Columns of A to displace. Default all. */
  readonly columns?: readonly number[] | undefined;
}

export interface BootstrapDisplaceOptions extends DisplaceOptions, ResampleOptions {}

/**
 * For each element of each profile the values, at contributions of mean 1, at which Q has risen by dQmax with all else
 * fitted again: 4 is about what 95 % of normal errors allow one element, and the larger ones are for the errors that
 * uncertainties do not know. Factors that change places on the way are counted (P. Paatero, S. Eberly, S. G. Brown &
 * G. A. Norris, Atmos. Meas. Tech. 7 (2014); US EPA PMF 5.0 User Guide). The same for every number of threads.
 *
 * @param A the data of the fit, m×n.
 * @throws HadamardError `incompatible-options` for a model that is not non-negative or has more than weighted squares,
 *   `invalid-option`, `shape-mismatch`, and as `factorize`; `AbortError` when `signal` was aborted.
 */
export async function displace(
  A: MatrixInput,
  model: Model,
  options: DisplaceOptions = {},
): Promise<DisplacementReport> {
  const { listing, options: plain, threshold } = openProblem(A, model, options, ['levels', 'columns'], true);
  const { levels, columns } = settleDisplacement(options, model, [4, 8, 15, 25]);
  const of = 2 * model.rank * columns.length;
  return withFits(listing, plain, of, async (fit) => {
    const base = await refit(fit, () => listing, plain, model);
    let done = 0;
    const moves = await displaceAll(fit, base, plain, columns, levels, threshold, () =>
      options.onProgress?.({ done: ++done, of }),
    );
    const fall = Math.max(squaresOf(listing, model) - base.Q, 0);
    return { objective: base.Q, ...gathered(moves, base, columns, levels, fall) };
  });
}

/**
 * {@link bootstrap}, and {@link displace} of every run whose factors are each one of the model's: the bounds are those within which
 * the bounds of 90 % of the runs lie.
 *
 * @throws HadamardError as both.
 */
export async function bootstrapDisplace(
  A: MatrixInput,
  model: Model,
  options: BootstrapDisplaceOptions = {},
): Promise<BootstrapDisplacementReport> {
  const names = [...resampleNames, 'levels', 'columns'];
  const { listing, options: plain, threshold } = openProblem(A, model, options, names, true);
  const resampling = settleResampling(options, listing);
  const { levels, columns } = settleDisplacement(options, model, [0.5, 1, 2, 4]);
  const { runs } = resampling;
  const results = await withFits(listing, plain, 2 * model.rank * columns.length * runs, (fit) =>
    overRuns(listing, resampling, options.onProgress, async (rows) => {
      const base = await refit(fit, () => resample(listing, rows), plain, model);
      const mapped = matchFactors(base.U, model.U, rows, threshold);
      const isOneToOne = !mapped.includes(-1) && new Set(mapped).size === mapped.length;
      const moves = isOneToOne ? await displaceAll(fit, base, plain, columns, levels, threshold, () => undefined) : [];
      return { isOneToOne, mapped, report: gathered(moves, base, columns, levels, 0) };
    }),
  );
  const accepted = results.filter(({ isOneToOne }) => isOneToOne);
  // In the model's order of factors.
  const bound = (of: 'lower' | 'upper', share: number) =>
    levels.map((_, level) =>
      Array.from({ length: model.rank }, (_, p) =>
        columns.map((_, j) => {
          const all = accepted.map(({ mapped, report }) => report[of][level]?.[mapped.indexOf(p)]?.[j] ?? null);
          return all.length === 0 || all.includes(null) ? null : quantileOf(all as number[], share);
        }),
      ),
    );
  return {
    runs,
    accepted: accepted.length,
    levels,
    columns,
    largestFall: Math.max(0, ...accepted.map(({ report }) => report.largestFall)),
    swaps: levels.map((_, level) =>
      Array.from({ length: model.rank }, (_, p) =>
        accepted.reduce((sum, { mapped, report }) => sum + (report.swaps[level]?.[mapped.indexOf(p)] ?? 0), 0),
      ),
    ),
    profiles: sourcesOf(model).profiles,
    lower: bound('lower', 0.05),
    upper: bound('upper', 0.95),
  };
}

/** As the model's fit goes on from its V, to the end, contributions brought to mean 1. */
async function refit(
  fit: Fit,
  drawn: () => Listing,
  options: FactorizeOptions,
  model: Model,
): Promise<DisplacementBase> {
  const toTheEnd = { maxSweeps: 5000, tolerance: 1e-8, init: { V: model.V } };
  const fitted = await fit(() => ({ ...options, ...asInput(drawn()), ...toTheEnd }));
  const listing = drawn();
  const { means } = sourcesOf(fitted);
  const k = fitted.rank;
  const scaled = (data: ArrayLike<number>, shape: number[], by: (c: number) => number) =>
    ndarray(
      Float64Array.from({ length: data.length }, (_, t) => (data[t] as number) * by(t % k)),
      shape,
    );
  return {
    listing,
    U: scaled(fitted.U.data, fitted.U.shape, (c) => 1 / ((means[c] as number) || 1)),
    V: scaled(fitted.V.data, fitted.V.shape, (c) => means[c] as number),
    Q: squaresOf(listing, fitted),
  };
}

function displaceAll(
  fit: Fit,
  base: DisplacementBase,
  options: FactorizeOptions,
  columns: readonly number[],
  levels: readonly number[],
  threshold: number,
  onDone: () => void,
): Promise<Displacement[]> {
  const k = base.V.shape[1] as number;
  const work = Array.from({ length: k }, (_, factor) =>
    columns.flatMap((column) =>
      ([-1, 1] as const).map(async (direction) => {
        const moved = await displaceElement(fit, base, options, factor, column, direction, levels, threshold);
        onDone();
        return moved;
      }),
    ),
  );
  return allOrFirstError(work.flat());
}

function gathered(
  moves: readonly Displacement[],
  base: DisplacementBase,
  columns: readonly number[],
  levels: readonly number[],
  fall: number,
): Omit<DisplacementReport, 'objective'> {
  const { profiles } = sourcesOf(base);
  const place = new Map(columns.map((column, at) => [column, at]));
  const bounds = (direction: 1 | -1) =>
    levels.map((_, level) => {
      const rows = profiles.map(() => new Array<number | null>(columns.length).fill(null));
      for (const move of moves)
        if (move.direction === direction)
          (rows[move.factor] as (number | null)[])[place.get(move.column) as number] = move.reached[level] ?? null;
      return rows;
    });
  return {
    levels,
    columns,
    largestFall: Math.max(fall, ...moves.map((move) => move.fall)),
    swaps: levels.map((_, level) =>
      profiles.map((_, c) => moves.filter((move) => move.swapped[level]?.includes(c)).length),
    ),
    profiles,
    lower: bounds(-1),
    upper: bounds(1),
  };
}

/** @throws HadamardError `invalid-option` */
function settleDisplacement(options: DisplaceOptions, { shape: [, n] }: Model, standard: readonly number[]) {
  const { levels = standard } = options;
  const columns = options.columns ?? Array.from({ length: n }, (_, j) => j);
  const isRising = (t: number) => t === 0 || (levels[t] as number) > (levels[t - 1] as number);
  if (
    !(Array.isArray(levels) && levels.length > 0 && levels.every((x, t) => Number.isFinite(x) && x > 0 && isRising(t)))
  )
    throw refused('levels', levels, 'a list of numbers above 0 that rise');
  const isColumn = (j: number) => Number.isInteger(j) && j >= 0 && j < n;
  if (!(Array.isArray(columns) && columns.every(isColumn) && new Set(columns).size === columns.length))
    throw refused('columns', columns, `a list of columns 0…${n - 1}, each once`);
  return { levels, columns };
}
