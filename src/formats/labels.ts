/** Numbers labels in order of first appearance, straight from bytes: a string is made once a label, not once a line. */

import { isUtf8 } from 'node:buffer';

/** Labels that are plain integers below this are looked up by value. */
const largestDirect = 1 << 24;

export class LabelIndex {
  /** In order; integers as they are: a string of each is made once all are known. */
  readonly #labels: (string | number)[] = [];
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

  get labels(): string[] {
    return this.#labels.map(String);
  }

  /** The index of the label bytes[start … end), given the next free one if it is new; −1 for bytes that are no UTF-8. */
  indexOf(bytes: Buffer, start: number, end: number): number {
    const integer = plainInteger(bytes, start, end);
    return integer >= 0 ? this.indexOfInteger(integer) : this.#indexOfBytes(bytes, start, end);
  }

  /** That of the label which an integer below {@link largestDirect} is, written without sign or leading zero. */
  indexOfInteger(integer: number): number {
    if (integer >= this.#direct.length) {
      const wider = new Int32Array(Math.max(integer + 1, this.#direct.length * 2));
      wider.set(this.#direct);
      this.#direct = wider;
    }
    const known = this.#direct[integer] as number;
    if (known > 0) return known - 1;
    this.#labels.push(integer);
    this.#direct[integer] = this.#labels.length;
    return this.#labels.length - 1;
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
    const text = bytes.subarray(start, end);
    if (!isUtf8(text)) return -1;
    const index = this.#labels.length;
    this.#slots[slot] = this.#keep(bytes, start, end, hash, index);
    this.#labels.push(text.toString('utf8'));
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
      const wider = Buffer.alloc(Math.max(last, this.#text.length * 2));
      this.#text.copy(wider, 0, 0, first);
      this.#text = wider;
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
    const wider = <T extends Int32Array | Float64Array>(next: T, array: T): T => {
      next.set(array);
      return next;
    };
    this.#indices = wider(new Int32Array(size / 2 + 1), this.#indices);
    this.#hashes = wider(new Int32Array(size / 2 + 1), this.#hashes);
    this.#ends = wider(new Float64Array(size / 2 + 1), this.#ends);
  }
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
