/** What a fit rejects with that is aborted before its first sweep, and other work before there is a result. */

const texts = {
  fit: 'The fit was aborted before its first sweep.',
  work: 'The work was aborted before there was a result.',
  recommendations: 'The recommendations were aborted.',
} as const;

type Aborted = keyof typeof texts;

/** An AbortError whatever reason the caller gave, so that it is told from a failure by its name; the reason is its cause. */
export function abortError(signal: AbortSignal | undefined, aborted: Aborted = 'fit'): DOMException {
  return Object.assign(new DOMException(texts[aborted], 'AbortError'), { cause: signal?.reason as unknown });
}

/** @throws DOMException `AbortError` */
export function refuseAborted(signal: AbortSignal | undefined, aborted: Aborted = 'fit'): void {
  if (signal?.aborted) throw abortError(signal, aborted);
}

/** What a fit that is part of other work was rejected with, as that work is. */
export function asWork(error: unknown, signal: AbortSignal | undefined): unknown {
  return error instanceof DOMException && error.name === 'AbortError' ? abortError(signal, 'work') : error;
}
