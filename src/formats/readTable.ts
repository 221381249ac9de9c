/** Reads a data file of any kind, by the ending of its name. */
import { stat } from 'node:fs/promises';
import { HadamardError } from '../errors.js';
import { readCsv } from './csv.js';
import { readCsvTable } from './csvTable.js';
import { readMatrixMarket } from './matrixMarket.js';
import { readNpyMatrix } from './npy.js';
import type { ReadRequest, Table } from './table.js';

export type { ReadRequest, Table };

/**
 * Matrix Market (.mtx), NumPy (.npy), CSV triples or tables (.csv, .tsv, .txt, .dat, .data), each also .gz.
 *
 * @throws HadamardError `not-found`, `unreadable-file`, `malformed-file`, `unsupported-format`, `invalid-value`,
 *   `index-out-of-range`, `ambiguous-weights`, with the file and the line.
 */
export function readTable(path: string, request: ReadRequest = {}): Promise<Table> {
  const ending = /\.([a-z0-9]+)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  switch (ending) {
    case 'mtx':
      return readMatrixMarket(path);
    case 'npy':
      return readNpyMatrix(path);
    case 'csv':
    case 'tsv':
    case 'txt':
    case 'dat':
    case 'data':
      return request.table ? readCsvTable(path) : readCsv(path, request);
    default:
      return unknownFormat(path, ending);
  }
}

/** @throws HadamardError `unreadable-file` for a folder, `unsupported-format`. */
async function unknownFormat(path: string, ending: string | undefined): Promise<never> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  throw new HadamardError({
    code: isFolder ? 'unreadable-file' : 'unsupported-format',
    what: isFolder
      ? `${path} is a folder.`
      : ending === undefined
        ? `${path} has no ending that says what it holds.`
        : `${path} ends in .${ending}, which is not known.`,
    position: { file: path },
    rule: 'Files are .mtx, .npy, .csv, .tsv, .txt, .dat or .data, each also with .gz.',
    remedy: isFolder ? 'Give a file in it.' : 'Rename or convert it.',
  });
}
