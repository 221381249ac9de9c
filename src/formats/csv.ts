/**
 * Triples row, column, value (and weight) from CSV, TSV and text files: a parser over bytes that makes no string a line.
 * A file with quotes goes to csv-parse instead.
 */

import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { HadamardError } from '../errors.js';
import { type CsvColumns, chooseColumns } from './csvColumns.js';
import { EntryList } from './entryList.js';
import { LabelIndex } from './labels.js';
import { eachChunk, eachLine, malformed } from './lines.js';
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
    return readQuoted(path, request);
  }
}

/** The file through csv-parse, record by record; each record is handed on as an unquoted line of its own. */
async function readQuoted(path: string, request: ReadRequest): Promise<Table> {
  const collector = new Collector(path, request);
  for await (const { fields, line } of records(path)) collector.takeFields(fields, line);
  return collector.table();
}

/** Records of a CSV with quotes, and the line each ends on. */
export async function* records(path: string): AsyncGenerator<{ fields: string[]; line: number }> {
  const chunks: Buffer[] = [];
  await eachChunk(path, (chunk) => chunks.push(Buffer.from(chunk)));
  const head = (chunks[0] ?? Buffer.alloc(0)).toString('utf8', 0, 65_536);
  const delimiter = delimiterOf(head.slice(0, head.indexOf('\n') >= 0 ? head.indexOf('\n') : undefined));
  const parser = Readable.from(chunks).pipe(
    parse({ bom: true, delimiter, info: true, relax_column_count: true, skip_empty_lines: true, trim: true }),
  );
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
      yield { fields: record, line: info.lines };
  } catch (error) {
    const { lines } = error as { lines?: number };
    if (lines === undefined) throw error;
    throw malformed(path, `Line ${lines}: ${(error as Error).message}.`, { line: lines });
  }
}

/** The delimiter of a first line: tab, semicolon, comma, MovieLens's `::`, or spaces. */
function delimiterOf(line: string): string {
  return ['\t', ';', ',', '::'].find((delimiter) => line.includes(delimiter)) ?? ' ';
}

class Collector {
  readonly #path: string;
  readonly #request: ReadRequest;
  readonly #rows = new LabelIndex();
  readonly #columnLabels = new LabelIndex();
  #entries = new EntryList(false);
  #columns: CsvColumns | undefined;
  /** Fields up to the last one needed. */
  #needed = 0;
  #delimiter = 0;
  #isDouble = false;
  readonly #starts = new Int32Array(64);
  readonly #ends = new Int32Array(64);

  constructor(path: string, request: ReadRequest) {
    this.#path = path;
    this.#request = request;
  }

  takeLine(bytes: Buffer, start: number, end: number, line: number): void {
    if (start === end || (this.#columns === undefined && (bytes[start] === 35 || bytes[start] === 37))) return;
    if (this.#columns === undefined) {
      const text = bytes.toString('utf8', start, end);
      if (text.includes('"')) throw new QuotedField();
      const delimiter = delimiterOf(text);
      this.#delimiter = delimiter.charCodeAt(0);
      this.#isDouble = delimiter.length === 2;
      const fields = (delimiter === ' ' ? text.trim().split(/ +/) : text.split(delimiter)).map((field) => field.trim());
      if (this.#settle(fields)) return;
    }
    const found = this.#split(bytes, start, end);
    if (found < this.#needed) {
      if (bytes.subarray(start, end).every((byte) => byte === space)) return;
      throw this.#missingField(found, line);
    }
    this.#take(bytes, line);
  }

  takeFields(fields: readonly string[], line: number): void {
    if (this.#columns === undefined && this.#settle(fields)) return;
    if (fields.length < this.#needed) throw this.#missingField(fields.length, line);
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
      throw malformed(this.#path, `${this.#path} holds no entries.`, {}, 'Lines are row, column, value.');
    const labels = { rows: this.#rows.labels, columns: this.#columnLabels.labels };
    const weights = this.#entries.weights();
    return {
      matrix: this.#entries.triples([labels.rows.length, labels.columns.length]),
      labels,
      notes,
      ...(weights && { weights }),
    };
  }

  /** Chooses the columns from the first line; true when that line is a header. */
  #settle(first: readonly string[]): boolean {
    const columns = chooseColumns(first, this.#request, this.#path);
    this.#columns = columns;
    this.#needed = Math.max(columns.row, columns.column, columns.value, columns.weight) + 1;
    this.#entries = new EntryList(columns.weight >= 0);
    return columns.hasHeader;
  }

  /** Finds the fields needed, spaces around them left out; returns how many there are. */
  #split(bytes: Buffer, start: number, end: number): number {
    const delimiter = this.#delimiter;
    const starts = this.#starts;
    const ends = this.#ends;
    let at = start;
    for (let field = 0; field < this.#needed; field++) {
      while (at < end && bytes[at] === space) at++;
      if (at >= end && delimiter === space) return field;
      let stop = at;
      for (let byte = bytes[stop]; stop < end && byte !== delimiter; byte = bytes[++stop])
        if (byte === quote) throw new QuotedField();
      starts[field] = at;
      let last = stop;
      while (last > at && bytes[last - 1] === space) last--;
      ends[field] = last;
      if (stop >= end) return field + 1;
      at = stop + (this.#isDouble ? 2 : 1);
    }
    return this.#needed;
  }

  #take(bytes: Buffer, line: number): void {
    const { row, column, value, weight } = this.#columns as CsvColumns;
    const starts = this.#starts;
    const ends = this.#ends;
    if (starts[row] === ends[row] || starts[column] === ends[column]) throw this.#missingField(0, line);
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
    throw badNumber(this.#path, bytes.toString('utf8', start, end), line, field);
  }

  #missingField(found: number, line: number): HadamardError {
    return malformed(
      this.#path,
      `Line ${line} ${found === 0 ? 'has an empty label' : `has ${found} of ${this.#needed} fields`}.`,
      { line },
      'Each line has a row, a column and a value; leave out lines of unknown entries.',
    );
  }
}

/** A field that should be a finite number: what a number cannot be, or what only looks like one. */
export function badNumber(path: string, text: string, line: number, field: number): HadamardError {
  const position = { file: path, line, column: field };
  if (/^[+-]?(nan|inf|infinity|\d.*)$/i.test(text))
    return new HadamardError({
      code: 'invalid-value',
      what: `Line ${line} has the value "${text}".`,
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
