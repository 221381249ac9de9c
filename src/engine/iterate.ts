/**
 * The only outer loop. Methods propose, the loop accepts: it owns iteration, clock, stop rules, progress and trace.
 */
import { HadamardError } from '../errors.js';
import type { MethodRun, Point, Proposal } from '../methods/method.js';
import { Interrupted } from '../parallel/crew.js';
import type { Status, StopReason, TraceEntry, ValidationError } from './trace.js';

/** How a fit is watched by held-out entries. */
export interface Validation {
  /** Sweeps in a row without a lower error before the loop stops; undefined only reports. */
  readonly patience: number | undefined;
  readonly measure: (point: Point) => Promise<ValidationError>;
  /** Keeps the factors of a point, in place of those kept before. */
  readonly keep: (point: Point) => void;
  /** Writes the factors that were kept over those of a point. */
  readonly restore: (point: Point) => void;
}

export interface LoopOptions {
  readonly maxSweeps: number;
  /** On the relative gradient norm. */
  readonly tolerance: number;
  /** How much a sweep may raise the objective, relative: rounding of this precision and no more. */
  readonly rise: number;
  /** A fall of less than this, relative, counts as none. */
  readonly fall: number;
  /** The loop ends with the first sweep that brings less than this, relative: there is a better use of the operations. */
  readonly leastFall?: number;
  /** Independent relative gradient norm at a point; asked before `gradient` is believed. */
  readonly measure: (point: Point) => Promise<number>;
  readonly validation?: Validation | undefined;
  /** Called after each accepted sweep. */
  readonly onSweep: (entry: TraceEntry) => void;
  /** Why a phase was interrupted. */
  readonly interruption: () => 'time' | 'signal';
  /** Lets phases run again after an interruption, for the last half-sweep. */
  readonly resume: () => void;
}

export interface Outcome {
  readonly point: Point;
  readonly status: Status;
  readonly reason: StopReason;
  readonly sweeps: number;
  /** The sweep whose factors these are: an earlier one than the last where its held-out error was less. */
  readonly keptSweep: number;
  readonly trace: readonly TraceEntry[];
  /** No accepted objective lies above the best before it by more than `rise`, the start's included. */
  readonly isMonotone: boolean;
}

/** A loop that was cut short did not come to the end that it, knowing no reasons, took it for. */
export function stopped(outcome: Outcome, reason: 'time' | 'signal'): Outcome {
  return { ...outcome, reason, status: statusOf[reason] };
}

const statusOf: Record<StopReason, Status> = {
  gradient: 'converged',
  validation: 'validated',
  objective: 'stalled',
  sweeps: 'budget',
  time: 'budget',
  signal: 'cancelled',
};

/** Sweeps in a row without a fall of objective or gradient before the loop believes that there is none at this precision. */
const stallPatience = 10;

/**
 * @throws HadamardError `numeric-failure` when the objective of the start is not finite.
 */
export async function iterate(start: Point, method: MethodRun, options: LoopOptions): Promise<Outcome> {
  if (!Number.isFinite(start.objective)) throw numericFailure(start.objective);
  let point = start;
  const started = performance.now();
  const trace: TraceEntry[] = [];
  let sweeps = 0;
  let sweepsWithoutFall = 0;
  /** As it was when it or f last fell: a slow fall adds up over the sweeps that patience allows. */
  let lastGradient = Number.POSITIVE_INFINITY;
  let best: { readonly point: Point; readonly sweep: number; readonly loss: number } | undefined;

  const record = (proposal: Proposal, step: TraceEntry['step'], validation?: ValidationError) => {
    const entry: TraceEntry = {
      sweep: sweeps,
      seconds: (performance.now() - started) / 1000,
      objective: proposal.objective,
      relativeGradientNorm: proposal.relativeGradientNorm,
      step,
      ...(validation && { validation }),
    };
    trace.push(entry);
    return entry;
  };
  const isAcceptable = (next: Point) => next.objective <= point.objective + options.rise * Math.abs(point.objective);

  /** Measures what would be returned if this sweep were the last, and keeps the best of these. */
  const validate = async ({ patience, measure, keep }: Validation): Promise<ValidationError> => {
    const last = await finished(method, point, isAcceptable);
    const error = await measure(last);
    if (patience !== undefined && (best === undefined || error.loss < best.loss)) {
      best = { point: last, sweep: sweeps, loss: error.loss };
      keep(last);
    }
    return error;
  };

  const sweep = async (): Promise<StopReason | undefined> => {
    const isLast = sweeps + 1 === options.maxSweeps;
    let proposal = await method.step(point, false, isLast);
    if (!isAcceptable(proposal)) {
      record(proposal, 'rejected');
      proposal = await method.step(point, true, isLast);
      if (!isAcceptable(proposal)) {
        record(proposal, 'rejected');
        return 'objective';
      }
    }
    sweeps++;
    // Near the optimum f is flat: its fall drowns in rounding while the gradient still shrinks, so that counts as well.
    const gradient = proposal.relativeGradientNorm ?? Number.POSITIVE_INFINITY;
    const hasFallen = proposal.objective < point.objective * (1 - options.fall) || gradient < lastGradient * 0.99;
    if (hasFallen) lastGradient = gradient;
    sweepsWithoutFall = hasFallen ? 0 : sweepsWithoutFall + 1;
    const { leastFall } = options;
    const isEnough = leastFall !== undefined && proposal.objective > point.objective * (1 - leastFall);
    point = proposal;
    const validation = options.validation && (await validate(options.validation));
    options.onSweep(record(proposal, proposal.isExtrapolated ? 'extrapolated' : 'plain', validation));
    if (gradient <= options.tolerance) {
      point = await finished(method, point, isAcceptable);
      if ((await options.measure(point)) <= options.tolerance) return 'gradient';
    }
    if (best && sweeps - best.sweep >= (options.validation?.patience as number)) return 'validation';
    if (isEnough) return 'sweeps';
    return sweepsWithoutFall >= stallPatience ? 'objective' : undefined;
  };

  let reason: StopReason | undefined;
  try {
    while (reason === undefined) reason = sweeps >= options.maxSweeps ? 'sweeps' : await sweep();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    reason = options.interruption();
    options.resume();
  }
  const isRestored = best !== undefined && best.sweep < sweeps;
  if (best && isRestored) {
    options.validation?.restore(point);
    point = { ...best.point, rows: point.rows, columns: point.columns };
    // The point that was reached is not the one that is returned.
    if (reason === 'gradient' || reason === 'objective') reason = 'validation';
  }
  if (reason !== 'gradient' && !isRestored) point = await finished(method, point, isAcceptable);
  // Where data is fitted exactly, f is all rounding and its sweeps are refused: the gradient alone says what was reached.
  if (reason === 'objective' && (await options.measure(point)) <= options.tolerance) reason = 'gradient';
  const accepted = trace.filter(({ step }) => step !== 'rejected').map(({ objective }) => objective);
  const isMonotone = neverRises([start.objective, ...accepted, ...(isRestored ? [] : [point.objective])], options.rise);
  const keptSweep = isRestored ? (best?.sweep as number) : sweeps;
  return { point, status: statusOf[reason], reason, sweeps, keptSweep, trace, isMonotone };
}

/**
 * Against the best so far, not the one before as each sweep was accepted: sweeps that each rise within rounding may drift
 * a long way together.
 */
function neverRises(objectives: readonly number[], rise: number): boolean {
  let best = Number.POSITIVE_INFINITY;
  for (const objective of objectives) {
    if (objective > best + rise * Math.abs(best)) return false;
    best = Math.min(best, objective);
  }
  return true;
}

/** The point after the exact half-sweep on U that every fit ends with. */
async function finished(method: MethodRun, point: Point, isAcceptable: (next: Point) => boolean): Promise<Point> {
  const proposal = await method.finish?.(point);
  return proposal && isAcceptable(proposal) ? proposal : point;
}

function numericFailure(objective: number): HadamardError {
  return new HadamardError({
    code: 'numeric-failure',
    what: `The objective of the start is ${objective}.`,
    rule: 'Squares of values times weights must be finite in the chosen precision.',
    remedy:
      "Use dtype: 'f64', or scale the values (scaling A by c scales U and V by √c). Loss poisson needs a start, bounds and held entries that give rates above 0.",
  });
}
