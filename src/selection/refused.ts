/** The refusal of an option of `evaluate`, `tune` or a split that is out of range. */
import { HadamardError } from '../errors.js';

export function refused(option: string, value: unknown, rule: string): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what: `${option} is ${typeof value === 'string' ? `"${value}"` : String(value)}.`,
    position: { option },
    rule: `${option} is ${rule}.`,
    remedy: 'Give such a value, or leave it out.',
  });
}
