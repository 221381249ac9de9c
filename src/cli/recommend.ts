/** `hadamard recommend` */
import { shapeOf, visitEntries } from '../data/entries.js';
import { readTable } from '../formats/readTable.js';
import { HadamardError, loadModel, type Model } from '../index.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { coldAnswer, indexNamed, rowOf, unknown } from './names.js';
import { matchLabels } from './problem.js';
import { grid, printable, real } from './render.js';

export interface RecommendFlags {
  readonly row: string;
  readonly top?: string;
  readonly exclude?: string;
  readonly columns?: string;
  readonly table?: true;
  readonly json?: true;
}

export async function recommend(directory: string, flags: RecommendFlags): Promise<ExitCode> {
  const model = await loadModel(directory);
  const row = rowOf(model, flags.row);
  const exclude = flags.exclude === undefined ? [] : await columnsListed(model, row, flags.exclude, flags);
  const best = model.recommend(row, { top: Number(flags.top ?? 10), exclude });
  if (isUnobserved(model, row))
    process.stderr.write(`Row ${printable(flags.row)} had no observation of positive weight: ${coldAnswer(model)}\n`);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, row: flags.row, recommendations: best })}\n`);
    return 0;
  }
  const rows = best.map(({ column, label, prediction }, rank) => [
    String(rank + 1),
    printable(label ?? String(column)),
    real(prediction),
  ]);
  process.stdout.write(
    `${grid(['', model.labels.columns ? 'column' : 'column (from 0)', 'prediction'], rows, process.stdout)}\n`,
  );
  return 0;
}

/**
 * The model's columns that a file lists for a row, whatever their values. A file of names is matched by label, or read as
 * indices from 0 where the model has no labels; a file of positions has the model's shape.
 *
 * @throws HadamardError as the reader; `shape-mismatch`.
 */
async function columnsListed(model: Model, row: number, path: string, flags: RecommendFlags): Promise<Set<number>> {
  const names = columnNames(flags.columns);
  const weights = names?.length === 3 ? false : 'optional';
  const { matrix, labels } = await readTable(path, { columns: names, table: flags.table, weights });
  const [m, n] = model.shape;
  const shape = shapeOf(matrix);
  if (!labels && (shape[0] !== m || shape[1] !== n))
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} is ${shape[0]}×${shape[1]} and the model ${m}×${n}.`,
      position: { option: 'exclude', file: path },
      rule: 'A file without labels is matched by position, so it has the shape of the model.',
      remedy: 'Give the A of the fit, or a .csv that names rows and columns.',
    });
  const rows = labels && indicesOf(labels.rows, model.labels.rows, m);
  const columns = labels && indicesOf(labels.columns, model.labels.columns, n);
  const listed = new Set<number>();
  visitEntries(matrix, undefined, (i, j) => {
    if ((rows ? rows[i] : i) === row) listed.add(columns ? (columns[j] as number) : j);
  });
  listed.delete(unknown);
  return listed;
}

/** A row without weight has the factor 0. */
function isUnobserved({ U, rank }: Model, row: number): boolean {
  return U.data.subarray(row * rank, (row + 1) * rank).every((value) => value === 0);
}

function indicesOf(names: readonly string[], labels: readonly string[] | undefined, count: number): Int32Array {
  return labels ? matchLabels(names, labels) : Int32Array.from(names, (name) => indexNamed(name, count) ?? unknown);
}
