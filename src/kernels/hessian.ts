/** What the Hessian's kernels are told beside a row job: see assembly/hessianRows.ts, whose fields these are. */

/** Addresses (0: absent), sizes and choices. */
export interface TangentFields {
  readonly own: number;
  readonly other: number;
  readonly factors: number;
  readonly width: number;
  readonly otherFactors: number;
  readonly otherWidth: number;
  readonly isExact: number;
  readonly isSolved: number;
}

const words = [
  'own',
  'other',
  'factors',
  'width',
  'otherFactors',
  'otherWidth',
  'isExact',
  'isSolved',
] as const satisfies readonly (keyof TangentFields)[];
export const tangentBytes = 4 * words.length;

export function writeTangent(view: DataView, address: number, fields: TangentFields): void {
  words.forEach((name, i) => {
    view.setUint32(address + 4 * i, fields[name], true);
  });
}

/** Scratch of one task: a row's normal equations twice, and vectors. */
export function tangentScratchBytes(stride: number): number {
  return 8 * (2 * stride * (stride + 1) + 4 * (stride + 2));
}
