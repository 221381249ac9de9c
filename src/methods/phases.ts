/** The one table from a phase's name to its code: what a worker thread can be asked to do. */
import type { PhaseTable } from '../parallel/phase.js';
import { sortPhases } from '../parallel/sortEntries.js';
import { backgroundPhase, rotatePhase } from './backgroundPhases.js';
import { blockPhase } from './blockPhase.js';
import { composedLossPhase, composedMeasurePhase, composedSolvePhase } from './composedPhases.js';
import { covariancePhase } from './covariancePhase.js';
import { advancePhase, extrapolatePhase } from './historyPhases.js';
import { movePhase } from './movePhase.js';
import { factorPhase, followPhase, hessianPhase, preconditionPhase } from './newtonPhases.js';
import { preconditionedSolvePhase } from './preconditionedPhase.js';
import { projectPhase, reducedHessianPhase, reducedStepPhase } from './reducedPhases.js';
import { gradientPhase, lossPhase, solvePhase } from './rowPhases.js';
import { sgdGridPhase, sgdLossPhase, sgdPhase, sgdPlacePhase, sgdRatesPhase, sgdStartPhase } from './sgdPhases.js';
import { combinePhase, productsPhase } from './vectorPhases.js';

/** Of factors alone, not of their entries: a small part of a sweep's work. */
const vectorPhases = [movePhase, combinePhase, productsPhase, advancePhase, extrapolatePhase];

export function isVectorPhase(name: string): boolean {
  return vectorPhases.some((phase) => phase.name === name);
}

export const phases: PhaseTable = Object.fromEntries(
  [
    solvePhase,
    preconditionedSolvePhase,
    gradientPhase,
    lossPhase,
    covariancePhase,
    composedSolvePhase,
    composedMeasurePhase,
    composedLossPhase,
    backgroundPhase,
    rotatePhase,
    blockPhase,
    projectPhase,
    reducedHessianPhase,
    reducedStepPhase,
    hessianPhase,
    followPhase,
    factorPhase,
    preconditionPhase,
    sgdGridPhase,
    sgdPlacePhase,
    sgdRatesPhase,
    sgdPhase,
    sgdLossPhase,
    sgdStartPhase,
    ...vectorPhases,
    ...sortPhases,
  ].map((phase) => [phase.name, phase]),
);
