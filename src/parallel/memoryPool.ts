/** Keeps the shared memory of the last fit for the next one: a fresh one costs page faults over its whole size. */
import { HadamardError } from '../errors.js';

const pageBytes = 65536;
/** What an idle process may hold on to. */
const largestKept = 256 * 2 ** 20;

let kept: WebAssembly.Memory | undefined;

/**
 * A shared memory of at least `pages` pages. Its contents are whatever the last fit left there.
 *
 * @throws HadamardError `not-enough-memory`
 */
export function acquireMemory(pages: number): WebAssembly.Memory {
  const memory = kept;
  if (memory && memory.buffer.byteLength >= pages * pageBytes) {
    kept = undefined;
    return memory;
  }
  const fresh = () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return allocate(pages * pageBytes, fresh);
}

/**
 * What `make` allocates. A plan may lie within its limit and the machine still have no room for it.
 *
 * @throws HadamardError `not-enough-memory` with the number of bytes.
 */
export function allocate<T>(bytes: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw asAllocation(bytes, error);
  }
}

/** A failed allocation as what it is; any other error as it was. */
export function asAllocation(bytes: number, cause: unknown): unknown {
  // The engines' way to say that an allocation failed; there is no class of its own for it.
  if (!(cause instanceof RangeError)) return cause;
  return new HadamardError(
    {
      code: 'not-enough-memory',
      what: `${bytes} bytes could not be allocated: ${cause.message}.`,
      position: { option: 'memoryLimit' },
      rule: 'The parts of a plan must fit into the memory that the machine has left.',
      remedy: "End other fits or programs, lower the rank, or use dtype 'f32' or acceleration 'none'.",
    },
    { cause },
  );
}

/** Hands a memory back; the caller must hold no view into it. */
export function releaseMemory(memory: WebAssembly.Memory): void {
  const { byteLength } = memory.buffer;
  if (byteLength <= largestKept && byteLength > (kept?.buffer.byteLength ?? 0)) kept = memory;
}
