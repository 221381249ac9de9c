/** Blocks are cut by cost, from the data and the rank alone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { survey } from '../../dist/src/data/observations.js';
import { planFit } from '../../dist/src/factorize/plan.js';
import { checkOptions, type FitOptions } from '../../dist/src/options.js';
import { evenRuns, partition, type Runs, rowCost, runsOf, sideCost } from '../../dist/src/parallel/partition.js';
import { problem, triples } from '../helpers/problem.js';
import { at } from '../helpers/reference.js';

const runs = (counts: readonly number[]) => runsOf(Uint32Array.from(counts));

test('runs are as long as rows are equal', () => {
  const listed = (of: Runs) => {
    const all: [number, number][] = [];
    of((length, rows) => all.push([length, rows]));
    return all;
  };
  expect(listed(runs([3, 3, 0, 5, 5, 5]))).toEqual([
    [3, 2],
    [0, 1],
    [5, 3],
  ]);
  expect(listed(evenRuns(5, 17))).toEqual([
    [4, 2],
    [3, 3],
  ]);
  expect(listed(evenRuns(3, 6))).toEqual([[2, 3]]);
});

test('every row is in one block, in order, and no block is empty', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(20000), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 128 }),
      (counts, rank) => {
        const { boundaries, largest } = partition(runs(counts), rank);
        const blocks = Array.from(boundaries.subarray(1), (end, b) => counts.slice(at(boundaries, b), end));
        expect(largest).toEqual({
          rows: Math.max(...blocks.map((block) => block.length)),
          entries: Math.max(...blocks.map((block) => block.reduce((sum, count) => sum + count, 0))),
        });
        expect(boundaries[0]).toBe(0);
        expect(boundaries.at(-1)).toBe(counts.length);
        for (let b = 1; b < boundaries.length; b++) expect(at(boundaries, b)).toBeGreaterThan(at(boundaries, b - 1));
      },
    ),
  );
});

test('blocks are of about equal cost, at most 512, and none is more than a row above the target', () => {
  const counts = Array.from({ length: 20000 }, (_, i) => 5 + Math.floor(4000 / (1 + (i % 977))));
  const { boundaries } = partition(runs(counts), 32);
  const blocks = boundaries.length - 1;
  expect(blocks).toBeGreaterThan(100);
  expect(blocks).toBeLessThanOrEqual(512);
  const target = Math.max(sideCost(runs(counts), 32) / 512, 2e6);
  for (let b = 0; b < blocks; b++) {
    const cost = sideCost(runs(counts.slice(at(boundaries, b), at(boundaries, b + 1))), 32);
    expect(cost).toBeLessThanOrEqual(target + rowCost(at(counts, at(boundaries, b + 1) - 1), 32));
    if (b + 1 < blocks) expect(cost).toBeGreaterThanOrEqual(target);
  }
});

test('cost grows with the count and the rank, without a jump where the solver changes its form', () => {
  for (const rank of [1, 4, 16, 64])
    for (let count = 0; count < 3 * rank; count++) {
      expect(rowCost(count + 1, rank)).toBeGreaterThanOrEqual(rowCost(count, rank) * 0.9);
      expect(rowCost(count, rank + 1)).toBeGreaterThan(rowCost(count, rank) * 0.99);
    }
});

test('a run of rows that each pass the target is cut at every row', () => {
  const counts = new Array(64).fill(2 ** 28 + 1);
  const { boundaries, largest } = partition(runs(counts), 8);
  expect(largest).toEqual({ rows: 1, entries: 2 ** 28 + 1 });
  expect(boundaries.at(-1)).toBe(64);
  expect(boundaries.length - 1).toBe(64);
});

describe('the plan of a fit', () => {
  const of = problem({ m: 900, n: 400, density: 0.2 });
  const found = survey(triples(of), undefined);
  const boundariesOf = (options: Partial<FitOptions>) => {
    const { boundaries } = planFit(found, checkOptions({ rank: 16, ...options }));
    return [Array.from(boundaries.rows), Array.from(boundaries.columns)];
  };

  test('has the same blocks for any number of threads and any way to run', () => {
    const expected = boundariesOf({ threads: 1 });
    expect(expected[0]?.length).toBeGreaterThan(9);
    for (const threads of [2, 3, 8, 64])
      for (const way of [
        {},
        { inline: 'never' },
        { residency: 'staged' },
        { dtype: 'f64' },
        { arithmetic: 'fast' },
      ] as const)
        expect(boundariesOf({ threads, ...way })).toEqual(expected);
    expect(boundariesOf({ rank: 64 })).not.toEqual(expected);
  });
});
