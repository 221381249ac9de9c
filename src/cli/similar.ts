/** `hadamard similar` */
import { HadamardError } from '../errors.js';
import { loadModel } from '../model/load.js';
import { type SimilarOptions, similar } from '../recommend/similar.js';
import type { ExitCode } from './exitCodes.js';
import { columnOf, rowOf } from './names.js';
import { grid, printable, real } from './render.js';

export interface SimilarFlags {
  readonly row?: string;
  readonly column?: string;
  readonly top?: string;
  readonly measure?: string;
  readonly by?: string;
  readonly json?: true;
}

export async function findSimilar(directory: string, flags: SimilarFlags): Promise<ExitCode> {
  const { row, column, json } = flags;
  if ((row === undefined) === (column === undefined))
    throw new HadamardError({
      code: 'invalid-option',
      what: row === undefined ? 'Neither --row nor --column is given.' : 'Both --row and --column are given.',
      position: { option: 'row' },
      rule: 'similar takes one row or one column.',
      remedy: 'Give one of the two.',
    });
  const model = await loadModel(directory);
  const options: SimilarOptions = {
    ...(row !== undefined ? { row: rowOf(model, row) } : { column: columnOf(model, column as string) }),
    top: Number(flags.top ?? 10),
    measure: flags.measure as SimilarOptions['measure'],
    by: flags.by as SimilarOptions['by'],
  };
  const result = similar(model, options);
  const { measure = 'cosine', by = 'profile' } = flags;
  if (json) {
    const asked = row === undefined ? { column } : { row };
    process.stdout.write(`${JSON.stringify({ schema: 1, ...asked, measure, by, ...result })}\n`);
    return 0;
  }
  if (result.missing) process.stderr.write(`${result.missing}\n`);
  const side = row === undefined ? 'column' : 'row';
  const rows = result.similar.map(({ index, label, value }, rank) => [
    String(rank + 1),
    printable(label ?? String(index)),
    real(value),
  ]);
  const isLabelled = model.labels[row === undefined ? 'columns' : 'rows'] !== undefined;
  const heading = isLabelled ? side : `${side} (from 0)`;
  process.stdout.write(
    `${grid(['', heading, measure === 'euclidean' ? 'distance' : measure], rows, process.stdout)}\n`,
  );
  return 0;
}
