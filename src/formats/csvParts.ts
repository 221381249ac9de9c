/**
 * Large CSV files of triples in parts, by the WebAssembly parser. Whatever is not plainly an entry ends that, and the file
 * is read line by line from its beginning: there it is understood, or what is wrong with it is said.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isHadamardError } from '../errors.js';
import { compileKernels } from '../kernels/load.js';
import { CsvCollector, QuotedField } from './csvCollector.js';
import { type FileParts, roomOf } from './fileParts.js';
import { packingOf } from './formatOf.js';
import { LineParser, mostEntries, parserMemory, planParser, Unusual, viewPart } from './lineParser.js';
import { bytesOf, LineSplitter } from './lines.js';
import { numbersOf } from './parserNumbers.js';
import { eachPart } from './partCrew.js';
import type { ReadRequest, Table } from './table.js';

/** How large a file must be, and how it is cut. */
export interface PartSettings {
  readonly leastBytes: number;
  /** For a smaller one no worker is started. */
  readonly leastShared: number;
  readonly partBytes: number;
  /** All ones; fewer make labels collide. */
  readonly hashMask: number;
}

const defaults: PartSettings = {
  leastBytes: 2 ** 20,
  leastShared: 2 ** 24,
  partBytes: 2 ** 17,
  hashMask: 2 ** 32 - 1,
};

/** Parts that a thread may be ahead. */
const slots = 3;

const newline = 10;

/** Where the columns are looked for. */
const headBytes = 2 ** 16;
const mostFields = 4096;

/** Undefined where the file is to be read line by line. */
export async function readCsvInParts(
  path: string,
  request: ReadRequest,
  given: Partial<PartSettings> = {},
): Promise<Table | undefined> {
  const settings = { ...defaults, ...given };
  if (request.extra !== undefined) return undefined;
  // A pipe can be read only once, and may come to what is unusual.
  const status = await stat(path).catch(() => undefined);
  if (!status?.isFile() || status.size < settings.leastBytes) return undefined;
  try {
    if (packingOf(path)) return await readPacked(path, request, settings, status.size);
    return await readPlain(path, request, settings);
  } catch (error) {
    // Of several errors the first in the file is to be said; and there may be too little memory to reserve, but enough.
    if (error instanceof Unusual || error instanceof QuotedField || error instanceof RangeError) return undefined;
    if (isHadamardError(error)) return undefined;
    throw error;
  }
}

async function readPlain(path: string, request: ReadRequest, settings: PartSettings): Promise<Table | undefined> {
  const { leastShared, partBytes, hashMask } = settings;
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const collector = new CsvCollector(path, request);
    const head = Buffer.alloc(Math.min(headBytes, size));
    const { begin, line } = takeHead(path, collector, head.subarray(0, readSync(descriptor, head, 0, head.length, 0)));
    const { format } = collector;
    if (format === undefined || format.needed > mostFields) return undefined;
    const file: FileParts = { descriptor, size, begin, partBytes };
    collector.beginParts(line, mostEntries(format, size - begin));
    const layout = planParser(format, roomOf(file), size, slots, hashMask);
    const { module } = compileKernels('reproducible');
    const threads = size < leastShared ? 1 : (request.threads ?? 1);
    await eachPart({ file, layout, module, threads, workerUrl: request.workerUrl }, (...part) =>
      collector.takePart(...part),
    );
    return collector.table();
  } finally {
    closeSync(descriptor);
  }
}

/** What is unpacked comes as it comes, and is parsed in this thread while another of Node's unpacks on. */
async function readPacked(
  path: string,
  request: ReadRequest,
  settings: PartSettings,
  size: number,
): Promise<Table | undefined> {
  const { partBytes, hashMask } = settings;
  const collector = new CsvCollector(path, request);
  const { module } = compileKernels('reproducible');
  let open: { readonly input: Buffer; take(end: number): void } | undefined;
  let filled = 0;
  for await (const chunk of bytesOf(path)) {
    let from = 0;
    if (open === undefined) {
      const { begin, line } = takeHead(path, collector, chunk);
      const { format } = collector;
      if (format === undefined || format.needed > mostFields) return undefined;
      collector.beginParts(line, mostEntries(format, unpackedBytes(path, size)));
      const layout = planParser(format, partBytes, Number.POSITIVE_INFINITY, 1, hashMask);
      const memory = parserMemory(layout);
      const parser = new LineParser(layout, memory, module);
      const numbers = numbersOf(memory, layout);
      const take = (end: number) => {
        const parsed = parser.parse(0, end, 0);
        collector.takePart(viewPart(memory, layout, parsed), parsed, numbers);
      };
      open = { input: parser.input, take };
      from = begin;
    }
    while (from < chunk.length) {
      const copied = chunk.copy(open.input, filled, from, Math.min(chunk.length, from + partBytes - filled));
      filled += copied;
      from += copied;
      if (filled < partBytes) continue;
      const end = open.input.lastIndexOf(newline, filled - 1) + 1;
      if (end === 0) throw new Unusual();
      open.take(end);
      open.input.copyWithin(0, end, filled);
      filled -= end;
    }
  }
  if (open === undefined) return undefined;
  if (filled > 0 && open.input[filled - 1] !== newline) open.input[filled++] = newline;
  open.take(filled);
  return collector.table();
}

/** How long a gzip file says that it is unpacked (RFC 1952: its last word, modulo 2³²); 0 of other kinds. */
function unpackedBytes(path: string, size: number): number {
  if (packingOf(path) !== 'gz') return 0;
  const word = Buffer.alloc(4);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, word, 0, 4, size - 4);
  } finally {
    closeSync(descriptor);
  }
  return word.readUInt32LE();
}

/** Finds out how the lines are parted: the place of the first entry, and how many lines stand before it. */
function takeHead(path: string, collector: CsvCollector, head: Buffer): { begin: number; line: number } {
  let begin = 0;
  let line = 0;
  const splitter = new LineSplitter(path, (bytes, start, end, number) => {
    if (collector.format !== undefined) return;
    const isPassed = collector.takeHead(bytes, start, end, number);
    begin = isPassed ? bytes.indexOf(newline, end) + 1 : start;
    line = isPassed ? number : number - 1;
  });
  splitter.take(head);
  return { begin, line };
}
