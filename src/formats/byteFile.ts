/** A file that is read at any place: where it lies, or unpacked in memory where it is packed or no regular file. */
import { open } from 'node:fs/promises';
import { HadamardError } from '../errors.js';
import { packingOf } from './formatOf.js';
import { asFileError, bytesOf, malformed } from './lines.js';

/** What is held in memory at most. */
const mostHeld = 2 ** 31;

export interface ByteFile {
  readonly size: number;
  /** The bytes from `start` up to `end`, all of them. @throws HadamardError `malformed-file` where the file is shorter. */
  read(start: number, end: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** @throws HadamardError as {@link bytesOf}; `not-enough-memory` where more than 2 GiB would have to be held. */
export async function openBytes(path: string): Promise<ByteFile> {
  if (path === '-' || packingOf(path)) return inMemory(path);
  const handle = await open(path).catch((error: unknown) => {
    throw asFileError(path, error);
  });
  const status = await handle.stat();
  if (!status.isFile()) {
    await handle.close();
    return inMemory(path);
  }
  return {
    size: status.size,
    async read(start, end) {
      checkRange(path, start, end, status.size);
      const bytes = Buffer.allocUnsafeSlow(end - start);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done).catch((error) => {
          throw asFileError(path, error);
        });
        if (bytesRead === 0) throw beyond(path, start, end);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function inMemory(path: string): Promise<ByteFile> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytesOf(path)) {
    size += chunk.length;
    if (size > mostHeld)
      throw new HadamardError({
        code: 'not-enough-memory',
        what: `${path} is more than ${mostHeld / 2 ** 30} GiB unpacked.`,
        position: { file: path },
        rule: 'A file of this kind is read at many places, and held in memory where it is packed or comes through a pipe.',
        remedy: 'Unpack it to a file and give that.',
      });
    chunks.push(Buffer.from(chunk));
  }
  const whole = Buffer.concat(chunks);
  return {
    size,
    async read(start, end) {
      checkRange(path, start, end, size);
      return whole.subarray(start, end);
    },
    close: async () => undefined,
  };
}

function checkRange(path: string, start: number, end: number, size: number): void {
  if (!(start >= 0 && start <= end && end <= size)) throw beyond(path, start, end);
}

function beyond(path: string, start: number, end: number): HadamardError {
  return malformed(
    path,
    `${path} says that bytes ${start} … ${end} are its own, and is shorter.`,
    { byte: start },
    'What a file points to stands in it.',
    'The file seems truncated or changed: fetch it again.',
  );
}
