/** How much memory there is. */
import { totalmem } from 'node:os';

/** Milliseconds for which an answer holds: the question is a look into files, which a small fit would feel. */
const freshness = 1000;

let asked = Number.NEGATIVE_INFINITY;
let answer = 0;

/** Bytes: the container's limit where there is one, else the machine's memory. */
export function machineLimit(): number {
  const now = performance.now();
  if (now - asked < freshness) return answer;
  asked = now;
  const constrained = process.constrainedMemory();
  answer = constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return answer;
}
