/** Errors about entries of a file, in the file's own terms. */

import { HadamardError, isHadamardError } from '../errors.js';
import type { Table } from '../formats/table.js';

interface FileTerms {
  readonly labels?: Table['labels'] | undefined;
  readonly lineOf?: Table['lineOf'] | undefined;
  readonly fileOf?: Table['fileOf'] | undefined;
}

/** The same error, with the labels of its row and column, and for entries that clash the lines of the file. */
export function asInFile(error: unknown, path: string, { labels, lineOf, fileOf }: FileTerms): unknown {
  if (!isHadamardError(error)) return error;
  const { index, first, ...place } = error.position;
  const { row, column } = place;
  const lines = lineOf && index !== undefined && first !== undefined ? [lineOf(first), lineOf(index)] : undefined;
  const file = fileOf && index !== undefined ? fileOf(index) : path;
  const before = fileOf && first !== undefined && fileOf(first) !== file ? ` of ${fileOf(first)}` : '';
  const what = lines
    ? `${file} lists entry (${row}, ${column}) in line ${lines[0]}${before} and again in line ${lines[1]}.`
    : error.what;
  const named = [
    row !== undefined && labels?.rows && `Row ${row} is ${JSON.stringify(labels.rows[row])}.`,
    column !== undefined && labels?.columns && `Column ${column} is ${JSON.stringify(labels.columns[column])}.`,
  ].filter(Boolean);
  return new HadamardError({
    ...error.toJSON(),
    what: [what, ...named].join(' '),
    position: lines ? { file, line: lines[1] as number, first: lines[0] as number, ...place } : error.position,
  });
}
