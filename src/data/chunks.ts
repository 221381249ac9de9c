/**
 * Observed entries in chunks of plain lists, for loops without a call an entry: straight from triples and CSR of integer arrays
 * without weights or with one number an entry, and from dense arrays of floats without weights; else as `visitEntries` tells them.
 */
import { checkWeights, isIntegerArray, visitEntries } from './entries.js';
import { isCompressed, isTriples } from './forms.js';
import type { CompressedRows, DenseMatrix, IndexArray, MatrixInput, RealArray, WeightsInput } from './input.js';
import { freePiece, type Pieces, piecesOf, readValues } from './pieces.js';

/** As many entries in each list; they hold until the next chunk. */
export interface Chunk {
  readonly rows: IndexArray;
  readonly columns: IndexArray;
  readonly values: RealArray;
  /** W; undefined: all 1. */
  readonly weights: Float64Array | undefined;
}

export interface ChunkedEntries {
  /** They need no call an entry, so that to read them again costs little; what is to be refused is among them. */
  readonly isPlain: boolean;
  /**
   * @param isLast whether they are not read again after this.
   * @throws HadamardError as `visitEntries`, where they are not plain.
   */
  each(take: (chunk: Chunk) => void, isLast?: boolean): void;
}

/** Rows that are written out, and weights, stay in the first-level cache. */
const chunkLength = 2048;
/** Of lists that are only looked at: a view of a list costs as much as a few hundred entries. */
const viewLength = 2 ** 16;
/** Of views with values beside them that are written out, which stay in the second-level cache. */
const readLength = 2 ** 13;

/**
 * Entries of positive weight, or of weight 0 as well.
 *
 * @param isGivenUp whether what comes in pieces that could be had again may be freed piece by piece, as it is read for the last time.
 * @throws HadamardError as `visitEntries`, of what needs no look at entries.
 */
export function chunked(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  isZeroKept: boolean,
  isGivenUp = false,
): ChunkedEntries {
  const plain = plainChunks(A, weights, isGivenUp);
  if (!plain) return { isPlain: false, each: (take) => collect(A, weights, isZeroKept, take) };
  return {
    isPlain: true,
    each(take, isLast = true) {
      for (const chunk of plain(isLast)) take(isZeroKept || !chunk.weights?.includes(0) ? chunk : withoutZeros(chunk));
    },
  };
}

function collect(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  isZeroKept: boolean,
  take: (chunk: Chunk) => void,
): void {
  const room = roomFor(chunkLength);
  const W = new Float64Array(chunkLength);
  let count = 0;
  const flush = () => {
    take({ ...firstOf(room, count), weights: W.subarray(0, count) });
    count = 0;
  };
  visitEntries(
    A,
    weights,
    (row, column, value, weight) => {
      room.rows[count] = row;
      room.columns[count] = column;
      room.values[count] = value;
      W[count++] = weight;
      if (count === chunkLength) flush();
    },
    isZeroKept,
  );
  flush();
}

/** Says which entry is refused, and why. */
export function refuse(A: MatrixInput, weights: WeightsInput | undefined): never {
  visitEntries(A, weights, () => undefined);
  throw new Error('A changed while it was read.');
}

function withoutZeros({ rows, columns, values, weights }: Chunk): Chunk {
  const isKept = (_: number, t: number) => weights?.[t] !== 0;
  return {
    rows: rows.filter(isKept),
    columns: columns.filter(isKept),
    values: values.filter(isKept),
    weights: weights?.filter(isKept),
  };
}

/** @returns undefined where A or its weights are not plain. A weight that is to be refused is no finite number of at least 0. */
function plainChunks(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  isGivenUp: boolean,
): ((isLast: boolean) => Iterable<Chunk>) | undefined {
  const pieces = weights === undefined ? piecesOf(A) : undefined;
  if (pieces)
    return (isLast) => withWeights(inPieces(pieces, isLast && isGivenUp && pieces.isRepeatable), () => undefined);
  if (!isTriples(A) && !isCompressed(A)) return weights === undefined ? plainDense(A) : undefined;
  const isPlain = isTriples(A)
    ? isIntegerArray(A.rows) && isIntegerArray(A.columns)
    : isIntegerArray(A.columnIndices) && isRising(A);
  const toWeights = weights === undefined ? () => undefined : weightsReader(A, weights);
  if (!isPlain || !toWeights) return undefined;
  const lists = isTriples(A) ? triples(A, weights === undefined ? viewLength : chunkLength) : compressed(A);
  return () => withWeights(lists(), toWeights);
}

type Lists = Omit<Chunk, 'weights'>;

interface Room {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float64Array;
}

function roomFor(length: number): Room {
  return { rows: new Uint32Array(length), columns: new Uint32Array(length), values: new Float64Array(length) };
}

function firstOf({ rows, columns, values }: Room, count: number): Room {
  return { rows: rows.subarray(0, count), columns: columns.subarray(0, count), values: values.subarray(0, count) };
}

function* withWeights(
  lists: Iterable<Lists>,
  toWeights: (first: number, count: number) => Float64Array | undefined,
): Generator<Chunk> {
  let first = 0;
  for (const list of lists) {
    const count = list.values.length;
    yield { ...list, weights: toWeights(first, count) };
    first += count;
  }
}

function triples({ rows, columns, values }: Lists, length: number): () => Generator<Lists> {
  return function* () {
    for (let first = 0; first < values.length; first += length) {
      const last = first + length;
      yield {
        rows: rows.subarray(first, last),
        columns: columns.subarray(first, last),
        values: values.subarray(first, last),
      };
    }
  };
}

function* inPieces({ list }: Pieces, isFreed: boolean): Generator<Lists> {
  const room = new Float64Array(readLength);
  for (const piece of list) {
    const { rows, columns } = piece;
    for (let first = 0; first < rows.length; first += readLength) {
      const last = Math.min(first + readLength, rows.length);
      const values = room.subarray(0, last - first);
      readValues(piece, first, values);
      yield { rows: rows.subarray(first, last), columns: columns.subarray(first, last), values };
    }
    if (isFreed) freePiece(piece);
  }
  if (isFreed) list.length = 0;
}

function compressed({ rowPointers, columnIndices, values }: CompressedRows): () => Generator<Lists> {
  return function* () {
    const rows = new Uint32Array(chunkLength);
    for (let first = 0, row = 0; first < values.length; first += chunkLength) {
      const last = Math.min(first + chunkLength, values.length);
      for (let t = first; t < last; row++) {
        const end = Math.min(last, Number(rowPointers[row + 1]));
        if (end > t) rows.fill(row, t - first, end - first);
        t = Math.max(t, end);
        if (t === last) break;
      }
      yield {
        rows: rows.subarray(0, last - first),
        columns: columnIndices.subarray(first, last),
        values: values.subarray(first, last),
      };
    }
  };
}

/** What is not NaN, as many whole rows at a time as fit into a chunk. */
function plainDense(A: DenseMatrix): (() => Generator<Chunk>) | undefined {
  const { data, offset } = A;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return undefined;
  const [m = 0, n = 0] = A.shape;
  const [rowStride = 0, columnStride = 0] = A.stride;
  const length = Math.max(n, chunkLength);
  const room = roomFor(length);
  return function* () {
    let count = 0;
    for (let row = 0; row < m; row++) {
      if (count + n > length) {
        yield { ...firstOf(room, count), weights: undefined };
        count = 0;
      }
      const end = listRow(data, offset + row * rowStride, columnStride, n, room, count);
      room.rows.fill(row, count, end);
      count = end;
    }
    yield { ...firstOf(room, count), weights: undefined };
  };
}

/** Lists what of a row is not NaN from `count` on. A loop in a generator keeps nothing in registers. @returns where it ends. */
function listRow(data: RealArray, start: number, stride: number, n: number, to: Room, count: number): number {
  const { columns, values } = to;
  let end = count;
  for (let column = 0, at = start; column < n; column++, at += stride) {
    const value = data[at] as number;
    columns[end] = column;
    values[end] = value;
    // Where values are missing at random a branch would be guessed wrongly.
    end += Number(!Number.isNaN(value));
  }
  return end;
}

/** Whether the pointers are those of CSR, so that each entry has a row. */
function isRising({ rowPointers, values, shape }: CompressedRows): boolean {
  const rows = shape[0];
  if (rowPointers.length !== rows + 1 || Number(rowPointers[0]) !== 0) return false;
  for (let row = 0; row < rows; row++) {
    const end = Number(rowPointers[row + 1]);
    if (!(Number(rowPointers[row]) <= end && Number.isInteger(end))) return false;
  }
  return Number(rowPointers[rows]) === values.length;
}

/** W of entries first … first+count−1, in a list that is used again. */
function weightsReader(
  A: MatrixInput,
  weights: WeightsInput,
): ((first: number, count: number) => Float64Array) | undefined {
  const { kind, values } = checkWeights(A, weights);
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return undefined;
  const room = new Float64Array(chunkLength);
  return (first, count) => {
    for (let t = 0; t < count; t++) {
      const given = values[first + t] as number;
      const weight = kind === 'weight' ? Math.sqrt(given) : kind === 'sigma' ? 1 / given : given;
      room[t] = given < Number.POSITIVE_INFINITY ? weight : Number.NaN;
    }
    return room.subarray(0, count);
  };
}
