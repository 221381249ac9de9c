/**
 * Sweeps of als before second-order steps are made. An easy problem ends within them, at a small part of the cost; where they do
 * not converge the steps begin rank by rank, or, where the start is given or `random` is asked for, from that: not from where als
 * stands, since from there they find the best optimum less often.
 */
import { goOn } from '../engine/goOn.js';
import { iterate, type LoopOptions, type Outcome, stopped } from '../engine/iterate.js';
import { type Method, type Point, type Run, startExactly } from '../methods/method.js';
import { Interrupted } from '../parallel/crew.js';
import { sides } from '../parallel/layout.js';
import type { ChosenMethod, Trial } from './methods.js';
import { type RankedStart, rankedInWords } from './rankByRank.js';

export interface Tried {
  readonly outcome: Outcome;
  /** What came of it. */
  readonly chosen: ChosenMethod;
}

/**
 * The loop of a fit, after its trial where it has one.
 *
 * @param restart makes a start and writes it to buffers 0 in place of the first one; Interrupted where the fit is stopped meanwhile.
 */
export async function iterateAfterTrial(
  start: Point,
  run: Run,
  {
    method,
    chosen,
    trial,
  }: { readonly method: Method; readonly chosen: ChosenMethod; readonly trial: Trial | undefined },
  options: LoopOptions,
  restart: (() => Promise<RankedStart>) | undefined,
): Promise<Tried> {
  if (!trial) return { outcome: await iterate(start, method.create(run), options), chosen };
  const V = run.buffer('columns', start.columns).slice();
  const first = await iterate(start, trial.method.create(run), { ...options, maxSweeps: trial.sweeps });
  const ended = (outcome: Outcome, why: string): Tried => ({
    outcome,
    chosen: { name: 'als', reason: `${why} (${chosen.reason})` },
  });
  if (first.status === 'converged') return ended(first, 'it converged before second-order steps were due');
  if (first.reason === 'time' || first.reason === 'signal') return ended(first, 'it comes before second-order steps');
  const pause = performance.now();
  const reached = sides.map((side) => run.buffer(side, first.point[side]).slice());
  let anew: Point;
  let from = 'it begins anew from their start';
  try {
    if (restart) from = rankedInWords(await restart());
    else run.buffer('columns', 0).set(V);
    anew = await startExactly({ ...run, startsFrom: 'columns' });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    sides.forEach((side, i) => {
      run.buffer(side, first.point[side]).set(reached[i] as Float64Array);
    });
    return ended(stopped(first, options.interruption()), 'it comes before second-order steps');
  }
  const outcome = await goOn(first, options, (performance.now() - pause) / 1000, (rest) =>
    iterate(anew, method.create(run), rest),
  );
  const reason = `${chosen.reason}; ${first.sweeps} sweeps of als did not converge; ${from}`;
  return { outcome, chosen: { ...chosen, reason } };
}
