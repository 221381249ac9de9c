/** Rows or columns of a model that a file names. */
import { readFile } from 'node:fs/promises';
import { records } from '../formats/csvRecords.js';
import { excerpt } from '../formats/excerpt.js';
import { readJsonLines } from '../formats/jsonLines.js';
import { asFileError } from '../formats/lines.js';
import { HadamardError, type Model } from '../index.js';
import { indexNamed } from './names.js';

export interface NamedIndices {
  readonly indices: Uint32Array;
  readonly notes: readonly string[];
}

/**
 * Reads names: a JSON string a line (.jsonl), the first field of each line (.csv, .tsv), or a name a line (any other, and `-`, which is stdin). A
 * first field that names nothing is taken as a header; other names that the model does not have are passed over and counted.
 *
 * @throws HadamardError as the readers; `not-found` where the model has none of them.
 */
export async function readNames(
  model: Model,
  side: 'rows' | 'columns',
  path: string,
  option: string,
): Promise<NamedIndices> {
  const count = model.shape[side === 'rows' ? 0 : 1];
  const find = (name: string) => {
    if (!model.labels[side]) return indexNamed(name, count);
    return side === 'rows' ? model.rowIndex(name) : model.columnIndex(name);
  };
  const isTable = /\.[ct]sv(\.gz)?$/i.test(path);
  const names = isTable ? await firstFields(path) : await lines(path);
  const isHeader = isTable && names.length > 1 && find(names[0] as string) === undefined;
  const listed = isHeader ? names.slice(1) : names;
  const known = listed.map(find).filter((index) => index !== undefined);
  if (known.length === 0)
    throw new HadamardError({
      code: 'not-found',
      what: `${path} names none of the model's ${side}${listed[0] === undefined ? '' : `: its first name is "${excerpt(listed[0])}"`}.`,
      position: { option, file: path },
      rule: `${side === 'rows' ? 'Rows' : 'Columns'} are named by label, or by index from 0 where the model has no labels; a name a line.`,
      remedy: 'Check that the file belongs to the model.',
    });
  const strangers = listed.length - known.length;
  return {
    indices: Uint32Array.from(known),
    notes:
      strangers === 0
        ? []
        : [`${path}: ${strangers} of ${listed.length} names are no ${side} of the model: passed over.`],
  };
}

async function firstFields(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { fields } of records(path, () => false)) names.push(fields[0] as string);
  return names;
}

async function lines(path: string): Promise<string[]> {
  if (/\.jsonl$/i.test(path)) return readJsonLines(path);
  const text = await readFile(path === '-' ? '/dev/stdin' : path, 'utf8').catch((error: unknown) => {
    throw asFileError(path, error);
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
