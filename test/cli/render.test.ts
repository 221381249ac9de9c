import { expect, test } from 'vitest';
import { real } from '../../dist/src/cli/render.js';

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
