/** Which columns hold row, column, value and weight: from the first line of a CSV, or the names of columns, and what the caller said. */
import { HadamardError } from '../errors.js';
import { excerpt, excerpts } from './excerpt.js';
import { malformed } from './lines.js';
import type { ReadRequest } from './table.js';

export interface CsvColumns {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  /** −1 where there is none, as for extra. */
  readonly weight: number;
  readonly extra: number;
  readonly hasHeader: boolean;
  /** Of row, column and value, where there is a header. */
  readonly names?: readonly string[] | undefined;
  readonly notes: readonly string[];
}

type EntryColumns = Omit<CsvColumns, 'extra'>;

/** A number, or what is refused as one (NaN, inf). */
export const isNumber = (text: string | undefined): boolean =>
  text !== undefined && text !== '' && (/^[+-]?(nan|inf|infinity)$/i.test(text) || !Number.isNaN(Number(text)));

/**
 * What stands where a value should and is no name of a column: a name has letters and does not begin as a number does. A
 * bad value in the first line is to be refused, not to make a header of it.
 */
const isValue = (text: string | undefined): boolean =>
  text !== undefined &&
  (isNumber(text) || !/\p{L}/u.test(text) || /^[+-]?\.?\d/.test(text) || /^(na|n\/a|null|none)$/i.test(text));

/** Numbers from 1 in place of names: what a headerless file needs. A header of numbers cannot be told from a line of them. */
export function areNumbered(names: readonly string[]): boolean {
  return names.every((name) => /^[1-9]\d{0,5}$/.test(name));
}

/**
 * @param line where `first` stands; undefined for names that are no line of the file, which are names whatever they look like.
 * @throws HadamardError `malformed-file`, `invalid-option`, `ambiguous-weights`
 */
export function chooseColumns(
  first: readonly string[],
  request: ReadRequest,
  path: string,
  line: number | undefined,
): CsvColumns {
  const { extra } = request;
  const chosen = chooseEntry(first, request, path, line);
  if (extra === undefined) return { ...chosen, extra: -1 };
  const place = areNumbered([extra]) ? Number(extra) - 1 : first.indexOf(extra);
  if (place >= 0 && place < first.length) return { ...chosen, extra: place };
  throw malformed(
    path,
    `There is no column "${excerpt(extra)}".`,
    line === undefined ? {} : { line },
    `The first line has ${excerpts(first)}.`,
    'Name a column that the file has.',
  );
}

/** The fields of an entry: row, column, value and weight. */
function chooseEntry(
  first: readonly string[],
  request: ReadRequest,
  path: string,
  line: number | undefined,
): EntryColumns {
  const { columns, like = [], extra } = request;
  if (columns === undefined) {
    const [row, column] = like;
    if (row !== undefined && column !== undefined && first.includes(row) && first.includes(column))
      return columnsLike(first, like, request, path, line);
    const weights = request.weights === 'optional' ? first.length >= 4 : request.weights;
    return columnsByPosition(first, weights === true, extra, path, line);
  }
  const fourth = columns[3] as string;
  const isThere = areNumbered(columns) ? Number(fourth) <= first.length : first.includes(fourth);
  const isAbsent = request.weights === 'optional' && columns.length === 4 && !isThere;
  return namedColumns(
    first,
    isAbsent ? columns.slice(0, 3) : columns,
    !isAbsent && Boolean(request.weights),
    extra,
    path,
    line,
  );
}

function namedColumns(
  first: readonly string[],
  names: readonly string[],
  weights: boolean,
  extra: string | undefined,
  path: string,
  line: number | undefined,
): EntryColumns {
  if (names.length !== (weights ? 4 : 3)) {
    const isSurplus = names.length === 4;
    throw new HadamardError({
      code: isSurplus ? 'ambiguous-weights' : 'invalid-option',
      what: `--columns names ${names.length} columns: ${names.join(', ')}.`,
      position: { option: 'columns' },
      rule: weights
        ? 'With --weights-are and no --weights file, four columns are named: row, column, value and weight.'
        : 'Three columns are named: row, column and value.',
      remedy: isSurplus
        ? 'Say what the fourth is: --weights-are weight, sqrt-weight or sigma.'
        : 'Name as many columns as that, for example --columns user,item,rating.',
    });
  }
  if (new Set(names).size < names.length)
    throw new HadamardError({
      code: 'invalid-option',
      what: `--columns names one column twice: ${names.join(', ')}.`,
      position: { option: 'columns' },
      rule: 'Row, column, value and weight are columns of their own.',
      remedy: 'Name each once.',
    });
  const areNumbers = areNumbered(names);
  const places = names.map((name) => (areNumbers ? Number(name) - 1 : first.indexOf(name)));
  const missing = places.findIndex((at) => at < 0 || at >= first.length);
  if (missing >= 0)
    throw malformed(
      path,
      `There is no column "${excerpt(names[missing] as string)}".`,
      line === undefined ? {} : { line },
      `${line === undefined ? 'The columns are' : 'The first line has'} ${excerpts(first)}.`,
      'Correct --columns.',
    );
  const [row = 0, column = 1, value = 2, weight = -1] = places;
  const hasHeader = line === undefined || !areNumbers || !isValue(first[value]);
  const ignored = first.filter((name, i) => !places.includes(i) && name !== extra);
  return {
    row,
    column,
    value,
    weight,
    hasHeader,
    ...(hasHeader && { names: [row, column, value].map((at) => first[at] as string) }),
    notes: hasHeader ? noteIgnored(ignored, path) : [],
  };
}

/** The columns of a file that belongs to A, by A's names of row and column; what is left is the value, or the weight. */
function columnsLike(
  first: readonly string[],
  [row, column, value]: readonly string[],
  { weights, extra }: ReadRequest,
  path: string,
  line: number | undefined,
): EntryColumns {
  const left = first.filter((name) => name !== row && name !== column);
  const third = value !== undefined && left.includes(value) ? value : left.length === 1 ? left[0] : undefined;
  const fourth = left.filter((name) => name !== third);
  if (third === undefined || (weights && fourth.length > 1))
    throw new HadamardError({
      code: 'ambiguous-weights',
      what: `${path} has the columns ${excerpts(first)}, and it is not known which is meant beside ${row} and ${column}.`,
      position: { file: path, ...(line !== undefined && { line }) },
      rule: "A file that belongs to A has A's columns of rows and columns, and one more.",
      remedy: 'Leave the other columns out of the file.',
    });
  const names = [row as string, column as string, third, ...(weights ? fourth : [])];
  return namedColumns(first, names, names.length === 4, extra, path, line);
}

function columnsByPosition(
  first: readonly string[],
  weights: boolean,
  asked: string | undefined,
  path: string,
  line: number | undefined,
): EntryColumns {
  const needed = weights ? 4 : 3;
  if (first.length < needed)
    throw malformed(
      path,
      `${line === undefined ? path : 'The first line'} has ${first.length} ${line === undefined ? 'column' : 'field'}${first.length === 1 ? '' : 's'}: ${excerpts(first)}.`,
      line === undefined ? {} : { line },
      weights
        ? 'With --weights-are and no --weights file, lines are row, column, value, weight.'
        : 'Lines are row, column, value.',
      weights ? 'Add the weights, or leave --weights-are out.' : 'Add what is missing; a dense table needs --table.',
    );
  const hasHeader = line === undefined || !isValue(first[2]);
  const extra = first.slice(needed);
  const isNamedApart = hasHeader && extra.length === 1 && !isDoubtful(first[2] as string, extra[0] as string);
  // Of a table the third name may begin as a number does, and another not.
  const areNames = hasHeader || (!isNumber(first[2]) && !extra.every(isValue));
  if (extra.length > 0 && !isNamedApart && (hasHeader || !weights))
    throw surplusColumns(first, areNames, weights, path, line);
  return {
    row: 0,
    column: 1,
    value: 2,
    weight: weights ? 3 : -1,
    hasHeader,
    ...(hasHeader && { names: first.slice(0, 3) }),
    notes: [
      ...(hasHeader && weights ? [`${path}: the weights are the column "${excerpt(first[3] as string)}".`] : []),
      ...(isNamedApart
        ? noteIgnored(
            extra.filter((name) => name !== asked),
            path,
          )
        : []),
    ],
  };
}

const weightLike = /^(w|weights?|sqrt[-_ ]?weights?|sigma|σ|sd|std|uncertainty|error|confidence)$/i;

/** A header that speaks against reading its first columns: a value that is a time, or weights that would be left out. */
function isDoubtful(value: string, fourth: string): boolean {
  return /time|date/i.test(value) || weightLike.test(fourth);
}

/** A line of more is seldom an entry. */
const widest = 6;

/** More columns than are read by position: what is further may be a time, a weight, or the file a dense table. */
function surplusColumns(
  first: readonly string[],
  hasHeader: boolean,
  weights: boolean,
  path: string,
  line: number | undefined,
): HadamardError {
  const fourth = first[3] as string;
  const isNamed = hasHeader && first.slice(0, 4).every((name) => name === excerpt(name));
  const names = isNamed ? first.slice(0, 3).join(',') : '1,2,3';
  const columns = weights ? `${names},${isNamed ? fourth : '4'}` : names;
  const isWeight = weightLike.test(fourth);
  const useIt =
    weights || (hasHeader && !isWeight)
      ? ''
      : ', --weights-are weight, sqrt-weight or sigma to use the fourth as weights,';
  return new HadamardError({
    code: 'ambiguous-weights',
    what: hasHeader
      ? `${path} has ${first.length} columns (${excerpts(first)}), and it is not said which to read.`
      : `${path} has ${first.length} columns and no header, so it is not known what "${excerpt(fourth)}" in the fourth is.`,
    position: { file: path, ...(line !== undefined && { line }) },
    rule: weights
      ? 'With --weights-are, four columns are read by position: row, column, value and weight. More are read where they are named.'
      : 'Three columns are read by position: row, column and value. A fourth may be a weight or a time, and many a dense table.',
    remedy:
      first.length > widest
        ? `Say --table if it is a dense table, or --columns ${columns} to read these alone.`
        : `Say --columns ${columns} to read these alone${useIt} or --table if it is a dense table.`,
  });
}

function noteIgnored(names: readonly string[], path: string): string[] {
  return names.length > 0 ? [`${path}: ignored ${excerpts(names)}.`] : [];
}
