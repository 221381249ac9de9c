/**
 * Runs a phase over all blocks of a side: on worker threads, or inline in this one by the same code.
 *
 * A phase is T tasks, one a worker; each claims blocks from a counter in shared memory, so no message passes per block. A
 * worker that dies leaves its block undone: the phase is run again over what is not done, which gives the same bits because
 * a phase reads buffers that it does not write.
 */
import { Piscina } from 'piscina';
import { fromErrorMessage, HadamardError } from '../errors.js';
import {
  blockState,
  closeWorkbench,
  controlWords,
  doneFlags,
  openWorkbench,
  runNextBlock,
  sumTotals,
} from './blocks.js';
import { Ending } from './ending.js';
import { control } from './layout.js';
import type { BlockContext, FitContext, PhaseCall, PhaseTable, Task, TaskReport, Totals } from './phase.js';

/** Thrown by {@link Crew.run} when a stop was asked for before all blocks were done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Of fits, or of other work over blocks with a context of its own. */
export interface Crew<Context extends BlockContext = FitContext> {
  readonly threads: number;
  readonly isInline: boolean;
  /** Its workers cannot be started: it will do no work. */
  readonly hasFailed: boolean;
  /** @throws Interrupted after a stop request; HadamardError `worker-died` when a block kills its worker twice, and of the block. */
  run(fit: Context, call: PhaseCall): Promise<Totals>;
  /** Seconds each task slot has been at work since the crew was made. */
  readonly busy: readonly number[];
  close(): Promise<void>;
}

/** How long inline work may hold the host's event loop before timers and signals get their turn. */
const inlineSliceMilliseconds = 8;

export function inlineCrew<Context extends BlockContext = FitContext>(phases: PhaseTable<Context>): Crew<Context> {
  const busy = [0];
  // One slice over all phases: those of a small problem are shorter than a slice each.
  let sliceStart = performance.now();
  return {
    threads: 1,
    isInline: true,
    hasFailed: false,
    busy,
    async run(fit, call) {
      const workbench = openWorkbench(fit, 0);
      const { words, doubles } = workbench;
      const done = fit.layout.sides[call.side].done / 4;
      words.fill(0, done, done + fit.blocks[call.side].length - 1);
      words[control.nextBlock] = 0;
      const started = performance.now();
      while (runNextBlock(workbench, phases, call)) {
        if (performance.now() - sliceStart < inlineSliceMilliseconds) continue;
        await new Promise((resolve) => setImmediate(resolve));
        sliceStart = performance.now();
      }
      busy[0] = (busy[0] as number) + (performance.now() - started) / 1000;
      if (Atomics.load(words, control.stopRequested) !== 0) throw new Interrupted();
      return sumTotals(fit, call.side, doubles);
    },
    async close() {
      closeWorkbench();
    },
  };
}

export interface PooledCrewOptions {
  /** The worker entry, as a string: see workers/rows.cts. */
  readonly workerUrl: string;
  readonly threads: number;
}

export function pooledCrew<Context extends BlockContext = FitContext>({
  workerUrl,
  threads,
}: PooledCrewOptions): Crew<Context> {
  const workers = openWorkers<Task<Context>, TaskReport>(workerUrl, threads);
  const busy = new Array<number>(threads).fill(0);
  let closed = false;
  return {
    threads,
    isInline: false,
    get hasFailed() {
      return workers.hasFailed;
    },
    busy,
    async run(fit, call) {
      if (closed) throw new Error('The crew is closed.');
      const words = controlWords(fit);
      const done = doneFlags(fit, call.side).fill(0);
      Atomics.store(words, control.nextBlock, 0);
      const lost = new Set<number>();
      for (;;) {
        const tasks = Array.from({ length: threads }, (_, slot) => workers.run({ fit, call, slot }));
        const outcomes = await workers.orNone(Promise.allSettled(tasks));
        outcomes.forEach((outcome, slot) => {
          if (outcome.status === 'fulfilled') busy[slot] = (busy[slot] as number) + outcome.value.busy;
        });
        if (Atomics.load(words, control.stopRequested) !== 0) throw new Interrupted();
        for (const outcome of outcomes)
          if (outcome.status === 'fulfilled' && outcome.value.failure) throw fromErrorMessage(outcome.value.failure);
        if (done.every((state) => state === blockState.done))
          return sumTotals(fit, call.side, new Float64Array(fit.memory.buffer));
        const begun = Array.from(done.keys()).filter((block) => done[block] === blockState.begun);
        // Where no block was even begun, it is the first of those left that its worker did not live to begin.
        if (begun.length === 0) begun.push(done.indexOf(blockState.untouched));
        const again = begun.find((block) => lost.has(block));
        if (again !== undefined) throw workerDied(outcomes, again, call);
        for (const block of begun) lost.add(block);
        for (const block of begun) done[block] = blockState.untouched;
        Atomics.store(words, control.nextBlock, 0);
      }
    },
    async close() {
      closed = true;
      await workers.close();
    },
  };
}

/** Threads of piscina that do tasks. */
export interface Workers<T, R> {
  /** Rejects where the task throws or its worker dies; the worker is then replaced. */
  run(task: T): Promise<R>;
  /** As `work` on its tasks; rejects once no worker can be started: tasks would then wait for ever. */
  orNone<Outcome>(work: Promise<Outcome>): Promise<Outcome>;
  readonly hasFailed: boolean;
  close(): Promise<void>;
}

/** @throws HadamardError `worker-died` where there is no such file. */
export function openWorkers<T, R>(workerUrl: string, threads: number): Workers<T, R> {
  const pool = openPool<T, R>(workerUrl, threads);
  // A worker that dies rejects its task, which is handled there, and is replaced; one that fails as it starts is not, and
  // tasks would wait for ever once there is none left. Without a listener the 'error' event would end the host.
  const none = new Ending();
  pool.on('error', (error) => {
    if (pool.threads.length === 0) none.come(cannotStart(error, workerUrl));
  });
  return {
    run: (task) => pool.run(task),
    orNone: (work) => none.orEnd(work),
    get hasFailed() {
      return none.hasCome;
    },
    close: () => pool.destroy(),
  };
}

function openPool<T, R>(workerUrl: string, threads: number): Piscina<T, R> {
  try {
    return new Piscina({
      filename: workerUrl,
      minThreads: threads,
      maxThreads: threads,
      // Workers inherit nothing from the host's command line: a host's loaders and profilers are not for them.
      execArgv: [],
      atomics: 'disabled',
    });
  } catch (error) {
    throw cannotStart(error, workerUrl);
  }
}

/** A stop request stands until it is withdrawn: it also stops phases that begin after it. */
export function requestStop(fit: BlockContext): void {
  Atomics.store(controlWords(fit), control.stopRequested, 1);
}

export function withdrawStop(fit: BlockContext): void {
  Atomics.store(controlWords(fit), control.stopRequested, 0);
}

function cannotStart(cause: unknown, workerUrl: string): Error {
  return new HadamardError(
    {
      code: 'worker-died',
      what: `Workers do not start from ${workerUrl}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      position: { option: 'workerUrl' },
      rule: 'The worker entry is a file that Node can load in a thread.',
      remedy: 'Where the application is bundled, mark hadamard as external or give workerUrl.',
    },
    { cause },
  );
}

function workerDied(outcomes: readonly PromiseSettledResult<TaskReport>[], block: number, call: PhaseCall): Error {
  const cause = outcomes.find((outcome) => outcome.status === 'rejected')?.reason as unknown;
  return new HadamardError(
    {
      code: 'worker-died',
      what: `A worker died twice on block ${block} of the ${call.side} in phase ${call.phase}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      position: { index: block },
      rule: 'A lost block is redone once.',
      remedy: 'Look for memory limits or signals from outside; with fewer threads less scratch memory is needed.',
    },
    { cause },
  );
}
