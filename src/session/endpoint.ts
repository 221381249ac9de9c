/** A worker_threads port as the endpoint that comlink speaks to. */

import type { MessagePort, Worker } from 'node:worker_threads';
import type { Endpoint } from 'comlink';

type Listener = (event: { data: unknown }) => void;

export function endpointOf(port: MessagePort | Worker): Endpoint {
  const wrapped = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) => port.postMessage(message, transfer as never),
    addEventListener: (_type: string, listener: unknown) => {
      const forward = (data: unknown) =>
        typeof listener === 'function'
          ? listener({ data })
          : (listener as { handleEvent: Listener }).handleEvent({ data });
      port.on('message', forward);
      wrapped.set(listener, forward);
    },
    removeEventListener: (_type: string, listener: unknown) => {
      const forward = wrapped.get(listener);
      if (forward) port.off('message', forward);
      wrapped.delete(listener);
    },
    start: () => 'start' in port && port.start(),
  };
}
