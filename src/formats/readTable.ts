/** Reads a data file of any kind, by the ending of its name. */
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
      return Promise.reject(
        new HadamardError({
          code: 'unsupported-format',
          what: `${path} ends in none of the known names.`,
          position: { file: path },
          rule: 'Files are .mtx, .npy, .csv, .tsv or .txt, each also with .gz.',
          remedy: 'Rename or convert it.',
        }),
      );
  }
}
