import { expect, test } from 'vitest';
import { rmse } from '../../dist/src/metrics/rmse.js';

test('is √(Σr²/count), and √(ΣW²r²/ΣW²) with weights', () => {
  expect(rmse([1, 2, 3], [1, 4, 0])).toBeCloseTo(Math.sqrt(13 / 3), 14);
  expect(rmse([1, 2, 3], [1, 4, 0], [1, 2, 3])).toBeCloseTo(Math.sqrt((4 * 4 + 9 * 9) / 14), 14);
});

test('is NaN of nothing', () => {
  expect(rmse([], [])).toBeNaN();
});

test('refuses lengths that differ', () => {
  expect(() => rmse([1], [1, 2])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
  expect(() => rmse([1], [1], [])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
});
