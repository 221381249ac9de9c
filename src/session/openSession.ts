/// <reference lib="esnext.disposable" preserve="true" />
// The line above goes into the declarations, for users whose TypeScript target does not know AsyncDisposable yet.
/**
 * A session: fits run in a thread of their own, which fans out to workers that stay from fit to fit. The host's event loop
 * only hands data over.
 */

import { Worker } from 'node:worker_threads';
import { proxy, type Remote, wrap } from 'comlink';
import type { MatrixInput } from '../data/input.js';
import { fromErrorMessage, HadamardError } from '../errors.js';
import { checkInput } from '../factorize/checkInput.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { Model, matrix } from '../model/model.js';
import { checkOption } from '../options.js';
import { endpointOf } from './endpoint.js';
import type { Answer, FitRequest, SessionThread } from './serve.js';
import { share } from './share.js';

export interface SessionOptions {
  /** Worker threads of every fit; default all cores. */
  readonly threads?: number;
  /** Bytes that one fit may plan for; default the container's or the machine's memory. */
  readonly memoryLimit?: number;
  /** How many fits may wait behind the running one; default unlimited. */
  readonly queue?: number;
  /** Where a bundled application put workers/session.js and workers/rows.js, and the folder of the .wasm files. */
  readonly sessionUrl?: string;
  readonly workerUrl?: string;
  readonly wasmUrl?: string;
}

export interface Session extends AsyncDisposable {
  /** As `factorize`, in the session's thread; calls queue. `threads` and `memoryLimit` are the session's. */
  factorize(A: MatrixInput, options: Omit<FactorizeOptions, 'threads' | 'memoryLimit'>): Promise<Model>;
  /** Fits running or waiting. */
  readonly pending: number;
  /** Ends the threads; fits that are not done reject with `session-closed`. */
  close(): Promise<void>;
}

/**
 * Opens a session.
 *
 * @throws HadamardError `invalid-option`; its fits throw what `factorize` does, `queue-full` and `session-closed`.
 */
export function openSession(options: SessionOptions = {}): Session {
  if (typeof options !== 'object' || options === null)
    throw new HadamardError({
      code: 'invalid-option',
      what: `The options of the session are ${String(options)}.`,
      rule: 'They are an object such as { threads: 4 }.',
      remedy: 'Give an object, or leave them out.',
    });
  if (options.threads !== undefined) checkOption('threads', options.threads);
  if (options.memoryLimit !== undefined) checkOption('memoryLimit', options.memoryLimit);
  const queue = options.queue ?? Number.POSITIVE_INFINITY;
  if (!(queue === Number.POSITIVE_INFINITY || (Number.isInteger(queue) && queue >= 0)))
    throw new HadamardError({
      code: 'invalid-option',
      what: `queue is ${queue}.`,
      position: { option: 'queue' },
      rule: 'queue is a whole number of waiting fits, at least 0; Infinity, the default, is no limit.',
      remedy: 'Give such a number, or leave queue out.',
    });
  return new ThreadSession(options, queue);
}

class ThreadSession implements Session {
  readonly #options: SessionOptions;
  readonly #queue: number;
  readonly #worker: Worker;
  readonly #thread: Remote<SessionThread>;
  /** Rejects when the thread ends: comlink alone would leave calls pending for ever. */
  readonly #ended: Promise<never>;
  #isClosed = false;
  #pending = 0;
  #fits = 0;

  constructor(options: SessionOptions, queue: number) {
    this.#options = options;
    this.#queue = queue;
    const url = options.sessionUrl ? new URL(options.sessionUrl) : new URL('../../workers/session.js', import.meta.url);
    this.#worker = new Worker(url, { execArgv: [], name: 'hadamard-session' });
    // An idle session must not keep a script alive that forgot to close it.
    this.#worker.unref();
    this.#thread = wrap<SessionThread>(endpointOf(this.#worker));
    this.#ended = new Promise((_resolve, reject) => {
      this.#worker.once('error', (error) => reject(sessionClosed(`Its thread failed: ${error.message}.`, error)));
      this.#worker.once('exit', () => reject(sessionClosed('Its thread has ended.')));
    });
    this.#ended.catch(() => {
      this.#isClosed = true;
    });
  }

  get pending(): number {
    return this.#pending;
  }

  async factorize(A: MatrixInput, options: FactorizeOptions): Promise<Model> {
    if (this.#isClosed) throw sessionClosed('It was closed.');
    if (this.#pending > this.#queue) throw queueFull(this.#pending - 1, this.#queue);
    const { threads, memoryLimit, workerUrl, wasmUrl } = this.#options;
    const given = { ...options, ...definedOnly({ threads, memoryLimit, workerUrl, wasmUrl }) };
    checkInput(A, given);
    const { signal, onProgress, labels, ...request } = given;
    signal?.throwIfAborted();
    const id = ++this.#fits;
    const cancel = () => void this.#thread.cancel(id).catch(() => undefined);
    this.#hold(1);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const shared = (await share({ A, weights: request.weights, init: request.init })) as Pick<
        FitRequest,
        'weights' | 'init'
      > & {
        A: MatrixInput;
      };
      signal?.throwIfAborted();
      const callback = onProgress && proxy(onProgress);
      const answer = await Promise.race([
        this.#thread.fit(
          id,
          shared.A,
          { ...request, weights: shared.weights, init: shared.init },
          callback,
        ) as Promise<Answer>,
        this.#ended,
      ]);
      if ('error' in answer)
        throw signal?.aborted && answer.error.name === 'AbortError' ? signal.reason : fromErrorMessage(answer.error);
      const { U, V, biases, fit } = answer.model;
      return new Model({
        U: matrix(U, fit.rows, fit.rank),
        V: matrix(V, fit.columns, fit.rank),
        biases,
        fit,
        ...(labels && { labels }),
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#hold(-1);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The thread keeps the process alive exactly while there is work in it. */
  #hold(change: 1 | -1): void {
    this.#pending += change;
    if (this.#pending > 0) this.#worker.ref();
    else this.#worker.unref();
  }
}

function definedOnly<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function sessionClosed(why: string, cause?: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'session-closed',
      what: `The session is closed. ${why}`,
      rule: 'A session fits until close() is called or its thread ends.',
      remedy: 'Open a new session.',
    },
    { cause },
  );
}

function queueFull(waiting: number, queue: number): HadamardError {
  return new HadamardError({
    code: 'queue-full',
    what: `${waiting} fits are waiting.`,
    position: { option: 'queue' },
    rule: `This session lets ${queue} wait.`,
    remedy: 'Try again later, or open the session with a longer queue.',
  });
}
