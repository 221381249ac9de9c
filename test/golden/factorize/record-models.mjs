// @ts-check
/**
 * Fits small problems and writes A.npy (NaN: unobserved), W.npy and the saved models that objective.py measures:
 * `npm run build && node test/golden/factorize/record-models.mjs && python3 test/golden/factorize/objective.py`.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ndarray from 'ndarray';
import { factorize } from '../../../dist/src/factorize/factorize.js';
import { writeNpy } from '../../../dist/src/formats/npy.js';

const folder = fileURLToPath(new URL('models/', import.meta.url));
mkdirSync(folder, { recursive: true });

const [m, n] = [14, 9];
let state = 20240501;
const next = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 2 ** 31;
};
const A = new Float64Array(m * n).map((_, i) =>
  next() < 0.3 ? Number.NaN : 3 + Math.fround((Math.floor(i / n) % 4) * ((i % n) % 3) - 2 + next()),
);
const W = new Float64Array(m * n).map(() => Math.fround(0.25 + 2 * next()));
// Row 5 is not observed at all, and two entries have no weight.
for (let j = 0; j < n; j++) A[5 * n + j] = Number.NaN;
W[0] = 0;
W[n + 3] = 0;
await writeNpy(`${folder}A.npy`, A, [m, n]);
await writeNpy(`${folder}W.npy`, W, [m, n]);

const shared = { rank: 3, seed: 3, maxSweeps: 4, weights: { sqrtWeight: ndarray(W, [m, n]) } };
/** @type {Record<string, Partial<import('../../../dist/src/index.js').FactorizeOptions>>} */
const fits = {
  'als-f64-row': { dtype: 'f64', lambda: 0.2 },
  'als-f32-count-both': { dtype: 'f32', lambda: 0.1, lambdaScale: 'count', biases: 'both' },
  'als-f64-weight-rows': { dtype: 'f64', lambda: 0.05, lambdaScale: 'weight', biases: 'rows', biasLambda: 0.3 },
  'als-f64-row-columns-free': { dtype: 'f64', lambda: 0.2, biases: 'columns', biasLambda: 0 },
  'gradient-f64-both': { dtype: 'f64', lambda: 0.2, biases: 'both', method: 'gradient' },
  'gradient-f32': { dtype: 'f32', lambda: 0.01, lambdaScale: 'weight', method: 'gradient' },
  'als-f64-unweighted': { dtype: 'f64', weights: undefined, lambda: 0.3 },
};
for (const [name, options] of Object.entries(fits)) {
  const model = await factorize(ndarray(A, [m, n]), { ...shared, ...options });
  await model.save(`${folder}${name}`);
}
