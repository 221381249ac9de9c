/** Reads a data file of any kind, by the ending of its name. */
import { stat } from 'node:fs/promises';
import { HadamardError } from '../errors.js';
import { readColumns } from './columnTable.js';
import { readCsv } from './csv.js';
import { readCsvTable } from './csvTable.js';
import { allEndings, endingOf, type Format, formatOf } from './formatOf.js';
import { openJsonRecords } from './jsonRecords.js';
import { inLabelOrder } from './labelOrder.js';
import { malformed } from './lines.js';
import { readMatrixMarket } from './matrixMarket.js';
import { readNpyMatrix } from './npy.js';
import { readNpz } from './npz.js';
import { joinParts, partsOf } from './parts.js';
import type { ReadRequest, Table } from './table.js';

export type { ReadRequest, Table };

/**
 * Entries from CSV (.csv, .tsv, .txt, .dat, .data), JSON lines (.jsonl, .ndjson), Parquet (.parquet, .pq), Arrow (.arrow,
 * .feather, .ipc), Matrix Market (.mtx) and NumPy or SciPy (.npy, .npz), each also with .gz or .zst; dense tables from CSV,
 * Parquet and Arrow. `-` is stdin, CSV unless `request.format` says otherwise; * and ? in the last part of a path stand for
 * all files of that pattern as one.
 *
 * @throws HadamardError `not-found`, `unreadable-file`, `malformed-file`, `unsupported-format`, `invalid-value`,
 *   `index-out-of-range`, `ambiguous-weights`, `not-enough-memory`, with the file and the line or record.
 */
export async function readTable(path: string, request: ReadRequest = {}): Promise<Table> {
  const parts = await partsOf(path);
  if (parts === undefined) return readOne(path, request);
  const tables: Table[] = [];
  for (const part of parts) tables.push(await readOne(part, request));
  return joinParts(parts, tables);
}

async function readOne(path: string, request: ReadRequest): Promise<Table> {
  const { table, format = formatOf(path), memoryLimit } = request;
  switch (format) {
    case 'mtx':
      return readMatrixMarket(path, memoryLimit);
    case 'npy':
      return readNpyMatrix(path, memoryLimit);
    case 'npz':
      return readNpz(path, memoryLimit);
    case 'csv':
    case 'tsv':
      return table ? readCsvTable(path) : readCsv(path, request);
    case 'jsonl':
      if (table) throw noTable(path);
      return readColumns(path, () => openJsonRecords(path), request);
    // Large libraries, loaded where they are needed.
    case 'parquet': {
      const { openParquet } = await import('./parquet.js');
      return readColumns(path, () => openParquet(path), request);
    }
    case 'arrow': {
      const { openArrow } = await import('./arrow.js');
      return readColumns(path, () => openArrow(path), request);
    }
    case undefined:
      throw await unknownFormat(path, endingOf(path));
  }
}

/**
 * The result of a query, as a file of the same columns would be read, in the order of its labels: a query without a total order
 * gives its rows as they come. @throws HadamardError as {@link openQuery}.
 */
export async function readQuery(sql: string, request: ReadRequest): Promise<Table> {
  const { openQuery, queryName } = await import('./sql.js');
  return inLabelOrder(await readColumns(queryName, () => openQuery(sql), request));
}

/** @returns HadamardError `unreadable-file` for a folder, `unsupported-format`. */
export async function unknownFormat(path: string, ending: string | undefined): Promise<HadamardError> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  return new HadamardError({
    code: isFolder ? 'unreadable-file' : 'unsupported-format',
    what: isFolder
      ? `${path} is a folder.`
      : ending === undefined
        ? `${path} has no ending that says what it holds.`
        : `${path} ends in .${ending}, which is not known.`,
    position: { file: path },
    rule: `Files are ${allEndings}.`,
    remedy: isFolder ? 'Give a file in it, or a pattern such as *.parquet.' : 'Rename or convert it, or say --format.',
  });
}

/** JSON puts names that are numbers first, so that the order of columns is lost. */
function noTable(path: string): HadamardError {
  return malformed(
    path,
    `${path} is JSON lines, and --table asks for a dense table.`,
    {},
    'Dense tables are .csv, .tsv, .parquet or .arrow, and .npy without labels.',
    'Leave --table out where the lines are row, column, value.',
  );
}

export type { Format };
