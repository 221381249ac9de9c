/** Refusals of what does not fit into memory. */
import { mebibytes } from '../data/machineLimit.js';
import { HadamardError } from '../errors.js';

type PlannedBytes = Readonly<Record<'total' | 'observations' | 'factors' | 'scratch' | 'method' | 'model', number>>;

/** A plan is beyond a limit. */
export function planTooLarge({ bytes }: { readonly bytes: PlannedBytes }, limit: number): HadamardError {
  return notEnoughMemory(
    `The fit needs ${mebibytes(bytes.total)}: observations ${mebibytes(bytes.observations)}, factors ${mebibytes(bytes.factors)}, scratch ${mebibytes(bytes.scratch)}, method ${mebibytes(bytes.method)}, model ${mebibytes(bytes.model)}`,
    limit,
  );
}

/** @param need a sentence without its full stop. */
export function notEnoughMemory(need: string, limit: number): HadamardError {
  return new HadamardError({
    code: 'not-enough-memory',
    what: `${need}.`,
    position: { option: 'memoryLimit' },
    rule: `The limit is ${mebibytes(limit)}.`,
    remedy:
      "Lower the rank, use dtype 'f32', or acceleration 'none'; keep the observations on disk (onDisk); raise memoryLimit if the machine has more.",
  });
}
