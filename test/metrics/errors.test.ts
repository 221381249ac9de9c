import { describe, expect, test } from 'vitest';
import { mae, rmse } from '../../dist/src/metrics/errors.js';

test('rmse is √(Σr²/count), and √(ΣW²r²/ΣW²) with weights', () => {
  expect(rmse([1, 2, 3], [1, 4, 0])).toBeCloseTo(Math.sqrt(13 / 3), 14);
  expect(rmse([1, 2, 3], [1, 4, 0], [1, 2, 3])).toBeCloseTo(Math.sqrt((4 * 4 + 9 * 9) / 14), 14);
});

test('mae is Σ|r|/count, and ΣW²|r|/ΣW² with weights', () => {
  expect(mae([1, 2, 3], [1, 4, 0])).toBeCloseTo(5 / 3, 14);
  expect(mae([1, 2, 3], [1, 4, 0], [1, 2, 3])).toBeCloseTo((4 * 2 + 9 * 3) / 14, 14);
});

describe.each([
  ['rmse', rmse],
  ['mae', mae],
])('%s', (_name, metric) => {
  test('is NaN of nothing', () => {
    expect(metric([], [])).toBeNaN();
  });

  test('refuses lengths that differ', () => {
    expect(() => metric([1], [1, 2])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => metric([1], [1], [])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
  });
});
