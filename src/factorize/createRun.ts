/** What the engine lends a method: its phases run by a crew, and views of its buffers. */
import { lossNumbers } from '../kernels/composed.js';
import { composedRun } from '../methods/composedPhases.js';
import type { Run } from '../methods/method.js';
import { isVectorPhase, phases } from '../methods/phases.js';
import { factorBuffer, penaltyOf } from '../methods/rowPhases.js';
import { isByGradients } from '../methods/termFields.js';
import { relativeTo } from '../objective/relativeGradient.js';
import { type Crew, inlineCrew } from '../parallel/crew.js';
import { countOf, type FitContext, type PhaseCall } from '../parallel/phase.js';
import type { Init } from './factorizeOptions.js';

/** The side whose start is given. */
export function startSide(init: Init | undefined): Run['startsFrom'] {
  if (!init?.U && !init?.V) return 'drawn';
  return init?.U && !init.V ? 'rows' : 'columns';
}

export function createRun(fit: FitContext, crew: Crew, centredNorm: number, startsFrom: Run['startsFrom']): Run {
  const here = crew.isInline ? crew : inlineCrew(phases);
  return {
    startsFrom,
    level: fit.level,
    spread: fit.spread,
    phase: composedRun(fit, (call) => (isBrief(fit, call) ? here : crew).run(fit, call)),
    isExact: (fit.terms?.loss ?? lossNumbers.quadratic) === lossNumbers.quadratic && !isByGradients(fit),
    hasBackground: (fit.terms?.hasGram ?? false) && !fit.terms?.isFull,
    buffer: (side, index) => factorBuffer(fit, side, index),
    penalty: (side, index) => penaltyOf(fit, side, factorBuffer(fit, side, index)),
    relative: (product) => relativeTo(centredNorm, product),
  };
}

/** Numbers of a vector up to which it takes longer to ask workers than to do its work: 0.1 ms. */
const briefVector = 2 ** 17;

function isBrief(fit: FitContext, { phase, side }: PhaseCall): boolean {
  return isVectorPhase(phase) && countOf(fit, side) * fit.stride <= briefVector;
}
