/** Many starts are run in rounds, so that what one may know of others does not depend on which of them was faster. */
import { bitsAt, streams } from './random.js';

/** Starts of a round know of those of earlier rounds alone, whatever the number of threads. */
export const roundSize = 8;

/** Starts at the most where their number is 'auto': an optimum that one start in 50 finds is then missed once in 50 times. */
export const autoBudget = 200;

/** The seed of start s: that of the fit for the first, so that one start is the fit without starts. */
export function seedOfStart(seed: number, start: number): number {
  return start === 0 ? seed : bitsAt(seed, streams.starts, start, 0);
}

/** The starts of each round, in order. */
export function* rounds(count: number): Generator<readonly number[]> {
  for (let first = 0; first < count; first += roundSize)
    yield Array.from({ length: Math.min(roundSize, count - first) }, (_, i) => first + i);
}
