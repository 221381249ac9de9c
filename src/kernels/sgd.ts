/** What the kernel of stochastic gradient steps is told beside a row job: see assembly/sgdRows.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

/** Numbers of a row's rate. */
export const rateSize = 8;
/** Where they stand: the sum of squared gradients and the penalty's share, and the bias's; the rest is the kernel's own. */
export const rateAt = { squares: 0, share: 1, biasSquares: 4, biasShare: 5 } as const;

/** The block's first entry, addresses, rows, choices, and sizes of steps. */
export interface DescentFields {
  readonly start: number;
  readonly ends: number;
  readonly ownRates: number;
  readonly outRates: number;
  readonly otherRates: number;
  readonly otherFrom: number;
  readonly otherRatesFrom: number;
  readonly otherFirst: number;
  readonly otherLast: number;
  readonly isFirst: number;
  readonly isLast: number;
  readonly otherBiasFree: number;
  readonly isBounded: number;
  readonly scale: number;
  readonly step: number;
  readonly lead: number;
  readonly biasStep: number;
  readonly ownLower: number;
  readonly ownUpper: number;
  readonly otherLower: number;
  readonly otherUpper: number;
}

const struct = fieldWriter(
  [
    'start',
    'ends',
    'ownRates',
    'outRates',
    'otherRates',
    'otherFrom',
    'otherRatesFrom',
    'otherFirst',
    'otherLast',
    'isFirst',
    'isLast',
    'otherBiasFree',
    'isBounded',
  ],
  ['scale', 'step', 'lead', 'biasStep', 'ownLower', 'ownUpper', 'otherLower', 'otherUpper'],
);
export const descentBytes: number = struct.bytes;
export const writeDescent: FieldWriter<keyof DescentFields>['write'] = struct.write;

/** What makes the grid is told beside a row job: see assembly/sgdGrid.ts, whose fields these are. */
export interface GridFields {
  readonly table: number;
  readonly ends: number;
  readonly edges: number;
  readonly bands: number;
  readonly rows: number;
  readonly start: number;
  readonly indices: number;
  readonly values: number;
  readonly weights: number;
  readonly average: number;
}

const gridStruct = fieldWriter(
  ['table', 'ends', 'edges', 'bands', 'rows', 'start', 'indices', 'values', 'weights'],
  ['average'],
);
export const gridBytes: number = gridStruct.bytes;
export const writeGrid: FieldWriter<keyof GridFields>['write'] = gridStruct.write;
