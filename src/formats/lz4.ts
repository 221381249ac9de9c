/** LZ4 frames, as Arrow's writers pack their buffers (LZ4 frame format 1.6; block format by Y. Collet). */

const magic = 0x184d2204;

/**
 * The unpacked bytes of one frame; checksums are not verified.
 *
 * @throws RangeError or Error where it is truncated or corrupt.
 */
export function unpackLz4(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== magic || flags >> 6 !== 1) throw new Error('no LZ4 frame');
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 16, flags & 8, flags & 1];
  if (hasDictionary) throw new Error('LZ4 with a dictionary is not supported');
  const most = 1 << (8 + 2 * ((view.getUint8(5) >> 4) & 7));
  let at = 7 + (hasSize ? 8 : 0);
  const out = new Output(hasSize ? Number(view.getBigUint64(6, true)) : 0, frame.length);
  for (let size = view.getUint32(at, true); size !== 0; size = view.getUint32(at, true)) {
    at += 4;
    const length = size & 0x7fffffff;
    if (length > most || at + length > frame.length) throw new Error('LZ4 block beyond its frame');
    const block = frame.subarray(at, at + length);
    if (size >>> 31) out.append(block);
    else unpackBlock(block, out);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
  return out.bytes.subarray(0, out.length);
}

/** Literals and matches; a match may reach back into the blocks before. */
function unpackBlock(block: Uint8Array, out: Output): void {
  let at = 0;
  const longer = (length: number): number => {
    let sum = length;
    for (let byte = 255; byte === 255; sum += byte) {
      if (at >= block.length) throw new Error('LZ4 block is truncated');
      byte = block[at++] as number;
    }
    return sum;
  };
  while (at < block.length) {
    const token = block[at++] as number;
    const literals = token >> 4 === 15 ? longer(15) : token >> 4;
    if (at + literals > block.length) throw new Error('LZ4 block is truncated');
    out.append(block.subarray(at, at + literals));
    at += literals;
    if (at === block.length) return;
    const distance = (block[at] as number) | ((block[at + 1] as number) << 8);
    at += 2;
    if (at > block.length) throw new Error('LZ4 block is truncated');
    out.repeat(distance, ((token & 15) === 15 ? longer(15) : token & 15) + 4);
  }
}

class Output {
  bytes: Uint8Array;
  length = 0;

  /** What a frame announces is believed as far as LZ4 can pack, 255 to 1. */
  constructor(announced: number, packed: number) {
    this.bytes = new Uint8Array(Math.min(announced, packed * 255) || packed * 4);
  }

  append(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Copies what stands `distance` before the end, which may be what this very call writes. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw new Error('LZ4 match before the beginning');
    this.#ensure(count);
    const { bytes } = this;
    const end = this.length + count;
    for (let i = this.length; i < end; i++) bytes[i] = bytes[i - distance] as number;
    this.length = end;
  }

  #ensure(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }
}
