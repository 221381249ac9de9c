/** One of many starts, from the factors in its memory to its end: in a worker's thread alone, or with a crew. */
import { certifyFirstOrder } from '../certificate/firstOrder.js';
import { iterate, type LoopOptions, type Outcome } from '../engine/iterate.js';
import type { TraceEntry } from '../engine/trace.js';
import { type ErrorMessage, isHadamardError, toErrorMessage } from '../errors.js';
import { type Point, type Run, startOf } from '../methods/method.js';
import { phases } from '../methods/phases.js';
import type { CheckedOptions } from '../options.js';
import { type Crew, Interrupted, inlineCrew, withdrawStop } from '../parallel/crew.js';
import { countsOf, type FitContext } from '../parallel/phase.js';
import { Abandonment } from '../starts/abandon.js';
import { createRun } from './createRun.js';
import { type ChosenMethod, methodOf } from './methods.js';

/** What a start needs beside the factors that it begins with; plain data, since it crosses threads. */
export interface StartTask {
  readonly fit: FitContext;
  readonly chosen: ChosenMethod['name'];
  readonly options: CheckedOptions;
  readonly loop: Pick<LoopOptions, 'maxSweeps' | 'tolerance' | 'rise' | 'fall'>;
  readonly centredNorm: number;
  readonly startsFrom: Run['startsFrom'];
  /** The best optimum of earlier rounds: a start that will not come down to it is given up. */
  readonly best?: { readonly objective: number; readonly width: number } | undefined;
}

/** `unbegun`: a stop came before the first sweep. A stop that came later has reason 'time', whoever asked for it. */
export type StartEnd =
  | { readonly end: 'ended'; readonly outcome: Outcome; readonly rmse: number }
  | { readonly end: 'abandoned'; readonly objective: number; readonly sweeps: number }
  | { readonly end: 'unbegun' };

class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** @throws HadamardError as the loop and the crew. */
export async function runStart(
  { fit, chosen, options, loop, centredNorm, startsFrom, best }: StartTask,
  crew: Crew,
  onSweep?: (entry: TraceEntry) => void,
): Promise<StartEnd> {
  const run = createRun(fit, crew, centredNorm, startsFrom);
  const abandonment = best && new Abandonment(best.objective, best.width);
  const counts = countsOf(fit);
  const shape = { counts, observed: fit.capacity, hasBackground: fit.terms?.isSquares ?? false };
  let last: TraceEntry | undefined;
  try {
    const method = methodOf(chosen, options, shape, fit.dtype);
    const outcome = await iterate(await startOf(method, run), method.create(run), {
      ...loop,
      measure: async (point: Point) => (await certifyFirstOrder(run.phase, point, centredNorm)).relativeGradientNorm,
      onSweep(entry) {
        last = entry;
        onSweep?.(entry);
        if (abandonment?.isHopeless(entry.objective)) throw new Abandoned();
      },
      interruption: () => 'time',
      resume: () => withdrawStop(fit),
    });
    const measured = async () => {
      const { squares, observed } = (await certifyFirstOrder(run.phase, outcome.point, centredNorm)).errors;
      return Math.sqrt(squares / Math.max(observed, 1));
    };
    // A stop that comes now finds the start ended.
    const rmse = await measured().catch((error) => {
      if (!(error instanceof Interrupted)) throw error;
      withdrawStop(fit);
      return measured();
    });
    return { end: 'ended', outcome, rmse };
  } catch (error) {
    if (error instanceof Interrupted) return { end: 'unbegun' };
    if (error instanceof Abandoned && last) return { end: 'abandoned', objective: last.objective, sweeps: last.sweep };
    throw error;
  }
}

/** What a worker answers: errors of the data as plain data, since their class would be lost on the way. */
export type StartAnswer = StartEnd | { readonly end: 'failed'; readonly error: ErrorMessage };

/** In a worker: {@link runStart} in this thread alone. */
export async function runStartHere(task: StartTask): Promise<StartAnswer> {
  try {
    return await runStart(task, inlineCrew(phases));
  } catch (error) {
    if (isHadamardError(error)) return { end: 'failed', error: toErrorMessage(error) };
    throw error;
  }
}
