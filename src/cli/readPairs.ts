/** The pairs of `hadamard predict`: rows and columns by name, some of which the model may never have seen. */
import { visitEntries } from '../data/entries.js';
import { areNumbered } from '../formats/csvColumns.js';
import { commentNotes, records } from '../formats/csvRecords.js';
import { excerpt, excerpts } from '../formats/excerpt.js';
import { readTable } from '../formats/readTable.js';
import { HadamardError, type Model } from '../index.js';
import { coldAnswer, indexNamed, unknown } from './names.js';

export interface NamedPairs {
  /** Indices of the model, or {@link unknown}. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** As the file names them. */
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Reads pairs from .mtx (counted from 1) or from the first two fields of .csv, .tsv and .txt lines, or the two that
 * `names` chooses by the header or by numbers from 1. Without names a first line that names neither a row nor a column is
 * a header; lines before it that begin with # or % and name neither are comments.
 *
 * @throws HadamardError as the readers; `malformed-file` with the line where a field is missing.
 */
export async function readPairs(model: Model, path: string, names: readonly string[] | undefined): Promise<NamedPairs> {
  if (/\.npy(\.gz)?$/i.test(path)) throw noText(path);
  return /\.mtx(\.gz)?$/i.test(path) ? matrixPairs(model, path) : textPairs(model, path, names);
}

function noText(path: string): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `${path} is no text.`,
    position: { file: path },
    rule: 'Pairs are lines of row, column in .csv, .tsv or .txt, or the entries of a .mtx.',
    remedy: 'Write the pairs as text.',
  });
}

async function matrixPairs(model: Model, path: string): Promise<NamedPairs> {
  const { matrix, notes } = await readTable(path, {});
  const [m, n] = model.shape;
  const rows: number[] = [];
  const columns: number[] = [];
  visitEntries(matrix, undefined, (row, column) => {
    rows.push(row);
    columns.push(column);
  });
  const fromOne = (index: number) => String(index + 1);
  return {
    rows: Int32Array.from(rows, (row) => (row < m ? row : unknown)),
    columns: Int32Array.from(columns, (column) => (column < n ? column : unknown)),
    rowNames: rows.map(fromOne),
    columnNames: columns.map(fromOne),
    notes,
  };
}

async function textPairs(model: Model, path: string, names: readonly string[] | undefined): Promise<NamedPairs> {
  const { rowFinder, columnFinder } = findersOf(model);
  const isNamed = names !== undefined && !areNumbered(names);
  const numbers = (isNamed ? undefined : names) ?? ['1', '2'];
  const namesNone = (fields: readonly string[]) =>
    rowFinder(fields[Number(numbers[0]) - 1] ?? '') === undefined &&
    columnFinder(fields[Number(numbers[1]) - 1] ?? '') === undefined;
  let comments = 0;
  let lastComment = 0;
  const isComment = (fields: readonly string[], line: number) => {
    if (isNamed ? names.slice(0, 2).every((name) => fields.includes(name)) : !namesNone(fields)) return false;
    comments++;
    lastComment = line;
    return true;
  };
  const lines: TextRecord[] = [];
  for await (const record of records(path, isComment)) lines.push(record);
  const first = lines[0]?.fields ?? [];
  if (first.some((field) => field.includes('\0'))) throw noText(path);
  const places = isNamed
    ? names.slice(0, 2).map((name) => placeOf(name, first, path))
    : numbers.slice(0, 2).map((number) => Number(number) - 1);
  const [rowAt = 0, columnAt = 1] = places;
  const isHeader = isNamed || namesNone(first);
  const notes = commentNotes(path, comments, lastComment);
  if (isHeader && !isNamed && first.length > 0)
    notes.push(`${path}: the first line names no row and no column of the model, so it is taken as a header.`);
  const rowNames: string[] = [];
  const columnNames: string[] = [];
  for (const { fields, line } of isHeader ? lines.slice(1) : lines) {
    const [row, column] = places.map((place) => fields[place]);
    if (row === undefined || column === undefined)
      throw malformedPairs(
        path,
        line,
        `Line ${line} has ${fields.length} of the ${1 + Math.max(rowAt, columnAt)} fields that it needs.`,
      );
    rowNames.push(row);
    columnNames.push(column);
  }
  const rows = Int32Array.from(rowNames, (name) => rowFinder(name) ?? unknown);
  const columns = Int32Array.from(columnNames, (name) => columnFinder(name) ?? unknown);
  const strangers = rows.reduce((sum, row, t) => sum + (row === unknown || columns[t] === unknown ? 1 : 0), 0);
  if (strangers > 0)
    notes.push(
      `${path}: ${strangers} of ${rows.length} pairs name a row or column that the model has not seen; ${coldAnswer(model)}`,
    );
  return { rows, columns, rowNames, columnNames, notes };
}

/** How a name becomes an index: by label, or as an index from 0 where there are no labels. */
function findersOf(model: Model) {
  const [m, n] = model.shape;
  return {
    rowFinder: (name: string) => (model.labels.rows ? model.rowIndex(name) : indexNamed(name, m)),
    columnFinder: (name: string) => (model.labels.columns ? model.columnIndex(name) : indexNamed(name, n)),
  };
}

interface TextRecord {
  readonly fields: readonly string[];
  /** From 1. */
  readonly line: number;
}

function placeOf(name: string, header: readonly string[], path: string): number {
  const place = header.indexOf(name);
  if (place >= 0) return place;
  throw malformedPairs(path, 1, `There is no column "${excerpt(name)}"; the header is ${excerpts(header)}.`);
}

function malformedPairs(path: string, line: number, what: string): HadamardError {
  return new HadamardError({
    code: 'malformed-file',
    what,
    position: { file: path, line },
    rule: 'Each line of a pairs file names a row and a column.',
    remedy: 'Correct the line, or name the two columns with --columns.',
  });
}
