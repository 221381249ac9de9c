/**
 * Epochs of stochastic gradient descent that come near, before sweeps that converge. An epoch costs O(entries·k) and a sweep
 * O(entries·k²), so that at large ranks several epochs go into one sweep; they stop where an epoch brings less for its operations
 * than sweeps do. Operations are counted, no clock decides.
 */
import { goOn } from '../engine/goOn.js';
import { iterate, type LoopOptions, type Outcome } from '../engine/iterate.js';
import type { Method, Point, Run } from '../methods/method.js';
import type { Approach, ChosenMethod } from './methods.js';

/** Sweeps are exact: what so many epochs have not found is theirs. */
const mostEpochs = 10;

/** The loop of a fit that begins with an approach; `start` is the first point of that. */
export async function iterateAfterApproach(
  start: Point,
  run: Run,
  { method, approach, chosen }: { readonly method: Method; readonly approach: Approach; readonly chosen: ChosenMethod },
  options: LoopOptions,
): Promise<{ readonly outcome: Outcome; readonly chosen: ChosenMethod }> {
  const first = await iterate(start, approach.method.create(run), {
    ...options,
    maxSweeps: Math.min(options.maxSweeps, mostEpochs),
    leastFall: approach.leastFall,
  });
  const said = { ...chosen, reason: `${chosen.reason}; after ${first.sweeps} epochs of sgd` };
  const isOver = first.reason === 'time' || first.reason === 'signal' || first.sweeps >= options.maxSweeps;
  if (isOver) return { outcome: first, chosen: said };
  const outcome = await goOn(first, options, 0, (rest) => iterate(first.point, method.create(run), rest));
  return { outcome, chosen: said };
}
