/** What a reader makes of a file, and what it may be told. */
import type { MatrixInput } from '../data/input.js';
import type { Format } from './formatOf.js';

export interface Table {
  /** Triples from coordinate files and lists of entries; an ndarray (NaN is unobserved) from arrays and tables. */
  readonly matrix: MatrixInput;
  /** One number per listed value, where a column of weights was asked for. */
  readonly weights?: Float64Array;
  /** Names in order of first appearance, or as the table lists them; files that are read by position have none. */
  readonly labels?: { readonly rows: readonly string[]; readonly columns: readonly string[] };
  /** What a dense table calls its column of row labels. */
  readonly corner?: string | undefined;
  /** A number per listed value, where an extra column was asked for. */
  readonly extra?: Float64Array;
  /** Header names of row, column and value, where the file has a header. */
  readonly names?: readonly string[] | undefined;
  /** In which line of a CSV of triples or of JSON lines an entry stands; entries count from 0, lines from 1. */
  readonly lineOf?: (entry: number) => number;
  /** In which file an entry stands, where several were read as one. */
  readonly fileOf?: (entry: number) => string;
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
  /**
   * The file is a dense table: in CSV column labels in the first line, row labels in the first field; in Parquet and Arrow a
   * column of row labels (pandas's index, or the first), then one for each column. Empty, null and NaN are unobserved.
   */
  readonly table?: boolean | undefined;
  /** What the file is, where the ending of its name does not say. */
  readonly format?: Format | undefined;
  /** The name (or number from 1) of one more column of triples: numbers or ISO dates, such as a time. */
  readonly extra?: string | undefined;
  /** Bytes: a file that announces more is refused before it is read. Default the container's or the machine's memory. */
  readonly memoryLimit?: number | undefined;
  /** Threads that parse large CSV files, this one among them; more than 1 need `workerUrl`. Default 1. */
  readonly threads?: number | undefined;
  /** The entry of the other threads: workers/lines.js. */
  readonly workerUrl?: string | undefined;
  /** Whether a fourth column is a weight; `optional`: if there is one. */
  readonly weights?: boolean | 'optional' | undefined;
}
