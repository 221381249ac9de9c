/** Reads a model back from a folder. No worker is started. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealArray } from '../data/input.js';
import { oddLabel } from '../data/labels.js';
import { HadamardError, isHadamardError } from '../errors.js';
import { readJsonLines } from '../formats/jsonLines.js';
import { readNpy } from '../formats/npy.js';
import { checkDirectory } from './checkDirectory.js';
import { type Description, malformed, parseDescription } from './description.js';
import { digestOf } from './digest.js';
import type { FactorUncertainty } from './factorUncertainty.js';
import { findModel, modelFiles } from './folder.js';
import { checkInside, hashOf } from './integrity.js';
import { Model, matrix } from './model.js';

/**
 * The model that `Model.save` wrote to `directory`, bit for bit: sizes, dtype and the SHA-256 of every file are checked. Numbers
 * and strings are read and nothing is executed, and no file outside of the folder is opened.
 *
 * @throws HadamardError `invalid-option` when `directory` is no path; `not-found` when there is no such folder;
 *   `malformed-model` with the file that is missing, broken, changed or a link out of the folder, or when the folder is from a
 *   newer version.
 */
export async function loadModel(directory: string): Promise<Model> {
  checkDirectory(directory);
  const folder = findModel(directory);
  const description = await readDescription(folder, directory);
  const { shape, rank, dtype, biases, labels, files, fit, run } = description;
  const [m, n] = shape;
  await checkFiles(folder, files, namesOf(description));
  const array = (name: string, expected: readonly number[]) => readArray(folder, name, expected, dtype);
  const list = async (name: string, expected: number) =>
    (await readArray(folder, name, [expected], 'f64')) as Float64Array;
  const packed = async (name: string, expected: number, hasBias: boolean) => {
    const width = rank + (hasBias ? 1 : 0);
    return (await readArray(folder, name, [expected, (width * (width + 1)) / 2], 'f64')) as Float64Array;
  };
  const strings = (name: string, expected: number) => readLabels(folder, name, expected);

  const hasRowBias = biases.kind === 'rows' || biases.kind === 'both';
  const hasColumnBias = biases.kind === 'columns' || biases.kind === 'both';
  const U = await array('U.npy', [m, rank]);
  const V = await array('V.npy', [n, rank]);
  const rowBias = hasRowBias ? await array('row_bias.npy', [m]) : undefined;
  const columnBias = hasColumnBias ? await array('column_bias.npy', [n]) : undefined;
  const digest = digestOf([U, V, rowBias, columnBias]);
  if (digest !== fit.digest)
    throw malformed(join(folder, 'model.json'), `Its digest is ${fit.digest}; the arrays have ${digest}.`);
  return new Model({
    U: matrix(U, m, rank),
    V: matrix(V, n, rank),
    biases: { ...biases, ...(rowBias && { rows: rowBias }), ...(columnBias && { columns: columnBias }) },
    labels: {
      ...(labels.rows && { rows: await strings('rows.jsonl', m) }),
      ...(labels.columns && { columns: await strings('columns.jsonl', n) }),
    },
    fit,
    ...(hasLists(description) && {
      background: {
        rows: await list('background_rows.npy', m),
        columns: await list('background_columns.npy', n),
      },
    }),
    ...(hasCovariances(description) && {
      covariances: {
        rows: await packed('row_covariance.npy', m, hasRowBias),
        columns: await packed('column_covariance.npy', n, hasColumnBias),
        columnWeights: await list('column_weights.npy', n),
      },
    }),
    ...(files?.['uncertainty.json'] !== undefined && {
      factorUncertainty: await orMalformed(
        folder,
        'uncertainty.json',
        async () => JSON.parse(await readFile(join(folder, 'uncertainty.json'), 'utf8')) as FactorUncertainty,
      ),
    }),
    ...(run && { run }),
  });
}

/** The lists of a separable background came with version 2. */
function hasLists({ version, fit }: Description): boolean {
  return version >= 2 && fit.options.background?.weight === 'separable';
}

/** Where the fit was asked for them; an update takes them, and what the report says of them, away. */
function hasCovariances({ fit }: Description): boolean {
  return fit.uncertainty !== undefined;
}

/** The files that this model is read from. */
function namesOf(description: Description): string[] {
  const { biases, labels } = description;
  const has = (kind: 'rows' | 'columns') => biases.kind === kind || biases.kind === 'both';
  return [
    'U.npy',
    'V.npy',
    ...(has('rows') ? ['row_bias.npy'] : []),
    ...(has('columns') ? ['column_bias.npy'] : []),
    ...(hasLists(description) ? ['background_rows.npy', 'background_columns.npy'] : []),
    ...(hasCovariances(description) ? ['row_covariance.npy', 'column_covariance.npy', 'column_weights.npy'] : []),
    ...(labels.rows ? ['rows.jsonl'] : []),
    ...(labels.columns ? ['columns.jsonl'] : []),
  ];
}

/** Each is a file in the folder, and what it was when it was saved; so is what the folder holds beside, such as canonical/. */
async function checkFiles(
  folder: string,
  files: Readonly<Record<string, string>> | undefined,
  needed: readonly string[],
): Promise<void> {
  for (const name of new Set([...needed, ...Object.keys(files ?? {})])) {
    const expected = files?.[name];
    if (!modelFiles.includes(name))
      throw malformed(join(folder, 'model.json'), `It names a file "${name}", which no model has.`);
    if (files && expected === undefined) throw malformed(join(folder, 'model.json'), `It has no checksum of ${name}.`);
    await orMalformed(folder, name, () => checkInside(folder, name));
    if (expected === undefined) continue;
    const found = await orMalformed(folder, name, () => hashOf(join(folder, name)));
    if (found !== expected)
      throw malformed(join(folder, name), `Its SHA-256 is ${found}; model.json says ${expected}.`);
  }
}

async function readDescription(folder: string, directory: string): Promise<Description> {
  let bytes: Buffer;
  try {
    await checkInside(folder, 'model.json');
    bytes = await readFile(join(folder, 'model.json'));
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
  return parseDescription(bytes, join(folder, 'model.json'));
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
      join(folder, name),
      `It is ${data.constructor.name} [${shape}]${isFortranOrder ? ' in Fortran order' : ''}; model.json says ${dtype} [${expected}].`,
    );
  return data;
}

async function readLabels(folder: string, name: string, expected: number): Promise<string[]> {
  const labels = await orMalformed(folder, name, () => readJsonLines(join(folder, name)));
  if (labels.length !== expected)
    throw malformed(join(folder, name), `It holds ${labels.length} labels; model.json says ${expected}.`);
  const odd = oddLabel(labels);
  if (odd) throw malformed(join(folder, name), `Label ${odd.index} ${odd.why}.`);
  return labels;
}

async function orMalformed<T>(folder: string, name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = isHadamardError(error) ? error.what : code === 'ENOENT' ? 'It is missing.' : message;
    throw malformed(join(folder, name), what, error);
  }
}
