import { beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../dist/src/model/model.js';
import { residualStatistics } from '../../dist/src/report/residualStatistics.js';
import { sampleModel } from '../model/sample.js';
import { fitSample, sampleData, withParts } from './sample.js';

/** More rows and columns than a heat map has places. */
const sample = sampleData(200, 170);
const { rows, columns, values } = sample.A;
let model: Model;
let z: number[];
beforeAll(async () => {
  model = await fitSample(sample, { biases: 'both', lambda: 0.1, maxSweeps: 20 });
  z = Array.from(
    values,
    (value, t) => (value - model.predict(rows[t] as number, columns[t] as number)) / (sample.sigma[t] as number),
  );
});
const statistics = () =>
  residualStatistics(model, sample.A, { sigma: sample.sigma }, 'refuse') as NonNullable<
    ReturnType<typeof residualStatistics>
  >;
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, x) => total + x, 0);

describe('residuals', () => {
  test('add up to the loss of the fit', () => {
    const { observed, squares, mean, largest } = statistics();
    expect(observed).toBe(values.length);
    expect(squares).toBeCloseTo(sum(z.map((x) => x * x)), 6);
    expect(squares / model.fit.loss).toBeCloseTo(1, 5);
    expect(mean).toBeCloseTo(sum(z) / z.length, 10);
    expect(Math.abs(largest)).toBeCloseTo(Math.max(...z.map(Math.abs)), 10);
  });

  test('of each row and column add up as well', () => {
    const found = statistics();
    for (const [side, at] of [
      ['rows', rows],
      ['columns', columns],
    ] as const) {
      const own = z.filter((_, t) => at[t] === 3);
      expect(found[side].counts[3]).toBe(own.length);
      expect(found[side].squares[3]).toBeCloseTo(sum(own.map((x) => x * x)), 8);
    }
  });

  test('are each in one bin, or counted outside', () => {
    const { histogram, grid, heat } = statistics();
    histogram.counts.forEach((entries, bin) => {
      const [low, high] = [histogram.edges[bin] as number, histogram.edges[bin + 1] as number];
      // An edge is as good as on either side.
      expect(Math.abs(entries - z.filter((x) => x >= low && x < high).length)).toBeLessThanOrEqual(1);
    });
    expect(sum(histogram.counts) + histogram.outside).toBe(z.length);
    expect(histogram.outside / z.length).toBeLessThan(0.01);
    const inGrid = sum(grid.counts);
    expect(inGrid).toBeLessThanOrEqual(z.length);
    expect(inGrid / z.length).toBeGreaterThan(0.98);
    expect(sum(heat.counts)).toBe(z.length);
    expect(sum(heat.sums)).toBeCloseTo(sum(z), 6);
  });

  test('lie on the heat map where their rows and columns are', () => {
    const { heat } = statistics();
    expect([heat.rows, heat.columns]).toEqual([160, 160]);
    const inFirst = z.filter((_, t) => (rows[t] as number) < 2 && (columns[t] as number) < 2);
    expect(heat.counts[0]).toBe(inFirst.length);
    expect(heat.sums[0]).toBeCloseTo(sum(inFirst), 9);
    const inLast = z.filter((_, t) => rows[t] === 199 && columns[t] === 169);
    expect(heat.counts.at(-1)).toBe(inLast.length);
  });

  test('follow the rule for entries that are listed twice', () => {
    const one = sampleModel({ rows: 3, columns: 2, rank: 1 });
    const A = {
      rows: Uint32Array.of(0, 0, 2),
      columns: Uint32Array.of(1, 1, 0),
      values: Float64Array.of(1, 2, 5),
      shape: [3, 2] as const,
    };
    const of = (duplicates: 'keep' | 'sum' | 'last') => residualStatistics(one, A, undefined, duplicates);
    const square = (i: number, j: number, value: number) => (value - one.predict(i, j)) ** 2;
    const other = square(2, 0, 5);
    expect(of('keep')?.squares).toBeCloseTo(square(0, 1, 1) + square(0, 1, 2) + other, 12);
    expect(of('sum')?.squares).toBeCloseTo(square(0, 1, 3) + other, 12);
    expect(of('last')?.squares).toBeCloseTo(square(0, 1, 2) + other, 12);
  });

  test('of a logistic fit are those of the expected value', () => {
    const one = sampleModel({ rows: 3, columns: 2, rank: 1 });
    const logistic = withParts(one, { fit: { ...one.fit, options: { ...one.fit.options, loss: 'logistic' } } });
    const A = {
      rows: Uint32Array.of(1),
      columns: Uint32Array.of(0),
      values: Float64Array.of(1),
      shape: [3, 2] as const,
    };
    const p = one.predict(1, 0);
    // E a = P(a = 1) − P(a = −1)
    const expected = 1 / (1 + Math.exp(-p)) - 1 / (1 + Math.exp(p));
    expect(residualStatistics(logistic, A, undefined, 'refuse')?.mean).toBeCloseTo(1 - expected, 12);
  });

  test('that are all the same are shown all the same', () => {
    const one = sampleModel({ rows: 3, columns: 2, rank: 1 });
    const A = {
      rows: Uint32Array.of(1),
      columns: Uint32Array.of(0),
      values: Float64Array.of(one.predict(1, 0)),
      shape: [3, 2] as const,
    };
    const found = residualStatistics(one, A, undefined, 'refuse');
    expect(found).toMatchObject({ squares: 0, observed: 1 });
    expect(found?.histogram.outside).toBe(0);
  });
});
