/** Bytes a second between memory and threads that do nothing else: reading, and copying (each byte counted twice). */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Far more than caches hold. */
const bytes = 256 * 2 ** 20;
const passes = 6;

if (!isMainThread) {
  const from = new Float64Array(bytes / 8).fill(1);
  const to = new Float64Array(bytes / 8);
  const read = () => {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < from.length; i += 4) {
      a += from[i];
      b += from[i + 1];
      c += from[i + 2];
      d += from[i + 3];
    }
    return a + b + c + d;
  };
  const way = { read, copy: () => to.set(from) }[workerData.way];
  way();
  const gate = new Int32Array(workerData.gate);
  parentPort.postMessage('ready');
  Atomics.wait(gate, 0, 0);
  const began = performance.now();
  for (let pass = 0; pass < passes; pass++) way();
  const seconds = (performance.now() - began) / 1000;
  parentPort.postMessage((passes * bytes * (workerData.way === 'copy' ? 2 : 1)) / seconds);
}

/** Of so many threads at the same time, together. */
export async function bandwidth(way, threads) {
  const gate = new SharedArrayBuffer(4);
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: { way, gate } }),
  );
  const messages = () =>
    Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  await messages();
  const rates = messages();
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  return (await rates).reduce((all, rate) => all + rate, 0);
}
