/** Keeps the shared memory of the last fit for the next one: a fresh one costs page faults over its whole size. */

const pageBytes = 65536;
/** What an idle process may hold on to. */
const largestKept = 256 * 2 ** 20;

let kept: WebAssembly.Memory | undefined;

/** A shared memory of at least `pages` pages. Its contents are whatever the last fit left there. */
export function acquireMemory(pages: number): WebAssembly.Memory {
  const memory = kept;
  if (memory && memory.buffer.byteLength >= pages * pageBytes) {
    kept = undefined;
    return memory;
  }
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** Hands a memory back; the caller must hold no view into it. */
export function releaseMemory(memory: WebAssembly.Memory): void {
  const { byteLength } = memory.buffer;
  if (byteLength <= largestKept && byteLength > (kept?.buffer.byteLength ?? 0)) kept = memory;
}
