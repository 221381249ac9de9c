/** Vector work over blocks of rows: linear combinations of factor-sized buffers of a side, and their inner products. */
import { totalNames, zeroTotals } from '../kernels/load.js';
import { writeTerms } from '../kernels/vectorTerms.js';
import { elementBytes, type Side } from '../parallel/layout.js';
import { type FitContext, noTotals, type Phase, type Totals, type Workbench } from '../parallel/phase.js';

/** So many products are measured in one phase: as many as a block has sums. */
export const mostProducts = totalNames.length;

/** Σ coefficient·buffer to `out`, which is none of them: a lost block is done again. */
export const combinePhase: Phase = {
  name: 'combine',
  run(workbench, call, block) {
    const vectors = blockVectors(workbench.fit, call.side, block);
    const terms = (call.terms ?? []).map(([buffer, coefficient]) => [vectors.ofBuffer(buffer), coefficient] as const);
    combine(workbench, terms, 0, vectors.ofBuffer(call.out as number), vectors.count);
    return noTotals;
  },
};

/** The inner products of pairs of buffers, at most {@link mostProducts}; see {@link productsOf}. */
export const productsPhase: Phase = {
  name: 'products',
  run({ fit, kernels }, call, block) {
    const vectors = blockVectors(fit, call.side, block);
    const dot = fit.dtype === 'f32' ? kernels.dot32 : kernels.dot64;
    const pairs = call.terms ?? [];
    return totalsOf(pairs.map(([a, b]) => dot(vectors.ofBuffer(a), vectors.ofBuffer(b), vectors.count)));
  },
};

/** A block's part of factor-sized vectors: rows first … last−1, so many numbers. */
export interface BlockVectors {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** The address of its part of a buffer. */
  readonly ofBuffer: (index: number) => number;
}

export function blockVectors(fit: FitContext, side: Side, block: number): BlockVectors {
  const [first, last] = [fit.blocks[side][block] as number, fit.blocks[side][block + 1] as number];
  const offset = first * fit.stride * elementBytes(fit.dtype);
  const { buffers } = fit.layout.sides[side];
  const ofBuffer = (index: number) => (buffers[index] as number) + offset;
  return { first, last, count: (last - first) * fit.stride, ofBuffer };
}

/** base + Σ coefficient·(vector − base) to an address, by [address, coefficient]; base 0: there is none. */
export function combine(
  { fit, kernels, view, scratch }: Workbench,
  terms: readonly (readonly [address: number, coefficient: number])[],
  base: number,
  out: number,
  count: number,
): void {
  writeTerms(view, scratch, terms);
  (fit.dtype === 'f32' ? kernels.combine32 : kernels.combine64)(scratch, terms.length, base, out, count);
}

/** Up to {@link mostProducts} sums as a block reports them. */
export function totalsOf(products: readonly number[]): Totals {
  const totals = zeroTotals();
  products.forEach((product, i) => {
    totals[totalNames[i] as keyof Totals] = product;
  });
  return totals;
}

/** Adds the products of a phase, in their order, to a list of so many. */
export function addProducts(totals: Totals, to: number[]): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + totals[totalNames[i] as keyof Totals];
}

/** The products of a call in the order of its pairs. */
export function productsOf(totals: Totals, count: number): number[] {
  return totalNames.slice(0, count).map((name) => totals[name]);
}
