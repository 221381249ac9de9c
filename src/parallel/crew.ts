/**
 * Runs a phase over all blocks of a side: on worker threads, or inline in this one by the same code.
 *
 * Workers stand by at a board (stand.ts) and claim blocks from a counter in shared memory, so no message passes per phase or block. A
 * worker that dies leaves its block undone: the phase is run again over what is not done, which gives the same bits because
 * a phase reads buffers that it does not write.
 */
import { fromErrorMessage, HadamardError } from '../errors.js';
import { blockState, controlWords, doneFlags, openWorkbench, runNextBlock, sumTotals } from './blocks.js';
import { control } from './layout.js';
import type { BlockContext, FitContext, PhaseCall, PhaseTable, Task, TaskReport, Totals } from './phase.js';
import { openWorkers } from './pool.js';
import { type Loss, Stand } from './stand.js';

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
  /** Its workers let go of the work at hand, and of its memory. */
  rest(): void;
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
    rest() {},
    async close() {},
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
  let stand: Stand<Context> | undefined;
  let closed = false;
  const rest = () => {
    stand?.close();
    stand = undefined;
  };
  return {
    threads,
    isInline: false,
    get hasFailed() {
      return workers.hasFailed;
    },
    busy,
    async run(fit, call) {
      if (closed) throw new Error('The crew is closed.');
      if (stand?.context !== fit) rest();
      stand ??= new Stand(workers, threads, fit);
      stand.write(call);
      const words = controlWords(fit);
      const done = doneFlags(fit, call.side).fill(0);
      const lost = new Set<number>();
      for (;;) {
        Atomics.store(words, control.nextBlock, 0);
        const losses = await workers.orNone(stand.work());
        stand.takeSeconds().forEach((seconds, slot) => {
          busy[slot] = (busy[slot] as number) + seconds;
        });
        if (Atomics.load(words, control.stopRequested) !== 0) throw new Interrupted();
        for (const { failure } of losses) if (failure) throw fromErrorMessage(failure);
        if (done.every((state) => state === blockState.done))
          return sumTotals(fit, call.side, new Float64Array(fit.memory.buffer));
        const begun = Array.from(done.keys()).filter((block) => done[block] === blockState.begun);
        // Where no block was even begun, it is the first of those left that its worker did not live to begin.
        if (begun.length === 0) begun.push(done.indexOf(blockState.untouched));
        const again = begun.find((block) => lost.has(block));
        if (again !== undefined) throw workerDied(losses, again, call);
        for (const block of begun) lost.add(block);
        for (const block of begun) done[block] = blockState.untouched;
      }
    },
    rest,
    async close() {
      closed = true;
      rest();
      await workers.close();
    },
  };
}

/** A stop request stands until it is withdrawn: it also stops phases that begin after it. */
export function requestStop(fit: BlockContext): void {
  Atomics.store(controlWords(fit), control.stopRequested, 1);
}

export function withdrawStop(fit: BlockContext): void {
  Atomics.store(controlWords(fit), control.stopRequested, 0);
}

function workerDied(losses: readonly Loss[], block: number, call: PhaseCall): Error {
  const cause = losses.find(({ reason }) => reason !== undefined)?.reason;
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
