/** Columns of values, batch by batch: what Parquet, Arrow, JSON lines and queries have in common. */
import { HadamardError } from '../errors.js';

export interface ColumnSource {
  readonly names: readonly string[];
  /** Records are lists, so that `names` are but their places. */
  readonly isPositional?: boolean;
  /** How many there are, where the file says so before they are read. */
  readonly records?: number;
  /** The column that the file's writer marked as names of the rows (pandas). */
  readonly indexColumn?: string | undefined;
  /** Reads the columns at these places, from first to last; may be called once. */
  batches(places: readonly number[]): AsyncIterable<ColumnBatch>;
  close(): Promise<void>;
}

/** Values are numbers, bigints, strings, booleans or Dates; null and undefined are none. */
export interface ColumnBatch {
  readonly length: number;
  readonly columns: readonly ArrayLike<unknown>[];
  /** In which line each record stands, where records are lines. */
  readonly lines?: readonly number[];
}

/** Where a record stands: in a line, or as the record of that number, from 1. */
export type RecordPlace = { readonly line: number } | { readonly record: number };

const placeName = (place: RecordPlace): string => ('line' in place ? `Line ${place.line}` : `Row ${place.record}`);

/** A record that cannot be taken. */
export function badRecord(
  code: 'malformed-file' | 'invalid-value' | 'invalid-weight' | 'unsupported-format',
  path: string,
  place: RecordPlace,
  what: string,
  rule: string,
  remedy: string,
): HadamardError {
  return new HadamardError({
    code,
    what: `${placeName(place)} ${what}.`,
    position: { file: path, ...place },
    rule,
    remedy,
  });
}

/** The name of pandas's index in what pandas notes beside the columns; undefined where it is no column. */
export function pandasIndex(note: string | null | undefined): string | undefined {
  try {
    const index: unknown = JSON.parse(note ?? '').index_columns?.[0];
    return typeof index === 'string' ? index : undefined;
  } catch {
    return undefined;
  }
}
