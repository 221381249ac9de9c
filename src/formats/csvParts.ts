/**
 * Large CSV files of triples in parts, by the WebAssembly parser. Whatever is not plainly an entry ends that, and the file
 * is read line by line from its beginning: there it is understood, or what is wrong with it is said.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { compileKernels } from '../kernels/load.js';
import { CsvCollector, QuotedField } from './csvCollector.js';
import { countParts, type FileParts, loadPart, roomOf } from './fileParts.js';
import { packingOf } from './formatOf.js';
import { LineParser, mostEntries, parserMemory, planParser, Unusual, viewPart } from './lineParser.js';
import { LineSplitter } from './lines.js';
import { SideNumbers } from './parserNumbers.js';
import type { ReadRequest, Table } from './table.js';

/** How large a file must be, and how it is cut. */
export interface PartSettings {
  readonly leastBytes: number;
  readonly partBytes: number;
  /** All ones; fewer make labels collide. */
  readonly hashMask: number;
}

const defaults: PartSettings = { leastBytes: 2 ** 20, partBytes: 2 ** 21, hashMask: 2 ** 32 - 1 };

/** Where the columns are looked for. */
const headBytes = 2 ** 16;
const mostFields = 4096;

/** Undefined where the file is to be read line by line. @throws HadamardError as that. */
export async function readCsvInParts(
  path: string,
  request: ReadRequest,
  given: Partial<PartSettings> = {},
): Promise<Table | undefined> {
  const settings = { ...defaults, ...given };
  if (packingOf(path) || request.extra !== undefined) return undefined;
  const descriptor = openFile(path);
  if (descriptor === undefined) return undefined;
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size < settings.leastBytes) return undefined;
    return await readParts(path, request, descriptor, status.size, settings);
  } catch (error) {
    if (error instanceof Unusual || error instanceof QuotedField) return undefined;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

async function readParts(
  path: string,
  request: ReadRequest,
  descriptor: number,
  size: number,
  { partBytes, hashMask }: PartSettings,
): Promise<Table | undefined> {
  const collector = new CsvCollector(path, request);
  const head = Buffer.alloc(Math.min(headBytes, size));
  const { begin, line } = takeHead(path, collector, head.subarray(0, readSync(descriptor, head, 0, head.length, 0)));
  const { format } = collector;
  if (format === undefined || format.needed > mostFields) return undefined;
  const file: FileParts = { descriptor, size, begin, partBytes };
  collector.beginParts(line, mostEntries(format, size - begin));
  const layout = planParser(format, roomOf(file), size, 1, hashMask);
  const memory = parserMemory(layout);
  const { module } = await compileKernels('reproducible');
  const parser = new LineParser(layout, memory, module);
  const numbers = { rows: new SideNumbers(memory), columns: new SideNumbers(memory) };
  for (let part = 0; part < countParts(file); part++) {
    const { start, end } = loadPart(file, part, parser.input);
    const parsed = parser.parse(start, end, 0);
    collector.takePart(viewPart(memory, layout, parsed), parsed, numbers);
    // Signals and timers have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return collector.table();
}

/** Finds out how the lines are parted: the place of the first entry, and how many lines stand before it. */
function takeHead(path: string, collector: CsvCollector, head: Buffer): { begin: number; line: number } {
  let begin = 0;
  let line = 0;
  const splitter = new LineSplitter(path, (bytes, start, end, number) => {
    if (collector.format !== undefined) return;
    const isPassed = collector.takeHead(bytes, start, end, number);
    begin = isPassed ? bytes.indexOf(10, end) + 1 : start;
    line = isPassed ? number : number - 1;
  });
  splitter.take(head);
  return { begin, line };
}
