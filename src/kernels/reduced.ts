/** What the kernels of variable projection are told beside a row job: see assembly/reduced.ts, whose fields these are. */
import { type FieldWriter, fieldWriter } from './fields.js';

/** Addresses, sizes, and whether the matrix is the exact one or Gauss–Newton's. */
export interface ReducedFields {
  readonly z: number;
  readonly y: number;
  readonly c: number;
  readonly inverses: number;
  readonly hessian: number;
  readonly order: number;
  readonly count: number;
  readonly eliminated: number;
  readonly staying: number;
  readonly pointers: number;
  readonly indices: number;
  readonly isExact: number;
}

const struct = fieldWriter([
  'z',
  'y',
  'c',
  'inverses',
  'hessian',
  'order',
  'count',
  'eliminated',
  'staying',
  'pointers',
  'indices',
  'isExact',
]);
export const reducedBytes: number = struct.bytes;
export const writeReduced: FieldWriter<keyof ReducedFields>['write'] = struct.write;

/** Vectors hold two doubles. */
export const even = (n: number): number => n + (n % 2);

/** Scratch of one task: a block row of the reduced Hessian, and the factor of an eliminated row. */
export function reducedScratchBytes(stride: number, staying: number, rows: number): number {
  const width = stride;
  const project = stride + even(width) + 2 * width * width;
  const strip = even(staying) + even(rows) + (rows + 1) * staying * even(staying);
  return 8 * Math.max(project, strip);
}
