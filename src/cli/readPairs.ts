/** The pairs of `hadamard predict`: rows and columns by name, some of which the model may never have seen. */
import { visitEntries } from '../data/entries.js';
import { HadamardError } from '../errors.js';
import type { ColumnSource, RecordPlace } from '../formats/columnSource.js';
import { areNumbered } from '../formats/csvColumns.js';
import { commentNotes, records } from '../formats/csvRecords.js';
import { excerpt, excerpts } from '../formats/excerpt.js';
import { type Format, formatOf } from '../formats/formatOf.js';
import { partsOf } from '../formats/parts.js';
import { readTable } from '../formats/readTable.js';
import { labelText, noLabel } from '../formats/valueLabels.js';
import type { Model } from '../model/model.js';
import { coldAnswer, finderOf, placesIn, unknown } from './names.js';

export interface PairsRequest {
  /** Names of the two columns, or their numbers from 1. */
  readonly columns?: readonly string[] | undefined;
  readonly format?: Format | undefined;
  /** Takes what was passed over, a sentence each. */
  onNote(note: string): void;
}

/** Some of the pairs, in the order of the file. */
export interface NamedPairs {
  /** Indices of the model, or {@link unknown}. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** As the file names them. */
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
}

interface Names {
  readonly rows: string[];
  readonly columns: string[];
}

/** Pairs that are held at a time. */
const batchPairs = 1 << 16;

/**
 * Reads pairs from .mtx (counted from 1) and .npz (from 0), or from the first two columns of .csv, .tsv, .txt, .jsonl,
 * .parquet and .arrow, or the two that `columns` chooses by name or by numbers from 1. Without names a first line of text
 * that names neither a row nor a column is a header; lines before it that begin with # or % and name neither are comments.
 *
 * @throws HadamardError as the readers; `malformed-file` with the line where a field is missing.
 */
export async function* readPairs(model: Model, path: string, request: PairsRequest): AsyncGenerator<NamedPairs> {
  for (const part of (await partsOf(path)) ?? [path]) yield* pairsOf(model, part, request);
}

async function* pairsOf(model: Model, path: string, request: PairsRequest): AsyncGenerator<NamedPairs> {
  // A name that says nothing may be of a pipe, and is of text.
  const format = request.format ?? formatOf(path) ?? 'csv';
  if (format === 'npy') throw noPairs(path);
  if (format === 'mtx' || format === 'npz') {
    yield* matrixPairs(model, path, format, request);
    return;
  }
  const isText = format === 'csv' || format === 'tsv';
  let count = 0;
  let strangers = 0;
  for await (const names of isText ? textNames(model, path, request) : columnNames(path, format, request)) {
    const rows = placesIn(model, 'rows', names.rows);
    const columns = placesIn(model, 'columns', names.columns);
    count += rows.length;
    strangers += rows.reduce((sum, row, t) => sum + (row === unknown || columns[t] === unknown ? 1 : 0), 0);
    yield { rows, columns, rowNames: names.rows, columnNames: names.columns };
  }
  if (strangers > 0)
    request.onNote(
      `${path}: ${strangers} of ${count} pairs name a row or column that the model has not seen; ${coldAnswer(model)}`,
    );
}

function noPairs(path: string): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `${path} is no list of pairs.`,
    position: { file: path },
    rule: 'Pairs are the first two columns of .csv, .tsv, .txt, .jsonl, .parquet or .arrow, or the entries of .mtx or .npz.',
    remedy: 'Write the pairs as one of these.',
  });
}

async function* matrixPairs(
  model: Model,
  path: string,
  format: Format,
  { onNote }: PairsRequest,
): AsyncGenerator<NamedPairs> {
  const { matrix, notes } = await readTable(path, { format });
  for (const note of notes) onNote(note);
  const [m, n] = model.shape;
  const rows: number[] = [];
  const columns: number[] = [];
  visitEntries(matrix, undefined, (row, column) => {
    rows.push(row);
    columns.push(column);
  });
  const asNamed = (index: number) => String(format === 'mtx' ? index + 1 : index);
  for (let start = 0; start < rows.length; start += batchPairs) {
    const [some, their] = [rows, columns].map((list) => list.slice(start, start + batchPairs)) as [number[], number[]];
    yield {
      rows: Int32Array.from(some, (row) => (row < m ? row : unknown)),
      columns: Int32Array.from(their, (column) => (column < n ? column : unknown)),
      rowNames: some.map(asNamed),
      columnNames: their.map(asNamed),
    };
  }
}

async function* textNames(model: Model, path: string, { columns: names, onNote }: PairsRequest): AsyncGenerator<Names> {
  const [findRow, findColumn] = [finderOf(model, 'rows'), finderOf(model, 'columns')];
  const isNamed = names !== undefined && !areNumbered(names);
  const numbers = (isNamed ? undefined : names) ?? ['1', '2'];
  const namesNone = (fields: readonly string[]) =>
    findRow(fields[Number(numbers[0]) - 1] ?? '') === undefined &&
    findColumn(fields[Number(numbers[1]) - 1] ?? '') === undefined;
  let comments = 0;
  let lastComment = 0;
  const isComment = (fields: readonly string[], line: number) => {
    if (isNamed ? names.slice(0, 2).every((name) => fields.includes(name)) : !namesNone(fields)) return false;
    comments++;
    lastComment = line;
    return true;
  };
  let places: readonly number[] | undefined;
  let batch: Names = { rows: [], columns: [] };
  for await (const some of records(path, isComment))
    for (const { fields, line } of some) {
      if (places === undefined) {
        if (fields.some((field) => field.includes('\0'))) throw noPairs(path);
        places = isNamed
          ? names.slice(0, 2).map((name) => placeOf(name, fields, path, { line: 1 }))
          : numbers.slice(0, 2).map((number) => Number(number) - 1);
        for (const note of commentNotes(path, comments, lastComment)) onNote(note);
        const isHeader = isNamed || namesNone(fields);
        if (isHeader && !isNamed)
          onNote(`${path}: the first line names no row and no column of the model, so it is taken as a header.`);
        if (isHeader) continue;
      }
      const [rowAt = 0, columnAt = 1] = places;
      const row = fields[rowAt];
      const column = fields[columnAt];
      if (row === undefined || column === undefined)
        throw malformedPairs(
          path,
          { line },
          `Line ${line} has ${fields.length} of the ${1 + Math.max(rowAt, columnAt)} fields that it needs.`,
        );
      batch.rows.push(row);
      batch.columns.push(column);
      if (batch.rows.length < batchPairs) continue;
      yield batch;
      batch = { rows: [], columns: [] };
    }
  if (batch.rows.length > 0) yield batch;
}

/** The two columns of files that have columns. */
async function* columnNames(
  path: string,
  format: Format,
  { columns: names = ['1', '2'] }: PairsRequest,
): AsyncGenerator<Names> {
  const source = await openColumns(path, format);
  try {
    const isNumbered = areNumbered(names);
    const places = names.slice(0, 2).map((name) => {
      const place = isNumbered ? Number(name) - 1 : source.names.indexOf(name);
      return source.names[place] === undefined ? placeOf(name, source.names, path, {}) : place;
    });
    let before = 0;
    for await (const { length, columns, lines } of source.batches(places)) {
      const text = (value: unknown, t: number) => {
        const label = labelText(value);
        if (label !== undefined) return label;
        throw noLabel(value, path, lines ? { line: lines[t] as number } : { record: before + t + 1 });
      };
      const [rows = [], their = []] = columns;
      yield { rows: Array.from(rows, text), columns: Array.from(their, text) };
      before += length;
    }
  } finally {
    await source.close();
  }
}

async function openColumns(path: string, format: Format): Promise<ColumnSource> {
  if (format === 'parquet') return (await import('../formats/parquet.js')).openParquet(path);
  if (format === 'arrow') return (await import('../formats/arrow.js')).openArrow(path);
  return (await import('../formats/jsonRecords.js')).openJsonRecords(path);
}

function placeOf(name: string, header: readonly string[], path: string, place: Partial<RecordPlace>): number {
  const found = header.indexOf(name);
  if (found >= 0) return found;
  throw malformedPairs(path, place, `There is no column "${excerpt(name)}"; the columns are ${excerpts(header)}.`);
}

function malformedPairs(path: string, place: Partial<RecordPlace>, what: string): HadamardError {
  return new HadamardError({
    code: 'malformed-file',
    what,
    position: { file: path, ...place },
    rule: 'Each line of a pairs file names a row and a column.',
    remedy: 'Correct the line, or name the two columns with --columns.',
  });
}
