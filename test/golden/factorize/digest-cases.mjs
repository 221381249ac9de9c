// @ts-check
/** The fits whose bits are recorded in digests.json: a fixed small problem, made without any function that a host may round differently. */
import { factorize } from '../../../dist/src/factorize/factorize.js';

const m = 120;
const n = 70;

/** An integer hash: values are multiples of 1/1024, so both dtypes see the same numbers. */
const hash = (/** @type {number} */ i, /** @type {number} */ j) =>
  Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(j + 1, 0x85ebca77), 0xc2b2ae3d) >>> 8;

const listed = Array.from({ length: m * n }, (_, t) => [Math.floor(t / n), t % n]).filter(
  ([i = 0, j = 0]) => hash(i, j) % 3 === 0,
);
const A = {
  rows: Uint32Array.from(listed, ([i = 0]) => i),
  columns: Uint32Array.from(listed, ([, j = 0]) => j),
  values: Float64Array.from(
    listed,
    ([i = 0, j = 0]) => (((i % 7) - 3) * ((j % 5) - 2) + ((i % 3) - 1) * ((j % 4) - 1)) / 4 + (hash(j, i) % 1024) / 1024,
  ),
  shape: /** @type {[number, number]} */ ([m, n]),
};
const weights = { sqrtWeight: Float64Array.from(listed, ([i = 0, j = 0]) => (1 + (hash(i + 7, j) % 16)) / 8) };

/** @type {Record<string, () => Promise<string>>} */
export const digestCases = {};
for (const method of /** @type {const} */ (['als', 'gradient']))
  for (const dtype of /** @type {const} */ (['f32', 'f64']))
    for (const biases of /** @type {const} */ (['none', 'both']))
      digestCases[`${method} ${dtype} biases ${biases}`] = async () => {
        const options = { rank: 6, lambda: 0.05, lambdaScale: /** @type {const} */ ('count'), maxSweeps: 10, tolerance: 0, seed: 7 };
        const model = await factorize(A, { ...options, method, dtype, biases, weights, threads: 1 });
        return model.fit.digest;
      };
digestCases['als f32 rank 1 lambda 0'] = async () =>
  (await factorize(A, { rank: 1, dtype: 'f32', maxSweeps: 4, tolerance: 0, threads: 1 })).fit.digest;
digestCases['als f32 short rows, lambda 0'] = async () =>
  (await factorize(A, { rank: 30, dtype: 'f32', maxSweeps: 3, tolerance: 0, threads: 1 })).fit.digest;
digestCases['als f64 short rows, lambda 0'] = async () =>
  (await factorize(A, { rank: 30, dtype: 'f64', maxSweeps: 3, tolerance: 0, threads: 1 })).fit.digest;
digestCases['als f32 rank 40'] = async () =>
  (await factorize(A, { rank: 40, lambda: 0.1, dtype: 'f32', maxSweeps: 3, tolerance: 0, threads: 1, weights })).fit.digest;
