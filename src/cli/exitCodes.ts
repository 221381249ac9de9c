/** What the exit code says. */
import { type ErrorCode, isHadamardError } from '../errors.js';
import type { FitReport } from '../model/fitReport.js';

/** As the help prints them. */
export const exitCodes = {
  0: 'done: converged, or stopped by --patience, --max-sweeps or --time-limit as you asked',
  1: 'a fault of hadamard itself; nothing written',
  2: 'bad input, options or output, which is not written',
  3: 'written, but not converged: out of the default budget, or no further fall of the objective at this precision',
  4: 'hadamard verify found a claim of the model that does not hold',
  130: 'cancelled (Ctrl-C); the model so far is written, if there was one',
} as const;

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

const ownFaults: ReadonlySet<ErrorCode> = new Set(['worker-died', 'session-closed', 'queue-full']);

/** @param given the flags that the user gave, in camelCase. */
export function exitCodeOf(
  { status, reason, starts }: Pick<FitReport, 'status' | 'reason' | 'starts'>,
  given: ReadonlySet<string>,
): ExitCode {
  // The best start may have converged long before.
  if (starts?.stopped === 'signal') return 130;
  switch (status) {
    case 'converged':
    case 'validated':
      return 0;
    case 'cancelled':
      return 130;
    case 'budget':
      return given.has(reason === 'time' ? 'timeLimit' : 'maxSweeps') ? 0 : 3;
    case 'stalled':
      return 3;
  }
}

export function exitCodeOfError(error: unknown): ExitCode {
  if (isHadamardError(error)) return ownFaults.has(error.code) ? 1 : 2;
  return isAbort(error) ? 130 : 1;
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
