/** Errors keep their code, position, rule and remedy on the way between threads and through JSON. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { errorCodes, fromErrorMessage, HadamardError, isHadamardError, toErrorMessage } from '../dist/src/errors.js';

const details = {
  code: 'invalid-value',
  what: 'The value at (3, 4) is Infinity.',
  position: { row: 3, column: 4, index: 17 },
  rule: 'Values are finite.',
  remedy: 'Leave the entry out.',
} as const;

test('the message is what, rule and remedy', () => {
  const error = new HadamardError(details);
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe('HadamardError');
  expect(error.message).toBe('The value at (3, 4) is Infinity. Values are finite. Leave the entry out.');
  expect(error.stack).toContain('errors.test');
  const { position: _position, ...nowhere } = details;
  expect(new HadamardError(nowhere).position).toEqual({});
});

test('every code has one sentence', () => {
  for (const [code, sentence] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
  }
});

test('the documentation lists every code', () => {
  const page = readFileSync(fileURLToPath(new URL('../docs/errors.md', import.meta.url)), 'utf8');
  for (const code of Object.keys(errorCodes)) expect(page).toContain(code);
});

describe('between threads', () => {
  const cross = (error: unknown) => fromErrorMessage(structuredClone(toErrorMessage(error)));

  test('a HadamardError arrives whole', () => {
    const arrived = cross(new HadamardError(details));
    expect(isHadamardError(arrived)).toBe(true);
    expect(arrived).toMatchObject({ name: 'HadamardError', ...details });
    expect(arrived.message).toBe(new HadamardError(details).message);
  });

  test('as JSON', () => {
    expect(JSON.parse(JSON.stringify(new HadamardError(details)))).toMatchObject({ name: 'HadamardError', ...details });
  });

  test('an AbortError stays one', () => {
    const arrived = cross(new DOMException('Enough.', 'AbortError'));
    expect(arrived).toBeInstanceOf(DOMException);
    expect(arrived).toMatchObject({ name: 'AbortError', message: 'Enough.' });
  });

  test('other errors keep name, message and stack; other values their text', () => {
    const error = new TypeError('no');
    expect(cross(error)).toMatchObject({ name: 'TypeError', message: 'no', stack: error.stack });
    expect(isHadamardError(cross(error))).toBe(false);
    expect(cross('text')).toMatchObject({ name: 'Error', message: 'text' });
    expect(cross(undefined)).toMatchObject({ message: 'undefined' });
  });
});

test('isHadamardError knows the errors of another copy of the package, and nothing else', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('hadamard.error')]: true, code: 'not-found' });
  expect(isHadamardError(foreign)).toBe(true);
  for (const value of [new Error('x'), { code: 'not-found' }, null, undefined, 'HadamardError', 3])
    expect(isHadamardError(value)).toBe(false);
});
