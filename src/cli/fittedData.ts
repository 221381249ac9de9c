/** The A of a fit and its weights, read again for the model that came of it. */
import { shapeOf, visitEntries } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { Model } from '../model/model.js';
import { columnNames } from './flags.js';
import { placesIn, unknown } from './names.js';
import { type DataRequest, type Problem, readProblem } from './problem.js';
import type { ProgressLine } from './progress.js';
import { withReceptorRules } from './receptorRules.js';

export interface Fitted {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
}

/**
 * At the model's rows and columns; what is to be said about the files is said.
 *
 * @throws HadamardError as the readers; `shape-mismatch`; `not-found` where no entry belongs to the model.
 */
export async function readFitted(
  model: Model,
  request: DataRequest,
  { note, warn }: ProgressLine,
): Promise<Fitted & { readonly problem: Problem }> {
  const problem = await readProblem(request);
  for (const text of problem.notes) note(text);
  for (const text of problem.warnings) warn(text);
  return { ...inModel(model, problem, request.path, note), problem };
}

/**
 * A and its weights at the model's rows and columns: by label where both have labels, else by position.
 *
 * @throws HadamardError `shape-mismatch`; `not-found` where no entry belongs to the model.
 */
function inModel(model: Model, problem: Problem, path: string, note: (text: string) => void): Fitted {
  const { A, labels } = problem;
  const [m, n] = model.shape;
  const weights = withReceptorRules(problem, rulesOf(model));
  const [rows, columns] = shapeOf(A);
  const own = model.labels;
  if (!labels || !own.rows || !own.columns) {
    if (rows === m && columns === n && !labels === !(own.rows || own.columns)) return { A, weights };
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} is ${rows}×${columns}${labels ? ' with labels' : ''} and the model ${m}×${n}${own.rows || own.columns ? ' with labels' : ''}.`,
      position: { file: path },
      rule: 'The A of the fit is matched to its model by label, or by position where neither has labels.',
      remedy: 'Give the A that was fitted, read as it was then (--table, --columns).',
    });
  }
  const rowAt = placesIn(model, 'rows', labels.rows);
  const columnAt = placesIn(model, 'columns', labels.columns);
  const listed = { rows: [] as number[], columns: [] as number[], values: [] as number[], roots: [] as number[] };
  let strangers = 0;
  visitEntries(A, weights, (row, column, value, weight) => {
    const [i, j] = [rowAt[row] as number, columnAt[column] as number];
    if (i === unknown || j === unknown) {
      strangers++;
      return;
    }
    listed.rows.push(i);
    listed.columns.push(j);
    listed.values.push(value);
    listed.roots.push(weight);
  });
  if (listed.values.length === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `No entry of ${path} names a row and a column of the model.`,
      position: { file: path },
      rule: 'The A of the fit is matched to its model by label, letter by letter.',
      remedy: 'Give the A that was fitted, read as it was then (--table, --columns).',
    });
  if (strangers > 0) note(`${path}: ${strangers} entries name a row or column that the model does not have; left out.`);
  return {
    A: {
      rows: Uint32Array.from(listed.rows),
      columns: Uint32Array.from(listed.columns),
      values: Float64Array.from(listed.values),
      shape: [m, n],
    },
    weights: weights && { sqrtWeight: Float64Array.from(listed.roots) },
  };
}

/** The rules for species that the fit's command gave: its weights were changed by them. */
function rulesOf({ run }: Model) {
  const text = (name: string) => {
    const value = run?.options[name];
    return value === undefined ? undefined : String(value);
  };
  const extra = text('extraUncertainty');
  return {
    weak: columnNames(text('weak')) ?? [],
    bad: columnNames(text('bad')) ?? [],
    total: text('total'),
    extra: extra === undefined ? undefined : Number(extra),
  };
}
