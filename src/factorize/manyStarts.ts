/**
 * A fit from many starts, in rounds: where the problem is small each worker runs a whole start alone, in a memory of its own;
 * where it is large the crew is on one start after the other. Both give the same bits, since a start is the same work there
 * and here, and knows nothing but the optima of earlier rounds.
 */
import { type Outcome, stopped } from '../engine/iterate.js';
import type { TraceEntry } from '../engine/trace.js';
import { fromErrorMessage, HadamardError } from '../errors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import type { StartsReport } from '../model/fitReport.js';
import { Interrupted, requestStop, withdrawStop } from '../parallel/crew.js';
import { sides } from '../parallel/layout.js';
import { acquireMemory, releaseMemory } from '../parallel/memoryPool.js';
import type { FitContext } from '../parallel/phase.js';
import { openWorkers } from '../parallel/pool.js';
import { distinctOptima, type EndedStart, isSearched, widthOf } from '../starts/optima.js';
import { autoBudget, rounds, seedOfStart } from '../starts/rounds.js';
import type { FitInHand } from './buildModel.js';
import { startSide } from './createRun.js';
import { copyContext } from './layOut.js';
import { runStart, type StartAnswer, type StartEnd, type StartTask } from './oneStart.js';
import { writeStart } from './start.js';

/** A place where one start runs at a time. */
interface Lane {
  readonly fit: FitContext;
  run(task: StartTask, onSweep: (entry: TraceEntry) => void): Promise<StartEnd>;
  /** Seconds at work. */
  busy: number;
}

export interface Lanes {
  readonly all: readonly Lane[];
  close(): Promise<void>;
}

/** One start a worker, as many as the plan has memory for; or one lane on the crew of the fit. */
export function openLanes({ plan, fit, crew, options }: FitInHand): Lanes {
  if (plan.lanes === 1)
    return { all: [{ fit, busy: 0, run: (task, onSweep) => runStart(task, crew, onSweep) }], close: async () => {} };
  const memories = Array.from({ length: plan.lanes - 1 }, () => acquireMemory(plan.layout.pages));
  const fits = [fit, ...memories.map((memory) => copyContext(fit, memory))];
  const workers = openWorkers<StartTask, StartAnswer>(workerUrlOf(options.workerUrl), plan.lanes);
  return {
    all: fits.map((lane) => ({
      fit: lane,
      busy: 0,
      async run(task) {
        const answer = await workers.orNone(workers.run(task));
        if (answer.end === 'failed') throw fromErrorMessage(answer.error);
        return answer;
      },
    })),
    async close() {
      await workers.close();
      for (const memory of memories) releaseMemory(memory);
    },
  };
}

/** Beside the entry of the other workers, where that was given. A string: piscina takes no URL objects. */
function workerUrlOf(rows: string | undefined): string {
  return new URL('starts.cjs', rows ?? new URL('../../workers/', import.meta.url)).href;
}

/** Who ends the search from outside, and why. */
export interface Stops {
  readonly isRequested: () => boolean;
  readonly reason: () => 'time' | 'signal';
}

export interface Search {
  /** Of the start with the lowest objective, its factors in buffers 0. */
  readonly outcome: Outcome;
  readonly report: StartsReport;
}

/** @throws HadamardError `worker-died` when a start kills its worker twice, and as the loop; Interrupted before the first sweep. */
export async function searchStarts(
  inHand: FitInHand,
  { all }: Lanes,
  loop: StartTask['loop'],
  stops: Stops,
  onProgress: (entry: TraceEntry, starts: { done: number; of: number; best: number | null }) => void,
): Promise<Search> {
  const { checked, plan, options, objective, scales, fit } = inHand;
  const isAuto = checked.starts === 'auto';
  const count = checked.starts === 'auto' ? autoBudget : checked.starts;
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const ended: (EndedStart & { readonly rmse: number; readonly at: number })[] = [];
  let abandoned = 0;
  let best: { readonly index: number; readonly outcome: Outcome } | undefined;

  const prepare = (lane: Lane, index: number): StartTask => {
    for (const side of sides)
      for (let buffer = 0; buffer < plan.method.buffers[side]; buffer++) factorBuffer(lane.fit, side, buffer).fill(0);
    const init = index === 0 ? options.init : undefined;
    const seed = seedOfStart(checked.seed, index);
    writeStart(lane.fit, plan.request.counts, objective, init, seed, scales.rootMeanSquare);
    return {
      fit: lane.fit,
      chosen: plan.chosen.name,
      options: checked,
      loop,
      centredNorm: scales.centredNorm,
      startsFrom: startSide(init),
    };
  };
  /** Keeps the factors of the lowest objective so far, of the first start that has it: in whatever order starts end. */
  const take = (lane: Lane, index: number, end: StartEnd) => {
    if (end.end === 'abandoned') abandoned++;
    if (end.end !== 'ended') return;
    const outcome = end.outcome.reason === 'time' ? stopped(end.outcome, stops.reason()) : end.outcome;
    const { objective } = outcome.point;
    ended.push({ index, objective, isConverged: outcome.status === 'converged', rmse: end.rmse, at: seconds() });
    const lowest = best?.outcome.point.objective ?? Number.POSITIVE_INFINITY;
    if (!(objective < lowest || (objective === lowest && index < (best?.index as number)))) return;
    best = { index, outcome };
    for (const side of sides)
      factorBuffer(fit, side, plan.method.buffers[side]).set(factorBuffer(lane.fit, side, outcome.point[side]));
  };
  const progress = (entry: TraceEntry) =>
    onProgress(
      { ...entry, seconds: seconds() },
      { done: ended.length + abandoned, of: count, best: best?.outcome.point.objective ?? null },
    );

  const runRound = async (round: readonly number[]) => {
    const known = distinctOptima(ended, scales.centredNorm)[0];
    const bound = known && { objective: known.objective, width: widthOf(known.objective, scales.centredNorm) };
    const waiting = [...round];
    let failure: { readonly error: unknown } | undefined;
    const work = async (lane: Lane) => {
      for (let next = waiting.shift(); next !== undefined && !stops.isRequested() && !failure; next = waiting.shift()) {
        const index = next;
        const from = performance.now();
        const end = await againOnce(index, () => lane.run({ ...prepare(lane, index), best: bound }, progress));
        lane.busy += (performance.now() - from) / 1000;
        take(lane, index, end);
        const last = end.end === 'ended' && end.outcome.trace.at(-1);
        if (last && all.length > 1) progress(last);
      }
    };
    const fail = (error: unknown) => {
      failure ??= { error };
      // The others need not go on, but nobody may be at work on a memory that is handed back.
      for (const lane of all) requestStop(lane.fit);
    };
    await Promise.all(all.map((lane) => work(lane).catch(fail)));
    if (failure) throw failure.error;
    ended.sort((a, b) => a.index - b.index);
  };

  let reason: StartsReport['stopped'] = isAuto ? 'budget' : 'count';
  for (const round of rounds(count)) {
    await runRound(round);
    if (stops.isRequested()) reason = stops.reason();
    else if (isAuto && isSearched(distinctOptima(ended, scales.centredNorm))) reason = 'agreement';
    else continue;
    break;
  }
  if (!best) {
    if (reason === 'signal') throw new Interrupted();
    // Out of time before a first sweep: what there is is the start.
    const [lane] = all as [Lane];
    withdrawStop(lane.fit);
    const start = await lane.run({ ...prepare(lane, 0), loop: { ...loop, maxSweeps: 0 } }, progress);
    take(lane, 0, start.end === 'ended' ? { ...start, outcome: stopped(start.outcome, 'time') } : start);
  }
  const { index, outcome } = best as NonNullable<typeof best>;
  for (const side of sides) factorBuffer(fit, side, 0).set(factorBuffer(fit, side, plan.method.buffers[side]));
  const optima = distinctOptima(ended, scales.centredNorm);
  const find = (start: number) => ended.find((e) => e.index === start) as (typeof ended)[number];
  const hits = (optima[0]?.starts ?? []).map((start) => find(start).at).sort((a, b) => a - b);
  const total = ended.length + abandoned;
  return {
    outcome: { ...outcome, point: { ...outcome.point, rows: 0, columns: 0 } },
    report: {
      count: total,
      converged: ended.filter(({ isConverged }) => isConverged).length,
      abandoned,
      distinct: optima.length,
      best: { objective: optima[0]?.objective ?? outcome.point.objective, hits: hits.length },
      hitRate: hits.length / total,
      secondsToBest: hits[0] ?? null,
      secondsToSecondHit: hits[1] ?? null,
      optima: optima.map(({ objective, starts }) => ({
        objective,
        rmse: Math.min(...starts.map((start) => find(start).rmse)),
        hits: starts.length,
      })),
      stopped: reason,
      start: index,
      seed: seedOfStart(checked.seed, index),
    },
  };
}

/** A start is lost with its worker, and run again once: it begins with what the coordinator writes. */
async function againOnce(index: number, run: () => Promise<StartEnd>): Promise<StartEnd> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof HadamardError) throw error;
  }
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof HadamardError) throw cause;
    throw new HadamardError(
      {
        code: 'worker-died',
        what: `A worker died twice on start ${index}: ${cause instanceof Error ? cause.message : String(cause)}.`,
        position: { index },
        rule: 'A lost start is run again once.',
        remedy: 'Look for memory limits or signals from outside; with fewer threads fewer starts run at the same time.',
      },
      { cause },
    );
  }
}
