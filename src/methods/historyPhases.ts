/** The vectors that an acceleration keeps of a side, brought up to date and combined over blocks of rows. */
import { alignUp, elementBytes } from '../parallel/layout.js';
import { countOf, type FitContext, type HistoryCall, noTotals, type Phase, type PhaseCall } from '../parallel/phase.js';
import { heldMask } from './composedPhases.js';
import { factorBuffer, penaltyOf } from './rowPhases.js';
import { type BlockVectors, blockVectors, combine, totalsOf } from './vectorPhases.js';

/**
 * x at `own` and g(x) at `extra`: r = g − x, its change since the last r to the newest slot, and a copy of g there. The sums are products
 * of that change with those of the slots held, itself the last, and with r.
 */
export const advancePhase: Phase = {
  name: 'advance',
  run({ fit, kernels }, call, block) {
    const history = historyOf(call);
    const vectors = blockVectors(fit, call.side, block);
    const at = placesOf(fit, call, history, vectors);
    const newest = history.slots.at(-1) as number;
    const [x, g] = [vectors.ofBuffer(call.own as number), vectors.ofBuffer(call.extra as number)];
    const isSingle = fit.dtype === 'f32';
    const residual = at.residual(history.residual);
    const step = at.step(newest);
    const advance = isSingle ? kernels.advance32 : kernels.advance64;
    advance(x, g, at.residual(1 - history.residual), residual, step, at.image(newest), vectors.count);
    const dot = isSingle ? kernels.dot32 : kernels.dot64;
    const products: number[] = [];
    for (let i = 1; i < history.slots.length; i++)
      products.push(dot(step, at.step(history.slots[i] as number), vectors.count));
    products.push(dot(step, residual, vectors.count));
    return totalsOf(products);
  },
};

/** The combination of images to `out`, within its bounds; the penalty is that of `out`. */
export const extrapolatePhase: Phase = {
  name: 'extrapolate',
  run(workbench, call, block) {
    const { fit } = workbench;
    const history = historyOf(call);
    const vectors = blockVectors(fit, call.side, block);
    const at = placesOf(fit, call, history, vectors);
    const out = call.out as number;
    const terms = history.coefficients.map((c, i) => [at.image(history.slots[i] as number), c] as const);
    // As what they are beyond the newest: where they agree, as in what is held, so does the combination, to the bit.
    const newest = at.image(history.slots.at(-1) as number);
    combine(workbench, terms, newest, vectors.ofBuffer(out), vectors.count);
    keepWithin(fit, call, vectors);
    const rows = [vectors.first, vectors.last] as const;
    return { ...noTotals, penalty: penaltyOf(fit, call.side, factorBuffer(fit, call.side, out), 0, rows) };
  },
};

/** Brings a block of `out` within its bounds. The bias behind the latent part has none, and what is held stays. */
export function keepWithin(fit: FitContext, { side, out }: PhaseCall, { first, last }: BlockVectors): void {
  const [lower, upper] = fit.terms?.bounds[side] ?? [];
  if (lower === undefined || upper === undefined || !(Number.isFinite(lower) || Number.isFinite(upper))) return;
  const { rank, stride } = fit;
  const buffer = factorBuffer(fit, side, out as number);
  const held = heldMask(fit, side);
  for (let row = first * stride; row < last * stride; row += stride)
    for (let i = row; i < row + rank; i++)
      if (held?.[i] !== 1) buffer[i] = Math.min(upper, Math.max(lower, buffer[i] as number));
}

/** Addresses of a block's part of the vectors kept: two residuals, then steps, then images. */
function placesOf(fit: FitContext, { side }: PhaseCall, { at, size }: HistoryCall, { first }: BlockVectors) {
  const bytes = elementBytes(fit.dtype) * fit.stride;
  const vector = alignUp(countOf(fit, side) * bytes);
  const start = fit.layout.workspace + at + first * bytes;
  return {
    residual: (which: number) => start + which * vector,
    step: (slot: number) => start + (2 + slot) * vector,
    image: (slot: number) => start + (2 + size + slot) * vector,
  };
}

function historyOf({ history }: PhaseCall): HistoryCall {
  if (!history) throw new Error('The phase was not told of a history.');
  return history;
}
