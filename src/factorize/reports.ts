/** Reports of progress to a handler that may be asynchronous. */
import type { FactorizeOptions, Progress } from './factorizeOptions.js';

export interface Reports {
  /** @throws what the handler throws, or what an earlier report of it has rejected with. */
  report(progress: Progress): void;
  /** @throws what a report has rejected with. */
  check(): void;
}

/**
 * A handler that throws fails the fit; one that rejects fails it at the next report or at the end, as in a session. No report
 * is waited for: what rejects after the end is passed over.
 */
export function reportsTo(onProgress: FactorizeOptions['onProgress']): Reports {
  let failure: { readonly error: unknown } | undefined;
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    report(progress) {
      check();
      // Typed as void, which an async function is taken for too.
      Promise.resolve(onProgress?.(progress)).catch((error: unknown) => {
        failure ??= { error };
      });
    },
    check,
  };
}
