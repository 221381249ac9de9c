/** Files as a stream of bytes or lines, unpacked where their name ends in .gz or .zst, never held as a whole. */
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { HadamardError, isHadamardError } from '../errors.js';
import { packingOf } from './formatOf.js';
import { unpacker } from './packing.js';

/** Large chunks: a call per mebibyte instead of one per 64 KiB. */
const chunkBytes = 1 << 20;
const sliceBytes = 1 << 13;
const newline = 10;

/** Nobody writes longer lines; what is longer is no text, and would have to be held as a whole. */
export const longestLine = 1 << 26;

/**
 * The file's bytes, unpacked, once from first to last, so that pipes can be read too; `-` is stdin, where the first bytes
 * say whether it is packed. The file is closed whatever happens.
 *
 * @throws HadamardError `not-found`, `unreadable-file`; `malformed-file` where what is packed is truncated or corrupt;
 *   `unsupported-format` for zstd where this Node has none.
 */
export async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  let file: Readable | undefined;
  try {
    file = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: chunkBytes });
    const packing = path === '-' ? await packingOfFirst(file) : packingOf(path);
    // What goes wrong in the file is thrown by the stream that is read from.
    if (packing) yield* pipeline(file, unpacker(path, packing, chunkBytes), () => undefined) as AsyncIterable<Buffer>;
    else yield* file as AsyncIterable<Buffer>;
  } catch (error) {
    throw asFileError(path, error);
  } finally {
    if (file && !file.closed) await closed(file);
  }
}

/** Looks at the first bytes and puts them back. */
async function packingOfFirst(stream: Readable): Promise<'gz' | 'zst' | undefined> {
  await new Promise<void>((resolve, reject) => {
    stream.once('readable', resolve).once('end', resolve).once('error', reject);
  });
  const first = stream.read() as Buffer | null;
  if (first === null) return undefined;
  stream.unshift(first);
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gz';
  return first.length >= 4 && first.readUInt32LE(0) === 0xfd2fb528 ? 'zst' : undefined;
}

function closed(file: Readable): Promise<void> {
  return new Promise((resolve) => {
    file.once('close', () => resolve());
    file.destroy();
  });
}

/** Hands the file's bytes to `onChunk`; throws what that throws, or as {@link bytesOf}. */
export async function eachChunk(path: string, onChunk: (chunk: Buffer) => void): Promise<void> {
  for await (const chunk of bytesOf(path)) onChunk(chunk);
}

/** The bytes after so many line ends, in small pieces: a parser that fails or is left has not parsed a mebibyte ahead. */
export async function* afterLines(source: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of source) {
    let start = 0;
    for (; left > 0 && start < chunk.length; left--) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) {
        start = chunk.length;
        break;
      }
      start = end + 1;
    }
    for (; start < chunk.length; start += sliceBytes) yield chunk.subarray(start, start + sliceBytes);
  }
}

/** Takes one line, without its line end, as bytes[start … end); `line` counts from 1. */
export type LineVisitor = (bytes: Buffer, start: number, end: number, line: number) => void;

/** Hands the file's lines to `onLine`; the bytes are only good during the call. */
export async function eachLine(path: string, onLine: LineVisitor): Promise<void> {
  const splitter = new LineSplitter(path, onLine);
  await eachChunk(path, (chunk) => splitter.take(chunk));
  splitter.end();
}

/** Makes lines of chunks. */
export class LineSplitter {
  readonly #path: string;
  readonly #onLine: LineVisitor;
  /** The chunks since the last line end. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #line = 0;

  constructor(path: string, onLine: LineVisitor) {
    this.#path = path;
    this.#onLine = onLine;
  }

  take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      if (this.#restLength > 0) {
        this.#keep(chunk.subarray(0, end));
        this.end();
      } else this.#visit(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** After the last chunk. */
  end(): void {
    if (this.#restLength === 0) return;
    const bytes = this.#rest.length === 1 ? (this.#rest[0] as Buffer) : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restLength = 0;
    this.#visit(bytes, 0, bytes.length);
  }

  #keep(bytes: Buffer): void {
    this.#rest.push(bytes);
    this.#restLength += bytes.length;
    if (this.#restLength > longestLine)
      throw malformed(
        this.#path,
        `Line ${this.#line + 1} goes on for more than ${longestLine >> 20} MiB.`,
        { line: this.#line + 1 },
        'Text files have lines.',
        'Check that it is the right file and of the kind that its name says.',
      );
  }

  #visit(bytes: Buffer, start: number, end: number): void {
    const mark = this.#line === 0 && bytes.length > 1 ? bytes.readUInt16BE(0) : 0;
    if (mark === 0xfffe || mark === 0xfeff)
      throw malformed(
        this.#path,
        `${this.#path} is UTF-16 text.`,
        { line: 1 },
        'Text files are UTF-8.',
        'Convert it to UTF-8.',
      );
    if (mark === 0x1f8b)
      throw malformed(
        this.#path,
        `${this.#path} is packed by gzip, and its name does not say so.`,
        { line: 1 },
        'A name that ends in .gz is of a gzip file; others are read as they are.',
        'Add .gz to its name.',
      );
    const last = end > start && bytes[end - 1] === 13 ? end - 1 : end;
    this.#onLine(bytes, this.#line === 0 ? skipByteOrderMark(bytes, start) : start, last, ++this.#line);
  }
}

function skipByteOrderMark(bytes: Buffer, start: number): number {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start;
}

/** A typed error for what the file system or zlib said. */
export function asFileError(path: string, error: unknown): unknown {
  if (isHadamardError(error) || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/^(Z_|ZSTD_)/.test(code)) {
    const [kind, ending] = code.startsWith('Z_') && packingOf(path) !== 'zst' ? ['gzip', '.gz'] : ['zstd', '.zst'];
    return malformed(
      path,
      `${path} is not sound ${kind}: ${error.message}.`,
      {},
      `A name that ends in ${ending} is of a complete ${kind} file.`,
      `Fetch or pack the file again; if it is not packed, take ${ending} off its name.`,
    );
  }
  if (code === 'ENOENT')
    return new HadamardError(
      {
        code: 'not-found',
        what: `There is no file ${path}.`,
        position: { file: path },
        rule: 'Data comes from a file that exists.',
        remedy: 'Correct the path.',
      },
      { cause: error },
    );
  if (!/^E[A-Z]+$/.test(code) && code !== 'ERR_INVALID_ARG_VALUE') return error;
  return new HadamardError(
    {
      code: 'unreadable-file',
      what: `${path} cannot be read: ${error.message}.`,
      position: { file: path },
      rule: 'Data comes from a file that this user may read.',
      remedy: 'Check that it is a file and its permissions.',
    },
    { cause: error },
  );
}

export function malformed(
  path: string,
  what: string,
  position: { line?: number; field?: number; byte?: number },
  rule: string,
  remedy: string,
): HadamardError {
  return new HadamardError({
    code: 'malformed-file',
    what,
    position: { file: path, ...position },
    rule,
    remedy,
  });
}

/** Bytes that are no UTF-8 are decoded as U+FFFD, one like the other: labels that differ would become one. */
export function notUtf8(path: string, line: number): HadamardError {
  return malformed(
    path,
    `Line ${line} holds bytes that are no UTF-8.`,
    { line },
    'Text files are UTF-8.',
    'Convert it, for example with iconv -f latin1 -t utf-8.',
  );
}
