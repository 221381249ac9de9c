/** `hadamard recommend` */
import { stat } from 'node:fs/promises';
import { listedCount, shapeOf, visitEntries } from '../data/entries.js';
import { isTriples } from '../data/forms.js';
import type { Triples } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { type Format, formatOf } from '../formats/formatOf.js';
import { batchLength, type Chunks, type OutputBatch } from '../formats/output.js';
import { replaceFile } from '../formats/replaceFile.js';
import type { Table } from '../formats/table.js';
import { recordChunks } from '../formats/writeTable.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import { type RecommendAllOptions, type RowRecommendations, recommendEach } from '../recommend/recommendAll.js';
import type { ExitCode } from './exitCodes.js';
import { columnNames } from './flags.js';
import { coldAnswer, placesIn, rowOf, unknown } from './names.js';
import { checkOutputFile, recordFormat, sayWritten } from './output.js';
import { type ProgressLine, progressLine } from './progress.js';
import { readData } from './readData.js';
import { readNames } from './readNames.js';
import { readPairs } from './readPairs.js';
import { bold, counted, grid, printable, rate, real } from './render.js';
import { interruptible } from './signals.js';

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
  const format = await recordFormat(out, flags.json === true, {
    what: `${out} cannot hold recommendations.`,
    rule: 'Recommendations are .csv, .tsv, .jsonl, .parquet or .arrow.',
  });
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  const model = await loadModel(directory);
  return interruptible(async (signal) => {
    const options = { ...(await optionsOf(model, flags, line)), signal };
    if (named && out === '-' && !flags.json) await printTables(model, options, line);
    else {
      let rows = 0;
      const answers = answersOf(model, options, line, flags, () => {
        rows++;
      });
      await replaceFile(out, format === 'jsonl' ? jsonLines(answers) : await recordsOf(model, answers, format));
      sayWritten(out, `recommendations for ${counted(rows, 'row')}`, line);
    }
    return 0;
  }).finally(line.end);
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
    exclude: flags.exclude === undefined ? undefined : await entriesListed(model, flags.exclude, flags, line),
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

/** Row by row; what rows are missing or unobserved is said at the end. */
async function* answersOf(
  model: Model,
  options: RecommendAllOptions,
  line: ProgressLine,
  { all, rows }: RecommendFlags,
  onRow: () => void,
): AsyncGenerator<RowRecommendations> {
  let short = 0;
  let unobserved = 0;
  let reason = '';
  const onProgress: RecommendAllOptions['onProgress'] = ({ rows: done, of, seconds }) =>
    line.advance(`${done}/${of} rows  ${rate(done / seconds)} rows/s`, seconds);
  for await (const answer of recommendEach(model, { ...options, onProgress })) {
    if (answer.missing) reason ||= `${printable(nameOf(answer))}: ${answer.missing}`;
    short += answer.missing ? 1 : 0;
    unobserved += answer.unobserved ? 1 : 0;
    onRow();
    yield answer;
  }
  if (!all && !rows) return;
  if (short > 0) line.note(`${short} rows have fewer than ${options.top} columns, the first of them ${reason}`);
  if (unobserved > 0) line.note(`${unobserved} rows had no observation of positive weight: ${coldAnswer(model)}`);
}

function nameOf({ row, label }: RowRecommendations): string {
  return label ?? String(row);
}

/** Text comes in pieces of about so many characters. */
const pieceLength = 65536;

/** An object a row. */
async function* jsonLines(answers: AsyncIterable<RowRecommendations>): Chunks {
  let text = '';
  for await (const answer of answers) {
    const { row: _row, label: _label, recommendations, ...rest } = answer;
    text += `${JSON.stringify({ schema: 1, row: nameOf(answer), recommendations, ...rest })}\n`;
    if (text.length < pieceLength) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** row, column, prediction, rank of each column that is recommended; by index where the model has no labels. */
function recordsOf({ labels }: Model, answers: AsyncIterable<RowRecommendations>, format: Format): Promise<Chunks> {
  const batches = async function* (): AsyncGenerator<OutputBatch> {
    let batch = emptyBatch();
    for await (const { row, label: name = row, recommendations } of answers) {
      const [rows, columns, predictions, ranks] = batch;
      recommendations.forEach(({ column, label = column, prediction }, rank) => {
        rows.push(name);
        columns.push(label);
        predictions.push(prediction);
        ranks.push(rank + 1);
      });
      if (rows.length < batchLength) continue;
      yield batch;
      batch = emptyBatch();
    }
    yield batch;
  };
  return recordChunks(format, {
    columns: [
      // Row and column first, as every reader takes them.
      { name: 'row', kind: labels.rows ? 'label' : 'index' },
      { name: 'column', kind: labels.columns ? 'label' : 'index' },
      { name: 'prediction', kind: 'number' },
      { name: 'rank', kind: 'index' },
    ],
    batches: batches(),
  });
}

function emptyBatch(): [rows: (string | number)[], columns: (string | number)[], predictions: number[], number[]] {
  return [[], [], [], []];
}

/**
 * The entries that a file lists, where the model has them; how many it does not have is said. A file of names is matched by
 * label, or read as indices from 0 where the model has no labels; a file of positions has the model's shape. Of records only
 * row and column are read.
 *
 * @throws HadamardError as the readers; `shape-mismatch`; `not-found` where the model has none of them.
 */
async function entriesListed(
  model: Model,
  path: string,
  flags: RecommendFlags,
  { note }: ProgressLine,
): Promise<Triples> {
  const isMatrix = ['mtx', 'npz', 'npy'].includes(formatOf(path) ?? '');
  const listed = await (flags.table || isMatrix ? matrixEntries : pairEntries)(model, path, flags);
  const rows: number[] = [];
  const columns: number[] = [];
  listed.rows.forEach((row, t) => {
    const column = listed.columns[t] as number;
    if (row === unknown || column === unknown) return;
    rows.push(row);
    columns.push(column);
  });
  const strangers = listed.rows.length - rows.length;
  if (strangers > 0 && rows.length === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `No entry of ${path} names a row and a column of the model.`,
      position: { option: 'exclude', file: path },
      rule: 'What is left out is matched by label, letter by letter, or by index from 0 where the model has no labels.',
      remedy: 'Check that the file belongs to the model, and that --columns names its row and column.',
    });
  if (strangers > 0)
    note(
      `${path}: ${strangers} of ${listed.rows.length} entries name a row or column that the model does not have; they leave nothing out.`,
    );
  return {
    rows: Int32Array.from(rows),
    columns: Int32Array.from(columns),
    values: new Float32Array(rows.length),
    shape: model.shape,
  };
}

/** Indices of the model, or {@link unknown}. */
interface Listed {
  readonly rows: readonly number[] | Int32Array;
  readonly columns: readonly number[] | Int32Array;
}

async function pairEntries(model: Model, path: string, flags: RecommendFlags): Promise<Listed> {
  const names = columnNames(flags.columns);
  // Most often it is the A of the fit, which is read in parts; a pipe is read once.
  const isTable = names?.length !== 2 && (await stat(path).catch(() => undefined))?.isFile();
  const table = isTable ? await readData(path, { columns: names }).catch(() => undefined) : undefined;
  if (table?.labels && isTriples(table.matrix)) return indicesOf(model, table);
  const rows: number[] = [];
  const columns: number[] = [];
  // Nothing is predicted of strangers, and a header leaves nothing out.
  const request = { columns: names, onNote: () => undefined };
  for await (const pairs of readPairs(model, path, request)) {
    for (const row of pairs.rows) rows.push(row);
    for (const column of pairs.columns) columns.push(column);
  }
  return { rows, columns };
}

async function matrixEntries(model: Model, path: string, flags: RecommendFlags): Promise<Listed> {
  const table = await readData(path, { columns: columnNames(flags.columns), table: flags.table });
  const [m, n] = model.shape;
  const { matrix, labels } = table;
  const shape = shapeOf(matrix);
  if (!labels && (shape[0] !== m || shape[1] !== n))
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} is ${shape[0]}×${shape[1]} and the model ${m}×${n}.`,
      position: { option: 'exclude', file: path },
      rule: 'A file without labels is matched by position, so it has the shape of the model.',
      remedy: 'Give the A of the fit, or a .csv that names rows and columns.',
    });
  return indicesOf(model, table);
}

/** Its entries, matched by label where it has labels. */
function indicesOf(model: Model, { matrix, labels }: Table): Listed {
  const rowOfName = labels && placesIn(model, 'rows', labels.rows);
  const columnOfName = labels && placesIn(model, 'columns', labels.columns);
  const rows = new Int32Array(listedCount(matrix));
  const columns = new Int32Array(rows.length);
  let count = 0;
  visitEntries(matrix, undefined, (i, j) => {
    rows[count] = rowOfName ? (rowOfName[i] as number) : i;
    columns[count++] = columnOfName ? (columnOfName[j] as number) : j;
  });
  return { rows: rows.subarray(0, count), columns: columns.subarray(0, count) };
}
