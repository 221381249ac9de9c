/** Rows together in and out of the eigenbasis, which is read once for all of them. */
import { ComposedSpace } from "./composedSpace";
import { rotateRows } from "./rotateRows";
import { Terms } from "./terms";

/** What the listed rows start from, in the basis, to `work.rotatedBatch`; 0 where they start from nothing. */
export function rotateIn(terms: Terms, work: ComposedSpace, rows: usize, count: usize): void {
  const stride = work.size, bytes = stride << 2;
  if (!terms.start) {
    memory.fill(work.rotatedBatch, 0, count * bytes);
    return;
  }
  for (let i: usize = 0; i < count; i++)
    memory.copy(work.batch + i * bytes, terms.start + <usize>load<i32>(rows + (i << 2)) * bytes, bytes);
  // Q stands behind three vectors, and Qᵀ behind Q.
  rotateRows(work.rotatedBatch, work.batch, terms.basis + 3 * bytes, stride, count);
}

/** `work.rotatedBatch` as rows are outside of it, to `work.batch`. */
export function rotateOut(terms: Terms, work: ComposedSpace, count: usize): void {
  const stride = work.size, bytes = stride << 2;
  rotateRows(work.batch, work.rotatedBatch, terms.basis + (3 + stride) * bytes, stride, count);
}
