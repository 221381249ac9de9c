/** Kernels over a memory of their own, for work of this thread alone that no plan knows of. */
import { instantiateKernels, type Kernels } from './load.js';

export interface OwnMemory {
  readonly buffer: ArrayBufferLike;
  readonly kernels: Kernels;
}

/** Addresses of 0 are for what is absent. */
export const begin = 64;

/** A thread keeps its last while it is as small as that of a small fit: to make one takes as long as to use it. */
const largestKept = 2 ** 20;
const pageBytes = 2 ** 16;

let kept: (OwnMemory & { readonly module: WebAssembly.Module }) | undefined;

/** So many bytes from {@link begin} on, with whatever the last left there; they are the caller's until the next asks. */
export function ownMemory(module: WebAssembly.Module, bytes: number): OwnMemory {
  if (kept?.module === module && kept.buffer.byteLength >= begin + bytes) return kept;
  const pages = Math.ceil((begin + bytes) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const own = { module, buffer: memory.buffer, kernels: instantiateKernels(module, memory) };
  if (memory.buffer.byteLength <= largestKept) kept = own;
  return own;
}
