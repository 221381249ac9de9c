/** What other tools minimise, written down once more in their own terms, against what is fitted under their name. */
import { describe, expect, test } from 'vitest';
import { factorize, type Model, type ToolName, tools } from '../../dist/src/index.js';
import { optionTable } from '../../dist/src/options.js';
import { problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const [m, n, k] = [14, 9, 3];
const of = withEntries(problem({ m, n, density: 0.4, isWeighted: true, seed: 6 }), (e) => ({
  value: 1 + ((e.row * 5 + e.column) % 4),
}));
const lambda = 0.3;
const alpha = 0.7;
const nu = 0.8;

interface Parts {
  readonly model: Model;
  readonly p: (i: number, j: number) => number;
  readonly listed: Map<number, number>;
  readonly squaredNorms: (side: 'U' | 'V') => number[];
}

const sum = (count: number, term: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
const all = (term: (i: number, j: number) => number) => sum(m, (i) => sum(n, (j) => term(i, j)));
const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
const rowCount = (i: number) => of.entries.filter((e) => e.row === i).length;
const columnCount = (j: number) => of.entries.filter((e) => e.column === j).length;

/** Each tool's own objective; where ours is a multiple or differs by a constant, `toOurs` says how. */
const references: Record<ToolName, { f: (parts: Parts) => number; toOurs?: (f: number) => number }> = {
  implicit: {
    f: ({ p, listed, squaredNorms }) =>
      all((i, j) => {
        const r = listed.get(i * n + j);
        return r === undefined ? p(i, j) ** 2 : alpha * r * (1 - p(i, j)) ** 2;
      }) +
      lambda * (total(squaredNorms('U')) + total(squaredNorms('V'))),
  },
  rsparse: {
    f: ({ p, listed, squaredNorms }) =>
      all((i, j) => {
        const r = listed.get(i * n + j);
        return r === undefined ? p(i, j) ** 2 : r * (1 - p(i, j)) ** 2;
      }) +
      lambda * (total(squaredNorms('U')) + total(squaredNorms('V'))),
  },
  irspack: {
    f: ({ p, listed, squaredNorms }) =>
      all((i, j) => (listed.has(i * n + j) ? (p(i, j) - 1) ** 2 : 0) + alpha * p(i, j) ** 2) +
      lambda * sum(m, (i) => (rowCount(i) + alpha * n) ** nu * (squaredNorms('U')[i] as number)) +
      lambda * sum(n, (j) => (columnCount(j) + alpha * m) ** nu * (squaredNorms('V')[j] as number)),
    toOurs: (f) => f - of.entries.length * (alpha / (1 + alpha)),
  },
  spark: {
    f: ({ p, squaredNorms }) =>
      total(of.entries.map((e) => (e.value - p(e.row, e.column)) ** 2)) +
      lambda * sum(m, (i) => rowCount(i) * (squaredNorms('U')[i] as number)) +
      lambda * sum(n, (j) => columnCount(j) * (squaredNorms('V')[j] as number)),
  },
  libmf: {
    f: ({ p, squaredNorms }) =>
      total(
        of.entries.map(
          (e) =>
            (e.value - p(e.row, e.column)) ** 2 +
            lambda * ((squaredNorms('U')[e.row] as number) + (squaredNorms('V')[e.column] as number)),
        ),
      ),
  },
  cmfrec: {
    f: ({ p, squaredNorms, model: { biases } }) =>
      total(of.entries.map((e) => e.weight ** 2 * (e.value - p(e.row, e.column)) ** 2)) +
      lambda * (total(squaredNorms('U')) + total(squaredNorms('V'))) +
      lambda * [...(biases.rows ?? []), ...(biases.columns ?? [])].reduce((s, b) => s + b * b, 0),
  },
  softimpute: {
    f: ({ p, squaredNorms }) =>
      total(of.entries.map((e) => (e.value - p(e.row, e.column)) ** 2)) / 2 +
      (lambda / 2) * (total(squaredNorms('U')) + total(squaredNorms('V'))),
    toOurs: (f) => 2 * f,
  },
};

test('the option table names every tool', () => {
  expect(optionTable.like.choices).toEqual(Object.keys(tools));
  expect(Object.keys(references).sort()).toEqual(Object.keys(tools).sort());
});

describe.each(Object.keys(tools) as ToolName[])('like %s', (like) => {
  test('f is its objective to 1e-10', async () => {
    const options = { rank: k, lambda, dtype: 'f64', maxSweeps: 7, tolerance: 0, threads: 1, like } as const;
    const model = await factorize(triples(of), {
      ...options,
      alpha,
      ...(like === 'irspack' && { nu }),
      ...(like === 'cmfrec' && { weights: sqrtWeights(of) }),
    });
    if (like === 'cmfrec') {
      const weighted = total(of.entries.map((e) => e.weight ** 2 * e.value));
      expect(model.biases.mean).toBeCloseTo(weighted / total(of.entries.map((e) => e.weight ** 2)), 12);
    }
    const listed = new Map(of.entries.map((e) => [e.row * n + e.column, e.value]));
    const squaredNorms = (side: 'U' | 'V') =>
      Array.from({ length: side === 'U' ? m : n }, (_, i) => sum(k, (c) => model[side].get(i, c) ** 2));
    const { f, toOurs = (x) => x } = references[like];
    const theirs = toOurs(f({ model, p: (i, j) => model.predict(i, j), listed, squaredNorms }));
    expect(Math.abs(model.fit.objective / theirs - 1)).toBeLessThan(1e-10);
    expect(model.fit.options.like).toBe(like);
  });
});

test('weights of one\u2019s own do not go with a tool that makes them', async () => {
  await expect(factorize(triples(of), { rank: 2, like: 'implicit', weights: sqrtWeights(of) })).rejects.toMatchObject({
    code: 'incompatible-options',
    position: { option: 'like' },
  });
});
