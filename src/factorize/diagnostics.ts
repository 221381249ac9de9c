/**
 * What a fit tells an embedder's tracer, through `node:diagnostics_channel`; nothing is computed or kept for it, and without
 * subscribers nothing is made. All of it is published in the coordinator's thread, none in the workers.
 *
 *     tracing:hadamard:fit:start, :asyncEnd, :error   a TracingChannel: one FitMessage from call to model
 *     hadamard:phase   prepare, start, fit, certify, each at its end: the parts of `fit.seconds`
 *     hadamard:sweep   each accepted sweep at its end
 *     hadamard:pass    each parallel pass over the rows of U or V at its end
 *
 * Times are milliseconds since 1970, as OpenTelemetry takes them.
 */
import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel';
import type { TraceEntry } from '../engine/trace.js';
import type { Model } from '../model/model.js';
import type { Crew } from '../parallel/crew.js';
import type { Side } from '../parallel/layout.js';
import type { FactorizeOptions } from './factorizeOptions.js';

interface Span {
  /** Numbers the fits of this thread; all messages of a fit have the same. */
  readonly fit: number;
  readonly startTime: number;
  readonly endTime: number;
}

/** Of `tracing:hadamard:fit:*`: one object that is filled in on the way. */
export interface FitMessage extends Omit<Span, 'endTime'> {
  /** As they were given. */
  readonly options: FactorizeOptions;
  /** From `asyncStart` on. */
  endTime?: number;
  /** In `asyncStart` and `asyncEnd`, where the fit has a model. */
  result?: Model;
  /** In `error` and after, where it has none. */
  error?: unknown;
}

/** Of `hadamard:phase`. The four follow one another without a gap. */
export interface PhaseMessage extends Span {
  readonly phase: 'prepare' | 'start' | 'fit' | 'certify';
}

/** Of `hadamard:sweep`: an entry of the model's trace; what was tried and rejected before it is in its time. */
export interface SweepMessage extends Span, TraceEntry {}

/** Of `hadamard:pass`. */
export interface PassMessage extends Span {
  /** What is done to each row: solve, gradient, loss, move, background. */
  readonly phase: string;
  readonly side: Side;
  /** Seconds that each worker was at work; what is missing to the longest is waiting. */
  readonly busy: readonly number[];
}

const fits = tracingChannel<unknown, FitMessage>('hadamard:fit');
export type SpanChannel = 'hadamard:phase' | 'hadamard:sweep' | 'hadamard:pass';

// Said here, so that the declarations that are shipped need no types of Node.
const channels: Readonly<Record<SpanChannel, Channel>> = {
  'hadamard:phase': channel('hadamard:phase'),
  'hadamard:sweep': channel('hadamard:sweep'),
  'hadamard:pass': channel('hadamard:pass'),
};

export type SpanMessage = PhaseMessage | SweepMessage | PassMessage;

/** What a thread has published, and when its clock counts from. */
export interface Published {
  readonly origin: number;
  readonly messages: readonly (readonly [name: SpanChannel, message: SpanMessage])[];
}

/** Publishes for one fit. */
export interface Tracer {
  /** Ends a phase and begins the next. */
  phase(name: PhaseMessage['phase']): void;
  /** Ends a sweep and begins the next; phase `start` begins the first. */
  sweep(entry: TraceEntry): void;
  /** The crew, or one that also publishes its passes. */
  crew(crew: Crew): Crew;
  /** Publishes what another thread has published of this fit. */
  repeat(published: Published): void;
}

let count = 0;

/** Runs a fit, and publishes its begin and end. */
export function traceFit(options: FactorizeOptions, run: (tracer: Tracer) => Promise<Model>): Promise<Model> {
  const fit = ++count;
  const tracer = createTracer(fit);
  if (!fits.hasSubscribers) return run(tracer);
  const message: FitMessage = { fit, startTime: now(), options };
  return fits.tracePromise(
    () =>
      run(tracer).finally(() => {
        message.endTime = now();
      }),
    message,
  );
}

function createTracer(fit: number): Tracer {
  let phaseStart = now();
  let sweepStart = phaseStart;
  return {
    phase(phase) {
      const endTime = now();
      publish('hadamard:phase', () => ({ fit, phase, startTime: phaseStart, endTime }));
      phaseStart = sweepStart = endTime;
    },
    sweep(entry) {
      const endTime = now();
      publish('hadamard:sweep', () => ({ fit, startTime: sweepStart, endTime, ...entry }));
      sweepStart = endTime;
    },
    crew: (crew) => (channels['hadamard:pass'].hasSubscribers ? observedCrew(crew, fit) : crew),
    repeat(published) {
      const shift = origin - published.origin;
      for (const [name, message] of published.messages)
        publish(name, () => ({
          ...message,
          fit,
          startTime: message.startTime + shift,
          endTime: message.endTime + shift,
        }));
    },
  };
}

function observedCrew(crew: Crew, fit: number): Crew {
  return {
    threads: crew.threads,
    isInline: crew.isInline,
    get hasFailed() {
      return crew.hasFailed;
    },
    busy: crew.busy,
    async run(context, call) {
      const startTime = now();
      const before = [...crew.busy];
      const totals = await crew.run(context, call);
      const busy = crew.busy.map((seconds, slot) => seconds - (before[slot] as number));
      const { phase, side } = call;
      publish('hadamard:pass', () => ({ fit, phase, side, startTime, endTime: now(), busy }));
      return totals;
    },
    rest: () => crew.rest(),
    close: () => crew.close(),
  };
}

/** The channels that somebody listens to in this thread. */
export function heardChannels(): SpanChannel[] {
  return (Object.keys(channels) as SpanChannel[]).filter((name) => channels[name].hasSubscribers);
}

/** Keeps what is published in this thread until it is asked for, so that it can be repeated in another. */
export function keepPublished(names: readonly SpanChannel[]): () => Published {
  const messages: [SpanChannel, SpanMessage][] = [];
  const keepers = names.map((name) => {
    const keep = (message: unknown) => void messages.push([name, message as SpanMessage]);
    channels[name].subscribe(keep);
    return () => channels[name].unsubscribe(keep);
  });
  return () => {
    for (const end of keepers) end();
    return { origin, messages };
  };
}

function publish(name: SpanChannel, message: () => SpanMessage): void {
  if (channels[name].hasSubscribers) channels[name].publish(message());
}

/** One clock for all threads of the process: what their own count from is known to some milliseconds only. */
function milliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** 1970 by that clock, as this thread sees it. */
const origin = performance.timeOrigin + performance.now() - milliseconds();

function now(): number {
  return origin + milliseconds();
}
