/** Numbers labels in order of first appearance, straight from bytes: a string is made once a label, not once a line. */

import { isUtf8 } from 'node:buffer';

/** Labels that are plain integers below this are looked up by value. */
const largestDirect = 1 << 24;

export class LabelIndex {
  readonly labels: string[] = [];
  /** label index + 1 by integer value; 0 is none. */
  #direct = new Int32Array(1024);
  /** Open addressing: label index + 1. */
  #slots = new Int32Array(1024);
  readonly #hashes: number[] = [];
  readonly #texts: (Buffer | undefined)[] = [];
  #hashed = 0;

  /** The index of the label bytes[start … end), given the next free one if it is new. */
  indexOf(bytes: Buffer, start: number, end: number): number {
    const integer = plainInteger(bytes, start, end);
    return integer >= 0 ? this.#indexOfInteger(integer) : this.#indexOfBytes(bytes, start, end);
  }

  #indexOfInteger(integer: number): number {
    if (integer >= this.#direct.length) {
      const wider = new Int32Array(Math.max(integer + 1, this.#direct.length * 2));
      wider.set(this.#direct);
      this.#direct = wider;
    }
    const known = this.#direct[integer] as number;
    if (known > 0) return known - 1;
    this.labels.push(String(integer));
    this.#direct[integer] = this.labels.length;
    return this.labels.length - 1;
  }

  #indexOfBytes(bytes: Buffer, start: number, end: number): number {
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash >>>= 0;
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const known = this.#slots[slot] as number;
      if (known === 0) break;
      const index = known - 1;
      const text = this.#texts[index];
      if (this.#hashes[index] === hash && text && text.compare(bytes, start, end) === 0) return index;
      slot = (slot + 1) & mask;
    }
    const text = Buffer.from(bytes.subarray(start, end));
    const index = this.labels.length;
    // Bytes that are not UTF-8 are taken as Latin-1, so that different bytes stay different labels.
    this.labels.push(text.toString(isUtf8(text) ? 'utf8' : 'latin1'));
    this.#hashes[index] = hash;
    this.#texts[index] = text;
    this.#slots[slot] = index + 1;
    if (++this.#hashed * 2 > this.#slots.length) this.#widen();
    return index;
  }

  #widen(): void {
    const slots = new Int32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (const known of this.#slots) {
      if (known === 0) continue;
      const hash = this.#hashes[known - 1] as number;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = known;
    }
    this.#slots = slots;
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
