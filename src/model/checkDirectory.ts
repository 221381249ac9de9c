import { HadamardError } from '../errors.js';

/** @throws HadamardError `invalid-option` for anything but the path of a folder. */
export function checkDirectory(directory: unknown): asserts directory is string {
  // An empty path would be the working directory, which nobody means.
  if (typeof directory === 'string' && directory !== '') return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `directory is ${directory === '' ? 'empty' : String(directory)}.`,
    position: { option: 'directory' },
    rule: 'directory is the path of a model folder, a string.',
    remedy: "Give a path, for example './model'.",
  });
}
