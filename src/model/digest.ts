/** The fingerprint of a model: equal digests mean equal bits. */
import { createHash } from 'node:crypto';
import type { RealArray } from '../data/input.js';

/**
 * SHA-256 (hex) of U, V, row bias, column bias (those that there are, in this order) as little-endian row-major bytes
 * without padding: what Python's `hashlib` says of the `.npy` data.
 */
export function digestOf(arrays: Iterable<RealArray | undefined>): string {
  const hash = createHash('sha256');
  for (const array of arrays) if (array) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest('hex');
}
