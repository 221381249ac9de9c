/** How much memory there is. */
import { totalmem } from 'node:os';

let limit: number | undefined;

/** Bytes: the container's limit where there is one, else the machine's memory. Read once: Node opens files for it. */
export function machineLimit(): number {
  limit ??= read();
  return limit;
}

function read(): number {
  const constrained = process.constrainedMemory();
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
