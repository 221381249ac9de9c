/**
 * Brings a caller's arrays into shared memory a slice at a time, so that the host's event loop is never held for long:
 * structured clone would copy hundreds of megabytes in one go. The originals are neither changed nor detached.
 */

import { HadamardError } from '../errors.js';
import { allocate } from '../parallel/memoryPool.js';

/** About a millisecond of copying, page faults included. */
const sliceBytes = 1 << 20;

type AnyArray = ArrayBufferView & { length: number; BYTES_PER_ELEMENT: number };

/** The value with every typed array in it replaced by one over a SharedArrayBuffer (itself where it is one already). */
export async function share(value: unknown): Promise<unknown> {
  if (ArrayBuffer.isView(value)) return shareArray(value as AnyArray);
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return value;
  const shared: Record<string, unknown> = {};
  // An ndarray keeps what describes it: data, shape, stride, offset; its methods stay behind.
  for (const [key, part] of Object.entries(value)) if (typeof part !== 'function') shared[key] = await share(part);
  return shared;
}

async function shareArray(array: AnyArray): Promise<unknown> {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  const buffer = allocate(array.byteLength, () => new SharedArrayBuffer(array.byteLength));
  const from = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const to = new Uint8Array(buffer);
  for (let start = 0; start < from.length; start += sliceBytes) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve));
    to.set(from.subarray(start, start + sliceBytes), start);
  }
  // Its owner had its turns in between: a detached array is empty, and what was copied is not all.
  if (from.byteLength !== buffer.byteLength)
    throw new HadamardError({
      code: 'invalid-input',
      what: 'An array was detached while it was handed to the session.',
      rule: 'Arrays keep their memory until the fit has settled.',
      remedy: 'Transfer a copy, or wait for the fit.',
    });
  const View = array.constructor as new (buffer: SharedArrayBuffer) => unknown;
  return new View(buffer);
}
