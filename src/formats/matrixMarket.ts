/** Matrix Market: coordinate and array, general, symmetric and skew-symmetric, real, integer and pattern (R. F. Boisvert et al., NISTIR 5935). */
import ndarray from 'ndarray';
import { HadamardError } from '../errors.js';
import { EntryList, entryBytes } from './entryList.js';
import { excerpt, excerptOf } from './excerpt.js';
import { eachLine, malformed } from './lines.js';
import { parseNumber } from './numbers.js';
import { checkRoom, mostBytes } from './room.js';
import type { Table } from './table.js';

interface Header {
  readonly isArray: boolean;
  readonly isPattern: boolean;
  readonly isInteger: boolean;
  readonly symmetry: 'general' | 'symmetric' | 'skew-symmetric';
}

/** How much of a bad line is looked at to say what is bad. */
const longestValue = 4096;

/** @throws HadamardError `malformed-file`, `unsupported-format`, `invalid-value`, `index-out-of-range`, `not-enough-memory`, with the line. */
export async function readMatrixMarket(path: string, memoryLimit?: number): Promise<Table> {
  const reader = new MatrixMarketReader(path, await mostBytes(path), memoryLimit);
  await eachLine(path, (bytes, start, end, line) => reader.takeLine(bytes, start, end, line));
  return reader.table();
}

class MatrixMarketReader {
  readonly #path: string;
  readonly #mostBytes: number;
  readonly #memoryLimit: number | undefined;
  #header: Header | undefined;
  /** Rows, columns and, for coordinates, entries. */
  #sizes: readonly number[] | undefined;
  readonly #entries = new EntryList(false);
  #listed = 0;

  constructor(path: string, mostBytes: number, memoryLimit: number | undefined) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#memoryLimit = memoryLimit;
  }

  takeLine(bytes: Buffer, start: number, end: number, line: number): void {
    if (this.#header === undefined) {
      this.#header = parseHeader(this.#path, bytes.toString('latin1', start, Math.min(end, start + 256)));
      return;
    }
    let at = skipSpace(bytes, start, end);
    if (at === end || bytes[at] === 37) return;
    const { isArray, isPattern, isInteger, symmetry } = this.#header;
    if (this.#sizes === undefined) {
      this.#sizes = this.#parseSizes(bytes.toString('latin1', at, Math.min(end, at + longestValue)), line);
      return;
    }
    const [rows = 0, columns = 0] = this.#sizes;
    if (isArray) {
      for (; at < end; at = skipSpace(bytes, at, end)) {
        const stop = fieldEnd(bytes, at, end);
        this.#takeValue(bytes, at, stop, line);
        at = stop;
      }
      return;
    }
    const rowEnd = fieldEnd(bytes, at, end);
    const row = parseNumber(bytes, at, rowEnd);
    at = skipSpace(bytes, rowEnd, end);
    const columnEnd = fieldEnd(bytes, at, end);
    const column = parseNumber(bytes, at, columnEnd);
    at = skipSpace(bytes, columnEnd, end);
    if (!Number.isInteger(row) || !Number.isInteger(column) || (!isPattern && at === end))
      throw malformed(
        this.#path,
        `Line ${line} is "${excerptOf(bytes, start, end)}".`,
        { line },
        isPattern ? 'Entries are row and column.' : 'Entries are row, column and value.',
        'Correct the line, or fetch the file again if it is truncated.',
      );
    if (!(row >= 1 && row <= rows && column >= 1 && column <= columns))
      throw new HadamardError({
        code: 'index-out-of-range',
        what: `Line ${line} names entry (${row}, ${column}) of a ${rows}×${columns} matrix.`,
        position: { file: this.#path, line, row: row - 1, column: column - 1 },
        rule: 'Matrix Market counts rows and columns from 1.',
        remedy: 'Correct the sizes, or add 1 to indices that count from 0.',
      });
    const valueEnd = isPattern ? at : fieldEnd(bytes, at, end);
    const value = isPattern ? 1 : parseNumber(bytes, at, valueEnd);
    const isMisplaced = skipSpace(bytes, valueEnd, end) < end || (symmetry === 'skew-symmetric' && row === column);
    if (!Number.isFinite(value) || isMisplaced || (isInteger && !Number.isInteger(value)))
      throw this.#badValue(bytes.toString('latin1', at, Math.min(end, at + longestValue)), line);
    this.#listed++;
    this.#push(row - 1, column - 1, value);
  }

  table(): Table {
    const path = this.#path;
    if (this.#header === undefined || this.#sizes === undefined)
      throw malformed(
        path,
        `${path} ends before its sizes.`,
        {},
        'After the header and comments comes a line of sizes.',
        'The file seems truncated: fetch it again.',
      );
    const [rows = 0, columns = 0, entries = this.#arrayLength(rows, columns)] = this.#sizes;
    if (this.#listed !== entries)
      throw malformed(
        path,
        `${path} announces ${entries} entries and has ${this.#listed}.`,
        {},
        'A file has as many entries as its sizes say.',
        'The file seems truncated or changed: fetch it again.',
      );
    const triples = this.#entries.triples([rows, columns], this.#path);
    if (!this.#header.isArray) return { matrix: triples, notes: [] };
    const dense = new Float64Array(rows * columns);
    for (let t = 0; t < triples.values.length; t++)
      dense[(triples.rows[t] as number) * columns + (triples.columns[t] as number)] = triples.values[t] as number;
    return { matrix: ndarray(dense, [rows, columns]), notes: [] };
  }

  /** Values of an array stand column by column; of a symmetric one only those on and below the diagonal. */
  #takeValue(bytes: Buffer, start: number, end: number, line: number): void {
    const [rows = 0, columns = 0] = this.#sizes ?? [];
    const isMissing = end - start <= 4 && /^[+-]?nan$/i.test(bytes.toString('latin1', start, end));
    const value = isMissing ? Number.NaN : parseNumber(bytes, start, end);
    if (!isMissing && !Number.isFinite(value))
      throw this.#badValue(bytes.toString('latin1', start, Math.min(end, start + longestValue)), line);
    if (this.#listed >= this.#arrayLength(rows, columns))
      throw malformed(
        this.#path,
        `Line ${line} goes on after the last of ${this.#listed} values.`,
        { line },
        'An array has as many values as its sizes say.',
        'Correct the sizes, or fetch the file again.',
      );
    this.#push(this.#arrayRow, this.#arrayColumn, value);
    this.#listed++;
    if (++this.#arrayRow < rows) return;
    this.#arrayColumn++;
    this.#arrayRow = this.#firstRow(this.#arrayColumn);
  }

  #arrayRow = 0;
  #arrayColumn = 0;

  #firstRow(column: number): number {
    return { general: 0, symmetric: column, 'skew-symmetric': column + 1 }[this.#header?.symmetry ?? 'general'];
  }

  #arrayLength(rows: number, columns: number): number {
    const { symmetry } = this.#header as Header;
    if (symmetry === 'general') return rows * columns;
    return (rows * (rows + (symmetry === 'symmetric' ? 1 : -1))) / 2;
  }

  #push(row: number, column: number, value: number): void {
    this.#entries.push(row, column, value, 1);
    const { symmetry } = this.#header as Header;
    if (symmetry === 'general' || row === column) return;
    this.#entries.push(column, row, symmetry === 'symmetric' ? value : -value, 1);
  }

  #parseSizes(text: string, line: number): number[] {
    const { isArray, symmetry } = this.#header as Header;
    const sizes = text.trim().split(/\s+/).map(Number);
    const [rows = 0, columns = 0, entries = 0] = sizes;
    const isSound =
      sizes.length === (isArray ? 2 : 3) &&
      sizes.every((size) => Number.isSafeInteger(size) && size >= 0) &&
      Math.min(rows, columns) >= 1 &&
      Math.max(rows, columns) < 2 ** 32 &&
      (isArray || entries <= rows * columns) &&
      (symmetry === 'general' || rows === columns);
    if (!isSound)
      throw malformed(
        this.#path,
        `Line ${line} gives the sizes "${excerpt(text.trim())}".`,
        { line },
        isArray ? 'Sizes are rows and columns.' : 'Sizes are rows, columns and entries, at most rows times columns.',
        'Correct them; a symmetric matrix is square.',
      );
    this.#checkRoom(isArray ? this.#arrayLength(rows, columns) : entries, line);
    if (isArray) this.#arrayRow = this.#firstRow(0);
    return sizes;
  }

  /** A file that cannot hold what it announces, or announces what cannot be held, is not read to its end to find that out. */
  #checkRoom(entries: number, line: number): void {
    const { isArray, isPattern } = this.#header as Header;
    const least = isArray ? 2 : isPattern ? 4 : 6;
    // The last line may have no line end.
    if (entries * least <= this.#mostBytes + 1) {
      checkRoom(this.#path, entries * entryBytes, this.#memoryLimit);
      return;
    }
    throw malformed(
      this.#path,
      `Line ${line} announces ${entries} entries, for which the file is too short.`,
      { line },
      `An entry takes at least ${least} bytes.`,
      'The file seems truncated or changed: fetch it again.',
    );
  }

  #badValue(text: string, line: number): HadamardError {
    const isNotFinite =
      text.length < longestValue &&
      /^[+-]?(nan|inf|infinity|(\d+(\.\d*)?|\.\d+)(e\+?\d+)?)$/i.test(text.trim()) &&
      !Number.isFinite(Number(text));
    return new HadamardError({
      code: isNotFinite ? 'invalid-value' : 'malformed-file',
      what: `Line ${line} has the value "${excerpt(text.trim())}".`,
      position: { file: this.#path, line },
      rule: `Values are finite ${this.#header?.isInteger ? 'integers' : 'numbers'}, one a place, none on a skew diagonal; in an array NaN means unobserved.`,
      remedy: 'Correct it; leave unknown entries out.',
    });
  }
}

function parseHeader(path: string, text: string): Header {
  const [banner, object, format, field, symmetry] = text.trim().toLowerCase().split(/\s+/);
  if (banner !== '%%matrixmarket')
    throw malformed(
      path,
      `${path} begins with "${text.slice(0, 40)}".`,
      { line: 1 },
      'A Matrix Market file begins with %%MatrixMarket.',
      'Save it with scipy.io.mmwrite, or give a list of triples the ending .txt.',
    );
  const isKnown =
    object === 'matrix' &&
    (format === 'coordinate' || format === 'array') &&
    (field === 'real' ||
      field === 'integer' ||
      field === 'double' ||
      // What scipy calls its unsigned types.
      field === 'unsigned-integer' ||
      (field === 'pattern' && format === 'coordinate')) &&
    (symmetry === 'general' || symmetry === 'symmetric' || symmetry === 'skew-symmetric');
  if (!isKnown)
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${path} is "${excerpt(text.trim())}".`,
      position: { file: path, line: 1 },
      rule: 'Matrix Market files are matrix, coordinate or array, real, integer or pattern, general, symmetric or skew-symmetric.',
      remedy: 'Convert it, for example with scipy.io.mmread and mmwrite.',
    });
  return {
    isArray: format === 'array',
    isPattern: field === 'pattern',
    isInteger: field?.endsWith('integer') === true,
    symmetry,
  };
}

function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === 32 || bytes[at] === 9)) at++;
  return at;
}

function fieldEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 32 && bytes[at] !== 9) at++;
  return at;
}
