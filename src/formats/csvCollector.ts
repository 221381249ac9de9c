/** Makes a table of the lines of a CSV of triples, one by one or in parts that were parsed elsewhere. */
import { isUtf8 } from 'node:buffer';
import type { HadamardError } from '../errors.js';
import type { LineFormat } from '../kernels/lines.js';
import { badNumber } from './badNumber.js';
import { areNumbered, type CsvColumns, chooseColumns, isNumber } from './csvColumns.js';
import { commentNotes, delimiterOf, isBlank, isMarked, splitLine } from './csvRecords.js';
import { EntryList } from './entryList.js';
import { excerpt } from './excerpt.js';
import { instantOf, noInstant } from './instant.js';
import { LabelIndex, labelsLater } from './labels.js';
import { LineNumbers } from './lineNumbers.js';
import type { ParsedPart, PartView } from './lineParser.js';
import { malformed, notUtf8 } from './lines.js';
import { parseNumber } from './numbers.js';
import type { ParserNumbers } from './parserNumbers.js';
import type { ReadRequest, Table } from './table.js';

const quote = 34;
const space = 32;

/** What is longer is no label and no number. */
const longestField = 1 << 20;

/** Stops the byte parser: a quoted field holds a quote or a line end, or quotes stand where they are not understood here. */
export class QuotedField extends Error {}

export class CsvCollector {
  readonly #path: string;
  readonly #request: ReadRequest;
  readonly #rows = new LabelIndex();
  readonly #columnLabels = new LabelIndex();
  #entries = new EntryList(false);
  readonly #lineNumbers = new LineNumbers();
  readonly #extra: number[] = [];
  #columns: CsvColumns | undefined;
  /** Fields up to the last one needed, and of the first line. */
  #needed = 0;
  #width = 0;
  #delimiter = 0;
  #isDouble = false;
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);
  #comments = 0;
  #lastComment = 0;
  /** Lines before the next part. */
  #line = 0;

  constructor(path: string, request: ReadRequest) {
    this.#path = path;
    this.#request = request;
  }

  takeLine(bytes: Buffer, start: number, end: number, line: number): void {
    if (this.#columns === undefined && this.takeHead(bytes, start, end, line)) return;
    if (start === end) return;
    const found = this.#split(bytes, start, end);
    if (found < this.#needed) {
      // Nothing in quotes is as blank as nothing.
      if (isBlank(bytes, start, end) || (found === 1 && this.#starts[0] === this.#ends[0])) return;
      throw this.#missingField(found, line);
    }
    this.#checkSurplus(found, line);
    this.#take(bytes, line);
  }

  /** Looks at a line before the columns are known; true where it holds no entry. */
  takeHead(bytes: Buffer, start: number, end: number, line: number): boolean {
    if (isBlank(bytes, start, end)) return true;
    const text = bytes.toString('utf8', start, end);
    const delimiter = delimiterOf(text);
    const fields = text.includes('"') ? this.#quotedFields(bytes, start, end, delimiter) : splitLine(text, delimiter);
    if (isMarked(bytes[start]) && this.isComment(fields, line)) return true;
    if (!isUtf8(bytes.subarray(start, end))) throw notUtf8(this.#path, line);
    this.#delimiter = delimiter.charCodeAt(0);
    this.#isDouble = delimiter.length === 2;
    return this.#settle(fields, line);
  }

  /** Those of a first line with quotes. */
  #quotedFields(bytes: Buffer, start: number, end: number, delimiter: string): string[] {
    // What is a comment is said of fields outside of quotes.
    if (isMarked(bytes[start])) throw new QuotedField();
    this.#delimiter = delimiter.charCodeAt(0);
    this.#isDouble = delimiter.length === 2;
    // No field is needed beyond the bytes that there are.
    this.#expect(end - start + 1);
    const found = this.#split(bytes, start, end);
    return Array.from({ length: found }, (_, field) => bytes.toString('utf8', this.#starts[field], this.#ends[field]));
  }

  #expect(fields: number): void {
    this.#needed = fields;
    this.#starts = new Int32Array(fields);
    this.#ends = new Int32Array(fields);
  }

  /** How lines are parted, once that is known. */
  get format(): LineFormat | undefined {
    if (this.#columns === undefined) return undefined;
    const { row, column, value, weight } = this.#columns;
    const [needed, width] = [this.#needed, this.#width];
    return { delimiter: this.#delimiter, isDouble: this.#isDouble, row, column, value, weight, needed, width };
  }

  /** Parts follow, after so many lines, with so many entries at most. */
  beginParts(line: number, most: number): void {
    this.#line = line;
    this.#entries.reserve(most);
  }

  /** What a parser has made of the next part. @throws Unusual where a label is no UTF-8. */
  takePart(part: PartView, { entries, lines }: ParsedPart, numbers: ParserNumbers): void {
    numbers.settle(part, this.#rows, this.#columnLabels);
    const first = this.#entries.length;
    const { gaps } = part;
    if (entries > 0) this.#lineNumbers.add(first, this.#line + 1);
    for (let i = 0; i < gaps.length; i += 2)
      this.#lineNumbers.add(first + (gaps[i] as number), this.#line + 1 + (gaps[i + 1] as number));
    this.#entries.append(part);
    this.#line += lines;
  }

  /** Whether a line before the first that begins with # or % is passed over; `# 1 2` has no label, `#1 2 3` has. */
  isComment(fields: readonly string[], line: number): boolean {
    const { columns = ['1', '2', '3'] } = this.#request;
    const isFirst = areNumbered(columns)
      ? !/^[#%]*$/.test(fields[0] as string) && isNumber(fields[Number(columns[2]) - 1])
      : columns.every((name) => fields.includes(name));
    if (isFirst) return false;
    this.#comments++;
    this.#lastComment = line;
    return true;
  }

  takeFields(fields: readonly string[], line: number): void {
    if (this.#columns === undefined && this.#settle(fields, line)) return;
    if (fields.length < this.#needed) throw this.#missingField(fields.length, line);
    this.#checkSurplus(fields.length, line);
    const parts = fields.slice(0, this.#needed).map((field) => Buffer.from(field));
    let end = 0;
    parts.forEach((part, f) => {
      this.#starts[f] = end;
      end += part.length;
      this.#ends[f] = end;
    });
    this.#take(Buffer.concat(parts), line);
  }

  table(): Table {
    if (this.#entries.length === 0)
      throw malformed(
        this.#path,
        `${this.#path} holds no entries.`,
        {},
        'Lines are row, column, value.',
        'Check that it is the right file and whole.',
      );
    const labels = labelsLater(this.#rows.close(), this.#columnLabels.close());
    const weights = this.#entries.weights();
    // A closure over `this` would keep all that was needed to number labels.
    const lines = this.#lineNumbers;
    return {
      matrix: this.#entries.triples([this.#rows.length, this.#columnLabels.length], this.#path),
      labels,
      names: this.#columns?.names,
      lineOf: (entry) => lines.lineOf(entry),
      notes: [...commentNotes(this.#path, this.#comments, this.#lastComment), ...(this.#columns?.notes ?? [])],
      ...(weights && { weights }),
      ...((this.#columns?.extra ?? -1) >= 0 && { extra: Float64Array.from(this.#extra) }),
    };
  }

  /** Chooses the columns from the first line; true when that line is a header. */
  #settle(first: readonly string[], line: number): boolean {
    const columns = chooseColumns(first, this.#request, this.#path, line);
    this.#columns = columns;
    this.#width = first.length;
    this.#expect(Math.max(columns.row, columns.column, columns.value, columns.weight, columns.extra) + 1);
    this.#entries = new EntryList(columns.weight >= 0);
    return columns.hasHeader;
  }

  /** Finds the fields needed, spaces and quotes around them left out; returns how many fields the line has. */
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
      if (bytes[at] === quote && at < last) {
        starts[field] = at + 1;
        ends[field] = last - 1;
      }
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
    if (bytes[start] === quote && start < end) return this.#quotedEnd(bytes, start, end);
    let stop = start;
    for (let byte = bytes[stop]; stop < end; byte = bytes[++stop]) {
      if (byte === quote) throw new QuotedField();
      if (byte === this.#delimiter && (!this.#isDouble || bytes[stop + 1] === byte)) break;
    }
    return stop;
  }

  /** Of a field that begins with a quote, ends with the next and holds none. */
  #quotedEnd(bytes: Buffer, start: number, end: number): number {
    const close = bytes.indexOf(quote, start + 1);
    let stop = close + 1;
    while (stop < end && bytes[stop] === space) stop++;
    const isPlain = close > 0 && close < end && (stop === end || bytes[stop] === this.#delimiter);
    if (!isPlain || this.#isDouble || this.#delimiter === space) throw new QuotedField();
    return stop;
  }

  #take(bytes: Buffer, line: number): void {
    const { row, column, value, weight, extra } = this.#columns as CsvColumns;
    const starts = this.#starts;
    const ends = this.#ends;
    if (starts[row] === ends[row] || starts[column] === ends[column]) throw this.#missingField(0, line);
    this.#lineNumbers.add(this.#entries.length, line);
    this.#entries.push(
      this.#label(this.#rows, bytes, row, line),
      this.#label(this.#columnLabels, bytes, column, line),
      this.#number(bytes, value, line),
      weight >= 0 ? this.#number(bytes, weight, line) : 1,
    );
    if (extra >= 0) this.#extra.push(this.#instant(bytes, extra, line));
  }

  #label(labels: LabelIndex, bytes: Buffer, field: number, line: number): number {
    this.#checkLength(field, line);
    const index = labels.indexOf(bytes, this.#starts[field] as number, this.#ends[field] as number);
    if (index < 0) throw notUtf8(this.#path, line);
    return index;
  }

  #checkLength(field: number, line: number): void {
    if ((this.#ends[field] as number) - (this.#starts[field] as number) <= longestField) return;
    throw malformed(
      this.#path,
      `Line ${line} has a field longer than ${longestField >> 20} MiB.`,
      { line },
      'Fields are labels and numbers.',
      'Check that it is the right file and that its quotes are closed.',
    );
  }

  #number(bytes: Buffer, field: number, line: number): number {
    this.#checkLength(field, line);
    const start = this.#starts[field] as number;
    const end = this.#ends[field] as number;
    const number = parseNumber(bytes, start, end);
    if (Number.isFinite(number)) return number;
    throw badNumber(this.#path, bytes.toString('utf8', start, end), line, field, field === this.#columns?.weight);
  }

  #instant(bytes: Buffer, field: number, line: number): number {
    this.#checkLength(field, line);
    const text = bytes.toString('latin1', this.#starts[field], this.#ends[field]);
    const instant = instantOf(text);
    if (!Number.isNaN(instant)) return instant;
    throw malformed(
      this.#path,
      `Line ${line} has "${excerpt(text)}" where a time should be.`,
      { line, field: field + 1 },
      ...noInstant,
    );
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
