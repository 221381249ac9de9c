/** Triples of unknown number: typed arrays that double as they fill, up to a length at which a piece is full and the next begins. */
import { statSync } from 'node:fs';
import type { RealArray, Triples } from '../data/input.js';
import { joinedLater, type Piece } from '../data/pieces.js';
import type { PartView } from './lineParser.js';

/** Of row, column and value. */
export const entryBytes = 4 + 4 + 8;

const firstLength = 1024;
/** Of 36 MiB at the least: what is larger than 32 the C library asks of the system, and gives back to it. */
const pieceLength = 3 * 2 ** 20;

/** Lists of a piece in one stretch of memory, which the system can give in large pages. Values in float32 until one is not exact there. */
function pieceOf(length: number, isDouble: boolean): Piece {
  const valueBytes = isDouble ? 8 : 4;
  const buffer = new ArrayBuffer((valueBytes + 8) * length);
  return {
    values: isDouble ? new Float64Array(buffer, 0, length) : new Float32Array(buffer, 0, length),
    rows: new Uint32Array(buffer, valueBytes * length, length),
    columns: new Uint32Array(buffer, (valueBytes + 4) * length, length),
  };
}

export class EntryList {
  readonly #full: Piece[] = [];
  #piece = pieceOf(firstLength, false);
  #weights: Float64Array;
  readonly #isWeighted: boolean;
  /** Entries in full pieces. */
  #before = 0;
  /** Entries in the open one. */
  #count = 0;

  constructor(isWeighted: boolean) {
    this.#isWeighted = isWeighted;
    this.#weights = new Float64Array(isWeighted ? firstLength : 0);
  }

  get length(): number {
    return this.#before + this.#count;
  }

  push(row: number, column: number, value: number, weight: number): void {
    this.#makeRoom(1);
    const t = this.#count++;
    this.#piece.rows[t] = row;
    this.#piece.columns[t] = column;
    this.#piece.values[t] = value;
    if (!Object.is(this.#piece.values[t], value)) this.#widen().values[t] = value;
    if (this.#isWeighted) this.#keepWeights(this.length)[this.length - 1] = weight;
  }

  /** Room for so many, or for a piece. What is reserved and never filled takes no memory: the system gives a page when it is written to. */
  reserve(count: number): void {
    this.#makeRoom(Math.min(count, pieceLength) - this.#count);
    if (this.#isWeighted) this.#keepWeights(count);
  }

  /** Adds the entries of a part. */
  append(part: PartView): void {
    const { rows, columns, values, weights } = part;
    if (weights) this.#keepWeights(this.length + values.length).set(weights, this.length);
    for (let from = 0; from < values.length; ) {
      const count = this.#makeRoom(values.length - from);
      const first = this.#count;
      this.#count += count;
      this.#piece.rows.set(rows.subarray(from, from + count), first);
      this.#piece.columns.set(columns.subarray(from, from + count), first);
      const some = values.subarray(from, from + count);
      this.#piece.values.set(some, first);
      if (!isSame(some, this.#piece.values, first)) this.#widen().values.set(some, first);
      from += count;
    }
  }

  /** @param path where they were read. */
  triples(shape: readonly [number, number], path: string): Triples {
    return joinedLater([...this.#full, firstOf(this.#piece, this.#count)], shape, isRepeatable(path));
  }

  weights(): Float64Array | undefined {
    return this.#isWeighted ? this.#weights.subarray(0, this.length) : undefined;
  }

  /** For one more at least; how many there is room for, up to `wanted`. */
  #makeRoom(wanted: number): number {
    const { length } = this.#piece.rows;
    if (this.#count === pieceLength) {
      this.#full.push(this.#piece);
      this.#before += pieceLength;
      this.#count = 0;
      this.#piece = pieceOf(pieceLength, isDouble(this.#piece));
    } else if (this.#count + wanted > length && length < pieceLength)
      this.#copyTo(pieceOf(Math.min(pieceLength, Math.max(this.#count + wanted, 2 * length)), isDouble(this.#piece)));
    return Math.min(wanted, this.#piece.rows.length - this.#count);
  }

  /** Values in float64 from here on. */
  #widen(): Piece {
    return this.#copyTo(pieceOf(this.#piece.rows.length, true));
  }

  #copyTo(to: Piece): Piece {
    const { rows, columns, values } = firstOf(this.#piece, this.#count);
    to.rows.set(rows);
    to.columns.set(columns);
    to.values.set(values);
    this.#piece = to;
    return to;
  }

  #keepWeights(length: number): Float64Array {
    if (length > this.#weights.length) {
      const wider = new Float64Array(Math.max(length, 2 * this.#weights.length));
      wider.set(this.#weights);
      this.#weights = wider;
    }
    return this.#weights;
  }
}

/** Not of stdin or a pipe; a pattern names files. */
const isRepeatable = (path: string): boolean =>
  path !== '-' && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? true);

const isDouble = ({ values }: Piece): boolean => values instanceof Float64Array;

const firstOf = ({ rows, columns, values }: Piece, count: number): Piece => ({
  rows: rows.subarray(0, count),
  columns: columns.subarray(0, count),
  values: values.subarray(0, count),
});

/** A loop of its own, for the compiler. */
function isSame(values: Float64Array, kept: RealArray, first: number): boolean {
  if (kept instanceof Float64Array) return true;
  for (let t = 0; t < values.length; t++) if (!Object.is(kept[first + t], values[t])) return false;
  return true;
}
