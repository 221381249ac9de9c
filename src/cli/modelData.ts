/** New data for a model: a file's rows as they come, its columns where the model has them. */
import { shapeOf, visitEntries } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { Side } from '../parallel/layout.js';
import { asInFile } from './inFile.js';
import { placesIn, unknown } from './names.js';
import { type DataRequest, type Problem, readProblem } from './problem.js';

export interface ModelData {
  /** m'×n, or m×n' of new columns. */
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  /** Names of the new rows in the file, where it has names. */
  readonly names: readonly string[] | undefined;
  readonly count: number;
  /** Where the file's columns stand in the model, {@link unknown} where they do not; undefined: at the same index. */
  readonly places: Int32Array | undefined;
  readonly notes: readonly string[];
  readonly problem: Problem;
}

/**
 * Reads A and its weights, and brings its columns (of new columns: its rows) to the model's: by label, by written index where
 * the model has no labels, else by position. Those that the model does not have are reported and left out.
 *
 * @param given what --side says; undefined where the command has no such flag and takes rows.
 * @throws HadamardError as the readers; `not-found` where the file and the model have none in common, `shape-mismatch`.
 */
export async function readModelData(model: Model, request: DataRequest, given?: Side): Promise<ModelData> {
  const side = given ?? 'rows';
  const problem = await readProblem(request);
  const notes = [...problem.notes, ...problem.warnings];
  const other = side === 'rows' ? 'columns' : 'rows';
  const names = problem.labels?.[side];
  const shape = shapeOf(problem.A);
  const count = shape[side === 'rows' ? 0 : 1];
  const places = placesOf(model, problem, other, request.path);
  if (!places) return { A: problem.A, weights: problem.weights, names, count, places, notes, problem };
  const labels = problem.labels?.[other] as readonly string[];
  const strangers = labels.filter((_, i) => places[i] === unknown);
  if (strangers.length === labels.length)
    throw new HadamardError({
      code: 'not-found',
      what: `The model has none of the ${labels.length} ${other} of ${request.path}, such as "${labels[0]}".`,
      position: { file: request.path },
      rule: `${other[0]?.toUpperCase()}${other.slice(1)} are matched by name${model.labels[other] ? `; the model's are such as "${model.labels[other][0]}"` : ''}.`,
      remedy: `Check that rows and columns stand as in the fit, and --columns names them in that order.${given ? ` New ${other} are given with --side ${other}.` : ''}`,
    });
  if (strangers.length > 0)
    notes.push(
      `${request.path}: ${strangers.length} of ${labels.length} ${other} are not in the model and are left out: ${strangers.slice(0, 3).join(', ')}${strangers.length > 3 ? ', …' : ''}.`,
    );
  const { A, weights } = placed(problem, places, side, [...model.shape], count, request.path);
  return { A, weights, names, count, places, notes, problem };
}

/** Where the file's columns stand in the model; undefined: at the same index. */
function placesOf(model: Model, { labels: own, A }: Problem, side: Side, path: string): Int32Array | undefined {
  const [labels, known] = [own?.[side], model.labels[side]];
  const size = model.shape[side === 'rows' ? 0 : 1];
  if (labels) return placesIn(model, side, labels);
  if (!known && shapeOf(A)[side === 'rows' ? 0 : 1] === size) return undefined;
  throw new HadamardError({
    code: 'shape-mismatch',
    what: known
      ? `The model names its ${side} and ${path} does not.`
      : `${path} has ${shapeOf(A)[side === 'rows' ? 0 : 1]} ${side} and the model ${size}.`,
    position: { file: path },
    rule: 'Files with names are matched by name, others by position, for which both have the same number.',
    remedy: 'Give a .csv with names, or a file of that size.',
  });
}

function placed(
  { A, weights, labels, lineOf }: Problem,
  places: Int32Array,
  side: Side,
  shape: [number, number],
  count: number,
  path: string,
): { A: MatrixInput; weights: WeightsInput | undefined } {
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  const squareRoots: number[] = [];
  try {
    visitEntries(
      A,
      weights,
      (i, j, value, weight) => {
        const [row, column] = side === 'rows' ? [i, places[j] as number] : [places[i] as number, j];
        if (row === unknown || column === unknown) return;
        rows.push(row);
        columns.push(column);
        values.push(value);
        squareRoots.push(weight);
      },
      true,
    );
  } catch (error) {
    throw asInFile(error, path, { labels, lineOf });
  }
  shape[side === 'rows' ? 0 : 1] = count;
  return {
    A: { rows: Uint32Array.from(rows), columns: Uint32Array.from(columns), values: Float64Array.from(values), shape },
    weights: weights && { sqrtWeight: Float64Array.from(squareRoots) },
  };
}
