/** A saved model as the start of a fit, its rows and columns found in the data by name. */
import { shapeOf } from '../data/entries.js';
import { HadamardError } from '../errors.js';
import type { Init } from '../factorize/factorizeOptions.js';
import { warmStart } from '../factorize/warmStart.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { Side } from '../parallel/layout.js';
import { placesIn, unknown } from './names.js';
import type { Problem } from './problem.js';

/**
 * By label, or by position where neither has labels; what the model does not have begins at random.
 *
 * @throws HadamardError as `loadModel`; `shape-mismatch` where one has labels and the other has not, `not-found` where they
 *   have none in common.
 */
export async function readWarmStart(
  directory: string,
  problem: Problem,
  rank: number,
): Promise<{ init: Init; notes: string[] }> {
  const model = await loadModel(directory);
  const places = {
    rows: placesOf(model, problem, 'rows', directory),
    columns: placesOf(model, problem, 'columns', directory),
  };
  const known = (list: Int32Array) => list.reduce((sum, place) => sum + (place >= 0 ? 1 : 0), 0);
  const [rows, columns] = [known(places.rows), known(places.columns)];
  if (columns === 0 || rows === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `${directory} has none of the ${rows === 0 ? 'rows' : 'columns'} of the data.`,
      position: { option: 'warmStart', file: directory },
      rule: 'Rows and columns of the model are found in the data by their labels.',
      remedy: 'Check that the model was fitted to data of the same names, rows first.',
    });
  const notes =
    rows === places.rows.length && columns === places.columns.length
      ? []
      : [
          `${rows} of ${places.rows.length} rows and ${columns} of ${places.columns.length} columns begin where ${directory} ends, the others at random.`,
        ];
  return { init: warmStart(model, rank, places), notes };
}

function placesOf(model: Model, { A, labels }: Problem, side: Side, directory: string): Int32Array {
  const known = model.labels[side];
  const names = labels?.[side];
  const axis = side === 'rows' ? 0 : 1;
  if (names && known) return placesIn(model, side, names);
  if (!names && !known)
    return Int32Array.from({ length: shapeOf(A)[axis] }, (_, i) => (i < model.shape[axis] ? i : unknown));
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `${known ? directory : 'The data'} names its ${side} and ${known ? 'the data does not' : `${directory} does not`}.`,
    position: { option: 'warmStart', file: directory },
    rule: 'A model is matched to data by labels, or by position where neither has any.',
    remedy: 'Give data of the kind that the model was fitted to.',
  });
}
