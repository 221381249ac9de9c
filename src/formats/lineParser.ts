/** Parses parts of a text file, each of whole lines, in a WebAssembly memory of its own; labels are numbered from part to part. */
import {
  batchLabelBytes,
  batchRecords,
  batchSize,
  type LabelTable,
  type LineFormat,
  type LineJob,
  type LineKernels,
  labelTableAt,
  lineJobAt,
  lineKernels,
  parsed,
  readAhead,
  slotBytes,
  structBytes,
} from '../kernels/lines.js';
import { parseNumber } from './numbers.js';

/** Stops the fast reading: the file has what only the careful one can judge. */
export class Unusual extends Error {}

/** Where everything stands in a parser's memory. Bytes that nobody touches are none of the machine's. */
export interface ParserLayout {
  readonly format: LineFormat;
  /** Room for the bytes of a part, a line end it may lack, and what the kernel reads ahead. */
  readonly input: number;
  readonly inputBytes: number;
  readonly slots: readonly SlotLayout[];
  readonly slow: number;
  /** What the numbers of labels are in the whole file: by their value, and in the order in which they were met. */
  readonly direct: readonly [rows: number, columns: number];
  readonly known: readonly [rows: number, columns: number];
  readonly fields: number;
  readonly labels: number;
  /** For slots of labels and their records, to the end of the memory. */
  readonly heap: number;
  readonly bytes: number;
  /** All ones; fewer make labels collide. */
  readonly hashMask: number;
}

/** Where the entries of a part go. */
interface SlotLayout {
  readonly rows: number;
  readonly columns: number;
  readonly values: number;
  readonly weights: number;
  readonly freshRows: number;
  readonly freshColumns: number;
  readonly lateRows: number;
  readonly lateColumns: number;
  readonly gaps: number;
}

/** How much a part holds; the rest stands in its slot, until that is used again. */
export interface ParsedPart {
  readonly slot: number;
  readonly entries: number;
  readonly lines: number;
  readonly gaps: number;
  readonly freshRows: number;
  readonly freshColumns: number;
  readonly lateRows: number;
  readonly lateColumns: number;
}

const jobAddress = 64;
const tableAddresses = [jobAddress + structBytes, jobAddress + 2 * structBytes] as const;
const powersAddress = jobAddress + 3 * structBytes;
const powers = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Plain integers below this are looked up by value; of other labels so many have their number at hand. */
export const numberLimit: number = 2 ** 22;
const slowCapacity = 4096;
const gapCapacity = 4096;
const firstSlots = 1024;
const recordBytes = 2 ** 20;
/** What labels may take. */
const mostHeap = 2 ** 30;
const pageBytes = 65536;

/** How many entries so many bytes may hold: one byte a label or number, and one behind each field that is needed. */
export function mostEntries({ needed, weight }: LineFormat, bytes: number): number {
  return Math.ceil(bytes / (needed + (weight >= 0 ? 4 : 3))) + 1;
}

/** The parser's memory for parts of up to `inputBytes` of a text of `textBytes`, `slots` of them at a time. */
export function planParser(
  format: LineFormat,
  inputBytes: number,
  textBytes: number,
  slots: number,
  hashMask: number,
): ParserLayout {
  let end = powersAddress + 8 * powers.length;
  const take = (bytes: number): number => {
    const at = Math.ceil(end / 64) * 64;
    end = at + bytes;
    return at;
  };
  const most = mostEntries(format, inputBytes);
  const input = take(inputBytes + 1 + readAhead);
  const slot = (): SlotLayout => ({
    rows: take(4 * most),
    columns: take(4 * most),
    values: take(8 * most),
    weights: take(format.weight >= 0 ? 8 * most : 0),
    freshRows: take(4 * most),
    freshColumns: take(4 * most),
    lateRows: take(4 * most),
    lateColumns: take(4 * most),
    gaps: take(8 * gapCapacity),
  });
  const layout = {
    format,
    input,
    inputBytes,
    slots: Array.from({ length: slots }, slot),
    slow: take(16 * slowCapacity),
    direct: [take(4 * numberLimit), take(4 * numberLimit)] as const,
    known: [take(4 * numberLimit), take(4 * numberLimit)] as const,
    fields: take(8 * format.needed),
    labels: take(batchLabelBytes),
    heap: take(0),
    hashMask,
  };
  // Labels take a few times their bytes at most; both tables begin with slots, and records come by the piece.
  const heap = Math.min(mostHeap, 32 * textBytes + 4 * recordBytes);
  return { ...layout, bytes: Math.ceil((layout.heap + heap) / pageBytes) * pageBytes };
}

export function parserMemory({ bytes }: ParserLayout): WebAssembly.Memory {
  const pages = bytes / pageBytes;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export class LineParser {
  /** Where the bytes of a part are put. */
  readonly input: Buffer;
  readonly #layout: ParserLayout;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: LineKernels;
  readonly #job: LineJob;
  readonly #tables: readonly LabelTable[];
  #heap: number;
  /** Pieces of tables that were too small, for records. */
  readonly #outgrown: number[] = [];

  constructor(layout: ParserLayout, memory: WebAssembly.Memory, module: WebAssembly.Module) {
    this.#layout = layout;
    this.#memory = memory;
    this.#kernels = lineKernels(module, memory);
    this.#heap = layout.heap;
    this.input = Buffer.from(memory.buffer, layout.input, layout.inputBytes + 1);
    new Float64Array(memory.buffer, powersAddress, powers.length).set(powers);
    this.#tables = tableAddresses.map((address, side) => {
      const table = labelTableAt(memory, address);
      table.direct = layout.direct[side] as number;
      table.known = layout.known[side] as number;
      table.limit = numberLimit;
      table.slots = this.#allocate(slotBytes * firstSlots);
      table.mask = firstSlots - 1;
      table.hashed = 0;
      return table;
    });
    this.#job = Object.assign(lineJobAt(memory, jobAddress), {
      ...layout.format,
      isDouble: layout.format.isDouble ? 1 : 0,
      fields: layout.fields,
      labels: layout.labels,
      rowLabels: tableAddresses[0],
      columnLabels: tableAddresses[1],
      records: 0,
      recordsEnd: 0,
      gapCapacity,
      slow: layout.slow,
      slowCapacity,
      powers: powersAddress,
      hashMask: layout.hashMask,
    });
  }

  /** The lines input[start … end), the last of which ends with a line end. @throws Unusual */
  parse(start: number, end: number, slot: number): ParsedPart {
    const job = this.#job;
    const [rowLabels, columnLabels] = this.#tables as [LabelTable, LabelTable];
    const { freshRows, freshColumns, lateRows, lateColumns, ...arrays } = this.#layout.slots[slot] as SlotLayout;
    Object.assign(rowLabels, { fresh: freshRows, freshCount: 0, late: lateRows, lateCount: 0 });
    Object.assign(columnLabels, { fresh: freshColumns, freshCount: 0, late: lateColumns, lateCount: 0 });
    Object.assign(job, arrays, { entries: 0, lines: 0, gapCount: 0, isAfterGap: 0 });
    job.at = this.#layout.input + start;
    job.end = this.#layout.input + end;
    let state: number;
    do {
      this.#makeRoom();
      job.slowCount = 0;
      state = this.#kernels.parse(jobAddress);
      if (state === parsed.unusual) throw new Unusual();
      this.#readSlowNumbers();
    } while (state !== parsed.done);
    return {
      slot,
      entries: job.entries,
      lines: job.lines,
      gaps: job.gapCount,
      freshRows: rowLabels.freshCount,
      freshColumns: columnLabels.freshCount,
      lateRows: rowLabels.lateCount,
      lateColumns: columnLabels.lateCount,
    };
  }

  /** For the labels of a batch more at least. */
  #makeRoom(): void {
    const job = this.#job;
    if (job.recordsEnd - job.records < batchRecords) {
      const piece = this.#outgrown.pop() ?? this.#allocate(recordBytes);
      // A piece that follows the last goes on with it.
      if (piece !== job.recordsEnd) job.records = piece;
      job.recordsEnd = piece + recordBytes;
    }
    this.#tables.forEach((table, side) => {
      if ((table.hashed + batchSize) * 4 <= table.mask * 3) return;
      const slots = (table.mask + 1) * 2;
      const old = table.slots;
      this.#kernels.moveLabels(
        jobAddress,
        tableAddresses[side] as number,
        this.#allocate(slotBytes * slots),
        slots - 1,
      );
      const end = old + slotBytes * (slots / 2);
      for (let piece = old; piece + recordBytes <= end; piece += recordBytes) this.#outgrown.push(piece);
    });
  }

  /** Fresh bytes, all 0. @throws Unusual where the labels take more than was planned. */
  #allocate(bytes: number): number {
    const at = this.#heap;
    this.#heap += bytes;
    if (this.#heap > this.#layout.bytes) throw new Unusual();
    return at;
  }

  /** @throws Unusual where one is no number. */
  #readSlowNumbers(): void {
    const { slow, slowCount, values, weights } = this.#job;
    const list = new Uint32Array(this.#memory.buffer, slow, 4 * slowCount);
    const bytes = Buffer.from(this.#memory.buffer);
    for (let i = 0; i < list.length; i += 4) {
      const [entry = 0, isWeight, start = 0, length = 0] = list.subarray(i, i + 4);
      const number = length > longestNumber ? Number.NaN : parseNumber(bytes, start, start + length);
      if (!Number.isFinite(number)) throw new Unusual();
      new Float64Array(this.#memory.buffer, isWeight ? weights : values)[entry] = number;
    }
  }
}

/** No number that is meant is as long. */
const longestNumber = 4096;

/** What a part has left in its slot: rows and columns by their labels' numbers in the whole file, or by marks. */
export interface PartView {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float64Array;
  readonly weights: Float64Array | undefined;
  /** Before which entry and in which line of the part, counted from 0, lines were empty: two numbers each. */
  readonly gaps: Uint32Array;
  /** The labels that are new in this part, in order: see kernels/assembly/lineJob.ts. */
  readonly freshRows: Uint32Array;
  readonly freshColumns: Uint32Array;
  /** The entries that have a mark. */
  readonly lateRows: Uint32Array;
  readonly lateColumns: Uint32Array;
}

export function viewPart({ buffer }: WebAssembly.Memory, layout: ParserLayout, part: ParsedPart): PartView {
  const slot = layout.slots[part.slot] as SlotLayout;
  const { entries } = part;
  return {
    rows: new Uint32Array(buffer, slot.rows, entries),
    columns: new Uint32Array(buffer, slot.columns, entries),
    values: new Float64Array(buffer, slot.values, entries),
    weights: layout.format.weight >= 0 ? new Float64Array(buffer, slot.weights, entries) : undefined,
    gaps: new Uint32Array(buffer, slot.gaps, 2 * part.gaps),
    freshRows: new Uint32Array(buffer, slot.freshRows, part.freshRows),
    freshColumns: new Uint32Array(buffer, slot.freshColumns, part.freshColumns),
    lateRows: new Uint32Array(buffer, slot.lateRows, part.lateRows),
    lateColumns: new Uint32Array(buffer, slot.lateColumns, part.lateColumns),
  };
}
