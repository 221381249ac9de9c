/** Several fits side by side, each in a session of its own: small problems gain more from that than from threads within one. */
import { availableParallelism } from 'node:os';
import type { MatrixInput } from '../data/input.js';
import { asInput, type Listing } from '../data/listing.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { plan } from '../factorize/plan.js';
import type { Model } from '../model/model.js';
import { abortError, asWork } from '../parallel/abort.js';
import { openSession, type Session } from '../session/openSession.js';

/**
 * Runs when a session is free, the last that was asked for first; rejects as the fit does, and with an AbortError after an abort.
 *
 * @param problem made when its turn comes, so that of hundreds of fits none but those that run are held.
 */
export type Fit = (problem: () => FactorizeOptions & { readonly A: MatrixInput }) => Promise<Model>;

export interface Fits {
  readonly fit: Fit;
  close(): Promise<void>;
}

/**
 * Sessions for as many fits of the size of `largest` as there are threads, room and need for. What a fit says of threads and
 * memory does not count: the same bits come from every number.
 *
 * @throws HadamardError as `plan`
 */
export function openFits(largest: Listing, options: FactorizeOptions, need: number): Fits {
  const { signal, workerUrl, wasmUrl, memoryLimit } = options;
  const { A, weights } = asInput(largest);
  const { bytes, limit } = plan(A, { ...options, weights });
  const threads = options.threads ?? availableParallelism();
  const room = Math.floor(limit / bytes.total);
  const concurrent = Math.max(1, Math.min(need, threads, room));
  const each = {
    threads: Math.max(1, Math.floor(threads / concurrent)),
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(workerUrl !== undefined && { workerUrl }),
    ...(wasmUrl !== undefined && { wasmUrl }),
  };
  const all: Session[] = [];
  const free: Session[] = [];
  const waiting: ((session: Session) => void)[] = [];
  const take = async (): Promise<Session> => {
    const session = free.pop();
    if (session) return session;
    if (all.length < concurrent) {
      const opened = openSession(each);
      all.push(opened);
      return opened;
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  return {
    async fit(problem) {
      const session = await take();
      try {
        const { A, onProgress: _onProgress, labels: _labels, workerUrl: _worker, wasmUrl: _wasm, ...own } = problem();
        const model = await session.factorize(A, { ...own, certificate: 'first-order', ...(signal && { signal }) });
        // A fit that was cut short is no result.
        if (model.fit.status === 'cancelled') throw abortError(signal, 'work');
        return model;
      } catch (error) {
        throw asWork(error, signal);
      } finally {
        const next = waiting.pop();
        if (next) next(session);
        else free.push(session);
      }
    },
    close: async () => void (await Promise.all(all.map((session) => session.close()))),
  };
}

/** Runs `work` with such sessions, and closes them. @throws HadamardError as `plan`, and what `work` throws. */
export async function withFits<T>(
  largest: Listing,
  options: FactorizeOptions,
  need: number,
  work: (fit: Fit) => Promise<T>,
): Promise<T> {
  const { fit, close } = openFits(largest, options, need);
  try {
    return await work(fit);
  } finally {
    await close();
  }
}

/** As Promise.all, but settled when all are, so that nothing is left at work. */
export async function allOrFirstError<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
