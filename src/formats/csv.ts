/**
 * Triples row, column, value (and weight) from CSV, TSV and text files: a parser over bytes that makes no string a line.
 * A file with quotes, and what comes from stdin, goes to csv-parse instead.
 *
 * Lines before the first that begin with # or % are comments, unless they hold an entry or the columns asked for.
 */
import { stat } from 'node:fs/promises';
import { HadamardError } from '../errors.js';
import { CsvCollector, QuotedField } from './csvCollector.js';
import { readCsvInParts } from './csvParts.js';
import { records } from './csvRecords.js';
import { eachLine } from './lines.js';
import type { ReadRequest, Table } from './table.js';

/** @throws HadamardError `malformed-file`, `invalid-value`, `ambiguous-weights`, with the line. */
export async function readCsv(path: string, request: ReadRequest): Promise<Table> {
  // Stdin cannot be begun again when a quote comes late, and people pipe what has quotes.
  if (path === '-') return readQuoted(path, request);
  return (await readCsvInParts(path, request)) ?? readLineByLine(path, request);
}

/** The careful reader: it knows quotes, and what is wrong with a line. */
export async function readLineByLine(path: string, request: ReadRequest): Promise<Table> {
  try {
    const collector = new CsvCollector(path, request);
    await eachLine(path, (bytes, start, end, line) => collector.takeLine(bytes, start, end, line));
    return collector.table();
  } catch (error) {
    if (!(error instanceof QuotedField)) throw error;
    if (!(await stat(path)).isFile()) throw quotesInPipe(path);
    return readQuoted(path, request);
  }
}

function quotesInPipe(path: string): HadamardError {
  return new HadamardError({
    code: 'unreadable-file',
    what: `${path} has quoted fields and is no regular file.`,
    position: { file: path },
    rule: 'A CSV with quotes is read from its beginning again, which a pipe does not allow.',
    remedy: 'Save it to a file and give that, or give - and pipe it to stdin.',
  });
}

/** The file through csv-parse, record by record; each record is handed on as an unquoted line of its own. */
async function readQuoted(path: string, request: ReadRequest): Promise<Table> {
  const collector = new CsvCollector(path, request);
  for await (const some of records(path, (fields, at) => collector.isComment(fields, at)))
    for (const { fields, line } of some) collector.takeFields(fields, line);
  return collector.table();
}
