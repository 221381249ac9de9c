/** A regular file in parts of whole lines: where it is cut depends on the file and the size of the parts alone. */
import { readSync } from 'node:fs';
import { Unusual } from './lineParser.js';

const newline = 10;

/** How far a part may go on behind its share, to the end of its last line. */
const longestTail = 2 ** 14;

export interface FileParts {
  readonly descriptor: number;
  /** Bytes of the file, and before its first part. */
  readonly size: number;
  readonly begin: number;
  readonly partBytes: number;
}

export const countParts = ({ size, begin, partBytes }: FileParts): number => Math.ceil((size - begin) / partBytes);

/** Bytes that {@link loadPart} needs. */
export const roomOf = ({ partBytes }: FileParts): number => 1 + partBytes + longestTail;

/**
 * Reads the lines that begin in share `part` of the file: they are bytes[start … end), the last with a line end, which a
 * last line of the file may lack.
 *
 * @throws Unusual for very long lines, and a file that has become shorter.
 */
export function loadPart(file: FileParts, part: number, bytes: Buffer): { start: number; end: number } {
  const first = file.begin + part * file.partBytes;
  const share = Math.min(file.partBytes, file.size - first);
  // The byte before says whether a line begins with the share.
  const before = part === 0 ? 0 : 1;
  const wanted = before + Math.min(share + longestTail, file.size - first);
  read(file.descriptor, bytes.subarray(0, wanted), first - before);
  const isLast = first + share === file.size;
  const isEnd = first - before + wanted === file.size;
  const start = before === 0 ? 0 : lineAfter(bytes, 0, wanted, isEnd);
  const end = isLast ? wanted : lineAfter(bytes, before + share - 1, wanted, isEnd);
  if (start >= end) return { start: end, end };
  if (bytes[end - 1] === newline) return { start, end };
  bytes[end] = newline;
  return { start, end: end + 1 };
}

/** Where the next line begins after a line end at `at` or later; the end where there is none and the file ends there. */
function lineAfter(bytes: Buffer, at: number, end: number, isEnd: boolean): number {
  const found = bytes.subarray(at, end).indexOf(newline);
  if (found >= 0) return at + found + 1;
  if (!isEnd) throw new Unusual();
  return end;
}

function read(descriptor: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw new Unusual();
    done += count;
  }
}
