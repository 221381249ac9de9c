/** Whether there is a place for a result. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unwritable } from '../formats/replaceFile.js';
import { HadamardError } from '../index.js';

/**
 * Checks, before anything is computed, that a file can be written; `-` is stdout.
 *
 * @param option the flag that named it.
 * @throws HadamardError `invalid-option` for an empty path, `output-failed`.
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
  try {
    const status = await stat(path).catch(() => undefined);
    if (status?.isDirectory()) throw new Error('it is a folder');
    await access(status ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw unwritable(path, option, error);
  }
}
