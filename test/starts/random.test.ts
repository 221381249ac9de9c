/** The random start: numbers by position, near normal, the same everywhere. */
import { describe, expect, test } from 'vitest';
import { normalAt } from '../../dist/src/starts/random.js';

const draw = (seed: number, matrix: number, rows: number, columns: number) =>
  Float64Array.from({ length: rows * columns }, (_, i) => normalAt(seed, matrix, Math.floor(i / columns), i % columns));

const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
const covariance = (x: Float64Array, y: Float64Array) =>
  mean(x.map((value, i) => value * (y[i] as number))) - mean(x) * mean(y);

test('recorded values: a start means the same bits in every version', () => {
  expect([
    normalAt(1, 1, 0, 0),
    normalAt(1, 1, 0, 1),
    normalAt(42, 0, 12345, 7),
    normalAt(4294967295, 1, 2 ** 31, 4095),
  ]).toMatchInlineSnapshot(`
    [
      0.1814614997276665,
      0.3191565788976552,
      0.23265446870123044,
      -1.0400339261991163,
    ]
  `);
});

describe('near normal', () => {
  const x = draw(1, 1, 500, 40);

  test('mean 0, variance 1, no skew, the kurtosis of four uniform numbers', () => {
    // Five standard errors each.
    const error = 5 / Math.sqrt(x.length);
    expect(Math.abs(mean(x))).toBeLessThan(error);
    expect(Math.abs(mean(x.map((v) => v * v)) - 1)).toBeLessThan(error * Math.SQRT2);
    expect(Math.abs(mean(x.map((v) => v ** 3)))).toBeLessThan(error * 3);
    expect(Math.abs(mean(x.map((v) => v ** 4)) - 2.7)).toBeLessThan(error * 7);
    expect(Math.max(...x)).toBeLessThanOrEqual(2 * Math.sqrt(3));
  });

  test('seeds, matrices, rows and columns next to each other are uncorrelated', () => {
    const neighbours = [
      draw(2, 1, 500, 40),
      draw(1, 0, 500, 40),
      draw(1, 1, 501, 40).slice(40),
      draw(1, 1, 500, 41).slice(1, 20001),
    ];
    for (const y of neighbours) expect(Math.abs(covariance(x, y))).toBeLessThan(5 / Math.sqrt(x.length));
  });

  test('no row twice in a large matrix', () => {
    const rows = Array.from({ length: 100_000 }, (_, row) =>
      [0, 1, 2].map((column) => normalAt(3, 1, row, column)).join(),
    );
    expect(new Set(rows).size).toBe(rows.length);
  });
});
