/** One loop after another, told as one: sweeps and seconds count on. */
import type { LoopOptions, Outcome } from './iterate.js';
import type { TraceEntry } from './trace.js';

/** @param pause seconds between the two. */
export async function goOn(
  before: Outcome,
  options: LoopOptions,
  pause: number,
  loop: (rest: LoopOptions) => Promise<Outcome>,
): Promise<Outcome> {
  const offset = pause + (before.trace.at(-1)?.seconds ?? 0);
  const shifted = (entry: TraceEntry) => ({
    ...entry,
    sweep: entry.sweep + before.sweeps,
    seconds: entry.seconds + offset,
  });
  const last = await loop({
    ...options,
    maxSweeps: options.maxSweeps - before.sweeps,
    onSweep: (entry) => options.onSweep(shifted(entry)),
  });
  return {
    ...last,
    sweeps: before.sweeps + last.sweeps,
    keptSweep: before.sweeps + last.keptSweep,
    trace: [...before.trace, ...last.trace.map(shifted)],
    isMonotone: before.isMonotone && last.isMonotone,
  };
}
