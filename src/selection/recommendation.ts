/** Which rank and λ the errors of a search speak for, and why. */
import { summary } from './summary.js';

/** The errors of one rank and λ over the folds. */
export interface Cell {
  readonly rank: number;
  readonly lambda: number;
  /** Mean of the metric over the folds, and its standard error sd/√folds. */
  readonly mean: number;
  readonly standardError: number;
  /** Of each fold. */
  readonly errors: readonly number[];
  /** Mean sweeps of a fold's fit. */
  readonly sweeps: number;
}

export interface TuneChoice {
  /** Of least error. */
  readonly best: Cell;
  /** By the one-standard-error rule: the simplest whose error is within one standard error of the least. */
  readonly recommended: Cell;
  readonly reason: string;
}

/** @param sign 1 where less is better, −1 where more is. */
export function recommend(
  cells: readonly Cell[],
  {
    metric,
    sign,
    ranks,
    lambdas,
  }: { metric: string; sign: 1 | -1; ranks: readonly number[]; lambdas: readonly number[] },
): TuneChoice {
  const best = cells.reduce((least, cell) => (sign * cell.mean < sign * least.mean ? cell : least));
  const limit = sign * best.mean + best.standardError;
  const recommended = cells
    .filter(({ mean }) => sign * mean <= limit)
    .reduce((simple, cell) =>
      cell.rank < simple.rank || (cell.rank === simple.rank && cell.lambda > simple.lambda) ? cell : simple,
    );
  const told = (value: number) => Number(value.toPrecision(5)).toString();
  const spread = Number(best.standardError.toPrecision(2));
  const least = sign === 1 ? 'least' : 'largest';
  const sentences = [
    recommended === best
      ? `Rank ${best.rank} with λ = ${best.lambda} has the ${least} ${metric}, ${told(best.mean)} ± ${spread}, and no smaller rank or larger λ comes within one standard error of it.`
      : `Rank ${recommended.rank} with λ = ${recommended.lambda} is the simplest, the smallest rank and then the largest λ, whose ${metric} of ${told(recommended.mean)} is within one standard error (${spread}) of the ${least}, ${told(best.mean)} of rank ${best.rank} with λ = ${best.lambda}.`,
  ];
  if (best.lambda === lambdas.at(-1) && lambdas.length > 1)
    sentences.push('The smallest λ has the least error: smaller ones may do better.');
  if (best.lambda === lambdas[0] && lambdas.length > 1)
    sentences.push('The largest λ has the least error: larger ones may do better.');
  if (best.rank === ranks.at(-1) && ranks.length > 1)
    sentences.push('The largest rank has the least error: larger ones may do better.');
  return { best, recommended, reason: sentences.join(' ') };
}

/**
 * Whether a cell's error lies above that of another by more than twice the standard error of both that other and their difference,
 * fold by fold.
 */
export function isClearlyWorse(cell: Cell, than: Cell, sign: 1 | -1): boolean {
  const { mean, standardError } = summary(cell.errors.map((error, f) => sign * (error - (than.errors[f] as number))));
  return mean > 2 * Math.max(standardError ?? 0, than.standardError);
}
