/** Which columns may be recommended at all. */
import { HadamardError } from '../errors.js';

export interface ColumnFilter {
  /** Columns that may be recommended; default all. */
  readonly only?: Iterable<number> | undefined;
  /** Columns that may not. */
  readonly without?: Iterable<number> | undefined;
}

/**
 * The columns that a filter leaves, rising.
 *
 * @throws HadamardError `invalid-option` when a filter is no list, `invalid-input` for labels in place of indices,
 *   `index-out-of-range`.
 */
export function allowedColumns({ only, without }: ColumnFilter, columns: number): Uint32Array {
  const isAllowed = new Uint8Array(columns).fill(only === undefined ? 1 : 0);
  if (only !== undefined) for (const column of columnList('only', only, columns)) isAllowed[column] = 1;
  if (without !== undefined) for (const column of columnList('without', without, columns)) isAllowed[column] = 0;
  const allowed = new Uint32Array(isAllowed.reduce((sum, is) => sum + is, 0));
  let count = 0;
  isAllowed.forEach((is, column) => {
    if (is) allowed[count++] = column;
  });
  return allowed;
}

/** The list that an option is, its indices checked. @throws HadamardError as {@link allowedColumns}. */
export function columnList(option: string, list: Iterable<number>, columns: number): Set<number> {
  if (typeof list?.[Symbol.iterator] !== 'function' || typeof list === 'string')
    throw new HadamardError({
      code: 'invalid-option',
      what: `${option} is ${String(list)}.`,
      position: { option },
      rule: `${option} is an array, a set or another iterable of column indices.`,
      remedy: `Give such a list, or leave ${option} out.`,
    });
  const listed = new Set(list);
  for (const column of listed) {
    if (typeof column !== 'number')
      throw new HadamardError({
        code: 'invalid-input',
        what: typeof column === 'string' ? `"${column}" is a label, not an index.` : `${String(column)} is no index.`,
        position: { option },
        rule: `${option} lists columns by their indices.`,
        remedy: 'model.rowIndex(label) and model.columnIndex(label) give the index.',
      });
    if (!(Number.isInteger(column) && column >= 0 && column < columns))
      throw new HadamardError({
        code: 'index-out-of-range',
        what: `${option} names column ${column} of ${columns}.`,
        position: { option, column },
        rule: `Columns are the integers 0…${columns - 1}, counted from 0.`,
        remedy: 'Correct the index.',
      });
  }
  return listed;
}
