/** `hadamard recommend` */
import { listedCount, shapeOf, visitEntries } from '../data/entries.js';
import type { Triples } from '../data/input.js';
import { csvField } from '../formats/csvWrite.js';
import { readTable } from '../formats/readTable.js';
import { replaceFile } from '../formats/replaceFile.js';
import {
  HadamardError,
  loadModel,
  type Model,
  type RecommendAllOptions,
  type RowRecommendations,
  recommendEach,
} from '../index.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { coldAnswer, indexNamed, rowOf, unknown } from './names.js';
import { checkOutputFile } from './output.js';
import { matchLabels } from './problem.js';
import { type ProgressLine, progressLine } from './progress.js';
import { readNames } from './readNames.js';
import { bold, grid, printable, rate, real } from './render.js';
import { onInterrupt } from './signals.js';

export interface RecommendFlags {
  readonly row?: readonly string[];
  readonly rows?: string;
  readonly all?: true;
  readonly top?: string;
  readonly exclude?: string;
  readonly only?: string;
  readonly without?: string;
  readonly columns?: string;
  readonly table?: true;
  readonly threads?: string;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function recommend(directory: string, flags: RecommendFlags): Promise<ExitCode> {
  const { row: named, out = '-' } = flags;
  checkWhich(flags);
  await checkOutputFile(out);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  const model = await loadModel(directory);
  const cancel = new AbortController();
  const release = onInterrupt(() => cancel.abort());
  try {
    const options = { ...(await optionsOf(model, flags, line)), signal: cancel.signal };
    if (named && out === '-' && !flags.json) await printTables(model, options, line);
    else await replaceFile(out, linesOf(model, options, line, flags));
    return 0;
  } finally {
    line.end();
    release();
  }
}

/** @throws HadamardError `invalid-option` unless one of --row, --rows and --all is given. */
function checkWhich({ row, rows, all }: RecommendFlags): void {
  if ([row, rows, all].filter((given) => given !== undefined).length === 1) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: row || rows || all ? 'More than one of --row, --rows and --all is given.' : 'No row is given.',
    position: { option: 'row' },
    rule: 'Rows are named by --row, which may be repeated, listed in a file by --rows, or all by --all.',
    remedy: 'Give one of the three.',
  });
}

async function optionsOf(model: Model, flags: RecommendFlags, line: ProgressLine): Promise<RecommendAllOptions> {
  line.stage('reading …');
  const list = async (side: 'rows' | 'columns', option: 'rows' | 'only' | 'without') => {
    const path = flags[option];
    if (path === undefined) return undefined;
    const { indices, notes } = await readNames(model, side, path, option);
    for (const note of notes) line.note(note);
    return indices;
  };
  return {
    rows: flags.row?.map((name) => rowOf(model, name)) ?? (await list('rows', 'rows')),
    top: Number(flags.top ?? 10),
    exclude: flags.exclude === undefined ? undefined : await entriesListed(model, flags.exclude, flags),
    only: await list('columns', 'only'),
    without: await list('columns', 'without'),
    ...(flags.threads !== undefined && { threads: Number(flags.threads) }),
  };
}

async function printTables(model: Model, options: RecommendAllOptions, line: ProgressLine): Promise<void> {
  const { stdout } = process;
  const isAlone = options.rows?.length === 1;
  for await (const answer of recommendEach(model, options)) {
    line.end();
    const name = printable(nameOf(answer));
    if (answer.unobserved) line.note(`Row ${name} had no observation of positive weight: ${coldAnswer(model)}`);
    if (answer.missing) line.note(`Row ${name}: ${answer.missing}`);
    const rows = answer.recommendations.map(({ column, label, prediction }, rank) => [
      String(rank + 1),
      printable(label ?? String(column)),
      real(prediction),
    ]);
    const table = grid(['', model.labels.columns ? 'column' : 'column (from 0)', 'prediction'], rows, stdout);
    stdout.write(isAlone ? `${table}\n` : `${bold(name, stdout)}\n${table}\n\n`);
  }
}

/** Text comes in pieces of about so many characters. */
const pieceLength = 65536;

/** CSV, or JSON lines, piece by piece; what rows are missing or unobserved is said at the end. */
async function* linesOf(
  model: Model,
  options: RecommendAllOptions,
  line: ProgressLine,
  { out = '-', json, all, rows }: RecommendFlags,
): AsyncGenerator<string> {
  const isJson = json === true || /\.jsonl$/i.test(out);
  let text = isJson ? '' : 'row,rank,column,prediction\n';
  let short = 0;
  let unobserved = 0;
  let reason = '';
  const onProgress: RecommendAllOptions['onProgress'] = ({ rows: done, of, seconds }) =>
    line.advance(`${done}/${of} rows  ${rate(done / seconds)} rows/s`, seconds);
  for await (const answer of recommendEach(model, { ...options, onProgress })) {
    text += isJson ? jsonLine(answer) : csvLines(answer);
    if (answer.missing) reason ||= `${printable(nameOf(answer))}: ${answer.missing}`;
    short += answer.missing ? 1 : 0;
    unobserved += answer.unobserved ? 1 : 0;
    if (text.length < pieceLength) continue;
    yield text;
    text = '';
  }
  yield text;
  if (!all && !rows) return;
  if (short > 0) line.note(`${short} rows have fewer than ${options.top} columns, the first of them ${reason}`);
  if (unobserved > 0) line.note(`${unobserved} rows had no observation of positive weight: ${coldAnswer(model)}`);
}

function nameOf({ row, label }: RowRecommendations): string {
  return label ?? String(row);
}

function jsonLine(answer: RowRecommendations): string {
  const { row: _row, label: _label, recommendations, ...rest } = answer;
  return `${JSON.stringify({ schema: 1, row: nameOf(answer), recommendations, ...rest })}\n`;
}

function csvLines(answer: RowRecommendations): string {
  const row = csvField(nameOf(answer));
  let text = '';
  answer.recommendations.forEach(({ column, label, prediction }, rank) => {
    text += `${row},${rank + 1},${csvField(label ?? String(column))},${prediction}\n`;
  });
  return text;
}

/**
 * The entries that a file lists, whatever their values, where the model has them. A file of names is matched by label, or
 * read as indices from 0 where the model has no labels; a file of positions has the model's shape.
 *
 * @throws HadamardError as the reader; `shape-mismatch`.
 */
async function entriesListed(model: Model, path: string, flags: RecommendFlags): Promise<Triples> {
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
  const rowOfName = labels && indicesOf(labels.rows, model.labels.rows, m);
  const columnOfName = labels && indicesOf(labels.columns, model.labels.columns, n);
  const most = listedCount(matrix);
  const rows = new Int32Array(most);
  const columns = new Int32Array(most);
  let count = 0;
  visitEntries(matrix, undefined, (i, j) => {
    rows[count] = rowOfName ? (rowOfName[i] as number) : i;
    columns[count] = columnOfName ? (columnOfName[j] as number) : j;
    if (rows[count] !== unknown && columns[count] !== unknown) count++;
  });
  return {
    rows: rows.subarray(0, count),
    columns: columns.subarray(0, count),
    values: new Float32Array(count),
    shape: [m, n],
  };
}

function indicesOf(names: readonly string[], labels: readonly string[] | undefined, count: number): Int32Array {
  return labels ? matchLabels(names, labels) : Int32Array.from(names, (name) => indexNamed(name, count) ?? unknown);
}
