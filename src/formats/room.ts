/** Sizes that a file announces, held against the memory there is before anything of that size is made. */
import { stat } from 'node:fs/promises';
import { machineLimit, mebibytes } from '../data/machineLimit.js';
import { HadamardError } from '../errors.js';
import { packingOf } from './formatOf.js';

/** How long a file can be unpacked; gzip packs to a 1032nd at most, zstd without bound. */
export async function mostBytes(path: string): Promise<number> {
  const status = await stat(path).catch(() => undefined);
  const packing = packingOf(path);
  if (!status?.isFile() || packing === 'zst') return Number.POSITIVE_INFINITY;
  return status.size * (packing === 'gz' ? 1032 : 1);
}

/** @throws HadamardError `not-enough-memory` where what is read of a file alone takes more than the limit, in bytes. */
export function checkRoom(path: string, bytes: number, limit: number = machineLimit()): void {
  if (bytes > limit) throw noRoom(path, bytes, `The limit is ${mebibytes(limit)}.`);
}

/** @throws HadamardError `not-enough-memory` where there is no buffer as long as that. */
export function allocate(path: string, bytes: number): Buffer {
  try {
    return Buffer.allocUnsafeSlow(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw noRoom(path, bytes, `${error.message}.`);
  }
}

function noRoom(path: string, bytes: number, rule: string): HadamardError {
  return new HadamardError({
    code: 'not-enough-memory',
    what: `What ${path} holds takes ${mebibytes(bytes)} at least.`,
    position: { option: 'memoryLimit', file: path },
    rule,
    remedy: 'Split the file, or list what is observed alone; raise memoryLimit if the machine has more.',
  });
}
