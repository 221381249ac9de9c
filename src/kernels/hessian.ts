/** What the Hessian's kernels are told beside a row job: see assembly/hessianRows.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

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

const struct = fieldWriter(['own', 'other', 'factors', 'width', 'otherFactors', 'otherWidth', 'isExact', 'isSolved']);
export const tangentBytes: number = struct.bytes;
export const writeTangent: FieldWriter<keyof TangentFields>['write'] = struct.write;

/** Scratch of one task: a row's normal equations twice, and vectors. */
export function tangentScratchBytes(stride: number): number {
  return 8 * (2 * stride * (stride + 1) + 4 * (stride + 2));
}
