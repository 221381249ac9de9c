const step = 2 ** 14;

/**
 * Goes over so many numbers in steps: a loop that is called once is compiled while it runs, and keeps its sums in objects; one
 * that is called for each step is three times as fast.
 */
export function inSteps(length: number, take: (from: number, to: number) => void): void {
  for (let from = 0; from < length; from += step) take(from, Math.min(length, from + step));
}
