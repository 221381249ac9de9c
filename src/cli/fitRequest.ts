/** What a fit is asked for on the command line: the files, and the objective that comes beside the option table. */

import { HadamardError } from '../errors.js';
import { queryName } from '../formats/sql.js';
import { type DataFlags, dataRequestOf, numberFlag } from './dataFlags.js';
import { columnNames, type FitFlags } from './flags.js';
import type { FitInput } from './runFit.js';

export interface InputFlags extends FitFlags, DataFlags {
  readonly test?: string;
  readonly time?: string;
  readonly backgroundWeight?: number | string;
  readonly backgroundValue?: number | string;
  readonly backgroundRows?: string;
  readonly backgroundColumns?: string;
  readonly holdColumns?: string;
  readonly weak?: string;
  readonly bad?: string;
  readonly total?: string;
  readonly extraUncertainty?: number | string;
}

/** @throws HadamardError `invalid-option`, `ambiguous-weights` */
export function inputOf(path: string, flags: InputFlags): FitInput {
  return {
    data: {
      ...dataRequestOf(path, flags),
      test: flags.test,
      extra: flags.time,
      memoryLimit: numberFlag('memoryLimit', flags.memoryLimit),
      threads: numberFlag('threads', flags.threads),
    },
    objective: {
      backgroundWeight: numberFlag('backgroundWeight', flags.backgroundWeight, 0),
      backgroundValue: numberFlag('backgroundValue', flags.backgroundValue),
      backgroundRows: flags.backgroundRows,
      backgroundColumns: flags.backgroundColumns,
      holdColumns: flags.holdColumns,
    },
    receptor: {
      weak: columnNames(flags.weak) ?? [],
      bad: columnNames(flags.bad) ?? [],
      total: flags.total,
      extra: numberFlag('extraUncertainty', flags.extraUncertainty, 0),
    },
  };
}

/** The path of A, or what messages call the query. @throws HadamardError `invalid-option` where there is no A, or two. */
export function sourceOf(path: string | undefined, { sql }: InputFlags): string {
  if (path !== undefined && sql === undefined) return path;
  if (path === undefined && sql !== undefined) return queryName;
  throw new HadamardError({
    code: 'invalid-option',
    what: path === undefined ? "Missing required argument 'A'." : `A is ${path}, and --sql gives another.`,
    position: path === undefined ? {} : { option: 'sql' },
    rule: 'A is a file, or the result of the query of --sql.',
    remedy: 'Give one of the two: hadamard fit <A> --rank <k>.',
  });
}

export function weightedSource(path: string, { weights, weightsAre }: InputFlags): string {
  if (weightsAre === undefined) return path;
  return `${path}, weighted by ${weights ?? 'its fourth column'} (${weightsAre})`;
}
