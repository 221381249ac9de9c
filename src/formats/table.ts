/** What a reader makes of a file, and what it may be told. */
import type { MatrixInput } from '../data/input.js';

export interface Table {
  /** Triples from coordinate files and CSV; an ndarray (NaN is unobserved) from arrays, .npy and tables. */
  readonly matrix: MatrixInput;
  /** One number per listed value, where a column of weights was asked for. */
  readonly weights?: Float64Array;
  /** Names in order of first appearance (CSV) or as the table lists them. */
  readonly labels?: { readonly rows: readonly string[]; readonly columns: readonly string[] };
  /** Header names of row, column and value, where the file has a header. */
  readonly names?: readonly string[] | undefined;
  /** In which line of a CSV of triples an entry stands; entries count from 0, lines from 1. */
  readonly lineOf?: (entry: number) => number;
  /** What was passed over, a sentence each. */
  readonly notes: readonly string[];
}

export interface ReadRequest {
  /** Header names (or numbers from 1) of row, column, value and, with `weights`, weight. */
  readonly columns?: readonly string[] | undefined;
  /**
   * Names of A's row, column and maybe value, for a file that belongs to A: without `columns`, a header that has the
   * first two is read by name, the value being that of the third name or the only other column.
   */
  readonly like?: readonly string[] | undefined;
  /** The CSV is a dense table: column labels in the first line, row labels in the first field, empty is unobserved. */
  readonly table?: boolean | undefined;
  /** Whether a fourth column is a weight; `optional`: if there is one. */
  readonly weights?: boolean | 'optional' | undefined;
}
