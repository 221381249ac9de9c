/** What the composed kernels are told beside a row job: see assembly/terms.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';
import { scratchBytes } from './load.js';

/** The losses by their numbers in assembly/losses.ts. */
export const lossNumbers = { quadratic: 0, huber: 1, rawHuber: 2, l1: 3, logistic: 4, poisson: 5 } as const;
export type LossName = keyof typeof lossNumbers;

/** Addresses (0: absent) and parameters of a composed row job. */
export interface TermFields {
  readonly loss: number;
  /** Tangent quadratics solved for a row, at the most. */
  readonly innerSteps: number;
  readonly gram: number;
  readonly gramSum: number;
  readonly ownWeights: number;
  readonly otherWeights: number;
  readonly l1: number;
  readonly columnMultiples: number;
  readonly held: number;
  readonly isFull: number;
  readonly residuals: number;
  readonly basis: number;
  readonly rotated: number;
  readonly start: number;
  readonly isSettled: number;
  readonly lossParameter: number;
  readonly lower: number;
  readonly upper: number;
  readonly value: number;
  readonly constant: number;
}

const struct = fieldWriter(
  [
    'loss',
    'innerSteps',
    'gram',
    'gramSum',
    'ownWeights',
    'otherWeights',
    'l1',
    'columnMultiples',
    'held',
    'isFull',
    'residuals',
    'basis',
    'rotated',
    'start',
    'isSettled',
  ],
  ['lossParameter', 'lower', 'upper', 'value', 'constant'],
);
export const termBytes: number = struct.bytes;
export const writeTerms: FieldWriter<keyof TermFields>['write'] = struct.write;

/** What rows of up to 32 unknowns need to be solved two at a time (see assembly/boxLanes.ts); a bias that is not theirs makes their stride 36. */
const widestLaned = 36;
const laneBytes = 64 + 16 * (2 * 32 + 5) * 32;

/** Scratch of one task for the composed kernels. See assembly/composedSpace.ts. */
export function composedScratchBytes(stride: number): number {
  const lanes = stride <= widestLaned ? laneBytes : 0;
  return Math.ceil(scratchBytes(stride) / 64) * 64 + 64 + 192 + 8 * (stride * stride + 23 * stride) + lanes;
}

/** Doubles of a background's sums: the k×k matrix, the vector and the constant. */
export function backgroundLength(stride: number): number {
  return stride * stride + stride + 1;
}
