/** Rows or columns of a model that a file names. */

import { HadamardError } from '../errors.js';
import { records } from '../formats/csvRecords.js';
import { excerpt } from '../formats/excerpt.js';
import { endingOf } from '../formats/formatOf.js';
import { readJsonLines } from '../formats/jsonLines.js';
import { eachLine } from '../formats/lines.js';
import type { Model } from '../model/model.js';
import { finderOf } from './names.js';

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
  const find = finderOf(model, side);
  const isTable = ['csv', 'tsv'].includes(endingOf(path) ?? '');
  const names = isTable ? await firstFields(path) : await linesOf(path);
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
  for await (const some of records(path, () => false)) for (const { fields } of some) names.push(fields[0] as string);
  return names;
}

/** The names of a file that has one a line: JSON strings (.jsonl), or text as it stands. */
export async function linesOf(path: string): Promise<string[]> {
  if (/\.jsonl$/i.test(path)) return readJsonLines(path);
  const names: string[] = [];
  await eachLine(path, (bytes, start, end) => names.push(bytes.toString('utf8', start, end).trim()));
  return names.filter(Boolean);
}
