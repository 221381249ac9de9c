/** What follows a loop that ends in a saddle: f falls along a direction of negative curvature, and the loop goes on from there. */
import type { Curvature, Lower } from '../certificate/curvature.js';
import { goOn } from '../engine/goOn.js';
import { iterate, type LoopOptions, type Outcome } from '../engine/iterate.js';
import { type MethodRun, type Point, type Run, startExactly } from '../methods/method.js';
import { Interrupted } from '../parallel/crew.js';

/** After so many a fit ends where it is. */
export const mostEscapes = 5;

export interface Certified {
  readonly outcome: Outcome;
  readonly curvature: Curvature;
  readonly escapes: number;
  /** Spent on curvature. */
  readonly seconds: number;
}

/**
 * @param first what the loop from the start came to.
 * @param look the curvature at a point and, at a saddle, where f is lower; undefined where it is not looked at.
 * @param most escapes, at the most.
 */
export async function leaveSaddles(
  first: Outcome,
  run: Run,
  createMethod: (run: Run) => MethodRun,
  options: LoopOptions,
  look: ((point: Point) => Promise<Curvature & { readonly lower?: Lower }>) | undefined,
  most: number,
): Promise<Certified> {
  let outcome = first;
  let seconds = 0;
  for (let escapes = 0; ; escapes++) {
    if (!look || outcome.status !== 'converged')
      return { outcome, curvature: { curvature: 'unknown' }, escapes, seconds };
    const began = performance.now();
    let next: Point | undefined;
    let curvature: Curvature = { curvature: 'unknown' };
    try {
      const { lower, ...found } = await look(outcome.point);
      curvature = found;
      if (lower && escapes < most && outcome.sweeps < options.maxSweeps) next = await moveTo(run, lower);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      options.resume();
    }
    const pause = (performance.now() - began) / 1000;
    seconds += pause;
    if (!next) return { outcome, curvature, escapes, seconds };
    const start = next;
    outcome = await goOn(outcome, options, pause, (rest) => iterate(start, createMethod(run), rest));
  }
}

/** A start where f is lower, in the buffers where starts are. */
async function moveTo(run: Run, lower: Lower): Promise<Point> {
  for (const side of ['rows', 'columns'] as const) run.buffer(side, 0).set(run.buffer(side, lower[side]));
  return startExactly({ ...run, startsFrom: 'columns' });
}
