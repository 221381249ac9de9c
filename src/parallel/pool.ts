/** Threads of piscina. */
import { Piscina } from 'piscina';
import { HadamardError } from '../errors.js';
import { Ending } from './ending.js';

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
  let isClosing = false;
  // One that ends itself as it starts is no error to piscina; should it be replaced, it has been by then.
  pool.on('workerDestroy', () =>
    queueMicrotask(() => {
      if (!isClosing && pool.threads.length === 0)
        none.come(cannotStart(new Error('they end as they start'), workerUrl));
    }),
  );
  return {
    run: (task) => pool.run(task),
    orNone: (work) => none.orEnd(work),
    get hasFailed() {
      return none.hasCome;
    },
    close() {
      isClosing = true;
      return pool.destroy();
    },
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
      // Numbers stand in shared memory: beside them a worker makes short-lived objects, a few for each block.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
      atomics: 'disabled',
    });
  } catch (error) {
    throw cannotStart(error, workerUrl);
  }
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
