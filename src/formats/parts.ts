/** Several files as one: a name with * or ? in its last part stands for all files of that pattern, in the order of their names. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import ndarray, { type NdArray } from 'ndarray';
import { shapeOf } from '../data/entries.js';
import { isTriples } from '../data/forms.js';
import type { RealArray, Triples } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { asFileError } from './lines.js';
import type { Table } from './table.js';

/**
 * The files that a name stands for, or undefined where it is the name of one.
 *
 * @throws HadamardError `not-found` where there is none.
 */
export async function partsOf(path: string): Promise<string[] | undefined> {
  const pattern = basename(path);
  if (!/[*?]/.test(pattern) || (await stat(path).catch(() => undefined))) return undefined;
  const folder = dirname(path);
  const names = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw asFileError(folder, error);
  });
  const expression = matcher(pattern);
  const found = names.filter((entry) => !entry.isDirectory() && expression.test(entry.name)).map(({ name }) => name);
  if (found.length > 0) return found.sort().map((name) => (path === pattern ? name : join(folder, name)));
  throw new HadamardError({
    code: 'not-found',
    what: `No file in ${folder} matches ${pattern}.`,
    position: { file: path },
    rule: 'In the last part of a path * stands for any characters and ? for one; hidden files are left out.',
    remedy: 'Correct the pattern.',
  });
}

/** As a shell matches: a leading point is matched by a point alone. */
function matcher(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern.startsWith('.') ? '' : '(?!\\.)'}${source}$`, 'su');
}

/**
 * One table of the tables of all parts: entries one after the other, dense tables one below the other, labels shared.
 *
 * @throws HadamardError `shape-mismatch` where they are not of one kind.
 */
export function joinParts(paths: readonly string[], tables: readonly Table[]): Table {
  const [first] = tables as [Table];
  if (tables.length === 1) return first;
  tables.forEach((table, part) => {
    if (!table.labels) throw unlike(paths[part] as string, 'has no labels');
    if (isTriples(table.matrix) !== isTriples(first.matrix)) throw unlike(paths[part] as string, 'is of another kind');
    if ((table.weights === undefined) !== (first.weights === undefined))
      throw unlike(paths[part] as string, `has ${table.weights ? 'a' : 'no'} column of weights`);
  });
  const notes = tables.flatMap((table) => table.notes);
  return isTriples(first.matrix) ? joinEntries(paths, tables, notes) : stackTables(paths, tables, notes);
}

function joinEntries(paths: readonly string[], tables: readonly Table[], notes: readonly string[]): Table {
  const rows = new Labels();
  const columns = new Labels();
  const firsts: number[] = [];
  let count = 0;
  for (const { matrix } of tables) {
    firsts.push(count);
    count += (matrix as Triples).values.length;
  }
  const all = {
    rows: new Uint32Array(count),
    columns: new Uint32Array(count),
    values: new Float64Array(count),
  };
  const weights = tables[0]?.weights && new Float64Array(count);
  const extra = tables[0]?.extra && new Float64Array(count);
  tables.forEach(({ matrix, labels, weights: given, extra: beside }, part) => {
    const at = firsts[part] as number;
    const triples = matrix as Triples;
    const rowIndex = rows.places(labels?.rows ?? []);
    const columnIndex = columns.places(labels?.columns ?? []);
    for (let t = 0; t < triples.values.length; t++) {
      all.rows[at + t] = rowIndex[triples.rows[t] as number] as number;
      all.columns[at + t] = columnIndex[triples.columns[t] as number] as number;
    }
    all.values.set(triples.values, at);
    if (given) weights?.set(given, at);
    if (beside) extra?.set(beside, at);
  });
  const partOf = (entry: number) => firsts.findLastIndex((first) => first <= entry);
  const hasLines = tables.every((table) => table.lineOf !== undefined);
  return {
    matrix: { ...all, shape: [rows.labels.length, columns.labels.length] },
    labels: { rows: rows.labels, columns: columns.labels },
    names: tables[0]?.names,
    fileOf: (entry) => paths[partOf(entry)] as string,
    ...(hasLines && {
      lineOf: (entry: number) => {
        const part = partOf(entry);
        return (tables[part] as Required<Table>).lineOf(entry - (firsts[part] as number));
      },
    }),
    notes,
    ...(weights && { weights }),
    ...(extra && { extra }),
  };
}

/** The same columns in the same order, and rows of their own. */
function stackTables(paths: readonly string[], tables: readonly Table[], notes: readonly string[]): Table {
  const columns = tables[0]?.labels?.columns ?? [];
  const rows: string[] = [];
  const partOfRow = new Map<string, string>();
  tables.forEach(({ labels }, part) => {
    const path = paths[part] as string;
    const other = labels?.columns.findIndex((label, j) => label !== columns[j]) ?? -1;
    if (labels?.columns.length !== columns.length || other >= 0) throw unlike(path, 'has other columns');
    for (const label of labels.rows) {
      const before = partOfRow.get(label);
      if (before !== undefined) throw unlike(path, `has the row "${label}", which ${before} has too`);
      partOfRow.set(label, path);
      rows.push(label);
    }
  });
  const width = columns.length;
  const values = new Float64Array(rows.length * width);
  let row = 0;
  for (const { matrix } of tables) {
    const dense = matrix as NdArray<RealArray>;
    const [height] = shapeOf(matrix);
    for (let i = 0; i < height; i++, row++) for (let j = 0; j < width; j++) values[row * width + j] = dense.get(i, j);
  }
  return { matrix: ndarray(values, [rows.length, width]), labels: { rows, columns }, corner: tables[0]?.corner, notes };
}

class Labels {
  readonly labels: string[] = [];
  readonly #index = new Map<string, number>();

  /** Where each of these stands among all, new ones at the end. */
  places(labels: readonly string[]): Uint32Array {
    return Uint32Array.from(labels, (label) => {
      const known = this.#index.get(label);
      if (known !== undefined) return known;
      this.#index.set(label, this.labels.length);
      return this.labels.push(label) - 1;
    });
  }
}

function unlike(path: string, what: string): HadamardError {
  return new HadamardError({
    code: 'shape-mismatch',
    what: `${path} ${what}.`,
    position: { file: path },
    rule: 'Several files are one where all list labelled entries, or all are tables of the same columns with rows of their own.',
    remedy: 'Give the files that belong together.',
  });
}
