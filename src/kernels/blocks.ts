/** What the kernels that improve rows block by block work with: see assembly/blockSpace.ts. */
import { composedScratchBytes } from './composed.js';

/**
 * Scratch of one task.
 *
 * @param width columns of a block at the most.
 * @param longest entries of the longest row: its residuals are kept.
 */
export function blockScratchBytes(stride: number, width: number, longest: number): number {
  const records = 128 + 64 + 128;
  return composedScratchBytes(stride) + records + 8 * (3 * width * width + 64 * width + 64 + 12 * width) + 36 * longest;
}
