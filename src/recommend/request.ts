/** What is asked for, checked. */
import { availableParallelism } from 'node:os';
import type { MatrixInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { allowedColumns, type ColumnFilter } from '../model/allowedColumns.js';
import { checkTop } from '../model/best.js';
import { checkModel } from '../model/checkModel.js';
import type { Model } from '../model/model.js';
import { checkHandlers, checkNames, checkOption } from '../options.js';
import type { Seen } from './scoreContext.js';
import { countSeen, listSeen } from './seen.js';

export interface RecommendAllOptions extends ColumnFilter {
  /** Rows by index, in the order of the answers; default all. */
  readonly rows?: ArrayLike<number> | undefined;
  /** How many columns a row; default 10. */
  readonly top?: number | undefined;
  /** What each row has already, such as the data of the fit: listed entries, whatever their values, are not recommended. */
  readonly exclude?: MatrixInput | undefined;
  /** Number of worker threads; default all cores. The answers have the same bits for every number. */
  readonly threads?: number | undefined;
  /** auto: small requests run in the calling thread. never: always in worker threads. Default auto. */
  readonly inline?: 'auto' | 'never' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch of rows. */
  readonly onProgress?: ((progress: RecommendProgress) => void) | undefined;
  /** For those who bundle, as of `factorize`: workers/scores.cjs and the folder of the kernels. */
  readonly workerUrl?: string | undefined;
  readonly wasmUrl?: string | undefined;
}

export interface RecommendProgress {
  /** Rows answered so far, and in all. */
  readonly rows: number;
  readonly of: number;
  readonly seconds: number;
}

export interface ScoreRequest {
  readonly rows: Uint32Array;
  readonly top: number;
  /** The columns that may be recommended, rising. */
  readonly columns: Uint32Array;
  readonly seen: Seen | undefined;
  readonly threads: number;
}

const names = [
  'rows',
  'top',
  'exclude',
  'only',
  'without',
  'threads',
  'inline',
  'signal',
  'onProgress',
  'workerUrl',
  'wasmUrl',
];

/** @throws HadamardError as `recommendEach`. */
export function checkRequest(model: Model, options: RecommendAllOptions): ScoreRequest {
  checkModel(model);
  const { top = 10, threads = availableParallelism(), inline = 'auto', exclude } = options;
  checkNames(options, names);
  checkHandlers(options);
  checkTop(top);
  checkOption('threads', threads);
  checkOption('inline', inline);
  const [m, n] = model.shape;
  const columns = allowedColumns(options, n);
  const positionOf = new Int32Array(n).fill(-1);
  columns.forEach((column, position) => {
    positionOf[column] = position;
  });
  return {
    rows: options.rows === undefined ? Uint32Array.from({ length: m }, (_, row) => row) : checkRows(options.rows, m),
    top,
    columns,
    seen: exclude && listSeen(exclude, model.shape, positionOf),
    threads,
  };
}

function checkRows(rows: ArrayLike<number>, m: number): Uint32Array {
  if (!(Array.isArray(rows) || (ArrayBuffer.isView(rows) && !(rows instanceof DataView))))
    throw new HadamardError({
      code: 'invalid-option',
      what: `rows is ${String(rows)}.`,
      position: { option: 'rows' },
      rule: 'rows is an array of row indices.',
      remedy: 'Give such an array, or leave rows out for all.',
    });
  return Uint32Array.from(rows as ArrayLike<number>, (row, index) => {
    if (Number.isInteger(row) && row >= 0 && row < m) return row;
    throw new HadamardError({
      code: typeof row === 'number' ? 'index-out-of-range' : 'invalid-input',
      what: `rows[${index}] is ${typeof row === 'string' ? `"${row}"` : String(row)}.`,
      position: { option: 'rows', index },
      rule: `Rows are the integers 0…${m - 1}, counted from 0.`,
      remedy: 'Correct the index; model.rowIndex(label) gives that of a label.',
    });
  });
}

/** Why a row has `count` answers and not `top`, in words. */
export function whyMissing({ columns, seen, top }: ScoreRequest, n: number, row: number, count: number): string {
  const are = (number: number) => `${number} ${number === 1 ? 'is' : 'are'}`;
  const has = count === 0 ? 'No column is left' : `Only ${are(count)} left of the ${top} asked for`;
  const listed = seen ? countSeen(seen, row) : 0;
  const odd = columns.length - listed - count;
  const reasons = [
    columns.length < n && `${are(n - columns.length)} left out by the filters`,
    listed > 0 && `${are(listed)} excluded for this row`,
    odd > 0 && `${are(odd)} predicted as no number`,
  ].filter(Boolean);
  return `${has}: the model has ${n} ${n === 1 ? 'column' : 'columns'}${reasons.map((reason) => `, ${reason}`).join('')}.`;
}
