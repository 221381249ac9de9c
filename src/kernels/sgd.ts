/** What the kernel of stochastic gradient steps is told beside a row job: see assembly/sgdRows.ts, whose fields these are. */

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

const words = [
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
] as const satisfies readonly (keyof DescentFields)[];
const doubles = [
  'scale',
  'step',
  'biasStep',
  'ownLower',
  'ownUpper',
  'otherLower',
  'otherUpper',
] as const satisfies readonly (keyof DescentFields)[];

/** The doubles follow the 32-bit words at the next multiple of 8. */
const doublesOffset = Math.ceil(words.length / 2) * 8;
export const descentBytes: number = doublesOffset + 8 * doubles.length;

export function writeDescent(view: DataView, address: number, fields: DescentFields): void {
  words.forEach((name, i) => {
    view.setUint32(address + 4 * i, fields[name], true);
  });
  doubles.forEach((name, i) => {
    view.setFloat64(address + doublesOffset + 8 * i, fields[name], true);
  });
}
