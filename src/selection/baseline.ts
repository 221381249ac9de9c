/** What a fold's metrics are taken of: a model, or what is known without one. */
import type { Listing } from '../data/listing.js';
import type { Model } from '../model/model.js';
import { predictEntry } from '../model/objective.js';

export interface Predictor {
  /** A prediction for each entry (rows[t], columns[t]). */
  predict(rows: Uint32Array, columns: Uint32Array): Float64Array;
  /** Columns of a row are ranked by it. */
  score(row: number, column: number): number;
}

export function predictorOf(model: Model): Predictor {
  return {
    predict: (rows, columns) => model.predict(rows, columns),
    score: (row, column) => predictEntry(model, row, column),
  };
}

/**
 * The mean ΣW²a/ΣW² of the training entries for every entry, and for every row the columns that have most of them first:
 * what a model has to beat.
 *
 * @param targets a of each training entry, as predictions are of it.
 */
export function baselineOf({ columns, weights, shape }: Listing, targets: Float64Array): Predictor {
  const popularity = new Uint32Array(shape[1]);
  let sum = 0;
  let total = 0;
  targets.forEach((target, t) => {
    const squared = weights ? (weights[t] as number) ** 2 : 1;
    sum += squared * target;
    total += squared;
    const column = columns[t] as number;
    if (squared > 0) popularity[column] = (popularity[column] as number) + 1;
  });
  return {
    predict: (rows) => new Float64Array(rows.length).fill(sum / total),
    score: (_row, column) => popularity[column] as number,
  };
}
