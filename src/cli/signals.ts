/** Ctrl-C: the first one asks for an end, the second one ends the process. */

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
