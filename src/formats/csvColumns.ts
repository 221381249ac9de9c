/** Which fields of a CSV hold row, column, value and weight: from the first line and what the caller said. */
import { HadamardError } from '../errors.js';
import { malformed } from './lines.js';
import type { ReadRequest } from './table.js';

export interface CsvColumns {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  /** −1 where there is none. */
  readonly weight: number;
  readonly hasHeader: boolean;
  readonly notes: readonly string[];
}

/** What stands where a value should: a number, or what is refused as one (NaN, inf, nothing), but no header. */
const isValue = (text: string | undefined): boolean =>
  text !== undefined && (/^[+-]?(nan|inf|infinity)$/i.test(text) || !Number.isNaN(Number(text)));

/** Numbers from 1 in place of names: what a headerless file needs. A header of numbers cannot be told from a line of them. */
const areNumbered = (names: readonly string[]): boolean => names.every((name) => /^[1-9]\d{0,5}$/.test(name));

/** @throws HadamardError `malformed-file`, `invalid-option`, `ambiguous-weights` */
export function chooseColumns(first: readonly string[], request: ReadRequest, path: string, line: number): CsvColumns {
  const { columns } = request;
  if (columns === undefined) {
    const weights = request.weights === 'optional' ? first.length >= 4 : request.weights;
    return columnsByPosition(first, weights === true, path, line);
  }
  const fourth = columns[3] as string;
  const isThere = areNumbered(columns) ? Number(fourth) <= first.length : first.includes(fourth);
  const isAbsent = request.weights === 'optional' && columns.length === 4 && !isThere;
  return namedColumns(
    first,
    isAbsent ? columns.slice(0, 3) : columns,
    !isAbsent && Boolean(request.weights),
    path,
    line,
  );
}

function namedColumns(
  first: readonly string[],
  names: readonly string[],
  weights: boolean,
  path: string,
  line: number,
): CsvColumns {
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
      `There is no column "${names[missing]}".`,
      { line },
      `The first line has ${first.map((name) => `"${name}"`).join(', ')}.`,
      'Correct --columns.',
    );
  const [row = 0, column = 1, value = 2, weight = -1] = places;
  const hasHeader = !areNumbers || !isValue(first[value]);
  const ignored = first.filter((_, i) => !places.includes(i));
  return { row, column, value, weight, hasHeader, notes: hasHeader ? noteIgnored(ignored, path) : [] };
}

function columnsByPosition(first: readonly string[], weights: boolean, path: string, line: number): CsvColumns {
  const needed = weights ? 4 : 3;
  if (first.length < needed)
    throw malformed(
      path,
      `The first line has ${first.length} field${first.length === 1 ? '' : 's'}: ${first.join(' | ')}.`,
      { line },
      weights
        ? 'With --weights-are and no --weights file, lines are row, column, value, weight.'
        : 'Lines are row, column, value.',
      weights ? 'Add the weights, or leave --weights-are out.' : 'Add what is missing; a dense table needs --table.',
    );
  const hasHeader = !isValue(first[2]);
  const extra = first.slice(needed);
  if (!weights && extra.length > 0) {
    const fourth = extra[0] as string;
    if (!hasHeader)
      throw new HadamardError({
        code: 'ambiguous-weights',
        what: `${path} has ${first.length} columns and no header, so it is not known what "${fourth}" in the fourth is.`,
        position: { file: path, line },
        rule: 'A fourth column is a weight only where that is said; in many rating files it is a time.',
        remedy: 'Say --columns 1,2,3 to leave it out, or --weights-are weight, sqrt-weight or sigma to use it.',
      });
    if (/^(w|weights?|sqrt[-_ ]?weights?|sigma|σ|sd|std|uncertainty|error|confidence)$/i.test(fourth))
      throw new HadamardError({
        code: 'ambiguous-weights',
        what: `${path} has a fourth column "${fourth}".`,
        position: { file: path, line },
        rule: 'A column is a weight only where that is said, and as what: W, W² or 1/W.',
        remedy: `Say --weights-are weight, sqrt-weight or sigma, or --columns ${first.slice(0, 3).join(',')} to leave it out.`,
      });
  }
  return {
    row: 0,
    column: 1,
    value: 2,
    weight: weights ? 3 : -1,
    hasHeader,
    notes: hasHeader
      ? [...(weights ? [`${path}: the weights are the column "${first[3]}".`] : []), ...noteIgnored(extra, path)]
      : [],
  };
}

function noteIgnored(names: readonly string[], path: string): string[] {
  return names.length > 0 ? [`${path}: ignored ${names.map((name) => `"${name}"`).join(', ')}.`] : [];
}
