/** The parser of lines: what it is told and what it leaves behind. See assembly/lineJob.ts, whose fields these are. */
import { instantiateKernels } from './load.js';

/** Which fields of a line are read, counted from 0. */
export interface LineFormat {
  /** A byte. */
  readonly delimiter: number;
  /** The delimiter is two of that byte. */
  readonly isDouble: boolean;
  readonly row: number;
  readonly column: number;
  readonly value: number;
  /** −1 where there is none. */
  readonly weight: number;
  /** A line has `needed` … `width` fields. */
  readonly needed: number;
  readonly width: number;
}

const tableWords = [
  'direct',
  'known',
  'limit',
  'slots',
  'mask',
  'hashed',
  'fresh',
  'freshCount',
  'late',
  'lateCount',
] as const;

const jobWords = [
  'at',
  'end',
  'delimiter',
  'isDouble',
  'row',
  'column',
  'value',
  'weight',
  'needed',
  'width',
  'fields',
  'labels',
  'rows',
  'columns',
  'values',
  'weights',
  'entries',
  'lines',
  'rowLabels',
  'columnLabels',
  'records',
  'recordsEnd',
  'gaps',
  'gapCount',
  'gapCapacity',
  'isAfterGap',
  'slow',
  'slowCount',
  'slowCapacity',
  'powers',
  'hashMask',
] as const;

/** A struct of 32-bit words by the names of its fields. */
export type Words<Name extends string> = { [name in Name]: number };

function wordsAt<Name extends string>(
  memory: WebAssembly.Memory,
  address: number,
  names: readonly Name[],
): Words<Name> {
  const words = new Uint32Array(memory.buffer, address, names.length);
  const struct = {};
  names.forEach((name, i) => {
    Object.defineProperty(struct, name, {
      get: () => words[i],
      // A Uint32Array wraps −1, as the kernel's i32 takes it.
      set: (value: number) => {
        words[i] = value;
      },
    });
  });
  return struct as Words<Name>;
}

export type LineJob = Words<(typeof jobWords)[number]>;
export type LabelTable = Words<(typeof tableWords)[number]>;

export const lineJobAt = (memory: WebAssembly.Memory, address: number): LineJob => wordsAt(memory, address, jobWords);
export const labelTableAt = (memory: WebAssembly.Memory, address: number): LabelTable =>
  wordsAt(memory, address, tableWords);

/** Of an entry's mark, where its label has no number yet: what else it is, and whether that is a place in slots or an integer. */
export const markMask: number = 0x3fffffff;
export const isHashedMark = (mark: number): boolean => (mark & 0x40000000) !== 0;

/** Bytes that a struct of either kind takes at most. */
export const structBytes = 128;
/** Of a label's record, before its bytes; record and label have 8 bytes at their multiples. */
export const recordHead = 8;
/** What must be readable behind the last byte that is parsed. */
export const readAhead = 128;
/** A slot of a label table. */
export const slotBytes = 16;
/** Entries whose labels are numbered together, and what their records take at most. */
export const batchSize = 64;
export const batchRecords: number = batchSize * 2 * (recordHead + 2 ** 12 + 8);
export const batchLabelBytes: number = batchSize * 16;

/** What a call of `parse` ended with. */
export const parsed = { done: 0, full: 1, unusual: 2 } as const;

export interface LineKernels {
  /** Reads the lines of a job. */
  parse(job: number): number;
  /** Moves a table's labels into empty slots, of which there are mask + 1. */
  moveLabels(job: number, table: number, slots: number, mask: number): void;
}

export function lineKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): LineKernels {
  const { parseText, moveLabelsTo } = instantiateKernels(module, memory);
  return { parse: parseText, moveLabels: moveLabelsTo };
}
