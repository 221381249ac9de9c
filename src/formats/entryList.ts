/** Triples of unknown number: typed arrays that double as they fill, up to a length at which a piece is full and the next begins. */
import { statSync } from 'node:fs';
import type { Triples } from '../data/input.js';
import { freePiece, joinedLater, type Piece, readValues } from '../data/pieces.js';
import type { PartView } from './lineParser.js';

/** Of row, column and value. */
export const entryBytes = 4 + 4 + 8;

const firstLength = 1024;
/** What is larger than 32 MiB the C library asks of the system, and gives back to it: by no more, since a piece is freed when all of it is read. */
const pieceBytes = 2 ** 25 + 2 ** 16;

/** How values are held. */
interface Form {
  readonly Held: Float32ArrayConstructor | Int32ArrayConstructor | Float64ArrayConstructor;
  readonly divisor: number;
}

/** In this order; the last holds all. Files say most numbers in decimals of a few digits, of which float32 has halves and the like alone. */
const forms: readonly Form[] = [
  { Held: Float32Array, divisor: 1 },
  ...Array.from({ length: 10 }, (_, digits) => ({ Held: Int32Array, divisor: Number(`1e${digits}`) })),
  { Held: Float64Array, divisor: 1 },
];

/** A piece that is being filled; the first `count` entries are there. */
interface OpenPiece extends Piece {
  /** Its form's place among {@link forms}. */
  readonly form: number;
}

/** Lists of a piece in one stretch of memory, which the system can give in large pages. */
function pieceOf(length: number, form: number): OpenPiece {
  const { Held, divisor } = forms[form] as Form;
  const heldBytes = Held.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer((heldBytes + 8) * length);
  return {
    held: new Held(buffer, 0, length),
    divisor,
    form,
    rows: new Uint32Array(buffer, heldBytes * length, length),
    columns: new Uint32Array(buffer, (heldBytes + 4) * length, length),
  };
}

const mostIn = (form: number): number => pieceBytes / ((forms[form] as Form).Held.BYTES_PER_ELEMENT + 8);

/** Puts values into a piece from entry `first` on. False where one of them is not the same there. */
function hold({ held, divisor }: Pick<Piece, 'held' | 'divisor'>, first: number, values: Float64Array): boolean {
  for (let t = 0; t < values.length; t++) if (!holdOne(held, divisor, first + t, values[t] as number)) return false;
  return true;
}

function holdOne(held: Piece['held'], divisor: number, t: number, value: number): boolean {
  held[t] = divisor === 1 ? value : Math.round(value * divisor);
  return Object.is((held[t] as number) / divisor, value);
}

/** Values copied at a time. */
const copyLength = 2 ** 14;

export class EntryList {
  readonly #full: Piece[] = [];
  #piece = pieceOf(firstLength, 0);
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
    if (this.#count === this.#piece.rows.length) this.#makeRoom(1);
    const t = this.#count++;
    const { rows, columns, held, divisor } = this.#piece;
    rows[t] = row;
    columns[t] = column;
    if (!holdOne(held, divisor, t, value)) this.#holdOtherwise(t, Float64Array.of(value));
    if (this.#isWeighted) this.#keepWeights(this.length)[this.length - 1] = weight;
  }

  /** Room for so many, or for a piece. What is reserved and never filled takes no memory: the system gives a page when it is written to. */
  reserve(count: number): void {
    this.#makeRoom(Math.min(count, mostIn(0)) - this.#count);
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
      if (!hold(this.#piece, first, some)) this.#holdOtherwise(first, some);
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
    const { form, rows } = this.#piece;
    const most = mostIn(form);
    if (this.#count === rows.length && this.#count >= most) {
      this.#full.push(this.#piece);
      this.#before += this.#count;
      this.#count = 0;
      this.#piece = pieceOf(most, form);
    } else if (this.#count + wanted > rows.length && rows.length < most)
      this.#copyTo(pieceOf(Math.min(most, Math.max(this.#count + wanted, 2 * rows.length)), form), this.#count);
    return Math.min(wanted, this.#piece.rows.length - this.#count);
  }

  /** In the next form that holds these values from entry `first` on, and those before. */
  #holdOtherwise(first: number, values: Float64Array): void {
    const { form: last, rows } = this.#piece;
    for (let form = last + 1; form < forms.length; form++) {
      const { Held, divisor } = forms[form] as Form;
      if (!hold({ held: new Held(values.length), divisor }, 0, values)) continue;
      if (this.#copyTo(pieceOf(rows.length, form), first) && hold(this.#piece, first, values)) return;
    }
  }

  /** False where it does not hold the first `count` values. Rows and columns are copied as far as there are any. */
  #copyTo(to: OpenPiece, count: number): boolean {
    const from = this.#piece;
    const room = new Float64Array(Math.min(count, copyLength));
    if (to.form === from.form) to.held.set(from.held.subarray(0, count));
    else
      for (let first = 0; first < count; first += copyLength) {
        const some = room.subarray(0, count - first);
        readValues(from, first, some);
        if (!hold(to, first, some)) {
          freePiece(to);
          return false;
        }
      }
    to.rows.set(from.rows.subarray(0, this.#count));
    to.columns.set(from.columns.subarray(0, this.#count));
    freePiece(from);
    this.#piece = to;
    return true;
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

const firstOf = ({ rows, columns, held, divisor }: Piece, count: number): Piece => ({
  rows: rows.subarray(0, count),
  columns: columns.subarray(0, count),
  held: held.subarray(0, count),
  divisor,
});
