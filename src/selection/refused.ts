/** The refusal of an option that is out of range and in no table. */
import { HadamardError } from '../errors.js';
import { didYouMean } from '../suggest.js';

/** @param choices names that the value may have been meant to be. */
export function refused(option: string, value: unknown, rule: string, choices: readonly string[] = []): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what: `${option} is ${typeof value === 'string' ? `"${value}"` : String(value)}.`,
    position: { option },
    rule: `${option} is ${rule}.`,
    remedy: `${didYouMean(value, choices)}Give such a value, or leave it out.`,
  });
}
