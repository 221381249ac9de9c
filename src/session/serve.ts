/** The session's own thread: runs the fits one after another with workers that stay. */

import { parentPort } from 'node:worker_threads';
import { expose, type ProxyMarked, type Remote, releaseProxy, transfer } from 'comlink';
import ndarray, { type NdArray } from 'ndarray';
import type { MatrixInput, RealArray } from '../data/input.js';
import type { Hold } from '../data/terms.js';
import { type ErrorMessage, toErrorMessage } from '../errors.js';
import { keepPublished, type Published, type SpanChannel } from '../factorize/diagnostics.js';
import { factorizeWith } from '../factorize/factorize.js';
import type { FactorizeOptions, Progress, ValidationData } from '../factorize/factorizeOptions.js';
import { type Hire, hireCrew } from '../factorize/hireCrew.js';
import type { Covariances } from '../model/covariances.js';
import type { FitReport } from '../model/fitReport.js';
import type { BackgroundLists, Biases } from '../model/model.js';
import type { Crew } from '../parallel/crew.js';
import { endpointOf } from './endpoint.js';

/** A model as plain data, its arrays handed over. */
export interface ModelMessage {
  readonly U: RealArray;
  readonly V: RealArray;
  readonly biases: Biases;
  readonly fit: FitReport;
  readonly background?: BackgroundLists;
  readonly covariances?: Covariances;
}

/** With what the thread's channels have published of the fit. */
export type Answer = ({ readonly model: ModelMessage } | { readonly error: ErrorMessage }) & {
  readonly published: Published;
};

type ProgressCallback = ((progress: Progress) => void) & ProxyMarked;

/** Labels and callbacks stay in the host: the thread needs neither. */
export type FitRequest = Omit<FactorizeOptions, 'signal' | 'onProgress' | 'labels'>;

export interface SessionThread {
  /** @param heard the channels that the host listens to. */
  fit(
    id: number,
    A: MatrixInput,
    options: FitRequest,
    onProgress: ProgressCallback | undefined,
    heard: readonly SpanChannel[],
  ): Promise<Answer>;
  cancel(id: number): void;
}

export function serveSession(): void {
  const controllers = new Map<number, AbortController>();
  let kept: { readonly crew: Crew; readonly workerUrl: string | undefined } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const dismiss = async () => {
    const crew = kept?.crew;
    kept = undefined;
    await crew?.close();
  };

  /** The pool is started with the first fit that needs it, and stays for those that want the same and as long as it works. */
  const hire: Hire = (plan, options) => {
    if (plan.inline) return hireCrew(plan, options);
    const { workerUrl } = options;
    if (kept && (kept.workerUrl !== workerUrl || kept.crew.threads !== plan.threads)) void dismiss();
    kept ??= { crew: hireCrew(plan, options).crew, workerUrl };
    const { crew } = kept;
    return { crew, release: async () => (crew.hasFailed ? dismiss() : crew.rest()) };
  };

  const fit = async (
    A: MatrixInput,
    options: FactorizeOptions,
    onProgress: Remote<ProgressCallback> | undefined,
    heard: readonly SpanChannel[],
  ): Promise<Answer> => {
    let lastHeard: Promise<void> = Promise.resolve();
    const published = keepPublished(heard);
    try {
      const model = await factorizeWith(hire, asMatrix(A), {
        ...options,
        ...(options.init && { init: { ...options.init, ...asInit(options.init) } }),
        ...(options.hold && { hold: asInit(options.hold) }),
        ...(options.weights && { weights: asWeights(options.weights) }),
        ...(options.validation && { validation: asValidation(options.validation) }),
        ...(onProgress && {
          onProgress: (progress: Progress) => {
            lastHeard = onProgress(progress).catch(() => undefined);
          },
        }),
      });
      const { biases, fit, background, covariances } = model;
      const message = {
        U: model.U.data,
        V: model.V.data,
        biases,
        fit,
        ...(background && { background }),
        ...(covariances && { covariances }),
      };
      const arrays = [message.U, message.V, message.biases.rows, message.biases.columns];
      return transfer(
        { model: message, published: published() },
        arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : [])),
      );
    } catch (error) {
      return { error: toErrorMessage(error), published: published() };
    } finally {
      // Reports have a port of their own, and ports keep no order among them: the answer must not overtake the last report.
      await lastHeard;
    }
  };

  const thread: SessionThread = {
    async fit(id, A, options, onProgress, heard) {
      const controller = new AbortController();
      controllers.set(id, controller);
      const callback = onProgress as Remote<ProgressCallback> | undefined;
      const turn = last.then(() => fit(A, { ...options, signal: controller.signal }, callback, heard));
      last = turn;
      try {
        return await turn;
      } finally {
        controllers.delete(id);
        callback?.[releaseProxy]();
      }
    },
    cancel: (id) => controllers.get(id)?.abort(),
  };
  if (parentPort) expose(thread, endpointOf(parentPort));
}

/** ndarrays lose their methods on the way; they are made anew over the same memory. */
function asMatrix<T>(value: T): T {
  const plain = value as Partial<NdArray<RealArray>> | null;
  if (!plain?.data || !plain.shape || !plain.stride) return value;
  return ndarray(plain.data, plain.shape, plain.stride, plain.offset) as T;
}

function asInit({ U, V }: Hold): { U?: NdArray<RealArray>; V?: NdArray<RealArray> } {
  return { ...(U && { U: asMatrix(U) }), ...(V && { V: asMatrix(V) }) };
}

function asValidation({ data, weights }: ValidationData): ValidationData {
  return { data: asMatrix(data), ...(weights && { weights: asWeights(weights) }) };
}

function asWeights<T extends object>(weights: T): T {
  return Object.fromEntries(Object.entries(weights).map(([kind, values]) => [kind, asMatrix(values)])) as T;
}
