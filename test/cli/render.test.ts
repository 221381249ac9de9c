import { expect, test } from 'vitest';
import { grid, real } from '../../dist/src/cli/render.js';

test.each([
  [0, '0'],
  [84973.58123, '84973.6'],
  [0.000123456789, '0.000123457'],
  [1.23456789e9, '1.23457e9'],
  [2e7, '2e7'],
  [-1.5e-9, '-1.5e-9'],
  [Number.NaN, 'NaN'],
])('%d is shown as %s', (value, shown) => {
  expect(real(value)).toBe(shown);
});

test('columns stand below each other beside wide letters, marks and emoji', () => {
  const labels = ['Amélie', 'Ame\u0301lie', '千と千尋の神隠し', '한글', '👍 good'];
  const lines = grid(
    ['item', 'value'],
    labels.map((label, i) => [label, String(i)]),
    process.stdout,
  ).split('\n');
  // What a terminal shows, by hand: 6, 6, 16, 4 and 7 places.
  const places = [6, 6, 16, 4, 7];
  for (const [i, label] of labels.entries())
    expect(lines[i + 1]).toBe(`  ${label}${' '.repeat(16 - (places[i] as number))}      ${i}`);
});
