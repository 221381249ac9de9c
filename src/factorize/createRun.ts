/** What the engine lends a method: its phases run by a crew, and views of its buffers. */
import { lossNumbers } from '../kernels/composed.js';
import { composedRun, heldMask, isByGradients } from '../methods/composedPhases.js';
import type { Run } from '../methods/method.js';
import { factorBuffer, penaltyOf } from '../methods/rowPhases.js';
import { relativeTo } from '../objective/relativeGradient.js';
import type { Crew } from '../parallel/crew.js';
import type { FitContext } from '../parallel/phase.js';
import type { Init } from './factorizeOptions.js';

/** The side whose start is given. */
export function startSide(init: Init | undefined): Run['startsFrom'] {
  if (!init?.U && !init?.V) return 'drawn';
  return init?.U && !init.V ? 'rows' : 'columns';
}

export function createRun(fit: FitContext, crew: Crew, centredNorm: number, startsFrom: Run['startsFrom']): Run {
  return {
    startsFrom,
    phase: composedRun(fit, (call) => crew.run(fit, call)),
    isExact: fit.terms === undefined || (fit.terms.loss === lossNumbers.quadratic && !isByGradients(fit)),
    hasBackground: (fit.terms?.hasGram ?? false) && !fit.terms?.isFull,
    keepWithin: (side, index) => {
      const [lower, upper] = fit.terms?.bounds[side] ?? [];
      if (lower === undefined || upper === undefined || !(Number.isFinite(lower) || Number.isFinite(upper))) return;
      const buffer = factorBuffer(fit, side, index);
      const held = heldMask(fit, side);
      // The bias behind the latent part has no bounds, and what is held stays.
      for (let i = 0; i < buffer.length; i++)
        if (i % fit.stride < fit.rank && held?.[i] !== 1)
          buffer[i] = Math.min(upper, Math.max(lower, buffer[i] as number));
    },
    buffer: (side, index) => factorBuffer(fit, side, index),
    penalty: (side, index) => penaltyOf(fit, side, factorBuffer(fit, side, index)),
    relative: (product) => relativeTo(centredNorm, product),
  };
}
