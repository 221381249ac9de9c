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
import { heardChannels, type Tracer, traceFit } from '../factorize/diagnostics.js';
import type { FactorizeOptions, Progress } from '../factorize/factorizeOptions.js';
import { withStart } from '../factorize/warmStart.js';
import { Model, matrix } from '../model/model.js';
import { checkObject } from '../options.js';
import { abortError, refuseAborted } from '../parallel/abort.js';
import { Ending } from '../parallel/ending.js';
import { endpointOf } from './endpoint.js';
import type { Answer, FitRequest, SessionThread } from './serve.js';
import { checkSessionOptions, invalidSessionOption, type SessionOptions } from './sessionOptions.js';
import { share } from './share.js';

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
  checkSessionOptions(options);
  return new ThreadSession(options);
}

class ThreadSession implements Session {
  readonly #options: SessionOptions;
  readonly #queue: number;
  readonly #worker: Worker;
  readonly #thread: Remote<SessionThread>;
  /** Of the thread: comlink alone would leave calls pending for ever. */
  readonly #ending = new Ending();
  /** Why no fit is taken any more. */
  #closed: HadamardError | undefined;
  #pending = 0;
  #fits = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#queue = options.queue ?? Number.POSITIVE_INFINITY;
    this.#worker = startThread(options.sessionUrl);
    // An idle session must not keep a script alive that forgot to close it.
    this.#worker.unref();
    this.#thread = wrap<SessionThread>(endpointOf(this.#worker));
    const end = (error: HadamardError) => {
      this.#closed ??= error;
      this.#ending.come(error);
    };
    this.#worker.once('error', (error) => end(sessionClosed(`Its thread failed: ${error.message}.`, error)));
    this.#worker.once('exit', () => end(sessionClosed('Its thread has ended.')));
  }

  get pending(): number {
    return this.#pending;
  }

  factorize(A: MatrixInput, options: FactorizeOptions): Promise<Model> {
    return traceFit(options, (tracer) => this.#factorize(A, options, tracer));
  }

  async #factorize(A: MatrixInput, options: FactorizeOptions, tracer: Tracer): Promise<Model> {
    if (this.#closed) throw this.#closed;
    if (this.#pending > this.#queue) throw queueFull(this.#pending - 1, this.#queue);
    checkObject(options);
    const { threads, memoryLimit, workerUrl, wasmUrl } = this.#options;
    const given = withStart({ ...options, ...definedOnly({ threads, memoryLimit, workerUrl, wasmUrl }) });
    checkInput(A, given);
    const { signal, onProgress, labels, ...request } = given;
    refuseAborted(signal);
    const id = ++this.#fits;
    const cancel = () => void this.#thread.cancel(id).catch(() => undefined);
    let failure: { readonly error: unknown } | undefined;
    this.#hold(1);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const shared = (await share({
        A,
        weights: request.weights,
        init: request.init,
        validation: request.validation,
      })) as Pick<FitRequest, 'weights' | 'init' | 'validation'> & {
        A: MatrixInput;
      };
      refuseAborted(signal);
      // It fails here, where it was given: an exception that reached the thread would end it, and the session with it.
      const report =
        onProgress &&
        proxy((progress: Progress) => {
          new Promise<void>((resolve) => resolve(onProgress(progress))).catch((error: unknown) => {
            failure ??= { error };
            cancel();
          });
        });
      const answer = await this.#ending.orEnd(
        this.#thread.fit(
          id,
          shared.A,
          { ...request, weights: shared.weights, init: shared.init, validation: shared.validation },
          report,
          heardChannels(),
        ) as Promise<Answer>,
      );
      tracer.repeat(answer.published);
      if (failure) throw failure.error;
      if ('error' in answer)
        throw answer.error.name === 'AbortError' ? abortError(signal) : fromErrorMessage(answer.error);
      const { U, V, biases, fit, background, covariances } = answer.model;
      return new Model({
        U: matrix(U, fit.rows, fit.rank),
        V: matrix(V, fit.columns, fit.rank),
        biases,
        fit,
        ...(background && { background }),
        ...(covariances && { covariances }),
        ...(labels && { labels }),
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#hold(-1);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = sessionClosed();
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

function startThread(sessionUrl: string | undefined): Worker {
  const url = sessionUrl ?? new URL('../../workers/session.js', import.meta.url).href;
  try {
    return new Worker(new URL(url), { execArgv: [], name: 'hadamard-session' });
  } catch (cause) {
    throw invalidSessionOption(
      'sessionUrl',
      `No thread starts from ${url}.`,
      'It is the file: URL of workers/session.js.',
      cause,
    );
  }
}

function definedOnly<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function sessionClosed(why?: string, cause?: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'session-closed',
      what: ['The session is closed.', why].filter(Boolean).join(' '),
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
