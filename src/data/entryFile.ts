/**
 * Observed entries in a file: all indices, then all values, then all weights. What was read lately is in the system's page
 * cache, which is a store of its own size; the file has no name, so that nothing of it outlives the process that opened it.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HadamardError } from '../errors.js';
import type { RealArray } from './input.js';

export interface EntryForm {
  /** Of a value, and of a weight. */
  readonly elementBytes: 4 | 8;
  readonly isWeighted: boolean;
}

/** Plain data: a descriptor is the same number in all threads of the process. */
export interface EntryFile extends EntryForm {
  readonly descriptor: number;
  /** Where it is, for messages. */
  readonly folder: string;
  /** Entries that there is room for. */
  readonly capacity: number;
}

/** Entries as they are read and written; each list as long as the others. */
export interface EntryLists {
  readonly indices: Uint32Array;
  readonly values: RealArray;
  readonly weights: RealArray | undefined;
}

/** Behind the entries, while they are sorted: the row that each belongs to. */
export interface OwnedLists extends EntryLists {
  readonly owners: Uint32Array;
}

/** @throws HadamardError `not-found`, `output-failed`, `not-enough-disk` */
export function createEntryFile(folder: string, form: EntryForm & Pick<EntryFile, 'capacity'>): EntryFile {
  const path = join(folder, `.hadamard-${process.pid}-${randomUUID()}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    // Open files live on without a name, until they are closed.
    rmSync(path);
    return { ...form, descriptor, folder };
  } catch (error) {
    throw unwritable(folder, error);
  }
}

export function closeEntryFile({ descriptor }: EntryFile): void {
  closeSync(descriptor);
}

/** Bytes an entry. */
export function entryBytesOf({ elementBytes, isWeighted }: EntryForm): number {
  return 4 + elementBytes * (isWeighted ? 2 : 1);
}

/** Bytes an entry takes on disk beside, while it is sorted. */
export const ownerBytes = 4;

/** Fills the lists from entry `first` on. @throws HadamardError `malformed-file`, `unreadable-file` */
export function readEntries(file: EntryFile, first: number, lists: EntryLists | OwnedLists): void {
  for (const [list, base] of placesOf(file, lists)) readWhole(file, list, base + first * list.BYTES_PER_ELEMENT);
}

/** @throws HadamardError `not-enough-disk`, `output-failed` */
export function writeEntries(file: EntryFile, first: number, lists: EntryLists | OwnedLists): void {
  for (const [list, base] of placesOf(file, lists)) writeWhole(file, list, base + first * list.BYTES_PER_ELEMENT);
}

/** Gives back what the owners took. */
export function dropOwners(file: EntryFile): void {
  ftruncateSync(file.descriptor, entryBytesOf(file) * file.capacity);
}

/** Each list with where its first entry stands. */
function placesOf(
  file: EntryFile,
  lists: EntryLists | OwnedLists,
): (readonly [list: Uint32Array | RealArray, base: number])[] {
  const { capacity, elementBytes } = file;
  return [
    [lists.indices, 0],
    [lists.values, 4 * capacity],
    ...(lists.weights ? [[lists.weights, (4 + elementBytes) * capacity] as const] : []),
    ...('owners' in lists ? [[lists.owners, entryBytesOf(file) * capacity] as const] : []),
  ];
}

/** The system moves less than 2 GiB at once. */
const mostAtOnce = 1 << 30;

function bytesOf(list: Uint32Array | RealArray): Uint8Array {
  return new Uint8Array(list.buffer, list.byteOffset, list.byteLength);
}

function readWhole({ descriptor, folder }: EntryFile, list: Uint32Array | RealArray, position: number): void {
  const into = bytesOf(list);
  for (let done = 0; done < into.length; ) {
    const count = readAt(descriptor, into, done, position, folder);
    if (count === 0)
      throw new HadamardError({
        code: 'malformed-file',
        what: `The file of observations in ${folder} ends at byte ${position + done}.`,
        position: { option: 'onDisk', file: folder, byte: position + done },
        rule: 'It stays as the fit wrote it until the fit is over.',
        remedy: 'Keep others from changing it, and fit again.',
      });
    done += count;
  }
}

function readAt(descriptor: number, into: Uint8Array, done: number, position: number, folder: string): number {
  try {
    return readSync(descriptor, into, done, Math.min(into.length - done, mostAtOnce), position + done);
  } catch (cause) {
    throw new HadamardError(
      {
        code: 'unreadable-file',
        what: `The file of observations in ${folder} cannot be read: ${(cause as Error).message}.`,
        position: { option: 'onDisk', file: folder, byte: position + done },
        rule: 'Observations on disk are read again in every sweep.',
        remedy: 'Check the disk, or give another folder.',
      },
      { cause },
    );
  }
}

function writeWhole({ descriptor, folder }: EntryFile, list: Uint32Array | RealArray, position: number): void {
  const from = bytesOf(list);
  try {
    for (let done = 0; done < from.length; )
      done += writeSync(descriptor, from, done, Math.min(from.length - done, mostAtOnce), position + done);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

const noSpace: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function unwritable(folder: string, cause: unknown): HadamardError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  return new HadamardError(
    {
      code: isMissing ? 'not-found' : noSpace.has(code) ? 'not-enough-disk' : 'output-failed',
      what: isMissing ? `There is no folder ${folder}.` : `Observations cannot be written to ${folder}: ${message}.`,
      position: { option: 'onDisk', file: folder },
      rule: 'onDisk is a folder that exists and may be written to, on a disk with room for the observations.',
      remedy: 'Make the folder or give another; with room in memory leave onDisk out.',
    },
    { cause },
  );
}
