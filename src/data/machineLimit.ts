/** How much memory there is. */
import { totalmem } from 'node:os';

/** Bytes: the container's limit where there is one, else the machine's memory. */
export function machineLimit(): number {
  const constrained = process.constrainedMemory();
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** As refusals say it. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
