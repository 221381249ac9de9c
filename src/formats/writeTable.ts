/** Writes a matrix, or columns of any records, in the format that the ending of a name says. */
import { totalmem } from 'node:os';
import type { NdArray } from 'ndarray';
import { shapeOf } from '../data/entries.js';
import { isTriples } from '../data/forms.js';
import type { RealArray, Triples } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { firstTwice } from './columnTable.js';
import { listedTwice } from './compressedRows.js';
import { isNumber } from './csvColumns.js';
import { csvChunks } from './csvWrite.js';
import { endingOf, type Format, formatOf, packingOf } from './formatOf.js';
import { jsonChunks } from './jsonRecords.js';
import { matrixMarketChunks } from './matrixMarketWrite.js';
import { npyParts } from './npy.js';
import { npzChunks } from './npz.js';
import { batchLength, type Chunks, mostColumns, type OutputColumns } from './output.js';
import { packer } from './packing.js';
import { unknownFormat } from './readTable.js';
import { replaceFile } from './replaceFile.js';
import type { Table } from './table.js';

/** Formats of records: one column after the other, labels as they are. */
const recordFormats: readonly Format[] = ['csv', 'tsv', 'jsonl', 'parquet', 'arrow'];

export const holdsLabels = (format: Format): boolean => recordFormats.includes(format);

/**
 * The format in which a file is to be written.
 *
 * @throws HadamardError `unsupported-format`
 */
export async function outputFormat(path: string): Promise<Format> {
  const format = formatOf(path);
  if (format === undefined) throw await unknownFormat(path, endingOf(path));
  packer(path);
  if (packingOf(path) === undefined || !['npz', 'parquet', 'arrow'].includes(format)) return format;
  throw new HadamardError({
    code: 'unsupported-format',
    what: `${path} cannot be written packed as it ends.`,
    position: { file: path },
    rule: 'Files of text and .npy are written as .gz, .zst or unpacked; .npz, .parquet and .arrow pack themselves, or need it not.',
    remedy: 'Leave the last ending out.',
  });
}

/** Records as a file of `format`, which holds labels. */
export async function recordChunks(format: Format, output: OutputColumns): Promise<Chunks> {
  switch (format) {
    case 'parquet':
      return (await import('./parquet.js')).parquetChunks(output);
    case 'arrow':
      return (await import('./arrow.js')).arrowChunks(output);
    case 'jsonl':
      return jsonChunks(output);
    default:
      return csvChunks(output, format === 'tsv' ? '\t' : ',');
  }
}

/**
 * Writes a matrix to a file, which it replaces as a whole: entries as row, column, value (and weight), dense tables as such in
 * CSV, Parquet and Arrow. .npy is dense, unlisted entries NaN; .npz is scipy's csr and .mtx coordinates, NaN left out: these
 * three hold no labels and no weights.
 *
 * @throws HadamardError `unsupported-format` (also for more than 10⁵ columns in Parquet or Arrow), `invalid-value`, `duplicate-entry`, `ambiguous-weights`, `not-enough-memory`, `output-failed`.
 */
export async function writeTable(path: string, table: Table): Promise<void> {
  const format = await outputFormat(path);
  checkFinite(path, table);
  if (holdsLabels(format)) {
    await replaceFile(path, await recordChunks(format, columnsOf(table, format, path)));
    return;
  }
  if (table.weights)
    throw new HadamardError({
      code: 'ambiguous-weights',
      what: `${path} holds no weights, and the entries have some.`,
      position: { file: path },
      rule: '.npy, .npz and .mtx hold one number an entry.',
      remedy: 'Name three columns with --columns, or write .csv, .jsonl, .parquet or .arrow.',
    });
  const chunks = { npy: npyChunks, npz: sparseChunks(npzChunks), mtx: sparseChunks(matrixMarketChunks) };
  await replaceFile(path, chunks[format as 'npy' | 'npz' | 'mtx'](table, path));
}

/** An .npy may hold infinities, which no reader of the other formats takes. */
function checkFinite(path: string, { matrix }: Table): void {
  if (isTriples(matrix)) return;
  const [m, n] = shapeOf(matrix);
  eachCell(matrix as NdArray<RealArray>, m, n, (row, column, value) => {
    if (!Number.isFinite(value))
      throw new HadamardError({
        code: 'invalid-value',
        what: `Entry (${row}, ${column}) is ${value}.`,
        position: { file: path, row, column },
        rule: 'Values are finite numbers; NaN is unobserved.',
        remedy: 'Correct it, or make it NaN. Nothing was written.',
      });
  });
}

function sparseChunks(write: (triples: Triples, path: string) => Chunks) {
  return ({ matrix }: Table, path: string): Chunks => write(isTriples(matrix) ? matrix : observed(matrix), path);
}

/** The numbers of a dense matrix as triples, NaN left out. */
function observed(matrix: Table['matrix']): Triples {
  const dense = matrix as NdArray<RealArray>;
  const [m, n] = shapeOf(matrix);
  let count = 0;
  eachCell(dense, m, n, () => count++);
  const triples = { rows: new Uint32Array(count), columns: new Uint32Array(count), values: new Float64Array(count) };
  let t = 0;
  eachCell(dense, m, n, (row, column, value) => {
    triples.rows[t] = row;
    triples.columns[t] = column;
    triples.values[t++] = value;
  });
  return { ...triples, shape: [m, n] };
}

function eachCell(
  dense: NdArray<RealArray>,
  m: number,
  n: number,
  visit: (row: number, column: number, value: number) => void,
): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const value = dense.get(i, j);
      if (!Number.isNaN(value)) visit(i, j, value);
    }
}

async function* npyChunks({ matrix }: Table, path: string): Chunks {
  const [m, n] = shapeOf(matrix);
  if (m * n * 8 > totalmem() / 2)
    throw new HadamardError({
      code: 'not-enough-memory',
      what: `${m}×${n} numbers are ${((m * n * 8) / 2 ** 30).toFixed(1)} GiB.`,
      position: { file: path },
      rule: 'An .npy is dense, and made in memory.',
      remedy: 'Write .npz, which lists what is observed.',
    });
  const cells = new Float64Array(m * n).fill(Number.NaN);
  if (isTriples(matrix)) {
    const { rows, columns, values } = matrix;
    for (let t = 0; t < values.length; t++) {
      const at = (rows[t] as number) * n + (columns[t] as number);
      if (!Number.isNaN(cells[at])) throw listedTwice(path, rows[t] as number, columns[t] as number);
      cells[at] = values[t] as number;
    }
  } else
    eachCell(matrix as NdArray<RealArray>, m, n, (row, column, value) => {
      cells[row * n + column] = value;
    });
  yield* npyParts(cells, [m, n]);
}

function tooWide(path: string, columns: number): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `${path} would have ${columns} columns.`,
    position: { file: path },
    rule: `A table in Parquet or Arrow has ${mostColumns} columns at most: each has headers and a place in the footer of its own.`,
    remedy:
      'Write .csv or .npy, .jsonl or .npz to list what is observed, or the table with rows and columns exchanged.',
  });
}

/** A table as records: entries, or a record a row where it is dense and the format keeps the order of its columns. */
function columnsOf(table: Table, format: Format, path: string): OutputColumns {
  const { matrix } = table;
  if (isTriples(matrix)) return entryColumns(table, matrix);
  return format === 'jsonl' ? entryColumns(table, observed(matrix)) : denseColumns(table, format, path);
}

function entryColumns({ labels, names, weights }: Table, { rows, columns, values }: Triples): OutputColumns {
  const kind = labels ? 'label' : 'index';
  const header = headerOf(names);
  const [row, column, value] = header;
  const named = (side: readonly string[] | undefined, indices: Uint32Array | Int32Array) =>
    Array.from(indices, (index) => (side ? (side[index] as string) : index));
  return {
    columns: [
      { name: row, kind },
      { name: column, kind },
      { name: value, kind: 'number' },
      ...(weights ? [{ name: nameOfWeight(header), kind: 'number' } as const] : []),
    ],
    batches: (function* () {
      for (let start = 0; start < values.length; start += batchLength) {
        const end = start + batchLength;
        yield [
          named(labels?.rows, rows.subarray(start, end)),
          named(labels?.columns, columns.subarray(start, end)),
          values.subarray(start, end),
          ...(weights ? [weights.subarray(start, end)] : []),
        ];
      }
    })(),
  };
}

/** Names that a reader of the file takes for names again, each once. */
function headerOf(names: readonly string[] | undefined): readonly [string, string, string] {
  const isSound =
    names?.length === 3 &&
    firstTwice(names) === undefined &&
    names.every((name) => name !== '' && name === name.trim() && !isNumber(name) && !/^[#%]/.test(name));
  return isSound ? (names as unknown as [string, string, string]) : ['row', 'column', 'value'];
}

function nameOfWeight(names: readonly string[]): string {
  return ['weight', 'weight_of_entry', 'w'].find((name) => !names.includes(name)) as string;
}

/** A column of row labels, then one for each column; without labels they are called by their index. */
function denseColumns({ matrix, labels, corner: given = '' }: Table, format: Format, path: string): OutputColumns {
  const dense = matrix as NdArray<RealArray>;
  const [m, n] = shapeOf(matrix);
  const names = labels?.columns ?? Array.from({ length: n }, (_, j) => String(j));
  const corners = [...(given === '' ? [] : [given]), 'row', 'rows', 'label', 'id', 'row label'];
  const corner = corners.find((name) => !names.includes(name)) ?? ' ';
  if (n > mostColumns && (format === 'parquet' || format === 'arrow')) throw tooWide(path, n);
  // Each column of a batch costs as much as hundreds of numbers, so that batches of wide tables have hundreds of rows.
  const height = Math.max(512, Math.floor((batchLength * 16) / (n + 1)));
  return {
    columns: [
      { name: corner, kind: labels ? 'label' : 'index' },
      ...names.map((name) => ({ name, kind: 'number', isSparse: true }) as const),
    ],
    batches: (function* () {
      for (let start = 0; start < m; start += height) {
        const rows = Array.from({ length: Math.min(height, m - start) }, (_, i) => start + i);
        yield [
          labels ? rows.map((i) => labels.rows[i] as string) : rows,
          ...names.map((_, j) => Float64Array.from(rows, (i) => dense.get(i, j))),
        ];
      }
    })(),
  };
}
