/** Vector work over blocks of rows: linear combinations of factor-sized buffers of a side, and their inner products. */
import type { RealArray } from '../data/input.js';
import { type FitContext, noTotals, type Phase, type PhaseCall, type Totals } from '../parallel/phase.js';
import { dot } from './anderson.js';
import { factorBuffer } from './rowPhases.js';

/** So many products are measured in one phase: as many as a block has sums. */
export const mostProducts = 6;
const sums = [
  'loss',
  'penalty',
  'gradientSquared',
  'ownSquared',
  'biasGradientSquared',
  'biasSquared',
] as const satisfies readonly (keyof Totals)[];

/** Σ coefficient·buffer to `out`, which is none of them: a lost block is done again. */
export const combinePhase: Phase = {
  name: 'combine',
  run({ fit }, call, block) {
    const terms = (call.terms ?? []).map(([buffer, coefficient]) => ({
      x: part(fit, call, block, buffer),
      coefficient,
    }));
    const out = part(fit, call, block, call.out as number);
    out.fill(0);
    for (let start = 0; start < terms.length; start += 4) addFour(out, terms.slice(start, start + 4));
    return noTotals;
  },
};

interface Term {
  readonly x: RealArray;
  readonly coefficient: number;
}

/** out ← out + Σ of up to four terms, in one pass over it. */
function addFour(out: RealArray, [a, b, c, d]: readonly Term[]): void {
  if (a && b && c && d) {
    for (let i = 0; i < out.length; i++)
      out[i] =
        (out[i] as number) +
        (a.coefficient * (a.x[i] as number) +
          b.coefficient * (b.x[i] as number) +
          (c.coefficient * (c.x[i] as number) + d.coefficient * (d.x[i] as number)));
    return;
  }
  for (const { x, coefficient } of [a, b, c].filter((term) => term !== undefined))
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + coefficient * (x[i] as number);
}

/** The inner products of pairs of buffers, at most {@link mostProducts}; see {@link productsOf}. */
export const productsPhase: Phase = {
  name: 'products',
  run({ fit }, call, block) {
    const totals = { ...noTotals };
    (call.terms ?? []).forEach(([a, b], i) => {
      totals[sums[i] as keyof Totals] = dot(part(fit, call, block, a), part(fit, call, block, b));
    });
    return totals;
  },
};

/** The products of a call in the order of its pairs. */
export function productsOf(totals: Totals, count: number): number[] {
  return sums.slice(0, count).map((name) => totals[name]);
}

function part(fit: FitContext, { side }: PhaseCall, block: number, buffer: number) {
  const boundaries = fit.blocks[side];
  return factorBuffer(fit, side, buffer).subarray(
    (boundaries[block] as number) * fit.stride,
    (boundaries[block + 1] as number) * fit.stride,
  );
}
