import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decimalOf } from '../../dist/src/formats/valueLabels.js';

it('decimals that differ stay different, and are the nearest number or every digit', () => {
  expect([decimalOf(5n, 20), decimalOf(-110n, 2), decimalOf(3n, 1), decimalOf(7n, -2)]).toEqual([
    5e-20, -1.1, 0.3, 700,
  ]);
  const digits = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });
  const scale = fc.integer({ min: 0, max: 38 });
  fc.assert(
    fc.property(digits, digits, scale, (a, b, places) => {
      expect(String(decimalOf(a, places)) === String(decimalOf(b, places))).toBe(a === b);
      expect(String(decimalOf(a, places)) === String(decimalOf(a + 1n, places))).toBe(false);
      expect(Number(decimalOf(a, places))).toBe(Number(`${a}e-${places}`));
    }),
  );
});
