/** What is said of a field that should be a finite number. */
import { HadamardError } from '../errors.js';
import { excerpt } from './excerpt.js';

/** A field (counted from 0) that should be a finite number: what a number cannot be, or what only looks like one. */
export function badNumber(path: string, text: string, line: number, field: number, isWeight = false): HadamardError {
  const position = { file: path, line, field: field + 1 };
  if (/^[+-]?(nan|inf|infinity|(\d+(\.\d*)?|\.\d+)(e\+?\d+)?)$/i.test(text))
    return new HadamardError({
      code: isWeight ? 'invalid-weight' : 'invalid-value',
      what: `Line ${line} has the ${isWeight ? 'weight' : 'value'} "${excerpt(text)}".`,
      position,
      rule: 'Values in text files are finite numbers.',
      remedy: 'Leave unknown entries out (in a table: leave the cell empty).',
    });
  return new HadamardError({
    code: 'malformed-file',
    what: text === '' ? `Line ${line} has no value.` : `Line ${line} has "${excerpt(text)}" where a number should be.`,
    position,
    rule: 'A value is a decimal number with a point.',
    remedy: `Correct it, or leave the entry out (in a table: leave the cell empty).${line === 1 ? ' If the line is a header, name its columns with --columns.' : ''}`,
  });
}
