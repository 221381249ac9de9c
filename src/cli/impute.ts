/** `hadamard impute` */
import ndarray, { type NdArray } from 'ndarray';
import { visitEntries } from '../data/entries.js';
import type { RealArray, WeightsInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { type Imputed, impute } from '../factorize/impute.js';
import { records } from '../formats/csvRecords.js';
import { csvField } from '../formats/csvWrite.js';
import { type Format, formatOf } from '../formats/formatOf.js';
import { npyParts } from '../formats/npy.js';
import { replaceFile } from '../formats/replaceFile.js';
import { outputFormat, writeTable } from '../formats/writeTable.js';
import { loadModel } from '../model/load.js';
import type { Model } from '../model/model.js';
import type { FitOptions } from '../options.js';
import { type DataFlags, dataRequestOf, numberFlag } from './dataFlags.js';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { type FitFlags, fitOptionsOf } from './flags.js';
import { asInFile } from './inFile.js';
import { type ModelData, readModelData } from './modelData.js';
import { checkOutputFile } from './output.js';
import { type DataRequest, type Problem, readProblem } from './problem.js';
import { type ProgressLine, progressLine } from './progress.js';
import { count, facts, printable } from './render.js';
import { interruptible } from './signals.js';
import { claimsOf } from './summary.js';

export interface ImputeFlags extends Omit<FitFlags, 'intervals'>, DataFlags {
  readonly model?: string;
  readonly intervals?: string;
  readonly out: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function imputeTable(path: string, flags: ImputeFlags): Promise<ExitCode> {
  const kind = kindOf(path, flags.out);
  await outputFormat(flags.out);
  await checkOutputFile(flags.out);
  const intervals = numberFlag('intervals', flags.intervals);
  const options =
    flags.model === undefined ? fitOptionsOf({ ...flags, ...(intervals !== undefined && { intervals }) }) : undefined;
  const line = progressLine(process.stderr, { quiet: flags.quiet === true, timeLimit: options?.timeLimit });
  return interruptible(async (signal) => {
    line.stage('reading …');
    const request = { ...dataRequestOf(path, flags), table: true, memoryLimit: options?.memoryLimit };
    const given = flags.model === undefined ? undefined : await readGiven(flags.model, request);
    const problem = given?.data.problem ?? (await readProblem(request));
    for (const note of given?.data.notes ?? problem.notes) line.note(note);
    if (!given) for (const warning of problem.warnings) line.warn(warning);
    const imputed = await (given
      ? impute(given.table, { model: given.model, intervals, weights: given.weights, signal })
      : impute(problem.A as Table, {
          ...(options as FitOptions),
          weights: problem.weights,
          intervals,
          signal,
          onProgress: line.update,
        })
    ).catch((error: unknown) => {
      throw asInFile(error, path, problem);
    });
    line.end();
    for (const note of imputed.notes) line.note(note);
    const files = await writeTables(
      path,
      flags.out,
      kind,
      problem.A as Table,
      imputed,
      given?.data.places,
      problem.labels,
    );
    tell(imputed, files, flags, line);
    return given ? 0 : exitCodeOf(imputed.model.fit, new Set(Object.keys(flags)));
  }).finally(line.end);
}

type Table = NdArray<RealArray>;

interface Given {
  readonly model: Model;
  readonly data: ModelData;
  /** The table with the model's columns, NaN where it has none. */
  readonly table: Table;
  readonly weights: WeightsInput | undefined;
}

async function readGiven(directory: string, request: DataRequest): Promise<Given> {
  const model = await loadModel(directory);
  const data = await readModelData(model, request);
  const { A, weights, places, count: rows } = data;
  if (!places) return { model, data, table: A as Table, weights };
  const columns = model.shape[1];
  const values = new Float64Array(rows * columns).fill(Number.NaN);
  const squareRoots = values.slice();
  visitEntries(
    A,
    weights,
    (i, j, value, weight) => {
      values[i * columns + j] = value;
      squareRoots[i * columns + j] = weight;
    },
    true,
  );
  const table = ndarray(values, [rows, columns]);
  return { model, data, table, weights: weights && { sqrtWeight: ndarray(squareRoots, [rows, columns]) } };
}

/** Text is copied cell by cell; other tables with labels are written anew; .npy stays .npy. */
type Kind = 'npy' | 'text' | 'table';

/** @throws HadamardError `unsupported-format`, `invalid-option` */
function kindOf(path: string, out: string): Kind {
  const [from, to] = [formatOf(path), formatOf(out)];
  const isText = (format: Format | undefined) => format === 'csv' || format === 'tsv';
  const isLabelled = (format: Format | undefined) => isText(format) || format === 'parquet' || format === 'arrow';
  if (from !== 'npy' && !isLabelled(from))
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${path} is no table.`,
      position: { file: path },
      rule: 'A table is .csv, .tsv, .txt, .parquet, .arrow or .npy: a dense one.',
      remedy: 'Convert it.',
    });
  if (from === 'npy' && to === 'npy') return 'npy';
  if (isText(from) && isText(to)) return 'text';
  if (isLabelled(from) && isLabelled(to)) return 'table';
  throw new HadamardError({
    code: 'invalid-option',
    what: `out is "${out}".`,
    position: { option: 'out' },
    rule:
      from === 'npy'
        ? 'An .npy is written as .npy.'
        : 'A table with labels is written as .csv, .tsv, .txt, .parquet or .arrow.',
    remedy: 'Give such a file.',
  });
}

/** The completed table and its bounds, at the paths returned. */
async function writeTables(
  path: string,
  out: string,
  kind: Kind,
  table: Table,
  { completed, lower, upper }: Imputed,
  places: Int32Array | undefined,
  labels: Problem['labels'],
): Promise<string[]> {
  const beside = (name: string) => out.replace(/\.[^.]+(\.gz|\.zst)?$/i, (ending) => `.${name}${ending}`);
  const files: [string, NdArray<Float64Array>][] = [
    [out, completed],
    ...(lower ? [[beside('lower'), lower] as [string, NdArray<Float64Array>]] : []),
    ...(upper ? [[beside('upper'), upper] as [string, NdArray<Float64Array>]] : []),
  ];
  const filling = ({ data, shape }: NdArray<Float64Array>) => {
    const width = shape[1] as number;
    return (row: number, column: number) => {
      const place = places ? (places[column] as number) : column;
      return place < 0 ? Number.NaN : (data[row * width + place] as number);
    };
  };
  for (const [file, filled] of files) {
    const isCompleted = filled === completed;
    if (kind === 'table') {
      const matrix = ndarray(numbersOf(table, filling(filled), isCompleted), [...table.shape]);
      await writeTable(file, { matrix, ...(labels && { labels }), notes: [] });
      continue;
    }
    const content =
      kind === 'npy' ? npyOf(table, filling(filled)) : [await textOf(path, file, table, filling(filled), isCompleted)];
    await replaceFile(file, content);
  }
  return files.map(([file]) => file);
}

/** What fills the table; where it has values its own, in bounds (`isCompleted` false) none. */
function numbersOf(table: Table, filled: (row: number, column: number) => number, isCompleted: boolean): Float64Array {
  const [m = 0, n = 0] = table.shape;
  return Float64Array.from({ length: m * n }, (_, t) => {
    const [row, column] = [Math.floor(t / n), t % n];
    const own = table.get(row, column);
    if (Number.isNaN(own)) return filled(row, column);
    return isCompleted ? own : Number.NaN;
  });
}

/** In the precision of the file that was read. */
function npyOf(table: Table, filled: (row: number, column: number) => number): Uint8Array[] {
  const [m = 0, n = 0] = table.shape;
  const Real = table.data instanceof Float32Array ? Float32Array : Float64Array;
  const values = new Real(m * n);
  for (let t = 0; t < m * n; t++) values[t] = filled(Math.floor(t / n), t % n);
  return npyParts(values, [m, n]);
}

/**
 * The table as it was read, cell by cell: where a value stands its text does, where none does the number that fills it. Of
 * bounds (`isCompleted` false) the other cells are empty.
 */
async function textOf(
  path: string,
  file: string,
  table: Table,
  filled: (row: number, column: number) => number,
  isCompleted: boolean,
): Promise<string> {
  const delimiter = formatOf(file) === 'tsv' ? '\t' : ',';
  const field = (text: string) => (text === '' ? '' : csvField(text, delimiter));
  const lines: string[] = [];
  let row = -1;
  for await (const some of records(path, () => false))
    for (const { fields } of some) {
      const at = row++;
      if (at < 0) {
        lines.push(fields.map(field).join(delimiter));
        continue;
      }
      const cells = fields.slice(1).map((text, column) => {
        if (!Number.isNaN(table.get(at, column))) return isCompleted ? field(text) : '';
        const value = filled(at, column);
        return Number.isNaN(value) ? '' : String(value);
      });
      lines.push([field(fields[0] as string), ...cells].join(delimiter));
    }
  return `${lines.join('\n')}\n`;
}

function tell(imputed: Imputed, files: readonly string[], flags: ImputeFlags, line: ProgressLine): void {
  const { model, missing, completed, notes } = imputed;
  const [rows = 0, columns = 0] = completed.shape;
  if (flags.json) {
    const { status, objective, method, certificate, starts, uncertainty, rmse, digest } = model.fit;
    const of = { status, objective, method, certificate, starts, uncertainty, rmse, digest };
    process.stdout.write(`${JSON.stringify({ schema: 1, rows, columns, missing, ...of, files, notes })}\n`);
    return;
  }
  line.end();
  if (flags.quiet) return;
  const share = (100 * missing) / (rows * columns);
  process.stdout.write(
    `${facts(
      [
        ['table', `${count(rows)} × ${count(columns)}, ${count(missing)} cells filled (${share.toPrecision(3)} %)`],
        ...claimsOf(model),
        ['written', files.map(printable).join('\n')],
      ],
      process.stdout,
    )}\n`,
  );
}
