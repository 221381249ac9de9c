// @ts-check
/** A problem of many blocks for tests that run in processes of their own. */
const [m, n] = [700, 500];
let state = 12345;
const next = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state / 2 ** 31;
};
const listed = Array.from({ length: m * n }, (_, t) => t).filter(() => next() < 0.3);

export const fitProblem = {
  A: {
    rows: Uint32Array.from(listed, (t) => Math.floor(t / n)),
    columns: Uint32Array.from(listed, (t) => t % n),
    values: Float64Array.from(listed, () => Math.fround(next())),
    shape: /** @type {[number, number]} */ ([m, n]),
  },
  options: { rank: 16, lambda: 0.1, maxSweeps: 3, dtype: /** @type {const} */ ('f32') },
};
