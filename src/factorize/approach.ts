/**
 * Epochs of stochastic gradient descent that come near, before sweeps that converge. An epoch costs O(entries·k) and a sweep
 * O(entries·k²), so that at large ranks several epochs go into one sweep; they stop where an epoch brings less for its operations
 * than sweeps do. Operations are counted, no clock decides.
 */
import { goOn } from '../engine/goOn.js';
import { iterate, type LoopOptions, type Outcome } from '../engine/iterate.js';
import type { Method, Point, Run } from '../methods/method.js';
import type { ChosenMethod } from './methods.js';

export interface Approach {
  readonly method: Method;
  /** The relative fall of f below which an epoch is not worth its operations. */
  readonly leastFall: number;
}

/** Of f, relative, by a sweep that is not yet near the end: epochs have to bring as much for as many operations. */
const fallOfSweep = 0.1;
/** Sweeps are exact: what so many epochs have not found is theirs. */
const mostEpochs = 10;

/** @param share operations of an epoch as a share of those of a sweep. */
export function approachBy(method: Method, share: number): Approach {
  return { method, leastFall: fallOfSweep * share };
}

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
