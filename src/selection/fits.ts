/** Several fits side by side, each in a session of its own: small problems gain more from that than from threads within one. */
import { availableParallelism } from 'node:os';
import type { MatrixInput } from '../data/input.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { plan } from '../factorize/plan.js';
import type { Model } from '../model/model.js';
import { abortError, asWork } from '../parallel/abort.js';
import { openSession, type Session } from '../session/openSession.js';

/** Fits that do not say on how many threads: the same bits come from every number. */
export type Fit = (A: MatrixInput, options: Omit<FactorizeOptions, 'threads' | 'memoryLimit'>) => Promise<Model>;

export interface Fits {
  /** How many run at once. */
  readonly concurrent: number;
  /** Runs when a session is free; rejects as the fit does, and with an AbortError after an abort. */
  readonly fit: Fit;
  close(): Promise<void>;
}

/**
 * Sessions for as many fits of the size of `largest` as there are threads, room and need for.
 *
 * @throws HadamardError as `plan`
 */
export function openFits(largest: MatrixInput, options: FactorizeOptions, need: number): Fits {
  const { signal, workerUrl, wasmUrl, memoryLimit } = options;
  const { bytes, limit } = plan(largest, options);
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
    concurrent,
    async fit(A, { onProgress: _onProgress, labels: _labels, workerUrl: _workerUrl, wasmUrl: _wasmUrl, ...own }) {
      const session = await take();
      try {
        const model = await session.factorize(A, { ...own, certificate: 'first-order', ...(signal && { signal }) });
        // A fit that was cut short is no result.
        if (model.fit.status === 'cancelled') throw abortError(signal, 'work');
        return model;
      } catch (error) {
        throw asWork(error, signal);
      } finally {
        const next = waiting.shift();
        if (next) next(session);
        else free.push(session);
      }
    },
    close: async () => void (await Promise.all(all.map((session) => session.close()))),
  };
}
