/** What the kernels of variable projection are told beside a row job: see assembly/reduced.ts, whose fields these are. */

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

const words = [
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
] as const satisfies readonly (keyof ReducedFields)[];
export const reducedBytes = 4 * words.length;

export function writeReduced(view: DataView, address: number, fields: ReducedFields): void {
  words.forEach((name, i) => {
    view.setUint32(address + 4 * i, fields[name], true);
  });
}

/** Vectors hold two doubles. */
export const even = (n: number): number => n + (n % 2);

/** Scratch of one task: a block row of the reduced Hessian, and the factor of an eliminated row. */
export function reducedScratchBytes(stride: number, staying: number, rows: number): number {
  const width = stride;
  const project = stride + even(width) + 2 * width * width;
  const strip = even(staying) + even(rows) + (rows + 1) * staying * even(staying);
  return 8 * Math.max(project, strip);
}
