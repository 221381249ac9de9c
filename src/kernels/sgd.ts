/** What the kernel of stochastic gradient steps is told beside a row job: see assembly/sgdRows.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

/** Numbers of a row's rate. */
export const rateSize = 8;
/** Where they stand: the sum of squared gradients, the penalty's share, ‖x‖² while its block is at work, and the bias's first two. */
export const rateAt = { squares: 0, share: 1, norm: 2, biasSquares: 3, biasShare: 4 } as const;

/** Addresses, rows, choices, and sizes of steps. */
export interface DescentFields {
  readonly starts: number;
  readonly ends: number;
  readonly ownRates: number;
  readonly outRates: number;
  readonly otherRates: number;
  readonly otherFrom: number;
  readonly otherRatesFrom: number;
  readonly otherFirst: number;
  readonly otherLast: number;
  readonly otherBiasFree: number;
  readonly isBounded: number;
  readonly scale: number;
  readonly step: number;
  readonly biasStep: number;
  readonly ownLower: number;
  readonly ownUpper: number;
  readonly otherLower: number;
  readonly otherUpper: number;
}

const struct = fieldWriter(
  [
    'starts',
    'ends',
    'ownRates',
    'outRates',
    'otherRates',
    'otherFrom',
    'otherRatesFrom',
    'otherFirst',
    'otherLast',
    'otherBiasFree',
    'isBounded',
  ],
  ['scale', 'step', 'biasStep', 'ownLower', 'ownUpper', 'otherLower', 'otherUpper'],
);
export const descentBytes: number = struct.bytes;
export const writeDescent: FieldWriter<keyof DescentFields>['write'] = struct.write;
