/** Ranking metrics against hand-made cases, and against a brute force over all orders of ties (golden/metrics/ranking.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type RankingMetric, rankedList, rankingMetric, rankingMetrics } from '../../dist/src/metrics/ranking.js';

interface Case {
  readonly scores: number[];
  readonly gains: number[];
  readonly k: number;
  readonly expected: Record<RankingMetric, number>;
  readonly sklearnNdcg: number;
}

const golden: Case[] = JSON.parse(readFileSync(new URL('../golden/metrics/ranking.json', import.meta.url), 'utf8'));

function listOf(scores: readonly number[], gains: readonly number[], k: number) {
  const relevant = scores.map((score, i) => ({ score, gain: gains[i] as number })).filter(({ gain }) => gain > 0);
  return rankedList(Float64Array.from(scores), relevant, k);
}

describe('by hand', () => {
  // Ranked: relevant, not, relevant, not, relevant.
  const list = listOf([5, 4, 3, 2, 1], [1, 0, 1, 0, 1], 10);
  const log = Math.log2;
  test.each([
    ['precision', 3, 2 / 3],
    ['precision', 10, 3 / 10],
    ['recall', 3, 2 / 3],
    ['recall', 10, 1],
    ['hr', 1, 1],
    ['mrr', 5, 1],
    ['map', 3, (1 + 2 / 3) / 3],
    ['map', 2, 1 / 2],
    ['map', 10, (1 + 2 / 3 + 3 / 5) / 3],
    ['ndcg', 3, (1 + 1 / 2) / (1 + 1 / log(3) + 1 / 2)],
    ['ndcg', 1, 1],
  ] as const)('%s@%d', (name, k, expected) => {
    expect(rankingMetric(name, k, list)).toBeCloseTo(expected, 14);
  });

  test('graded gains are linear, and the best order is by gain', () => {
    const graded = listOf([3, 2, 1], [1, 0, 4], 3);
    expect(rankingMetric('ndcg', 3, graded)).toBeCloseTo((1 + 4 / 2) / (4 + 1 / log(3)), 14);
  });

  test('one relevant among four of one score: what chance would give', () => {
    const tied = listOf([1, 1, 1, 1], [0, 0, 1, 0], 2);
    expect(rankingMetric('hr', 2, tied)).toBeCloseTo(1 / 2, 14);
    expect(rankingMetric('mrr', 2, tied)).toBeCloseTo((1 + 1 / 2) / 4, 14);
    expect(rankingMetric('precision', 2, tied)).toBeCloseTo(1 / 4, 14);
    expect(rankingMetric('recall', 2, tied)).toBeCloseTo(1 / 2, 14);
    expect(rankingMetric('map', 2, tied)).toBeCloseTo((1 + 1 / 2) / 4, 14);
    expect(rankingMetric('ndcg', 2, tied)).toBeCloseTo((1 + 1 / log(3)) / 4, 14);
  });

  test('a relevant one beyond k counts for nothing', () => {
    for (const name of rankingMetrics) expect(rankingMetric(name, 2, listOf([3, 2, 1], [0, 0, 1], 2)), name).toBe(0);
  });

  test('nothing relevant is NaN', () => {
    for (const name of rankingMetrics) expect(rankingMetric(name, 2, listOf([3, 2], [0, 0], 2)), name).toBeNaN();
  });
});

test.each(golden.map((each, index) => [index, each] as const))('golden case %d', (_index, each) => {
  const list = listOf(each.scores, each.gains, each.k);
  for (const name of rankingMetrics)
    expect(rankingMetric(name, each.k, list), name).toBeCloseTo(each.expected[name], 12);
  expect(rankingMetric('ndcg', each.k, list)).toBeCloseTo(each.sklearnNdcg, 12);
});

test('ties reach across the groups that a shallow list leaves out', () => {
  for (const { scores, gains, k, expected } of golden)
    expect(rankingMetric('recall', k, listOf(scores, gains, 8))).toBeCloseTo(expected.recall, 12);
});
