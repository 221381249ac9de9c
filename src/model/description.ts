/** What a model.json says of the model beside it. */
import { HadamardError } from '../errors.js';
import { isAllowed, optionTable, type ResolvedOptions } from '../options.js';
import type { FitReport } from './fitReport.js';
import { modelFormat, modelVersion } from './folder.js';
import { isSealed } from './integrity.js';
import type { Biases, RunRecord } from './parts.js';

export interface Description {
  readonly format: string;
  readonly version: number;
  readonly shape: readonly [number, number];
  readonly rank: number;
  readonly dtype: 'f32' | 'f64';
  readonly biases: Pick<Biases, 'kind' | 'mean'>;
  readonly labels: { readonly rows: boolean; readonly columns: boolean };
  /** From version 2 on. */
  readonly files?: Readonly<Record<string, string>>;
  readonly fit: FitReport;
  readonly run?: RunRecord;
}

/** What the bytes of a model.json say. @throws HadamardError `malformed-model` */
export function parseDescription(bytes: Buffer, file: string): Description {
  let description: Partial<Description> | null;
  try {
    description = JSON.parse(bytes.toString('utf8')) as Partial<Description> | null;
  } catch (error) {
    throw malformed(file, (error as Error).message, error);
  }
  if (description?.format !== modelFormat) throw malformed(file, `It does not say "${modelFormat}".`);
  const { version } = description;
  if (!(Number.isInteger(version) && (version as number) >= 1 && (version as number) <= modelVersion))
    throw malformed(file, `It has version ${version}; this hadamard reads versions up to ${modelVersion}.`);
  if ((version as number) >= 2 && !isSealed(bytes))
    throw malformed(file, 'Its text is not what its checksum was made from.');
  if (!isComplete(description)) throw malformed(file, 'A field is missing or of the wrong kind.');
  return description;
}

function isComplete(description: Partial<Description>): description is Description {
  const { version, shape, rank, dtype, biases, labels, files, fit } = description;
  const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 1;
  return (
    Array.isArray(shape) &&
    shape.length === 2 &&
    shape.every(isCount) &&
    isCount(rank) &&
    (dtype === 'f32' || dtype === 'f64') &&
    ['none', 'rows', 'columns', 'both'].includes(String(biases?.kind)) &&
    Number.isFinite(biases?.mean) &&
    typeof labels?.rows === 'boolean' &&
    typeof labels.columns === 'boolean' &&
    (version === 1 || isHashes(files)) &&
    typeof fit?.digest === 'string' &&
    areOptions(fit.options) &&
    fit.options.rank === rank &&
    fit.options.biases === biases?.kind
  );
}

function isHashes(files: unknown): boolean {
  return (
    typeof files === 'object' &&
    files !== null &&
    Object.values(files).every((hash) => typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash))
  );
}

/** What of the options goes into computations with the model: each within its range, as it would be given. */
const computedWith = [
  'rank',
  'lambda',
  'lambdaRows',
  'lambdaColumns',
  'lambdaScale',
  'nu',
  'l1',
  'l1Rows',
  'l1Columns',
  'freeColumns',
  'nonnegative',
  'loss',
  'biases',
  'biasLambda',
  'duplicates',
] as const;

function areOptions(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  const { background, bounds, alpha } = options as Partial<ResolvedOptions>;
  const isBound = (bound: unknown) => bound === null || Number.isFinite(bound);
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isBound);
  const isWeight = (weight: unknown) => weight === 'separable' || (Number.isFinite(weight) && (weight as number) >= 0);
  return (
    computedWith.every((name) => isAllowed(optionTable[name], (options as Record<string, unknown>)[name])) &&
    (alpha === undefined || isAllowed(optionTable.alpha, alpha)) &&
    (bounds === undefined || (isPair(bounds?.rows) && isPair(bounds?.columns))) &&
    (background === undefined || (isWeight(background?.weight) && Number.isFinite(background?.value)))
  );
}

export function malformed(file: string, what: string, cause?: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'malformed-model',
      what: `${file} cannot be used. ${what}`,
      position: { file },
      rule: 'The files of a model folder belong together and are not edited.',
      remedy: 'Fit again, restore the folder from a copy, or use the hadamard that wrote it.',
    },
    { cause },
  );
}
