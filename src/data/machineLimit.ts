/** How much memory there is. */
import { totalmem } from 'node:os';

/** For so many milliseconds an answer holds: to ask takes as long as a sweep of a small fit, and a container may be given more or less. */
const lifetime = 1000;
let known = { limit: 0, until: Number.NEGATIVE_INFINITY };

/** Bytes: the container's limit where there is one, else the machine's memory. */
export function machineLimit(): number {
  const now = performance.now();
  if (now > known.until) {
    const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
    known = { limit: Math.min(constrained, totalmem()), until: now + lifetime };
  }
  return known.limit;
}

/** As refusals say it. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
