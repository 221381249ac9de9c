/** Rows of composed objectives to solve, and what each is worth, slowly. */
import { expect } from 'vitest';
import type { LossName } from '../../dist/src/kernels/composed.js';
import { type Loss, lossValue } from '../../dist/src/objective/losses.js';
import type { ComposedRequest } from './composedWorkspace.js';

export const losses: readonly (readonly [LossName, number])[] = [
  ['quadratic', 0],
  ['huber', 1.5],
  ['rawHuber', 1.5],
  ['l1', 0.05],
  ['logistic', 0],
  ['poisson', 0],
];

/** A deterministic source of numbers in −1 … 1. */
export function source(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly rank: number;
  readonly seed: number;
  readonly share?: number;
}

/** Values that suit a loss, and a start inside its domain. */
export function problem({ m, n, rank, seed, share = 0.6 }: Shape, loss: LossName = 'quadratic'): ComposedRequest {
  const random = source(seed);
  const isPositive = loss === 'poisson';
  const entry = () => (isPositive ? 0.1 + Math.abs(random()) : random());
  const value = () => {
    if (loss === 'logistic') return random() > 0 ? 1 : -1;
    if (isPositive) return Math.floor(4 * Math.abs(random()));
    return 3 * random() + (random() > 0.8 ? 20 * random() : 0);
  };
  return {
    rank,
    V: Array.from({ length: n }, () => Array.from({ length: rank }, entry)),
    entries: Array.from({ length: m }, () =>
      Array.from({ length: n }, (_, j) => j)
        .filter(() => random() < 2 * share - 1)
        .map((j) => [j, value(), 0.5 + Math.abs(random())] as const),
    ),
    own: Array.from({ length: m }, () => Array.from({ length: rank }, entry)),
    loss,
    ...(isPositive && { lower: 0 }),
    lambda: 0.1,
  };
}

/** f of one row, slowly: every entry of the row is visited, listed or not. */
export function objectiveOfRow(request: ComposedRequest, i: number, x: readonly number[]): number {
  const { rank, V, lambda = 0, beta = 0, l1 = 0, mean = 0, background, multiples } = request;
  const loss: Loss = { name: request.loss ?? 'quadratic', parameter: request.lossParameter ?? 0 };
  const listed = new Map(request.entries[i]?.map(([j, a, w]) => [j, [a, w] as const]));
  let f = 0;
  V.forEach((v, j) => {
    const bias = (request.otherBias?.[j] ?? 0) + (request.isOwnBiasFree ? (x[rank] as number) : 0);
    const p = v.reduce((s, vc, c) => s + vc * (x[c] as number), mean + bias);
    const entry = listed.get(j);
    if (entry) f += entry[1] > 0 ? lossValue(loss, entry[1], entry[0], p) : 0;
    else if (background) {
      const weight = (background.r[i] as number) * (background.c[j] as number);
      f += loss.name === 'poisson' ? weight * p : weight * (p - background.value) ** 2;
    }
  });
  const factor = request.rowFactors?.[i] ?? 1;
  x.forEach((xc, c) => {
    const multiple = c < rank ? (multiples?.[c] ?? 1) : 1;
    f += factor * (c < rank ? multiple * (lambda * xc * xc + l1 * Math.abs(xc)) : beta * xc * xc);
  });
  return f;
}

/** No feasible coordinate move lowers the row's objective: checked on the objective itself, not on anything the kernel says. */
export function expectOptimal(request: ComposedRequest, i: number, x: readonly number[], tolerance: number): void {
  const f = objectiveOfRow(request, i, x);
  const { lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = request;
  x.forEach((value, c) => {
    if (request.held?.[i]?.[c]) return;
    for (const step of [1e-3, -1e-3, 1e-5, -1e-5]) {
      const isFactor = c < request.rank;
      const to = isFactor ? Math.min(upper, Math.max(lower, value + step)) : value + step;
      const moved = objectiveOfRow(
        request,
        i,
        x.map((v, e) => (e === c ? to : v)),
      );
      expect(moved - f, `row ${i}, coordinate ${c}, step ${step}`).toBeGreaterThanOrEqual(
        -tolerance * (1 + Math.abs(f)),
      );
    }
  });
}
