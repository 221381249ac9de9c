/**
 * Numbers labels in order of first appearance, straight from bytes. A string is made of none before they are asked for: hundreds of
 * thousands would make the collector's young generation, and with it the process, grow behind a fit.
 */

import { isUtf8 } from 'node:buffer';
import { free } from '../data/pieces.js';
import type { Table } from './table.js';

/** Labels that are plain integers below this are looked up by value. */
const largestDirect = 1 << 24;

export class LabelIndex {
  /** By label: an integer as it is, −1 − its place among the hashed ones of another. */
  #codes = new Int32Array(1024);
  #length = 0;
  /** label index + 1 by integer value; 0 is none. */
  #direct = new Int32Array(1024);
  /** Open addressing: place among the hashed labels + 1. */
  #slots = new Int32Array(1024);
  /** Of the labels in #slots, by order of entry: label index, hash, and where its bytes end in #text. */
  #indices = new Int32Array(513);
  #hashes = new Int32Array(513);
  #ends = new Float64Array(513);
  #text = Buffer.alloc(1 << 12);
  #hashed = 0;

  get length(): number {
    return this.#length;
  }

  /** What makes the labels when it is called: nothing but their bytes is kept, and no label can be looked for any more. */
  close(): () => string[] {
    const codes = this.#codes.slice(0, this.#length);
    const [ends, text] = [this.#ends, this.#text];
    for (const list of [this.#codes, this.#direct, this.#slots, this.#indices, this.#hashes]) free(list);
    return () =>
      Array.from(codes, (code) =>
        code >= 0 ? String(code) : text.toString('utf8', ends[-2 - code] ?? 0, ends[-1 - code]),
      );
  }

  /** The index of the label bytes[start … end), given the next free one if it is new; −1 for bytes that are no UTF-8. */
  indexOf(bytes: Buffer, start: number, end: number): number {
    const integer = plainInteger(bytes, start, end);
    return integer >= 0 ? this.indexOfInteger(integer) : this.#indexOfBytes(bytes, start, end);
  }

  /** That of the label which an integer below {@link largestDirect} is, written without sign or leading zero. */
  indexOfInteger(integer: number): number {
    if (integer >= this.#direct.length) {
      this.#direct = widened(new Int32Array(Math.max(integer + 1, this.#direct.length * 2)), this.#direct);
    }
    const known = this.#direct[integer] as number;
    if (known > 0) return known - 1;
    const index = this.#add(integer);
    this.#direct[integer] = index + 1;
    return index;
  }

  #add(code: number): number {
    if (this.#length === this.#codes.length) this.#codes = widened(new Int32Array(2 * this.#length), this.#codes);
    this.#codes[this.#length] = code;
    return this.#length++;
  }

  #indexOfBytes(bytes: Buffer, start: number, end: number): number {
    // FNV-1a, then mixed so that similar labels do not stand side by side (murmur3's finalizer).
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash ^= hash >>> 13;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let known = this.#slots[slot] as number; known > 0; known = this.#slots[slot] as number) {
      if (this.#hashes[known - 1] === hash && this.#isText(known - 1, bytes, start, end))
        return this.#indices[known - 1] as number;
      slot = (slot + 1) & mask;
    }
    if (!isUtf8(bytes.subarray(start, end))) return -1;
    const index = this.#add(-1 - this.#hashed);
    this.#slots[slot] = this.#keep(bytes, start, end, hash, index);
    if (this.#hashed * 2 > this.#slots.length) this.#widen();
    return index;
  }

  #isText(place: number, bytes: Buffer, start: number, end: number): boolean {
    let at = place === 0 ? 0 : (this.#ends[place - 1] as number);
    if ((this.#ends[place] as number) - at !== end - start) return false;
    const text = this.#text;
    for (let i = start; i < end; i++, at++) if (text[at] !== bytes[i]) return false;
    return true;
  }

  /** Notes a new label and returns its place + 1. */
  #keep(bytes: Buffer, start: number, end: number, hash: number, index: number): number {
    const place = this.#hashed++;
    const first = place === 0 ? 0 : (this.#ends[place - 1] as number);
    const last = first + end - start;
    if (last > this.#text.length) {
      this.#text = widened(Buffer.alloc(Math.max(last, this.#text.length * 2)), this.#text);
    }
    bytes.copy(this.#text, first, start, end);
    this.#ends[place] = last;
    this.#hashes[place] = hash;
    this.#indices[place] = index;
    return place + 1;
  }

  #widen(): void {
    const size = this.#slots.length * 4;
    const slots = new Int32Array(size);
    for (let place = 0; place < this.#hashed; place++) {
      let slot = (this.#hashes[place] as number) & (size - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      slots[slot] = place + 1;
    }
    this.#slots = slots;
    this.#indices = widened(new Int32Array(size / 2 + 1), this.#indices);
    this.#hashes = widened(new Int32Array(size / 2 + 1), this.#hashes);
    this.#ends = widened(new Float64Array(size / 2 + 1), this.#ends);
  }
}

/** Labels that are made when they are asked for, once. */
export function labelsLater(makeRows: () => string[], makeColumns: () => string[]): NonNullable<Table['labels']> {
  let rows: string[] | undefined;
  let columns: string[] | undefined;
  return {
    get rows() {
      rows ??= makeRows();
      return rows;
    },
    get columns() {
      columns ??= makeColumns();
      return columns;
    },
  };
}

function widened<T extends Int32Array | Float64Array | Buffer>(wider: T, list: T): T {
  wider.set(list);
  free(list);
  return wider;
}

/** The value of a label written as an integer without sign or leading zero, so that label and value are one to one; else −1. */
function plainInteger(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length === 0 || length > 8 || (bytes[start] === 48 && length > 1)) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value < largestDirect ? value : -1;
}
