/**
 * Triples row, column, value (and weight) from CSV, TSV and text files: a parser over bytes that makes no string a line.
 * A file with quotes goes to csv-parse instead.
 */

import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { HadamardError } from '../errors.js';
import { type CsvColumns, chooseColumns } from './csvColumns.js';
import { EntryList } from './entryList.js';
import { LabelIndex } from './labels.js';
import { LineNumbers } from './lineNumbers.js';
import { afterLines, asFileError, bytesOf, eachLine, LineSplitter, malformed } from './lines.js';
import { parseNumber } from './numbers.js';
import type { ReadRequest, Table } from './table.js';

const quote = 34;
const space = 32;

/** Stops the byte parser: the file has a quoted field. */
class QuotedField extends Error {}

/** @throws HadamardError `malformed-file`, `invalid-value`, `ambiguous-weights`, with the line. */
export async function readCsv(path: string, request: ReadRequest): Promise<Table> {
  try {
    const collector = new Collector(path, request);
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
    remedy: 'Save it to a file and give that.',
  });
}

/** The file through csv-parse, record by record; each record is handed on as an unquoted line of its own. */
async function readQuoted(path: string, request: ReadRequest): Promise<Table> {
  const collector = new Collector(path, request);
  for await (const { fields, line } of records(path)) collector.takeFields(fields, line);
  return collector.table();
}

type Records = AsyncGenerator<{ fields: string[]; line: number }>;

/**
 * Records of a CSV with quotes, and the line each ends on.
 *
 * @param hasComments whether lines that begin with # or % before the first record are passed over
 */
export async function* records(path: string, { hasComments = true }: { hasComments?: boolean } = {}): Records {
  const bytes = bytesOf(path);
  try {
    yield* recordsOf(path, bytes, hasComments);
  } finally {
    await bytes.return(undefined);
  }
}

async function* recordsOf(path: string, bytes: AsyncGenerator<Buffer>, hasComments: boolean): Records {
  const first = await firstRecord(path, bytes, hasComments);
  const delimiter = delimiterOf(first.text);
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  const skipped = first.line - 1;
  const piping = pipeline(afterLines(first.all, skipped), parser).catch(() => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
      if (record.length > 1 || record[0] !== '')
        yield { fields: delimiter === ' ' ? record.filter(Boolean) : record, line: skipped + info.lines };
  } catch (error) {
    const { lines } = error as { lines?: number };
    if (lines === undefined) throw asFileError(path, error);
    // csv-parse names the line too, counted from where it began.
    const reason = (error as Error).message.replace(/ a quote is found on field \d+ at line \d+,| at line \d+/, '');
    throw malformed(
      path,
      `Line ${skipped + lines}: ${reason}.`,
      { line: skipped + lines },
      'Quoted fields end with a quote before the delimiter.',
      'Correct the line.',
    );
  } finally {
    parser.destroy();
    await piping;
  }
}

/**
 * The first lines up to where its quotes are closed, from the one that is neither blank nor a comment; and all bytes, those
 * read so far first.
 */
async function firstRecord(
  path: string,
  bytes: AsyncGenerator<Buffer>,
  hasComments: boolean,
): Promise<{ text: string; line: number; all: AsyncIterable<Buffer> }> {
  let text = '';
  let first = 0;
  let isWhole = false;
  const splitter = new LineSplitter(path, (bytes, start, end, line) => {
    if (isWhole || (first === 0 && (isBlank(bytes, start, end) || (hasComments && isComment(bytes[start]))))) return;
    if (first === 0) first = line;
    text += `${bytes.toString('utf8', start, end)}\n`;
    isWhole = text.split('"').length % 2 === 1 || text.length > 1e6;
  });
  const head: Buffer[] = [];
  for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
    head.push(next.value);
    splitter.take(next.value);
    if (isWhole) break;
  }
  splitter.end();
  const all = async function* () {
    yield* head;
    yield* bytes;
  };
  return { text: text.slice(0, -1), line: Math.max(1, first), all: all() };
}

const isComment = (byte: number | undefined): boolean => byte === 35 || byte === 37;

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] === space) at++;
  return at === end;
}

/**
 * The delimiter of a first line: the first of tab, MovieLens's `::`, and comma or semicolon, whichever there are more of,
 * that makes three fields of it; else two; else spaces. What is in quotes does not count.
 */
function delimiterOf(line: string): string {
  const bare = line.replace(/"(?:[^"]|"")*(?:"|$)/g, '');
  const parts = (delimiter: string) => bare.split(delimiter).length;
  const candidates = ['\t', '::', ...(parts(';') > parts(',') ? [';', ','] : [',', ';'])];
  return candidates.find((each) => parts(each) >= 3) ?? candidates.find((each) => parts(each) === 2) ?? ' ';
}

class Collector {
  readonly #path: string;
  readonly #request: ReadRequest;
  readonly #rows = new LabelIndex();
  readonly #columnLabels = new LabelIndex();
  #entries = new EntryList(false);
  readonly #lineNumbers = new LineNumbers();
  #columns: CsvColumns | undefined;
  /** Fields up to the last one needed, and of the first line. */
  #needed = 0;
  #width = 0;
  #delimiter = 0;
  #isDouble = false;
  readonly #starts = new Int32Array(64);
  readonly #ends = new Int32Array(64);

  constructor(path: string, request: ReadRequest) {
    this.#path = path;
    this.#request = request;
  }

  takeLine(bytes: Buffer, start: number, end: number, line: number): void {
    if (start === end) return;
    if (this.#columns === undefined) {
      if (isComment(bytes[start]) || isBlank(bytes, start, end)) return;
      const text = bytes.toString('utf8', start, end);
      if (text.includes('"')) throw new QuotedField();
      const delimiter = delimiterOf(text);
      this.#delimiter = delimiter.charCodeAt(0);
      this.#isDouble = delimiter.length === 2;
      const fields = (delimiter === ' ' ? text.trim().split(/ +/) : text.split(delimiter)).map((field) => field.trim());
      if (this.#settle(fields, line)) return;
    }
    const found = this.#split(bytes, start, end);
    if (found < this.#needed) {
      if (isBlank(bytes, start, end)) return;
      throw this.#missingField(found, line);
    }
    this.#checkSurplus(found, line);
    this.#take(bytes, line);
  }

  takeFields(fields: readonly string[], line: number): void {
    if (this.#columns === undefined && this.#settle(fields, line)) return;
    if (fields.length < this.#needed) throw this.#missingField(fields.length, line);
    this.#checkSurplus(fields.length, line);
    let text = Buffer.alloc(0);
    for (let f = 0; f < this.#needed; f++) {
      this.#starts[f] = text.length;
      text = Buffer.concat([text, Buffer.from(fields[f] as string)]);
      this.#ends[f] = text.length;
    }
    this.#take(text, line);
  }

  table(): Table {
    const { notes = [] } = this.#columns ?? {};
    if (this.#entries.length === 0)
      throw malformed(
        this.#path,
        `${this.#path} holds no entries.`,
        {},
        'Lines are row, column, value.',
        'Check that it is the right file and whole.',
      );
    const labels = { rows: this.#rows.labels, columns: this.#columnLabels.labels };
    const weights = this.#entries.weights();
    return {
      matrix: this.#entries.triples([labels.rows.length, labels.columns.length]),
      labels,
      names: this.#columns?.names,
      lineOf: (entry) => this.#lineNumbers.lineOf(entry),
      notes,
      ...(weights && { weights }),
    };
  }

  /** Chooses the columns from the first line; true when that line is a header. */
  #settle(first: readonly string[], line: number): boolean {
    const columns = chooseColumns(first, this.#request, this.#path, line);
    this.#columns = columns;
    this.#width = first.length;
    this.#needed = Math.max(columns.row, columns.column, columns.value, columns.weight) + 1;
    this.#entries = new EntryList(columns.weight >= 0);
    return columns.hasHeader;
  }

  /** Finds the fields needed, spaces around them left out; returns how many fields the line has. */
  #split(bytes: Buffer, start: number, end: number): number {
    const starts = this.#starts;
    const ends = this.#ends;
    let at = start;
    let field = 0;
    for (; field < this.#needed; field++) {
      while (at < end && bytes[at] === space) at++;
      if (at >= end && this.#delimiter === space) return field;
      const stop = this.#fieldEnd(bytes, at, end);
      starts[field] = at;
      let last = stop;
      while (last > at && bytes[last - 1] === space) last--;
      ends[field] = last;
      if (stop >= end) return field + 1;
      at = stop + (this.#isDouble ? 2 : 1);
    }
    // Fields beyond: a comma too many in a label would shift every field after it.
    for (;;) {
      if (this.#delimiter === space) while (at < end && bytes[at] === space) at++;
      if (at >= end && this.#delimiter === space) return field;
      field++;
      const stop = this.#fieldEnd(bytes, at, end);
      if (stop >= end) return field;
      at = stop + (this.#isDouble ? 2 : 1);
    }
  }

  #fieldEnd(bytes: Buffer, start: number, end: number): number {
    let stop = start;
    for (let byte = bytes[stop]; stop < end; byte = bytes[++stop]) {
      if (byte === quote) throw new QuotedField();
      if (byte === this.#delimiter && (!this.#isDouble || bytes[stop + 1] === byte)) break;
    }
    return stop;
  }

  #take(bytes: Buffer, line: number): void {
    const { row, column, value, weight } = this.#columns as CsvColumns;
    const starts = this.#starts;
    const ends = this.#ends;
    if (starts[row] === ends[row] || starts[column] === ends[column]) throw this.#missingField(0, line);
    this.#lineNumbers.add(this.#entries.length, line);
    this.#entries.push(
      this.#rows.indexOf(bytes, starts[row] as number, ends[row] as number),
      this.#columnLabels.indexOf(bytes, starts[column] as number, ends[column] as number),
      this.#number(bytes, value, line),
      weight >= 0 ? this.#number(bytes, weight, line) : 1,
    );
  }

  #number(bytes: Buffer, field: number, line: number): number {
    const start = this.#starts[field] as number;
    const end = this.#ends[field] as number;
    const number = parseNumber(bytes, start, end);
    if (Number.isFinite(number)) return number;
    throw badNumber(this.#path, bytes.toString('utf8', start, end), line, field, field === this.#columns?.weight);
  }

  #checkSurplus(found: number, line: number): void {
    if (found > this.#width)
      throw malformed(
        this.#path,
        `Line ${line} has ${found} fields and the first line ${this.#width}.`,
        { line },
        'Each line has as many fields as the first.',
        'A delimiter inside a label needs quotes around the label.',
      );
  }

  #missingField(found: number, line: number): HadamardError {
    return malformed(
      this.#path,
      `Line ${line} ${found === 0 ? 'has an empty label' : `has ${found} of ${this.#needed} fields`}.`,
      { line },
      'Each line has a row, a column and a value, and as many fields as the first.',
      'Correct the line; leave out entries that are unknown.',
    );
  }
}

/** A field that should be a finite number: what a number cannot be, or what only looks like one. */
export function badNumber(path: string, text: string, line: number, field: number, isWeight = false): HadamardError {
  const position = { file: path, line, column: field };
  if (/^[+-]?(nan|inf|infinity|(\d+\.?\d*|\.\d+)(e\+?\d+)?)$/i.test(text))
    return new HadamardError({
      code: isWeight ? 'invalid-weight' : 'invalid-value',
      what: `Line ${line} has the ${isWeight ? 'weight' : 'value'} "${text}".`,
      position,
      rule: 'Values in text files are finite numbers.',
      remedy: 'Leave unknown entries out (in a table: leave the cell empty).',
    });
  return new HadamardError({
    code: 'malformed-file',
    what: text === '' ? `Line ${line} has no value.` : `Line ${line} has "${text}" where a number should be.`,
    position,
    rule: 'A value is a decimal number with a point.',
    remedy: 'Correct it, or leave the entry out (in a table: leave the cell empty).',
  });
}
