/** Held-out error of factors, the same code for every tool: RMSE of ratings, NDCG@10 of what is listed. */
import { readFileSync } from 'node:fs';
import { load } from './sets.mjs';

/** Users that NDCG is taken over: the first so many of those with a held-out entry. */
const judgedUsers = 500;
const depth = 10;

/** Factors of a point of a curve, as tools leave them. */
export function factorsOf(path) {
  const read = (name) => {
    const { buffer, byteOffset, byteLength } = readFileSync(`${path}.${name}`);
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  };
  return { U: read('U'), V: read('V') };
}

/** A function of factors: smaller is better for RMSE, larger for NDCG. */
export function judge(kind, folder, part, k) {
  const held = load(folder, part);
  if (kind === 'explicit') return ({ U, V }) => rmse(held, U, V, k);
  const train = load(folder, 'train');
  const seen = byUser(train, held.shape[0]);
  const wanted = byUser(held, held.shape[0]);
  const users = [];
  for (let i = 0; i < wanted.length && users.length < judgedUsers; i++) if (wanted[i].length > 0) users.push(i);
  return ({ U, V }) => users.reduce((sum, i) => sum + ndcg(U, V, k, i, seen[i], wanted[i]), 0) / users.length;
}

export const isBetter = (kind, a, b) => (kind === 'explicit' ? a <= b : a >= b);

function rmse({ rows, columns, values }, U, V, k) {
  let squares = 0;
  for (let t = 0; t < values.length; t++) squares += (values[t] - product(U, rows[t] * k, V, columns[t] * k, k)) ** 2;
  return Math.sqrt(squares / values.length);
}

function product(U, u, V, v, k) {
  let sum = 0;
  for (let c = 0; c < k; c++) sum += U[u + c] * V[v + c];
  return sum;
}

function byUser({ rows, columns }, users) {
  const lists = Array.from({ length: users }, () => []);
  rows.forEach((row, t) => {
    lists[row].push(columns[t]);
  });
  return lists;
}

function ndcg(U, V, k, i, seen, wanted) {
  const items = V.length / k;
  const scores = new Float64Array(items);
  for (let j = 0; j < items; j++) scores[j] = product(U, i * k, V, j * k, k);
  for (const j of seen) scores[j] = Number.NEGATIVE_INFINITY;
  const hits = new Set(wanted);
  let gain = 0;
  bestOf(scores).forEach((j, rank) => {
    if (hits.has(j)) gain += 1 / Math.log2(rank + 2);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(depth, hits.size); rank++) ideal += 1 / Math.log2(rank + 2);
  return gain / ideal;
}

/** The best items, the best first; of equal scores the earlier. */
function bestOf(scores) {
  const best = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < scores.length; j++) {
    if (scores[j] <= least) continue;
    const place = best.findIndex((other) => scores[other] < scores[j]);
    best.splice(place < 0 ? best.length : place, 0, j);
    if (best.length > depth) best.pop();
    if (best.length === depth) least = scores[best[depth - 1]];
  }
  return best;
}
