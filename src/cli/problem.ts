/** Reads A, its weights and its test entries from files, and brings them together by label. */
import { listedCount, shapeOf, visitEntries } from '../data/entries.js';
import { isTriples } from '../data/forms.js';
import type { MatrixInput, Triples, WeightsInput, WeightValues } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { type ReadRequest, readQuery, type Table } from '../formats/readTable.js';
import { asInFile } from './inFile.js';
import { unknown } from './names.js';
import { readData } from './readData.js';

export type WeightKind = 'weight' | 'sqrtWeight' | 'sigma';

export interface DataRequest
  extends Pick<ReadRequest, 'columns' | 'table' | 'format' | 'extra' | 'memoryLimit' | 'threads'> {
  /** The file of A, or what messages call `sql`. */
  readonly path: string;
  /** A query that gives A in place of a file. */
  readonly sql?: string | undefined;
  readonly weights?: string | undefined;
  /** What the weights are; without `weights` they are the fourth column of A. */
  readonly weightsAre?: WeightKind | undefined;
  readonly test?: string | undefined;
}

export interface Problem {
  readonly A: MatrixInput;
  readonly weights: WeightsInput | undefined;
  readonly labels: Table['labels'];
  /** Of A's file, where entries stand in lines. */
  readonly lineOf: Table['lineOf'];
  /** Which of A's files an entry stands in, where there are several. */
  readonly fileOf: Table['fileOf'];
  readonly test: TestEntries | undefined;
  /** Of each listed value of A, where the column was asked for. */
  readonly extra: Float64Array | undefined;
  /** What the readers did that the user should know, a sentence each. */
  readonly notes: readonly string[];
  /** What may change the result without being meant; said with --quiet too. */
  readonly warnings: readonly string[];
}

/** Indices are those of A; {@link unknown} where A has no such label. */
export interface TestEntries {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** @throws HadamardError as the readers; `shape-mismatch` and `not-found` when files do not belong together. */
export async function readProblem(request: DataRequest): Promise<Problem> {
  const {
    path,
    sql,
    format,
    weights: weightsPath,
    weightsAre,
    test: testPath,
    columns,
    table: isTable,
    extra,
    memoryLimit,
    threads,
  } = request;
  const hasWeightColumn = weightsAre !== undefined && weightsPath === undefined;
  const asked = { columns, table: isTable, weights: hasWeightColumn, extra, memoryLimit, threads };
  const table = sql === undefined ? await readData(path, { ...asked, format }) : await readQuery(sql, asked);
  if (extra !== undefined && table.extra === undefined)
    throw new HadamardError({
      code: 'unsupported-format',
      what: `${path} has no column "${extra}" beside its values.`,
      position: { option: 'time', file: path },
      rule: 'A time is a column of a file whose records are row, column, value.',
      remedy: 'Give such a file, or choose another split.',
    });
  const notes = [...table.notes];
  const warnings: string[] = [];
  let weights: WeightsInput | undefined;
  if (weightsPath !== undefined) {
    const given = await readData(weightsPath, { table: isTable, like: table.names?.slice(0, 2), memoryLimit, threads });
    notes.push(...given.notes);
    const values = weightsFor(table, given, weightsPath, notes);
    warnings.push(...unweighted(table, values, weightsPath));
    weights = { [weightsAre as WeightKind]: values } as WeightsInput;
  } else if (hasWeightColumn) {
    if (table.weights === undefined) throw noWeights(path);
    weights = { [weightsAre]: table.weights } as WeightsInput;
  }
  let test: TestEntries | undefined;
  if (testPath !== undefined) {
    const held = await readData(testPath, {
      columns,
      table: isTable,
      weights: hasWeightColumn && 'optional',
      like: table.names,
      memoryLimit,
      threads,
    });
    notes.push(...held.notes);
    test = testFor(table, held, testPath, weightsAre, notes);
  }
  const { matrix: A, labels, lineOf, fileOf } = table;
  return { A, weights, labels, lineOf, fileOf, test, extra: table.extra, notes, warnings };
}

function noWeights(path: string): HadamardError {
  return new HadamardError({
    code: 'ambiguous-weights',
    what: `${path} has no column of weights, and no other file is named.`,
    position: { option: 'weightsAre', file: path },
    rule: '--weights-are says what the numbers of --weights are, or those of a fourth column of records row, column, value.',
    remedy: 'Add --weights <file>, a file like A, or leave --weights-are out.',
  });
}

/** For each label of `from`, its index in `to`, or {@link unknown}. */
export function matchLabels(from: readonly string[], to: readonly string[]): Int32Array {
  const index = new Map(to.map((label, i) => [label, i]));
  return Int32Array.from(from, (label) => index.get(label) ?? unknown);
}

/** Where the rows and columns of a file stand in A; undefined means at the same index. */
interface Places {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/**
 * Matches a file to A: by label where both have labels, else by position, for which the shapes must agree; that an array
 * stands beside a table with labels is noted. The labels of listed entries are numbered as they appear, which is no position:
 * such a file is matched by label or not at all.
 */
function placesOf(table: Table, other: Table, path: string, notes: string[]): Places | undefined {
  const own = table.labels;
  const its = other.labels;
  if (own && its) {
    if (isSame(own.rows, its.rows) && isSame(own.columns, its.columns)) return undefined;
    return { rows: matchLabels(its.rows, own.rows), columns: matchLabels(its.columns, own.columns) };
  }
  if (isNumberedByAppearance(table) || isNumberedByAppearance(other))
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${own ? 'A' : path} names its rows and columns and ${own ? path : 'A'} does not, so the two cannot be matched.`,
      position: { file: path },
      rule: 'Lists of row, column, value are matched by name, entries of .mtx, .npy and .npz by position.',
      remedy: 'Give both as .csv or another format that holds names, or both as .mtx, .npy or .npz.',
    });
  const [m, n] = shapeOf(table.matrix);
  const [rows, columns] = shapeOf(other.matrix);
  if (m === rows && n === columns) {
    if (own || its)
      notes.push(
        `${own ? path : 'A'} has no labels: its rows and columns are those of ${own ? 'A' : path} in the same order.`,
      );
    return undefined;
  }
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `${path} is ${rows}×${columns} and A is ${m}×${n}.`,
    position: { file: path },
    rule: 'Files without labels are matched by position, so they have the shape of A.',
    remedy: 'Give both as files with labels, or both with the same shape.',
  });
}

function isNumberedByAppearance({ labels, matrix }: Table): boolean {
  return labels !== undefined && isTriples(matrix);
}

function weightsFor(table: Table, given: Table, path: string, notes: string[]): WeightValues {
  const places = placesOf(table, given, path, notes);
  const isLabelled = given.labels !== undefined;
  // An empty cell of a table is no weight; the NaN of an .npy file is an error that the fit reports.
  if (places === undefined && !(isLabelled && 'data' in given.matrix)) return given.matrix;
  const { rows, columns, values } = entriesAt(given, places, undefined);
  let kept = 0;
  for (let t = 0; t < values.length; t++) {
    if (rows[t] === unknown || columns[t] === unknown) continue;
    rows[kept] = rows[t] as number;
    columns[kept] = columns[t] as number;
    values[kept++] = values[t] as number;
  }
  if (kept < values.length)
    notes.push(`${path}: ${values.length - kept} weights belong to labels that A does not have; left out.`);
  return {
    rows: rows.subarray(0, kept),
    columns: columns.subarray(0, kept),
    values: values.subarray(0, kept),
    shape: shapeOf(table.matrix),
  };
}

/**
 * One sentence where entries of A have no weight, which makes them unobserved.
 *
 * @throws HadamardError `not-found` where none has one.
 */
function unweighted({ matrix, labels }: Table, weights: WeightValues, path: string): string[] {
  if (!isTriples(weights)) return [];
  const isListed: Triples = { ...weights, values: new Float64Array(weights.values.length).fill(1) };
  let entries = 0;
  let weighted = 0;
  visitEntries(matrix, undefined, () => entries++);
  try {
    visitEntries(matrix, { sqrtWeight: isListed }, () => weighted++);
  } catch (error) {
    throw asInFile(error, path, { labels });
  }
  if (weighted === entries) return [];
  if (weighted === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `None of the ${entries} entries of A has a weight in ${path}.`,
      position: { option: 'weights', file: path },
      rule: labels
        ? 'A weight belongs to the entry of A with the same row and column label, letter by letter; an entry without weight is unobserved.'
        : 'A weight belongs to the entry of A in the same row and column; an entry without weight is unobserved.',
      remedy: 'Check that the file belongs to A and lists rows first, then columns.',
    });
  return [
    `${entries - weighted} of ${entries} entries of A have no weight in ${path}: left out of the fit as unobserved.`,
  ];
}

function testFor(table: Table, held: Table, path: string, kind: WeightKind | undefined, notes: string[]): TestEntries {
  const weights = held.weights && kind ? ({ [kind]: held.weights } as WeightsInput) : undefined;
  return entriesAt(held, placesOf(table, held, path, notes), weights);
}

/** The entries of positive weight, at A's indices. */
function entriesAt({ matrix }: Table, places: Places | undefined, weights: WeightsInput | undefined): TestEntries {
  const most = listedCount(matrix);
  const rows = new Int32Array(most);
  const columns = new Int32Array(most);
  const values = new Float64Array(most);
  let count = 0;
  visitEntries(matrix, weights, (row, column, value) => {
    rows[count] = places ? (places.rows[row] as number) : row;
    columns[count] = places ? (places.columns[column] as number) : column;
    values[count++] = value;
  });
  return { rows: rows.subarray(0, count), columns: columns.subarray(0, count), values: values.subarray(0, count) };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((label, i) => label === b[i]));
}
