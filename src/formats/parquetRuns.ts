/**
 * What drives a Parquet decoder's loops inside a page, held against the count of values that the page announces: the headers
 * of RLE and bit-packed runs, and of delta blocks. Nothing is decoded
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/).
 */

/**
 * Walks the runs from `start` as the decoder will, until `count` values are seen or the bytes end at `end`.
 * @param width bits of a value
 * @returns the values seen: fewer than `count` where the bytes end before.
 * @throws Error where a run holds more values than are left; a bit-packed one is padded to a multiple of 8.
 */
export function checkRuns(bytes: Uint8Array, start: number, end: number, width: number, count: number): number {
  if (width > 32) throw new Error(`runs of ${width} bits a value`);
  let seen = 0;
  for (let at = start; seen < count; ) {
    const head = varint(bytes, at, end);
    if (head === undefined) break;
    const isPacked = (head.value & 1) === 1;
    const length = (head.value >>> 1) * (isPacked ? 8 : 1);
    if (length > count - seen + (isPacked ? 7 : 0))
      throw new Error(`a run of ${length} values where ${count - seen} are left`);
    // The decoder takes a byte even of a packed run that has none.
    at = head.end + (isPacked ? Math.max(1, (length / 8) * width) : Math.ceil(width / 8));
    if (at > end && width > 0) break;
    seen += length;
  }
  return seen;
}

/**
 * Blocks of more than nothing, in miniblocks of whole bytes: the decoder goes forward through them.
 * @throws Error where they are not.
 */
export function checkDeltaHeader(bytes: Uint8Array, start: number): void {
  const block = varint(bytes, start, bytes.length);
  const parts = block && varint(bytes, block.end, bytes.length);
  if (block === undefined || parts === undefined) throw new Error('deltas without a header');
  const size = block.value / parts.value;
  // The decoder takes what has the highest bit for less than nothing.
  if (!(size > 0 && size % 32 === 0 && block.value < 2 ** 31 && parts.value <= bytes.length))
    throw new Error(`delta blocks of ${block.value} values in ${parts.value} parts`);
}

/** An unsigned integer of 32 bits, undefined where the bytes end before it does. */
function varint(bytes: Uint8Array, start: number, end: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start, shift = 0; at < end; at++, shift += 7) {
    if (shift > 28) throw new Error('an integer of more than 32 bits');
    const byte = bytes[at] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 };
  }
  return undefined;
}
