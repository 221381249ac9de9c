/** Records of a CSV with or without quotes: plain lines here, what else there is through csv-parse; and how the first line of any CSV is parted. */
import { isUtf8 } from 'node:buffer';
import { pipeline } from 'node:stream/promises';
import { afterLines, asFileError, bytesOf, LineSplitter, longestLine, malformed, notUtf8 } from './lines.js';
import { plainFields } from './plainFields.js';

const space = 32;
const newline = 10;
const byteOrderMark = Buffer.from('\ufeff');

/** How many bytes are looked through for the end of the first record. */
const farthest = 1 << 20;

/** Fields, and the line that the last of them ends on. */
interface CsvRecord {
  readonly fields: string[];
  readonly line: number;
}

type Records = AsyncGenerator<readonly CsvRecord[]>;

/**
 * Whether a line that begins with # or % and comes before any record is a comment: labels may begin so too. Its fields are
 * those outside of quotes.
 */
export type CommentTest = (fields: readonly string[], line: number) => boolean;

/** What to say of so many comments, the last of which stands in this line. */
export function commentNotes(path: string, comments: number, last: number): string[] {
  if (comments === 0) return [];
  return comments === 1
    ? [`${path}: line ${last} begins with # or %: taken as a comment.`]
    : [`${path}: ${comments} lines up to line ${last} begin with # or %: taken as comments.`];
}

/** Records of a CSV, some at a time; comments before the first are passed over. */
export async function* records(path: string, isComment: CommentTest): Records {
  const bytes = bytesOf(path);
  try {
    const first = await firstRecord(path, bytes, isComment);
    const delimiter = delimiterOf(first.text);
    const all = { bytes: first.all, skipped: first.line - 1, before: 0 };
    const isPlain = delimiter.length === 1 && delimiter !== ' ';
    const rest = isPlain ? yield* plainRecords(all, delimiter) : all;
    if (rest) yield* judgedRecords(path, rest, delimiter);
  } finally {
    await bytes.return(undefined);
  }
}

/** What is left of a file. */
interface Rest {
  readonly bytes: AsyncIterable<Buffer>;
  /** Lines of it that are comments and blank ones before the first record. */
  readonly skipped: number;
  /** Lines before it. */
  readonly before: number;
}

/** Records that are a plain line each. @returns what is left from the first on that is none. */
async function* plainRecords(
  { bytes, skipped }: Rest,
  delimiter: string,
): AsyncGenerator<readonly CsvRecord[], Rest | undefined> {
  const source = bytes[Symbol.asyncIterator]();
  let line = 0;
  let held: Buffer = Buffer.alloc(0);
  for (let isEnd = false; !isEnd; ) {
    const next = await source.next();
    isEnd = next.done === true;
    const whole: Buffer = next.done ? held : held.length > 0 ? Buffer.concat([held, next.value]) : next.value;
    const end = isEnd ? whole.length : whole.lastIndexOf(newline) + 1;
    const begin = line === 0 && whole.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
    const found: CsvRecord[] = [];
    let judgedFrom = isUtf8(whole.subarray(0, end)) && whole.length - end <= longestLine ? -1 : 0;
    const text = judgedFrom === 0 ? '' : whole.toString('utf8', begin, end);
    for (let at = 0; at < text.length; ) {
      const lineEnd = text.indexOf('\n', at);
      const stop = lineEnd < 0 ? text.length : lineEnd;
      if (line >= skipped && stop > at) {
        const fields = plainFields(text.slice(at, text[stop - 1] === '\r' ? stop - 1 : stop), delimiter);
        if (fields === undefined) {
          judgedFrom = begin + Buffer.byteLength(text.slice(0, at));
          break;
        }
        if (fields.length > 1 || fields[0] !== '') found.push({ fields, line: line + 1 });
      }
      line++;
      at = stop + 1;
    }
    yield found;
    if (judgedFrom >= 0) {
      // The mark is csv-parse's where it reads from the beginning.
      const from = whole.subarray(line > 0 ? judgedFrom : 0);
      const left = (async function* () {
        yield from;
        yield* { [Symbol.asyncIterator]: () => source };
      })();
      return { bytes: left, skipped: Math.max(0, skipped - line), before: line };
    }
    held = whole.subarray(end);
  }
  return undefined;
}

/** Records as csv-parse has them. */
async function* judgedRecords(path: string, { bytes, skipped, before }: Rest, delimiter: string): Records {
  // Late: its dozen modules are for quotes alone.
  const { parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: longestLine,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    // The lines before ended so.
    ...(before > 0 && { record_delimiter: ['\n', '\r\n'] }),
  });
  const begun = before + skipped;
  let last = begun;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isSound = true;
  const watched = async function* () {
    for await (const chunk of bytes) {
      try {
        if (isSound) decoder.decode(chunk, { stream: true });
      } catch {
        isSound = false;
      }
      yield chunk;
    }
  };
  const piping = pipeline(afterLines(watched(), skipped), parser).catch(() => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
      if (record.length > 1 || record[0] !== '') {
        last = begun + info.lines;
        // What was lost is U+FFFD now, which a sound file may hold as well.
        if (!isSound && record.some((field) => field.includes('\ufffd'))) throw notUtf8(path, last);
        yield [{ fields: delimiter === ' ' ? record.filter(Boolean) : record, line: last }];
      }
  } catch (error) {
    const { lines } = error as { lines?: number };
    if (lines === undefined) throw asFileError(path, error);
    // csv-parse names the line too, counted from where it began.
    const reason = (error as Error).message.replace(/ a quote is found on field \d+ at line \d+,| at line \d+/, '');
    throw malformed(
      path,
      `Line ${begun + lines}: ${reason}${last > 0 ? `; its record begins after line ${last}` : ''}.`,
      { line: begun + lines },
      'Quoted fields end with a quote before the delimiter.',
      'Correct the line.',
    );
  } finally {
    parser.destroy();
    await piping;
  }
}

/**
 * The first lines up to where its quotes are closed, from the one that is neither blank nor a comment; and all bytes, those
 * read so far first.
 */
async function firstRecord(
  path: string,
  bytes: AsyncGenerator<Buffer>,
  isComment: CommentTest,
): Promise<{ text: string; line: number; all: AsyncIterable<Buffer> }> {
  const lines: string[] = [];
  let first = 0;
  let quotes = 0;
  let isWhole = false;
  const splitter = new LineSplitter(path, (bytes, start, end, line) => {
    if (isWhole) return;
    const text = bytes.toString('utf8', start, end);
    if (first === 0) {
      if (isBlank(bytes, start, end) || (isMarked(bytes[start]) && isComment(fieldsOf(text), line))) return;
      first = line;
    }
    lines.push(text);
    quotes += text.split('"').length - 1;
    isWhole = quotes % 2 === 0;
  });
  const head: Buffer[] = [];
  let read = 0;
  for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
    head.push(next.value);
    splitter.take(next.value);
    read += next.value.length;
    if (isWhole || (lines.length > 0 && read > farthest)) break;
  }
  splitter.end();
  const all = async function* () {
    yield* head;
    yield* bytes;
  };
  return { text: lines.join('\n'), line: Math.max(1, first), all: all() };
}

/** Begins with # or %. */
export const isMarked = (byte: number | undefined): boolean => byte === 35 || byte === 37;

export function isBlank(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] === space) at++;
  return at === end;
}

/** How much of a line shows what parts it. */
const enough = 1 << 16;

const quoted = /"(?:[^"]|"")*(?:"|$)/g;

/**
 * The delimiter of a first line: the first of tab, MovieLens's `::`, and comma or semicolon, whichever there are more of,
 * that makes three fields of it; else two; else spaces. What is in quotes does not count.
 */
export function delimiterOf(line: string): string {
  const bare = line.slice(0, enough).replace(quoted, '');
  const parts = (delimiter: string) => bare.split(delimiter).length;
  const candidates = ['\t', '::', ...(parts(';') > parts(',') ? [';', ','] : [',', ';'])];
  return candidates.find((each) => parts(each) >= 3) ?? candidates.find((each) => parts(each) === 2) ?? ' ';
}

/** The fields of a first line, what is in quotes left out. */
function fieldsOf(line: string): string[] {
  const bare = line.replace(quoted, '');
  return splitLine(bare, delimiterOf(bare));
}

export function splitLine(text: string, delimiter: string): string[] {
  return (delimiter === ' ' ? text.trim().split(/ +/) : text.split(delimiter)).map((field) => field.trim());
}
