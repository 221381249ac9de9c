/** Parts of an objective that come as files: lists of background weights, and known columns of a factor. */
import ndarray, { type NdArray } from 'ndarray';
import { shapeOf } from '../data/entries.js';
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { readTable } from '../formats/readTable.js';
import { matchLabels, type Problem } from './problem.js';

export interface ObjectiveRequest {
  readonly backgroundWeight: number | undefined;
  readonly backgroundValue: number | undefined;
  readonly backgroundRows: string | undefined;
  readonly backgroundColumns: string | undefined;
  readonly holdColumns: string | undefined;
}

/** @throws HadamardError `invalid-option`, `shape-mismatch`, `not-found`, and as the readers. */
export async function readObjective(
  request: ObjectiveRequest,
  { A, labels }: Pick<Problem, 'A' | 'labels'>,
  rank: number,
): Promise<Pick<FactorizeOptions, 'background' | 'hold'>> {
  const { backgroundWeight: weight, backgroundValue, backgroundRows, backgroundColumns, holdColumns } = request;
  const [m, n] = shapeOf(A);
  const value = backgroundValue ?? 0;
  const list = async (path: string, side: 'rows' | 'columns') =>
    (await numbersOf(path, side === 'rows' ? m : n, labels?.[side], `the ${side} of A`)).data;
  const isSeparable = backgroundRows !== undefined || backgroundColumns !== undefined;
  if (backgroundValue !== undefined && weight === undefined && !isSeparable)
    throw new HadamardError({
      code: 'invalid-option',
      what: 'backgroundValue is given without a weight.',
      position: { option: 'backgroundValue' },
      rule: 'A background is a weight, and a value that is 0 unless it is given.',
      remedy: 'Add --background-weight, or --background-rows and --background-columns.',
    });
  const scale = weight ?? 1;
  const background = isSeparable
    ? {
        weight: {
          rows: Float64Array.from(
            backgroundRows === undefined ? new Float64Array(m).fill(1) : await list(backgroundRows, 'rows'),
            (r) => r * scale,
          ),
          columns:
            backgroundColumns === undefined ? new Float64Array(n).fill(1) : await list(backgroundColumns, 'columns'),
        },
        value,
      }
    : weight === undefined
      ? undefined
      : { weight, value };
  const hold = holdColumns === undefined ? undefined : { V: await heldColumns(holdColumns, n, rank, labels?.columns) };
  return { ...(background && { background }), ...(hold && { hold }) };
}

/** The first columns of V as the file lists them; the others, and what is empty, are free. */
async function heldColumns(
  path: string,
  n: number,
  rank: number,
  labels: readonly string[] | undefined,
): Promise<NdArray<RealArray>> {
  const { data, width } = await numbersOf(path, n, labels, 'the columns of A');
  if (width > rank)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `${path} has ${width} columns and the rank is ${rank}.`,
      position: { option: 'holdColumns', file: path },
      rule: 'Held columns are the first of the k latent columns.',
      remedy: 'Raise the rank, or leave columns out of the file.',
    });
  const held = new Float64Array(n * rank).fill(Number.NaN);
  for (let row = 0; row < n; row++)
    for (let c = 0; c < width; c++) held[row * rank + c] = data[row * width + c] as number;
  return ndarray(held, [n, rank]);
}

/** A dense file with a line for each of `count` names: matched by label where both have labels, else in order. */
async function numbersOf(
  path: string,
  count: number,
  labels: readonly string[] | undefined,
  what: string,
): Promise<{ data: Float64Array; width: number }> {
  const table = await readTable(path, { table: true });
  const matrix = table.matrix as NdArray<RealArray>;
  const [lines = 0, width = 0] = shapeOf(table.matrix);
  const isLabelled = labels !== undefined && table.labels !== undefined;
  const places = isLabelled ? matchLabels(labels, table.labels?.rows as readonly string[]) : undefined;
  const missing = places?.indexOf(-1) ?? -1;
  if (!('data' in matrix) || (!places && lines !== count) || missing >= 0)
    throw new HadamardError({
      code: missing >= 0 ? 'not-found' : 'shape-mismatch',
      what:
        missing >= 0
          ? `${path} has no line for "${labels?.[missing]}".`
          : `${path} is ${lines}×${width}, and ${what} are ${count}.`,
      position: { file: path },
      rule: `The file is a table with a header, labels at the left and a line for each of ${what}, or a .npy array.`,
      remedy: 'Add what is missing.',
    });
  const data = new Float64Array(count * width);
  for (let row = 0; row < count; row++)
    for (let c = 0; c < width; c++) data[row * width + c] = matrix.get(places ? (places[row] as number) : row, c);
  return { data, width };
}
