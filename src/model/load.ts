/** Reads a model back from a folder. No worker is started. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealArray } from '../data/input.js';
import { HadamardError, isHadamardError } from '../errors.js';
import { readJsonLines } from '../formats/jsonLines.js';
import { readNpy } from '../formats/npy.js';
import { checkDirectory } from './checkDirectory.js';
import { digestOf } from './digest.js';
import type { FitReport } from './fitReport.js';
import { findModel, modelFormat, modelVersion } from './folder.js';
import { Model, matrix } from './model.js';
import type { Biases, RunRecord } from './parts.js';

interface Description {
  readonly format: string;
  readonly version: number;
  readonly shape: readonly [number, number];
  readonly rank: number;
  readonly dtype: 'f32' | 'f64';
  readonly biases: Pick<Biases, 'kind' | 'mean'>;
  readonly labels: { readonly rows: boolean; readonly columns: boolean };
  readonly fit: FitReport;
  readonly run?: RunRecord;
}

/**
 * The model that `Model.save` wrote to `directory`, bit for bit: sizes, dtype and the SHA-256 digest are checked.
 *
 * @throws HadamardError `invalid-option` when `directory` is no path; `not-found` when there is no such folder; `malformed-model` when a file is missing, broken or
 *   changed, or the folder is from a newer version.
 */
export async function loadModel(directory: string): Promise<Model> {
  checkDirectory(directory);
  const folder = findModel(directory);
  const description = await readDescription(folder, directory);
  const { shape, rank, dtype, biases, labels, fit, run } = description;
  const [m, n] = shape;
  const array = (name: string, expected: readonly number[]) => readArray(folder, name, expected, dtype);
  const strings = (name: string, expected: number) => readLabels(folder, name, expected);

  const hasRowBias = biases.kind === 'rows' || biases.kind === 'both';
  const hasColumnBias = biases.kind === 'columns' || biases.kind === 'both';
  const U = await array('U.npy', [m, rank]);
  const V = await array('V.npy', [n, rank]);
  const rowBias = hasRowBias ? await array('row_bias.npy', [m]) : undefined;
  const columnBias = hasColumnBias ? await array('column_bias.npy', [n]) : undefined;
  const digest = digestOf([U, V, rowBias, columnBias]);
  if (digest !== fit.digest)
    throw malformed(folder, 'model.json', `Its digest is ${fit.digest}; the arrays have ${digest}.`);
  return new Model({
    U: matrix(U, m, rank),
    V: matrix(V, n, rank),
    biases: { ...biases, ...(rowBias && { rows: rowBias }), ...(columnBias && { columns: columnBias }) },
    labels: {
      ...(labels.rows && { rows: await strings('rows.jsonl', m) }),
      ...(labels.columns && { columns: await strings('columns.jsonl', n) }),
    },
    fit,
    ...(run && { run }),
  });
}

async function readDescription(folder: string, directory: string): Promise<Description> {
  let text: string;
  try {
    text = await readFile(join(folder, 'model.json'), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new HadamardError(
      {
        code: isMissing ? 'not-found' : 'unreadable-file',
        what: isMissing
          ? `There is no model in ${directory}.`
          : `The model in ${directory} cannot be read: ${message}.`,
        position: { file: join(directory, 'model.json') },
        rule: 'A model is a folder with a model.json, as `hadamard fit --out` and `model.save` write it.',
        remedy: 'Check the path.',
      },
      { cause: error },
    );
  }
  const description = await orMalformed(folder, 'model.json', () => JSON.parse(text) as Partial<Description> | null);
  if (description?.format !== modelFormat) throw malformed(folder, 'model.json', `It does not say "${modelFormat}".`);
  if (description.version !== modelVersion)
    throw malformed(
      folder,
      'model.json',
      `It has version ${description.version}; this hadamard reads version ${modelVersion}.`,
    );
  if (!isComplete(description)) throw malformed(folder, 'model.json', 'A field is missing or of the wrong kind.');
  return description;
}

function isComplete(description: Partial<Description>): description is Description {
  const { shape, rank, dtype, biases, labels, fit } = description;
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
    typeof fit?.digest === 'string' &&
    typeof fit.options === 'object'
  );
}

async function readArray(
  folder: string,
  name: string,
  expected: readonly number[],
  dtype: 'f32' | 'f64',
): Promise<RealArray> {
  const { data, shape, isFortranOrder } = await orMalformed(folder, name, () => readNpy(join(folder, name)));
  const Real = dtype === 'f32' ? Float32Array : Float64Array;
  if (String(shape) !== String(expected) || !(data instanceof Real) || isFortranOrder)
    throw malformed(
      folder,
      name,
      `It is ${data.constructor.name} [${shape}]${isFortranOrder ? ' in Fortran order' : ''}; model.json says ${dtype} [${expected}].`,
    );
  return data;
}

async function readLabels(folder: string, name: string, expected: number): Promise<string[]> {
  const labels = await orMalformed(folder, name, () => readJsonLines(join(folder, name)));
  if (labels.length !== expected)
    throw malformed(folder, name, `It holds ${labels.length} labels; model.json says ${expected}.`);
  return labels;
}

async function orMalformed<T>(folder: string, name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw malformed(folder, name, isHadamardError(error) ? error.what : String((error as Error).message), error);
  }
}

function malformed(folder: string, name: string, what: string, cause?: unknown): HadamardError {
  const file = join(folder, name);
  return new HadamardError(
    {
      code: 'malformed-model',
      what: `${file} cannot be used. ${what}`,
      position: { file },
      rule: 'The files of a model folder belong together and are not edited.',
      remedy: 'Fit again, or restore the folder from a copy.',
    },
    { cause },
  );
}
