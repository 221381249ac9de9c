/** Comparisons by relative error, which say by how much they fail. */
import { expect } from 'vitest';

/** ‖actual − expected‖∞ ≤ tolerance·‖expected‖∞. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'relative error',
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    // Not Math.max, which a NaN would slip through on the way to the comparison below.
    if (!(difference <= error)) error = difference;
    size = Math.max(size, Math.abs(expected[i] as number));
  }
  expect(error / (size || 1), what).toBeLessThanOrEqual(tolerance);
}

export function relativeDifference(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}
