/**
 * As much of ZIP as .npz needs: members stored or deflated, ZIP64 (APPNOTE.TXT 6.3.10). Sizes are held against each other
 * before anything is unpacked: an archive announces little and unpacks to much, or the other way round.
 */
import { pipeline, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { HadamardError } from '../errors.js';
import type { ByteFile } from './byteFile.js';
import { excerpt } from './excerpt.js';
import { malformed } from './lines.js';
import { allocate } from './room.js';

export interface ZipMember {
  readonly name: string;
  readonly isDeflated: boolean;
  readonly packed: number;
  readonly unpacked: number;
  readonly crc: number;
  readonly headerAt: number;
}

/** Deflate packs to a 1032nd at most. */
const mostRatio = 1032;
const endBytes = 22;
const mostComment = 65_535;
/** An .npz has a handful. */
const mostMembers = 10_000;
const pieceBytes = 1 << 20;

/** The members that the central directory lists. @throws HadamardError `malformed-file`, `unsupported-format` */
export async function readDirectory(path: string, file: ByteFile): Promise<ZipMember[]> {
  const tail = await file.read(Math.max(0, file.size - endBytes - mostComment), file.size);
  let end = tail.length - endBytes;
  while (end >= 0 && tail.readUInt32LE(end) !== 0x06054b50) end--;
  if (end < 0) throw noZip(path);
  let count = tail.readUInt16LE(end + 10);
  let size = tail.readUInt32LE(end + 12);
  let start = tail.readUInt32LE(end + 16);
  if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    if (end < 20 || tail.readUInt32LE(end - 20) !== 0x07064b50) throw noZip(path);
    const at = Number(tail.readBigUInt64LE(end - 12));
    const wide = await file.read(at, at + 56);
    if (wide.readUInt32LE(0) !== 0x06064b50) throw noZip(path);
    [count, size, start] = [32, 40, 48].map((offset) => Number(wide.readBigUInt64LE(offset))) as [
      number,
      number,
      number,
    ];
  }
  if (count > mostMembers) throw broken(path, `announces ${count} members`);
  const directory = await file.read(start, start + size);
  const members: ZipMember[] = [];
  for (let at = 0; members.length < count; ) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) throw noZip(path);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      directory.readUInt16LE(at + offset),
    ) as [number, number, number];
    const extraAt = at + 46 + nameLength;
    const name = directory.toString('utf8', at + 46, extraAt);
    const sizes = wideSizes(directory.subarray(extraAt, extraAt + extraLength), [
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    ]);
    const method = directory.readUInt16LE(at + 10);
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
    if (isEncrypted || (method !== 0 && method !== 8)) throw unsupported(path, name, isEncrypted, method);
    const [unpacked, packed, headerAt] = sizes;
    const isDeflated = method === 8;
    if (isDeflated ? unpacked > packed * mostRatio : unpacked !== packed)
      throw broken(path, `announces ${unpacked} bytes in "${excerpt(name)}", of ${packed} that are packed`);
    members.push({ name, isDeflated, packed, unpacked, crc: directory.readUInt32LE(at + 16), headerAt });
    at = extraAt + extraLength + commentLength;
  }
  const sum = members.reduce((bytes, { packed }) => bytes + packed, 0);
  if (sum > file.size) throw broken(path, `lists members of ${sum} bytes in a file of ${file.size}`);
  return members;
}

/** ZIP64's own field for the sizes that do not fit: unpacked, packed and where the member begins. */
function wideSizes(extra: Buffer, sizes: [number, number, number]): [number, number, number] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    return sizes.map((size) => {
      if (size !== 0xffffffff || field + 8 > extra.length) return size;
      field += 8;
      return Number(extra.readBigUInt64LE(field - 8));
    }) as [number, number, number];
  }
  return sizes;
}

/**
 * The first bytes of a member, unpacked.
 *
 * @throws HadamardError `malformed-file`
 */
export async function readHead(path: string, file: ByteFile, member: ZipMember, most: number): Promise<Buffer> {
  const head: Buffer[] = [];
  let length = 0;
  for await (const piece of unpackedPieces(path, file, member)) {
    head.push(piece);
    length += piece.length;
    if (length >= most) break;
  }
  return Buffer.concat(head).subarray(0, most);
}

/**
 * A member as a whole, its length and checksum verified.
 *
 * @throws HadamardError `malformed-file`; `not-enough-memory` where no buffer is as long.
 */
export async function readMember(path: string, file: ByteFile, member: ZipMember): Promise<Buffer> {
  const whole = allocate(path, member.unpacked);
  let length = 0;
  for await (const piece of unpackedPieces(path, file, member)) {
    if (length + piece.length > whole.length) throw wrongLength(path, member);
    piece.copy(whole, length);
    length += piece.length;
  }
  if (length !== whole.length) throw wrongLength(path, member);
  if (zlib.crc32(whole) !== member.crc)
    throw broken(path, `has another checksum in "${excerpt(member.name)}" than it announces`);
  return whole;
}

async function* unpackedPieces(path: string, file: ByteFile, member: ZipMember): AsyncGenerator<Buffer> {
  const local = await file.read(member.headerAt, member.headerAt + 30);
  if (local.readUInt32LE(0) !== 0x04034b50) throw noZip(path);
  const start = member.headerAt + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const end = start + member.packed;
  const pieces = async function* () {
    for (let at = start; at < end; at += pieceBytes) yield await file.read(at, Math.min(end, at + pieceBytes));
  };
  if (!member.isDeflated) {
    yield* pieces();
    return;
  }
  const inflate = zlib.createInflateRaw({ chunkSize: pieceBytes });
  try {
    yield* pipeline(Readable.from(pieces()), inflate, () => undefined) as AsyncIterable<Buffer>;
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw broken(path, `cannot be unpacked: ${(error as Error).message}`);
  }
}

function noZip(path: string): HadamardError {
  return broken(path, 'has no sound directory of its members');
}

function broken(path: string, what: string): HadamardError {
  return malformed(
    path,
    `${path} ${what}.`,
    {},
    'An .npz is a ZIP archive of .npy arrays, whose sizes are what its directory says.',
    'The file seems truncated or changed: save it again with scipy.sparse.save_npz or numpy.savez.',
  );
}

function wrongLength(path: string, { name, unpacked }: ZipMember): HadamardError {
  return broken(path, `announces ${unpacked} bytes in "${excerpt(name)}" and has more or fewer`);
}

function unsupported(path: string, name: string, isEncrypted: boolean, method: number): HadamardError {
  return new HadamardError({
    code: 'unsupported-format',
    what: `"${excerpt(name)}" in ${path} is ${isEncrypted ? 'encrypted' : `packed by method ${method}`}.`,
    position: { file: path },
    rule: 'Members of an .npz are stored or deflated.',
    remedy: 'Save it again with scipy.sparse.save_npz or numpy.savez.',
  });
}
