/** The refusal of an option that is out of range and in no table. */
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
