/** What a fit rejects with that is aborted before its first sweep. */

/** An AbortError whatever reason the caller gave, so that it is told from a failure by its name; the reason is its cause. */
export function abortError(signal: AbortSignal | undefined): DOMException {
  const error = new DOMException('The fit was aborted before its first sweep.', 'AbortError');
  return Object.assign(error, { cause: signal?.reason as unknown });
}

/** @throws DOMException `AbortError` */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}
