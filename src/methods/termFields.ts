/** What the kernels of row problems are told of an objective's terms. */
import { isConjugate } from '../kernels/backgroundBasis.js';
import { type TermFields, termBytes } from '../kernels/composed.js';
import { otherSide } from '../parallel/layout.js';
import type { FitContext, FitTerms, PhaseCall } from '../parallel/phase.js';
import { checkBehindJob } from './rowPhases.js';

/** Tangent quadratics a row in one sweep: more bring little before the other side has moved too. */
const stepsOfSweep = 2;

/** Squares and a ridge. */
const plainTerms: FitTerms = {
  loss: 0,
  lossParameter: 0,
  bounds: {
    rows: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    columns: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  },
  hasGram: false,
  isFull: false,
  isSquares: true,
  fitsSingle: true,
  value: 0,
};

checkBehindJob(termBytes);

export function termsOf(fit: FitContext, call: PhaseCall): TermFields {
  const { lossParameter, value, ...terms } = fit.terms ?? plainTerms;
  const { terms: lists, gram: own } = fit.layout.sides[call.side];
  const { gram } = fit.layout.sides[otherSide(call.side)];
  const sums = terms.hasGram ? (gram?.sums ?? 0) : 0;
  const gramSum = sums && sums + 8 * fit.stride * fit.stride;
  const [lower, upper] = terms.bounds[call.side];
  return {
    loss: terms.loss,
    innerSteps: call.innerSteps ?? stepsOfSweep,
    gram: sums,
    gramSum,
    ownWeights: own?.weights ?? 0,
    otherWeights: gram?.weights ?? 0,
    l1: lists?.l1 ?? 0,
    columnMultiples: lists?.multiples ?? 0,
    held: lists?.held ?? 0,
    isFull: terms.isFull ? 1 : 0,
    residuals: 0,
    basis: gram?.basis ?? 0,
    rotated: gram && isInBasis(fit, call) ? gram.rotated : 0,
    start: 0,
    isSettled: call.innerSteps === undefined ? 0 : 1,
    lossParameter,
    lower,
    upper,
    value,
    constant: sums && (new Float64Array(fit.memory.buffer, gramSum + 8 * fit.stride, 1)[0] as number),
  };
}

/** Whether a phase computes in f32. */
export function isSingle({ dtype, terms }: FitContext, { precise }: PhaseCall): boolean {
  return dtype === 'f32' && !precise && (terms?.fitsSingle ?? true);
}

/** Whether rows are solved in the eigenbasis of what they share. */
export function isInBasis(fit: FitContext, call: PhaseCall): boolean {
  return isSingle(fit, call) && (fit.layout.sides[otherSide(call.side)].gram?.rotated ?? 0) > 0;
}

/** Whether rows of U are solved step by step, to what a sweep needs. */
export function isByGradients(fit: FitContext): boolean {
  return isConjugate(fit.rank) && (fit.layout.sides.columns.gram?.rotated ?? 0) > 0;
}
