/** ZIP out, as much of it as .npz needs (APPNOTE.TXT 6.3.10). */
import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';

const pieceBytes = 1 << 20;
/** Bit 3: checksum and sizes stand behind the data. */
const [wideVersion, sizesBehind, deflated] = [45, 8, 8];
/** 1980-01-01: the same bytes every time. */
const firstDay = 0x21;
const wide = 0xffffffff;

/**
 * An archive of deflated members, each given in parts, packed as it goes; all sizes in ZIP64's fields, as numpy has them.
 */
export async function* zipChunks(
  members: readonly (readonly [name: string, parts: readonly Buffer[]])[],
): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, parts] of members) {
    const headerAt = at;
    const common = (crc: number) =>
      fields(
        [2, wideVersion],
        [2, sizesBehind],
        [2, deflated],
        [2, 0],
        [2, firstDay],
        [4, crc],
        [4, wide],
        [4, wide],
        [2, name.length],
      );
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04'),
      common(0),
      fields([2, 20]),
      Buffer.from(name),
      fields([2, 1], [2, 16], [8, 0], [8, 0]),
    ]);
    yield local;
    let [crc, unpacked, packed] = [0, 0, 0];
    const pieces = function* () {
      for (const part of parts)
        for (let start = 0; start < part.length; start += pieceBytes) {
          const piece = part.subarray(start, start + pieceBytes);
          crc = crc32(piece, crc);
          unpacked += piece.length;
          yield piece;
        }
    };
    const deflate = createDeflateRaw({ chunkSize: pieceBytes });
    for await (const piece of pipeline(Readable.from(pieces()), deflate, () => undefined) as AsyncIterable<Buffer>) {
      packed += piece.length;
      yield piece;
    }
    const behind = Buffer.concat([Buffer.from('PK\x07\x08'), fields([4, crc], [8, packed], [8, unpacked])]);
    yield behind;
    at += local.length + packed + behind.length;
    directory.push(
      Buffer.from('PK\x01\x02'),
      fields([2, wideVersion]),
      common(crc),
      fields([2, 28], [2, 0], [2, 0], [2, 0], [4, 0], [4, wide]),
      Buffer.from(name),
      fields([2, 1], [2, 24], [8, unpacked], [8, packed], [8, headerAt]),
    );
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = members.length;
  yield Buffer.concat([
    ...directory,
    Buffer.from('PK\x06\x06'),
    fields([8, 44], [2, wideVersion], [2, wideVersion], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, at]),
    Buffer.from('PK\x06\x07'),
    fields([4, 0], [8, at + size], [4, 1]),
    Buffer.from('PK\x05\x06'),
    fields([2, 0], [2, 0], [2, count], [2, count], [4, wide], [4, wide], [2, 0]),
  ]);
}

/** Little-endian integers of 2, 4 or 8 bytes, side by side. */
function fields(...list: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  const buffer = Buffer.alloc(list.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of list) {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, bytes);
    at += bytes;
  }
  return buffer;
}
