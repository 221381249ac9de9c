import { expect, it } from 'vitest';
import { excerpt, excerptOf, excerpts } from '../../dist/src/formats/excerpt.js';

it('shows 60 characters at most', () => {
  expect(excerpt('short')).toBe('short');
  expect(excerpt('x'.repeat(60))).toBe('x'.repeat(60));
  expect(excerpt('x'.repeat(61))).toBe(`${'x'.repeat(59)}…`);
  // A character of two halves is not cut in half.
  expect(excerpt(`${'x'.repeat(58)}🜁🜁`)).toBe(`${'x'.repeat(58)}…`);
  expect(excerptOf(Buffer.from(`a,${'é'.repeat(1e6)}`), 2, 2e6)).toBe(`${'é'.repeat(59)}…`);
});

it('shows a dozen of a list', () => {
  expect(excerpts(['a', 'b'])).toBe('"a", "b"');
  expect(excerpts(Array.from({ length: 13 }, () => 'a'))).toBe(`${'"a", '.repeat(12)}… (13)`);
});
