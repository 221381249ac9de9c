/** Ctrl-C: the first one asks for an end, the second one ends the process. */
import type { ExitCode } from './exitCodes.js';

/** npx passes on the signal that the terminal has already sent: two within so many milliseconds are one. */
const echo = 100;

/**
 * Calls `onFirst` at the first SIGINT or SIGTERM; a later one exits with 130 at once.
 *
 * @returns a function that restores the signals' default.
 */
export function onInterrupt(onFirst: () => void): () => void {
  let firstAt: number | undefined;
  const handle = () => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onFirst();
    } else if (performance.now() - firstAt > echo) process.exit(130);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}

/** Runs a command, whose signal the first SIGINT or SIGTERM aborts. */
export async function interruptible(work: (signal: AbortSignal) => Promise<ExitCode>): Promise<ExitCode> {
  const cancel = new AbortController();
  const release = onInterrupt(() => cancel.abort());
  try {
    return await work(cancel.signal);
  } finally {
    release();
  }
}

/** Of work that takes no signal: it is left as it stands, and program.ts then ends the process. @throws AbortError */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

/** Runs a command that has nothing to save: SIGINT or SIGTERM ends it at once. @throws AbortError */
export function untilInterrupt(work: () => Promise<ExitCode>): Promise<ExitCode> {
  return interruptible((signal) => unlessAborted(work(), signal));
}
