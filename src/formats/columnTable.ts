/** Tables from columns: entries row, column, value (and weight), or a dense table with a column for each of its columns. */
import ndarray from 'ndarray';
import type { HadamardError } from '../errors.js';
import { badRecord, type ColumnSource, type RecordPlace } from './columnSource.js';
import { chooseColumns } from './csvColumns.js';
import { EntryList, entryBytes } from './entryList.js';
import { excerpt } from './excerpt.js';
import { instantOf, noInstant } from './instant.js';
import { LineNumbers } from './lineNumbers.js';
import { malformed } from './lines.js';
import { checkRoom } from './room.js';
import type { ReadRequest, Table } from './table.js';
import { labelText, noLabel, ValueLabels } from './valueLabels.js';

/** Opens the source, reads it as the request says and closes it whatever happens. */
export async function readColumns(
  path: string,
  open: () => Promise<ColumnSource>,
  request: ReadRequest,
): Promise<Table> {
  const source = await open();
  try {
    return await (request.table ? cells(path, source, request) : entries(path, source, request));
  } finally {
    await source.close();
  }
}

async function entries(path: string, source: ColumnSource, request: ReadRequest): Promise<Table> {
  const { names, isPositional } = source;
  const chosen = chooseColumns(names, request, path, undefined);
  const { row, column, value, weight, extra } = chosen;
  const isWeighted = weight >= 0;
  const instants: number[] = [];
  const list = new EntryList(isWeighted);
  const rows = new ValueLabels();
  const columns = new ValueLabels();
  const lineNumbers = new LineNumbers();
  let hasLines = false;
  checkRoom(
    path,
    (source.records ?? 0) * (entryBytes + (isWeighted ? 8 : 0) + (extra >= 0 ? 8 : 0)),
    request.memoryLimit,
  );
  const optional = [...(isWeighted ? [weight] : []), ...(extra >= 0 ? [extra] : [])];
  for await (const batch of source.batches([row, column, value, ...optional])) {
    const [rowValues, columnValues, values, ...others] = batch.columns as [
      ArrayLike<unknown>,
      ArrayLike<unknown>,
      ArrayLike<unknown>,
      ...ArrayLike<unknown>[],
    ];
    const weights = isWeighted ? others[0] : undefined;
    const times = extra >= 0 ? others.at(-1) : undefined;
    hasLines = batch.lines !== undefined;
    for (let t = 0; t < batch.length; t++) {
      const place = (): RecordPlace => (batch.lines ? { line: batch.lines[t] as number } : { record: list.length + 1 });
      const i = rows.indexOf(rowValues[t], path, place);
      const j = columns.indexOf(columnValues[t], path, place);
      const number = finite(values[t], path, place, false);
      const given = weights ? finite(weights[t], path, place, true) : 1;
      if (batch.lines) lineNumbers.add(list.length, batch.lines[t] as number);
      if (times) instants.push(instant(times[t], path, place));
      list.push(i, j, number, given);
    }
  }
  if (list.length === 0) throw noRows(path);
  const given = list.weights();
  return {
    matrix: list.triples([rows.labels.length, columns.labels.length], path),
    labels: { rows: rows.labels, columns: columns.labels },
    names: isPositional ? undefined : chosen.names,
    ...(hasLines && { lineOf: (entry: number) => lineNumbers.lineOf(entry) }),
    notes: isPositional ? [] : chosen.notes,
    ...(given && { weights: given }),
    ...(extra >= 0 && { extra: Float64Array.from(instants) }),
  };
}

/** The first column, or the one that is marked so, names the rows; null and NaN are unobserved. */
async function cells(path: string, source: ColumnSource, { memoryLimit }: ReadRequest): Promise<Table> {
  const { names, indexColumn } = source;
  const labelled = Math.max(0, indexColumn === undefined ? 0 : names.indexOf(indexColumn));
  const columns = names.filter((_, place) => place !== labelled);
  if (columns.length === 0 || source.isPositional)
    throw malformed(
      path,
      `${path} has no columns beside the labels of its rows.`,
      {},
      'A dense table has a column of row labels, then a column of numbers for each of its columns.',
      'Leave --table out where records are row, column, value.',
    );
  checkRoom(path, (source.records ?? 0) * columns.length * 8, memoryLimit);
  const places = [labelled, ...columns.map((_, j) => (j < labelled ? j : j + 1))];
  const rows: string[] = [];
  const blocks: Float64Array[] = [];
  for await (const {
    length,
    columns: [labels, ...parts],
  } of source.batches(places)) {
    const block = new Float64Array(length * columns.length);
    const first = rows.length;
    for (let t = 0; t < length; t++) {
      const label = labelText(labels?.[t]);
      if (label === undefined) throw noLabel(labels?.[t], path, { record: first + t + 1 });
      rows.push(label);
    }
    parts.forEach((values, j) => {
      for (let t = 0; t < length; t++) {
        const value = values[t];
        block[t * columns.length + j] =
          value === null || value === undefined || Number.isNaN(value)
            ? Number.NaN
            : finite(value, path, () => ({ record: first + t + 1 }), false, columns[j]);
      }
    });
    blocks.push(block);
  }
  if (rows.length === 0) throw noRows(path);
  checkLabels(path, rows, columns);
  const values = new Float64Array(rows.length * columns.length);
  let at = 0;
  for (const block of blocks) {
    values.set(block, at);
    at += block.length;
  }
  // pandas calls an index without a name so.
  const corner = names[labelled]?.startsWith('__index_level_') ? undefined : names[labelled];
  return { matrix: ndarray(values, [rows.length, columns.length]), labels: { rows, columns }, corner, notes: [] };
}

function instant(value: unknown, path: string, place: () => RecordPlace): number {
  const text = labelText(value) ?? '';
  const number = instantOf(text);
  if (!Number.isNaN(number)) return number;
  throw badRecord('malformed-file', path, place(), `has "${excerpt(text)}" where a time should be`, ...noInstant);
}

/** @throws HadamardError `invalid-value` or `invalid-weight` for none, NaN and infinities; `malformed-file` for what is no number. */
function finite(value: unknown, path: string, place: () => RecordPlace, isWeight: boolean, column?: string): number {
  // A number that is kept as text, so that it may be a label.
  const isLong = typeof value === 'string' && /^-?(?=[\d.]{16})\d+(\.\d+)?$/.test(value);
  const number = typeof value === 'bigint' || typeof value === 'boolean' || isLong ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw noNumber(number, path, place(), isWeight, column);
}

function noNumber(value: unknown, path: string, place: RecordPlace, isWeight: boolean, column?: string): HadamardError {
  const kind = isWeight ? 'weight' : 'value';
  const where = column === undefined ? '' : ` in column "${excerpt(column)}"`;
  if (value === null || value === undefined || typeof value === 'number')
    return badRecord(
      isWeight ? 'invalid-weight' : 'invalid-value',
      path,
      place,
      typeof value === 'number' ? `has the ${kind} ${value}${where}` : `has no ${kind}${where}`,
      'Listed entries have finite numbers.',
      'Leave unknown entries out (in a table: null).',
    );
  return badRecord(
    'malformed-file',
    path,
    place,
    `has ${typeof value === 'string' ? `"${excerpt(value)}"` : 'no number'} where a number should be${where}`,
    'Values are numbers.',
    'Correct it, or name other columns with --columns.',
  );
}

function noRows(path: string): HadamardError {
  return malformed(
    path,
    `${path} holds no entries.`,
    {},
    'Records are row, column, value.',
    'Check that it is the right file and whole.',
  );
}

/** @throws HadamardError `malformed-file` where two rows or two columns of a table have one name. */
export function checkLabels(path: string, rows: readonly string[], columns: readonly string[]): void {
  for (const [kind, labels] of [
    ['row', rows],
    ['column', columns],
  ] as const) {
    const twice = firstTwice(labels);
    if (twice !== undefined)
      throw malformed(
        path,
        `The ${kind} label "${excerpt(twice)}" stands there twice.`,
        {},
        'Rows and columns of a table have labels of their own.',
        'Rename one of the two.',
      );
  }
}

/** The first label that was there before. */
export function firstTwice(labels: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return labels.find((label) => seen.size === seen.add(label).size);
}
