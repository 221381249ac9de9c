/** Whether there is a place for a result. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HadamardError } from '../errors.js';
import { type Format, formatOf } from '../formats/formatOf.js';
import { packer } from '../formats/packing.js';
import { unwritable } from '../formats/replaceFile.js';
import { holdsLabels, outputFormat } from '../formats/writeTable.js';
import type { ProgressLine } from './progress.js';

/**
 * Checks, before anything is computed, that a file can be written, packed where its name says so; `-` is stdout.
 *
 * @param option the flag that named it.
 * @throws HadamardError `invalid-option` for an empty path, `unsupported-format` for .zst without zstd, `output-failed`.
 */
export async function checkOutputFile(path: string, option = 'out'): Promise<void> {
  if (path === '-') return;
  if (path === '')
    throw new HadamardError({
      code: 'invalid-option',
      what: `${option} is empty.`,
      position: { option },
      rule: 'The result is written to a file that has a name, or to stdout.',
      remedy: `Give a file, or leave --${option} out.`,
    });
  packer(path);
  try {
    const status = await stat(path).catch(() => undefined);
    if (status?.isDirectory()) throw new Error('it is a folder');
    await access(status ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw unwritable(path, option, error);
  }
}

/** Says that a file is there; of what went to stdout nothing. */
export function sayWritten(out: string, what: string, { note }: ProgressLine): void {
  if (out !== '-') note(`${out}: ${what} written.`);
}

/**
 * The format of records by the ending of their file; a name that says nothing is of a CSV. Text is JSON lines with --json.
 *
 * @param refusal what is said of an ending that holds no records.
 * @param also a format that is taken all the same.
 * @throws HadamardError `unsupported-format`
 */
export async function recordFormat(
  out: string,
  isJson: boolean,
  refusal: { readonly what: string; readonly rule: string },
  also?: Format,
): Promise<Format> {
  const named = formatOf(out);
  if (named === undefined || named === 'csv' || named === 'tsv') return isJson ? 'jsonl' : (named ?? 'csv');
  const format = await outputFormat(out);
  if (holdsLabels(format) || format === also) return format;
  throw new HadamardError({
    code: 'unsupported-format',
    ...refusal,
    position: { option: 'out', file: out },
    remedy: 'Give --out one of these endings.',
  });
}
