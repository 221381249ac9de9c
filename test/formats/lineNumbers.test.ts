import { expect, it } from 'vitest';
import { LineNumbers } from '../../dist/src/formats/lineNumbers.js';

it('gives the line of each entry, gaps and all', () => {
  const lines = [3, 4, 5, 9, 10, 20];
  const numbers = new LineNumbers();
  lines.forEach((line, entry) => {
    numbers.add(entry, line);
  });
  expect(lines.map((_, entry) => numbers.lineOf(entry))).toEqual(lines);
});
