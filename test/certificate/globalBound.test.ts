/** Bounds of the global optimum: never above it wherever the factors are, and equal to it where theory says so. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certifyGlobally } from '../../dist/src/certificate/globalBound.js';
import { type BoundProblem, relaxationBound, residualsOf } from '../../dist/src/certificate/relaxationBound.js';
import { certificateInWords } from '../../dist/src/cli/summary.js';
import { type FactorizeOptions, factorize, type Model, reportHtml } from '../../dist/src/index.js';
import { bitsAt } from '../../dist/src/starts/random.js';
import { type ConvexProblem, convexOptimum, decompose } from '../helpers/convex.js';
import { compressed, type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { at, type Point, predict, weightedMean } from '../helpers/reference.js';

const scales = ['row', 'count', 'weight'] as const;
const biasKinds = ['none', 'rows', 'columns', 'both'] as const;
const bits = (index: number) => bitsAt(1, 99, index, 0);

interface Rule {
  readonly scale: (typeof scales)[number];
  readonly nu: number;
  readonly lambda: readonly [number, number];
  readonly biases: (typeof biasKinds)[number];
  readonly biasLambda: number;
}

/** The penalties that a rule means, by its definition. */
function convexOf(of: Problem, { scale, nu, lambda, biases, biasLambda }: Rule): ConvexProblem {
  const of1 = (side: 'row' | 'column', count: number) => {
    if (scale === 'row') return new Float64Array(count).fill(1);
    const sums = new Float64Array(count);
    for (const entry of of.entries)
      sums[entry[side]] = at(sums, entry[side]) + (scale === 'count' ? 1 : entry.weight ** 2);
    return sums.map((sum) => sum ** nu);
  };
  const [rows, columns] = [of1('row', of.m), of1('column', of.n)];
  const has = (side: 'rows' | 'columns') => biases === side || biases === 'both';
  return {
    of,
    mean: biases === 'none' ? 0 : weightedMean(of),
    d: rows.map((s) => lambda[0] * s),
    e: columns.map((s) => lambda[1] * s),
    ...(has('rows') && { beta: rows.map((s) => biasLambda * s) }),
    ...(has('columns') && { gamma: columns.map((s) => biasLambda * s) }),
  };
}

function boundProblem(convex: ConvexProblem, point: Omit<Point, 'mean'>): BoundProblem {
  const { of, mean, d, e, beta, gamma } = convex;
  const { rowPointers, columnIndices, values } = compressed(of);
  const byColumn = of.entries.toSorted((a, b) => a.column - b.column || a.row - b.row);
  const counts = new Float64Array(of.n + 1);
  for (const { column } of byColumn) counts[column + 1] = at(counts, column + 1) + 1;
  for (let j = 0; j < of.n; j++) counts[j + 1] = at(counts, j + 1) + at(counts, j);
  const byRow = {
    pointers: rowPointers as Float64Array,
    indices: columnIndices as Uint32Array,
    values,
    weights: Float64Array.from(of.entries, ({ weight }) => weight),
  };
  return {
    byRow,
    byColumn: { pointers: counts, indices: Uint32Array.from(byColumn, ({ row }) => row) },
    rank: point.k,
    mean,
    residuals: () => residualsOf(byRow, mean, (row, column) => predict({ ...point, mean: 0 }, row, column)),
    penalties: { rows: d, columns: e },
    biasPenalties: { rows: beta, columns: gamma },
    bits,
  };
}

/** Factors and biases of the sizes that belong to a problem, anywhere. */
function anywhere({ of, beta, gamma }: ConvexProblem, k: number, size: number, seed: number): Omit<Point, 'mean'> {
  const next = uniform(seed);
  const list = (count: number) => Float64Array.from({ length: count }, () => size * (2 * next() - 1));
  return { k, U: list(of.m * k), V: list(of.n * k), ...(beta && { b: list(of.m) }), ...(gamma && { c: list(of.n) }) };
}

async function fitted(of: Problem, rule: Rule, rank: number, more: Partial<FactorizeOptions> = {}): Promise<Model> {
  return factorize(triples(of), {
    rank,
    weights: sqrtWeights(of),
    lambdaRows: rule.lambda[0],
    lambdaColumns: rule.lambda[1],
    lambdaScale: rule.scale,
    nu: rule.nu,
    biases: rule.biases,
    biasLambda: rule.biasLambda,
    dtype: 'f64',
    maxSweeps: 4000,
    tolerance: 1e-11,
    threads: 1,
    ...more,
  });
}

const rules = fc.record({
  scale: fc.constantFrom(...scales),
  nu: fc.constantFrom(0.5, 1),
  lambda: fc.tuple(fc.constantFrom(0.05, 0.3, 1), fc.constantFrom(0.05, 0.3, 1)),
  biases: fc.constantFrom(...biasKinds),
  biasLambda: fc.constantFrom(0, 0.2, 1),
});
const isBounded = ({ biases, biasLambda }: Rule) => !(biases === 'both' && biasLambda === 0);

describe('the convex relaxation', () => {
  test('is never above the optimum, wherever the factors are', () => {
    fc.assert(
      fc.property(
        rules.filter(isBounded),
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom(0.01, 0.3, 1, 5),
        (rule, seed, size) => {
          const of = problem({ m: 6, n: 4, density: 0.6, rank: 2, offset: 0.5, isWeighted: true, seed });
          const convex = convexOf(of, rule);
          const { value } = convexOptimum(convex, 100);
          for (const k of [1, 3]) {
            const { bound } = relaxationBound(boundProblem(convex, anywhere(convex, k, size, seed)));
            expect(bound).toBeLessThanOrEqual(value);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is the optimum where the rank suffices and the fit has converged', async () => {
    await fc.assert(
      fc.asyncProperty(rules.filter(isBounded), fc.integer({ min: 1, max: 1e6 }), async (rule, seed) => {
        const of = problem({ m: 6, n: 4, density: 0.7, rank: 2, offset: 0.5, isWeighted: true, seed });
        const model = await fitted(of, rule, 4);
        const { globalBound = 0, globalGap = 1, globalStatement } = model.certificate;
        // Solved from above by another method altogether.
        const { value } = convexOptimum(convexOf(of, rule), 500);
        expect(globalBound).toBeLessThanOrEqual(value);
        expect(globalBound).toBeGreaterThan(0.995 * value);
        expect(globalGap).toBeLessThan(1e-4);
        expect(globalStatement).toMatch(/^within 0\.\d+ % of the global optimum/);
      }),
      { numRuns: 12, seed: 5 },
    );
  });

  test('says what the rank takes from it, and what it is blind to', async () => {
    const of = problem({ m: 10, n: 7, density: 0.8, isWeighted: true, seed: 4 });
    const rule: Rule = { scale: 'row', nu: 1, lambda: [0.5, 0.5], biases: 'none', biasLambda: 0 };
    const low = (await fitted(of, rule, 1)).certificate;
    const { value } = convexOptimum(convexOf(of, rule), 100);
    expect(low.globalBound).toBeLessThanOrEqual(value);
    expect(low.globalStatement).toContain('> 1, so one more column would lower f');
    const signed = (await fitted(of, rule, 6, { nonnegative: 'both' })).certificate;
    expect(signed.globalBound).toBeLessThanOrEqual(value);
    expect(signed.globalStatement).toContain('knows nothing of signs');
  });

  test('is said in the summary and on the page', async () => {
    const of = problem({ m: 10, n: 7, density: 0.8, isWeighted: true, seed: 4 });
    const rule: Rule = { scale: 'row', nu: 1, lambda: [0.5, 0.5], biases: 'none', biasLambda: 0 };
    const model = await fitted(of, rule, 6);
    expect(certificateInWords(model.fit).split('\n').at(-1)).toBe(model.certificate.globalStatement);
    expect(reportHtml(model)).toMatch(/The global optimum: within 0\.0+1 % of the global optimum/);
  });

  test('is the same for every number of threads', async () => {
    const of = problem({ m: 60, n: 40, density: 0.5, isWeighted: true, seed: 8 });
    const rule: Rule = { scale: 'count', nu: 1, lambda: [0.1, 0.1], biases: 'both', biasLambda: 0.1 };
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => fitted(of, rule, 3, { threads, inline: 'never', maxSweeps: 5, tolerance: 0 })),
    );
    expect(one?.certificate.globalBound).toBeGreaterThan(0);
    expect(two?.certificate).toEqual(one?.certificate);
  });
});

describe('no bound', () => {
  const of = problem({ m: 20, n: 12, density: 0.5, isWeighted: true, seed: 3 });
  const rule: Rule = { scale: 'row', nu: 1, lambda: [0.5, 0.5], biases: 'none', biasLambda: 0 };
  const cases: [string, Partial<FactorizeOptions>, string][] = [
    ['λ = 0', { lambdaRows: 0, lambdaColumns: 0 }, 'λ is 0, and no part'],
    ['a loss', { loss: 'huber:1' }, 'the loss is not quadratic'],
    ['a background', { background: 0.1 }, 'a background'],
    ['free columns', { freeColumns: 1 }, 'the free columns carry no penalty'],
    ['free biases', { biases: 'both', biasLambda: 0 }, 'the biases of both sides'],
  ];
  test.each(cases)('%s', async (_name, options, reason) => {
    const { globalBound, globalGap, globalStatement } = (await fitted(of, rule, 2, { ...options, maxSweeps: 30 }))
      .certificate;
    expect(globalStatement).toContain(
      `no bound of the global optimum: ${reason.startsWith('a back') ? 'unlisted entries count (' : ''}`,
    );
    expect(globalStatement).toContain(reason);
    expect([globalBound, globalGap]).toEqual([undefined, undefined]);
  });
});

describe('singular values', () => {
  const full = problem({ m: 16, n: 9, rank: 3, noise: 0.5, seed: 12 });
  /** W² = r_i·c_j. */
  const r = (i: number) => 0.5 + (i % 4);
  const c = (j: number) => 1 + (j % 3) / 2;
  const product = withEntries(full, ({ row, column }) => ({ weight: Math.sqrt(r(row) * c(column)) }));
  const free: Rule = { scale: 'row', nu: 1, lambda: [0, 0], biases: 'none', biasLambda: 0 };

  /** Of R^½AC^½. */
  function singular(of: Problem): number[] {
    const Z = Array.from({ length: of.m }, () => new Float64Array(of.n));
    for (const { row, column, value, weight } of of.entries) (Z[row] as Float64Array)[column] = weight * value;
    return decompose(Z).values.sort((a, b) => b - a);
  }

  test('give the optimum where nothing is missing and W² = r_i·c_j', async () => {
    for (const of of [full, product]) {
      const optimum = singular(of)
        .slice(2)
        .reduce((sum, s) => sum + s * s, 0);
      const { certificate } = await fitted(of, free, 2);
      expect(certificate.globalBound).toBeLessThanOrEqual(optimum);
      expect(certificate.globalBound).toBeGreaterThan(optimum * (1 - 1e-9));
      expect(certificate.globalStatement).toContain('the optimum of rank 2 is known');
    }
  });

  test('with a ridge, for every rank', async () => {
    const [lambda, rank] = [1.5, 2];
    const optimum = singular(full).reduce(
      (sum, s, index) => sum + s * s - (index < rank ? Math.max(0, s - lambda) ** 2 : 0),
      0,
    );
    const { certificate } = await fitted(full, { ...free, lambda: [0.9, 2.5] }, rank);
    expect(certificate.globalBound).toBeLessThanOrEqual(optimum * (1 + 1e-12));
    expect(certificate.globalBound).toBeGreaterThan(optimum * (1 - 1e-9));
    expect(certificate.globalGap).toBeLessThan(1e-9);
  });

  test('say that the optimum is 0 where the rank gives any matrix, whatever is observed, and only there', async () => {
    const gappy = { ...product, entries: product.entries.filter(({ row, column }) => (row + column) % 3 > 0) };
    for (const of of [full, product, gappy])
      for (const biases of biasKinds) {
        const { certificate } = await fitted(of, { ...free, biases, biasLambda: 0.3 }, 9);
        expect(certificate.globalBound).toBe(0);
        expect(certificate.globalGap).toBeUndefined();
        expect(certificate.globalStatement).toMatch(/^the global optimum is 0: factors of rank 9 give any 16×9 matrix/);
      }
    const others: Partial<FactorizeOptions>[] = [
      { lambdaRows: 0.1, lambdaColumns: 0.1 },
      { nonnegative: 'both' },
      { rank: 8 },
      { duplicates: 'keep' },
    ];
    for (const more of others) {
      // Two values of one entry cannot both be met.
      const twice = {
        ...full,
        entries: [...full.entries, { ...(full.entries[0] as (typeof full.entries)[0]), value: 5 }],
      };
      const { certificate } = await fitted(more.duplicates ? twice : gappy, free, 9, { ...more, maxSweeps: 3 });
      expect(certificate.globalStatement).not.toContain('the global optimum is 0');
    }
  });

  test('a bound that was not looked for is one that there may be', async () => {
    const [m, n] = [900, 700];
    const rows = Uint32Array.from({ length: 10 * m }, (_, t) => Math.floor(t / 10));
    const next = uniform(7);
    // Ten columns a row, no two rows alike; or the same ten of all rows.
    const scattered = rows.map((i, t) => (i * 7 + (t % 10) * 61 + (t % 10) ** 2 * (i % 13)) % n);
    const alike = rows.map((_, t) => (t % 10) * 60);
    const values = Float64Array.from(rows, () => next());
    const statement = async (columns: Uint32Array, lambda: number) => {
      const A = { rows, columns, values, shape: [m, n] as const };
      const { certificate } = await factorize(A, { rank: 2, lambda, maxSweeps: 1, threads: 1, duplicates: 'last' });
      return certificate.globalStatement;
    };
    expect(await statement(scattered, 0)).toMatch(/^no bound of the global optimum: λ is 0, and no part/);
    expect(await statement(alike, 0)).toMatch(/^global bound not computed: λ is 0, .* hadamard verify looks$/);
    expect(await statement(scattered, 0.1)).toMatch(/^global bound not computed: it is costly/);
  });

  test('of fully observed parts are never above what any start reaches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(...biasKinds), async (seed, biases) => {
        const of = problem({ m: 18, n: 14, rank: 4, noise: 0.5, offset: 1, seed });
        // Two blocks, and entries here and there.
        const isKept = (i: number, j: number) => (i < 9 ? j < 7 : j >= 7 && i < 16) || (i + 2 * j) % 11 === 0;
        const parts = { ...of, entries: of.entries.filter(({ row, column }) => isKept(row, column)) };
        const models = await Promise.all(
          [1, 2, 3].map((start) => fitted(parts, { ...free, biases }, 1, { seed: start, maxSweeps: 300 })),
        );
        for (const { certificate, fit } of models)
          expect(certificate.globalBound ?? 0).toBeLessThanOrEqual(fit.objective);
      }),
      { numRuns: 8 },
    );
    const blocks = { ...full, entries: full.entries.filter(({ row, column }) => row < 8 === column < 5) };
    const tails = [
      { ...blocks, entries: blocks.entries.filter(({ row }) => row < 8) },
      { ...blocks, entries: blocks.entries.filter(({ row }) => row >= 8) },
    ].map((part) =>
      singular(part)
        .slice(1)
        .reduce((sum, s) => sum + s * s, 0),
    );
    const { globalBound, globalStatement } = (await fitted(blocks, free, 1)).certificate;
    expect(globalBound).toBeCloseTo((tails[0] as number) + (tails[1] as number), 9);
    expect(globalStatement).toContain('2 parts fully observed');
  });
});

describe('what the bound stands on', () => {
  test('a norm taken for larger lowers the bound, one taken for smaller makes it false', () => {
    const of = problem({ m: 6, n: 4, density: 0.9, isWeighted: true, seed: 2 });
    const convex = convexOf(of, { scale: 'weight', nu: 1, lambda: [0.1, 0.4], biases: 'none', biasLambda: 0 });
    const { value } = convexOptimum(convex, 300);
    const { d, e } = convex;
    const point = anywhere(convex, 2, 0.6, 5);
    const residual = (entry: (typeof of.entries)[number]) =>
      entry.value - predict({ ...point, mean: 0 }, entry.row, entry.column);
    const Z = Array.from({ length: of.m }, () => new Float64Array(of.n));
    let [L, Q] = [0, 0];
    for (const entry of of.entries) {
      const G = entry.weight ** 2 * residual(entry);
      L += G * entry.value;
      Q += (G / entry.weight) ** 2;
      (Z[entry.row] as Float64Array)[entry.column] = G / Math.sqrt(at(d, entry.row) * at(e, entry.column));
    }
    const sigma = Math.max(...decompose(Z).values);
    const B = (factor: number) => {
      const t = Math.min(1 / (factor * sigma), L / Q);
      return 2 * t * L - t * t * Q;
    };
    const { bound } = relaxationBound(boundProblem(convex, point));
    expect(bound).toBeLessThanOrEqual(B(1));
    expect(bound).toBeGreaterThan(B(1) * (1 - 1e-9));
    expect(B(1)).toBeLessThan(value);
    expect(B(1.01)).toBeLessThan(B(1));
    expect(B(0.1)).toBeGreaterThan(value);
  });

  test('a bound that costs more than it may is left to verify', () => {
    const of = problem({ m: 8, n: 6, density: 0.7, seed: 2 });
    const convex = convexOf(of, { scale: 'row', nu: 1, lambda: [0.3, 0.3], biases: 'none', biasLambda: 0 });
    const request = { ...boundProblem(convex, anywhere(convex, 2, 0.5, 1)), objective: () => 1, isQuadratic: true };
    expect(certifyGlobally({ ...request, constraints: [] }, 10)).toEqual({
      globalStatement: expect.stringContaining('hadamard verify computes it'),
    });
  });
});
