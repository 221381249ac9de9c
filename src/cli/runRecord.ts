/** What is written down about the command that makes a model, so that `--config <model>` can run it again. */
import { relative, resolve } from 'node:path';
import type { RunRecord } from '../model/model.js';

/** Flags that say where and how results are shown: they change no bit of the model. */
const ofOneRunAlone: ReadonlySet<string> = new Set([
  'out',
  'json',
  'quiet',
  'verbose',
  'config',
  'report',
  'watch',
  'onDisk',
]);

/** Whether a record never holds this flag. */
export function isOfOneRunAlone(flag: string): boolean {
  return ofOneRunAlone.has(flag);
}

/**
 * The record of a run. Paths stay as they were given, and `directory` leads from the model's folder to the working
 * directory: so the folder of a project can be moved as a whole, and a model that is handed on names no home folder.
 */
export function runRecord(
  command: string,
  inputs: readonly string[],
  flags: object,
  out: string | undefined,
): RunRecord {
  const options = Object.entries(flags).filter(([name]) => !isOfOneRunAlone(name));
  return {
    command,
    inputs: inputs.map(withoutPasswords),
    options: Object.fromEntries(
      options.map(([name, value]) => [name, typeof value === 'string' ? withoutPasswords(value) : value]),
    ),
    ...(out !== undefined && { directory: relative(resolve(out), process.cwd()) }),
  };
}

/** Addresses and queries of data bases may carry a password, which a model is no place for. */
function withoutPasswords(text: string): string {
  return text
    .replace(/(:\/\/[^\s:/@]+):[^\s/@]+@/g, '$1:***@')
    .replace(/\b(password|passwd|pwd|secret)(\s*=\s*|\s+)('[^']*'|"[^"]*")/gi, "$1$2'***'")
    .replace(/\b(password|passwd|pwd|secret)(\s*=\s*)[^\s;,'")]+/gi, '$1$2***');
}
