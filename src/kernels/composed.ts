/** What the composed kernels are told beside a row job: see assembly/terms.ts, whose fields these are. */
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
  readonly lossParameter: number;
  readonly lower: number;
  readonly upper: number;
  readonly value: number;
  readonly constant: number;
}

const words = [
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
] as const satisfies readonly (keyof TermFields)[];
const doubles = [
  'lossParameter',
  'lower',
  'upper',
  'value',
  'constant',
] as const satisfies readonly (keyof TermFields)[];

/** The doubles follow the 32-bit words at the next multiple of 8. */
const doublesOffset = Math.ceil(words.length / 2) * 8;
export const termBytes = doublesOffset + 8 * doubles.length;

export function writeTerms(view: DataView, address: number, fields: TermFields): void {
  words.forEach((name, i) => {
    view.setUint32(address + 4 * i, fields[name], true);
  });
  doubles.forEach((name, i) => {
    view.setFloat64(address + doublesOffset + 8 * i, fields[name], true);
  });
}

/** Scratch of one task for the composed kernels. See assembly/composedSpace.ts. */
export function composedScratchBytes(stride: number): number {
  return Math.ceil(scratchBytes(stride) / 64) * 64 + 64 + 128 + 8 * (stride * stride + 7 * stride);
}

/** Doubles of a background's sums: the k×k matrix, the vector and the constant. */
export function backgroundLength(stride: number): number {
  return stride * stride + stride + 1;
}
