/** JSON lines of entries: objects such as {"user": 7, "item": "x", "rating": 4.5}, or lists [row, column, value]. */
import { isUtf8 } from 'node:buffer';
import type { ColumnBatch, ColumnSource } from './columnSource.js';
import { excerpt } from './excerpt.js';
import { bytesOf, LineSplitter, malformed, notUtf8 } from './lines.js';
import { type Chunks, inPieces, numberText, type OutputBatch, type OutputColumns } from './output.js';

type JsonRecord = Readonly<Record<string, unknown>> | readonly unknown[];

interface RecordBatch {
  readonly records: readonly JsonRecord[];
  readonly lines: readonly number[];
}

/** The names are those of the first object. @throws HadamardError `malformed-file` with the line, and as every file. */
export async function openJsonRecords(path: string): Promise<ColumnSource> {
  const batches = recordBatches(path);
  const close = async () => {
    await batches.return(undefined);
  };
  const first = (await batches.next()).value as RecordBatch | undefined;
  const head = first?.records[0];
  if (first === undefined || head === undefined)
    throw malformed(
      path,
      `${path} holds no records.`,
      {},
      'Each line is a JSON object or list.',
      'Check that it is the right file and whole.',
    );
  const isPositional = Array.isArray(head);
  const names = isPositional ? head.map((_, place) => String(place + 1)) : Object.keys(head);
  const take = ({ records, lines }: RecordBatch, keys: readonly (string | number)[]): ColumnBatch => {
    const other = records.findIndex((record) => Array.isArray(record) !== isPositional);
    if (other >= 0)
      throw malformed(
        path,
        `Line ${lines[other]} is ${isPositional ? 'an object' : 'a list'}, and the first is not.`,
        { line: lines[other] as number },
        'All lines are objects, or all are lists.',
        'Correct the line.',
      );
    return {
      length: records.length,
      lines,
      columns: keys.map((key) => records.map((record) => (record as Record<string | number, unknown>)[key])),
    };
  };
  return {
    names,
    isPositional,
    async *batches(places) {
      const keys = places.map((place) => (isPositional ? place : (names[place] as string)));
      yield take(first, keys);
      for await (const batch of batches) yield take(batch, keys);
    },
    close,
  };
}

/** A batch for each piece of the file, blank lines left out. */
async function* recordBatches(path: string): AsyncGenerator<RecordBatch> {
  let records: JsonRecord[] = [];
  let lines: number[] = [];
  const splitter = new LineSplitter(path, (bytes, start, end, line) => {
    if (!isUtf8(bytes.subarray(start, end))) throw notUtf8(path, line);
    const text = bytes.toString('utf8', start, end);
    if (text.trim() === '') return;
    records.push(parseRecord(path, text, line));
    lines.push(line);
  });
  for await (const chunk of bytesOf(path)) {
    splitter.take(chunk);
    if (records.length === 0) continue;
    yield { records, lines };
    records = [];
    lines = [];
  }
  splitter.end();
  if (records.length > 0) yield { records, lines };
}

/** Strings, which are left alone, and numbers. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** An integer of 16 digits and more becomes text, digit for digit: as a number it might be another's. */
function parseRecord(path: string, text: string, line: number): JsonRecord {
  const exact = /\d{16}/.test(text)
    ? text.replace(tokens, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token))
    : text;
  try {
    const record: unknown = JSON.parse(exact);
    if (typeof record === 'object' && record !== null) return record as JsonRecord;
  } catch {
    // Reported below, with the line.
  }
  throw malformed(
    path,
    `Line ${line} is "${excerpt(text)}".`,
    { line },
    'Each line is a JSON object with row, column and value, or a list of these.',
    'Correct the line, or fetch the file again if it is truncated.',
  );
}

/** An object a line; NaN is null. */
export async function* jsonChunks({ columns, batches }: OutputColumns): Chunks {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  for await (const batch of batches) yield* inPieces(linesOf(batch, keys));
}

function* linesOf(batch: OutputBatch, keys: readonly string[]): Generator<string> {
  const length = batch[0]?.length ?? 0;
  for (let t = 0; t < length; t++) yield `{${keys.map((key, c) => `${key}:${jsonText(batch[c]?.[t])}`).join()}}\n`;
}

function jsonText(value: string | number | undefined): string {
  if (typeof value === 'number') return Number.isNaN(value) ? 'null' : numberText(value);
  return JSON.stringify(value);
}
