// @ts-check
/** A program that fits and forgets: `node fitScript.mjs <mode>` prints one line of JSON and must end by itself. */
import { factorize } from '../../dist/src/index.js';
import { fitProblem } from './fitProblem.mjs';

const mode = process.argv[2];
const { A, options } = fitProblem;
const controller = new AbortController();
/** @type {Record<string, Partial<import('../../dist/src/index.js').FactorizeOptions>>} */
const modes = {
  success: {},
  inline: { inline: 'auto', threads: 1 },
  failure: { rank: 4097 },
  'bad data': {},
  abort: { signal: AbortSignal.abort() },
  cancel: { signal: controller.signal, onProgress: ({ sweep }) => sweep > 0 && controller.abort() },
  'time limit': { timeLimit: 3600 },
  'throwing progress': {
    onProgress: () => {
      throw new Error('progress');
    },
  },
  'worker dies': { workerUrl: new URL('./dyingWorker.cjs', import.meta.url).href },
  'no such worker': { workerUrl: new URL('./nowhere.mjs', import.meta.url).href },
};
try {
  const given = mode === 'bad data' ? { ...A, values: A.values.map((value, t) => (t === 9 ? Number.NaN : value)) } : A;
  const { fit } = await factorize(given, { ...options, threads: 2, inline: 'never', ...modes[mode ?? ''] });
  console.log(JSON.stringify({ status: fit.status, digest: fit.digest }));
} catch (error) {
  const { code, name, message } = /** @type {Error & { code?: string }} */ (error);
  console.log(JSON.stringify({ code, name, message }));
}
