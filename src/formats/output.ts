/** What writers are given, and what they make of it. */

/** The bytes of a file from first to last. */
export type Chunks = AsyncGenerator<Uint8Array | string>;

export interface OutputColumn {
  readonly name: string;
  /** Text, integers from 0, or numbers. */
  readonly kind: 'label' | 'index' | 'number';
  /** NaN may stand in it, for none. */
  readonly isSparse?: boolean;
}

/** A list of values for each column. */
export type OutputBatch = readonly ArrayLike<string | number>[];

export interface OutputColumns {
  readonly columns: readonly OutputColumn[];
  readonly batches: Iterable<OutputBatch> | AsyncIterable<OutputBatch>;
}

/** What a library that writes a file a column after the other is given at most: a file of more takes many minutes. */
export const mostColumns = 100_000;

/** Records of a batch: a row group of Parquet, a record batch of Arrow. */
export const batchLength = 1 << 16;

/** How many characters of text are held before they are handed on. */
const pieceLength = 1 << 16;

/** Lines, each with its end, joined to pieces of some size: no string is as long as the file, however long the lines. */
export function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** A number as text that gives the same number again; NaN is none. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
