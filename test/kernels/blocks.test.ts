/** Rows improved by blocks, and squares with a background in f32, against the twin that visits every entry, listed or not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eigenbasis } from '../../dist/src/kernels/eigenbasis.js';
import { compileKernels, totalNames } from '../../dist/src/kernels/load.js';
import { improveRow, type ReferenceProblem, solveRow } from '../../dist/src/kernels/reference.js';
import { tridiagonalize } from '../../dist/src/kernels/symmetric.js';
import { objectiveOfRow, problem, source } from './composedProblem.js';
import { type ComposedRequest, type ComposedResult, runComposed } from './composedWorkspace.js';

const background = (m: number, n: number, seed: number): NonNullable<ComposedRequest['background']> => {
  const random = source(seed);
  const weights = (count: number) => Array.from({ length: count }, () => 0.2 + Math.abs(random()));
  return { r: weights(m), c: weights(n), value: 0.4 };
};

/** The same problem with its unlisted entries listed: rows as the twin takes them. */
function listed(request: ComposedRequest): ReferenceProblem {
  const { rank, V, entries, otherBias, isOwnBiasFree = false, mean = 0, lambda = 0, beta = 0 } = request;
  const hasBias = otherBias !== undefined || isOwnBiasFree;
  const stride = Math.ceil((rank + (hasBias ? 1 : 0)) / 4) * 4;
  const all = entries.map((row, i) => {
    const { r, c, value } = request.background ?? { r: [], c: [], value: 0 };
    const known = new Set(row.map(([j]) => j));
    const unlisted = request.background
      ? V.map((_, j) => [j, value, Math.sqrt((r[i] as number) * (c[j] as number))] as const).filter(
          ([j]) => !known.has(j),
        )
      : [];
    return [...row, ...unlisted];
  });
  let sum = 0;
  return {
    rank,
    stride,
    hasBias,
    ownBiasFree: isOwnBiasFree,
    mean,
    other: V.flatMap((v, j) => {
      const row = hasBias ? [...v, otherBias?.[j] ?? 0] : [...v];
      return [...row, ...new Array(stride - row.length).fill(0)];
    }),
    pointers: [0, ...all.map((row) => (sum += row.length))],
    indices: all.flat().map(([j]) => j),
    values: all.flat().map(([, a]) => a),
    weights: all.flat().map(([, , w]) => w),
    penalties: entries.map(() => lambda),
    biasPenalties: entries.map(() => beta),
  };
}

/** As many entries a row as `lengths` says, in any order of columns. */
function withLengths(request: ComposedRequest, lengths: readonly number[], seed: number): ComposedRequest {
  const random = source(seed);
  const n = request.V.length;
  const entries = lengths.map((length, i) =>
    Array.from({ length }, (_, t) => [(t * 7 + i) % n, 2 * random(), 0.3 + Math.abs(random())] as const),
  );
  return { ...request, entries, own: lengths.map((_, i) => request.own[i % request.own.length] as number[]) };
}

function expectNear(actual: readonly number[], expected: ArrayLike<number>, tolerance: number, name: string): void {
  const norm = Math.hypot(...Array.from(expected), 1e-3);
  const distance = Math.hypot(...actual.map((x, c) => x - (expected[c] as number)));
  expect(distance / norm, name).toBeLessThan(tolerance);
}

/** Columns of a block, and entries up to which a row without a background is solved exactly. */
const exactly = (width: number) => width + (width >> 2);

function expectImproved(request: ComposedRequest, { rows, totals }: ComposedResult, tolerance: number): void {
  const twin = listed(request);
  const width = request.width as number;
  let objective = 0;
  rows.forEach((x, i) => {
    const count = request.entries[i]?.length as number;
    const isSolved = !request.background && count <= exactly(width);
    const expected = isSolved ? solveRow(twin, i) : improveRow(twin, i, request.own[i] as number[], width);
    expectNear(x, expected, tolerance, `row ${i} of ${count} entries, rank ${request.rank}, width ${width}`);
    objective += objectiveOfRow(request, i, x);
  });
  expect(Math.abs((totals.loss + totals.penalty) / objective - 1)).toBeLessThan(tolerance / 10);
}

const lengths = [0, 1, 2, 3, 4, 5, 9, 31, 40, 41, 64, 65, 70];
const ranks = [1, 3, 4, 7, 8, 17, 32, 33, 70];
const kinds = {
  f64: { dtype: 'f64', tolerance: 1e-7 },
  f32: { dtype: 'f32', tolerance: 5e-3 },
  'f32 in f64': { dtype: 'f32', isInDouble: true, tolerance: 1e-5 },
} as const;
const forms: Record<string, (request: ComposedRequest) => ComposedRequest> = {
  plain: (request) => request,
  biases: (request) => ({
    ...request,
    otherBias: request.V.map((_, j) => (j % 5) / 4 - 0.5),
    isOwnBiasFree: true,
    own: request.own.map((row) => [...row, 0.2]),
    mean: 0.3,
    beta: 0.2,
  }),
  "the other side's biases": (request) => ({ ...request, otherBias: request.V.map((_, j) => (j % 5) / 4 - 0.5) }),
  'a background': (request) => ({
    ...request,
    background: background(request.entries.length, request.V.length, 3),
  }),
};

describe.each(Object.entries(kinds))('%s', (_name, { tolerance, ...kind }) => {
  it.each(Object.keys(forms))('a row is improved as by the twin: %s', async (form) => {
    for (const rank of ranks)
      for (const width of [8, 32]) {
        const base = problem({ m: 4, n: 71, rank, seed: rank });
        const made = forms[form]?.(withLengths({ ...base, lambda: 0.5 }, lengths, rank + width)) as ComposedRequest;
        const request = { ...made, ...kind, width };
        expectImproved(request, await runComposed(request, 'blockRows'), tolerance);
      }
  });
});

describe('improving a row', () => {
  const request = fc.record({
    rank: fc.integer({ min: 1, max: 20 }),
    width: fc.constantFrom(4, 8, 16),
    seed: fc.integer({ min: 1, max: 1e6 }),
    lambda: fc.constantFrom(0, 1e-6, 0.1),
    hasBackground: fc.boolean(),
    isNonnegative: fc.boolean(),
    l1: fc.constantFrom(undefined, 0.2),
    dtype: fc.constantFrom('f32' as const, 'f64' as const),
  });

  it('never raises its objective, and ends at a minimum when it is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ rank, width, seed, lambda, hasBackground, isNonnegative, l1, dtype }) => {
        const base = problem({ m: 5, n: 30, rank, seed, share: 0.8 });
        const own = base.own.map((row) => row.map((x) => Math.fround(isNonnegative ? Math.abs(x) : x)));
        let at: ComposedRequest = {
          ...base,
          ...{ own, lambda, width, dtype },
          ...(hasBackground && { background: background(5, 30, seed) }),
          ...(isNonnegative && { lower: 0 }),
          ...(l1 !== undefined && { l1 }),
        };
        const total = (rows: readonly (readonly number[])[]) =>
          rows.map((row, i) => objectiveOfRow(at, i, row)).reduce((a, b) => a + b, 0);
        const rounding = dtype === 'f32' ? 1e-5 : 1e-11;
        let before = total(own);
        for (let sweep = 0; sweep < 5; sweep++) {
          const { rows, totals } = await runComposed(at, 'blockRows');
          const after = total(rows);
          expect(after).toBeLessThanOrEqual(before * (1 + rounding) + rounding);
          expect(Math.abs(totals.loss + totals.penalty - after)).toBeLessThan(rounding * 10 * (1 + after));
          if (isNonnegative) expect(Math.min(...rows.flat())).toBeGreaterThanOrEqual(0);
          at = { ...at, own: rows };
          before = after;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('repeated, ends where composedSolve does: bounds, L1, held entries, a background', async () => {
    for (const extra of [
      { lower: 0 },
      { lower: -0.2, upper: 0.3, l1: 0.4 },
      { multiples: [0, 1, 1, 1, 1, 1], held: [...Array(5)].map((_, i) => [0, 0, i % 2, 0, 0, 1]) },
      { background: background(5, 30, 9), lower: 0 },
    ]) {
      const base = problem({ m: 5, n: 30, rank: 6, seed: 5, share: 0.9 });
      const own = base.own.map((row) => row.map((x) => Math.min(0.3, Math.abs(x))));
      const request: ComposedRequest = { ...base, own, ...extra };
      const exact = await runComposed(request, 'composedSolve');
      let rows: readonly (readonly number[])[] = own;
      for (let sweep = 0; sweep < 400; sweep++)
        ({ rows } = await runComposed({ ...request, own: rows, width: 4 }, 'blockRows'));
      rows.forEach((row, i) => {
        expectNear([...row], exact.rows[i] as number[], 1e-7, `row ${i} of ${JSON.stringify(extra).slice(0, 40)}`);
      });
    }
  });
});

describe('squares with a background in f32', () => {
  it.each(['plain', 'biases'])('rows are those of the twin: %s', async (form) => {
    for (const rank of ranks) {
      const base = problem({ m: 4, n: 71, rank, seed: rank });
      const made = forms[form]?.(withLengths({ ...base, lambda: 0.5 }, lengths, rank)) as ComposedRequest;
      const request: ComposedRequest = { ...made, dtype: 'f32', background: background(lengths.length, 71, 4) };
      for (const isInBasis of form === 'plain' ? [false, true] : [false]) {
        const { rows, totals } = await runComposed({ ...request, isInBasis }, 'squaresSolve');
        const twin = listed(request);
        let objective = 0;
        rows.forEach((x, i) => {
          expectNear(x, solveRow(twin, i), 1e-3, `row ${i}, rank ${rank}, in the eigenbasis ${isInBasis}`);
          objective += objectiveOfRow(request, i, x);
        });
        expect(Math.abs((totals.loss + totals.penalty) / objective - 1)).toBeLessThan(1e-7);
      }
    }
  });

  it('short rows in the eigenbasis of the background: solution and gradient are those of f64', async () => {
    const random = source(77);
    for (const rank of [2, 4, 5, 12, 16, 31, 40, 64])
      for (const value of [0, 0.4]) {
        // Listed entries weigh more than the background, as confidences do; one in five hardly more, for which f32 has k×k.
        const base = problem({ m: 4, n: 90, rank, seed: rank });
        const counts = Array.from({ length: 40 }, (_, i) => i % (2 + (rank >> 1)));
        const { entries, own } = withLengths(base, counts, rank);
        const weighted = entries.map((row, i) =>
          row.map(([j, a]) => [j, a, i % 5 === 4 ? 0.55 : 1 + 3 * Math.abs(random())] as const),
        );
        const c = base.V.map(() => 0.2 + 0.1 * Math.abs(random()));
        const plain: ComposedRequest = {
          ...{ ...base, entries: weighted, own, lambda: 0.3 },
          background: { r: counts.map(() => 0.5 + 0.5 * Math.abs(random())), c, value },
        };
        const exact = await runComposed({ ...plain, dtype: 'f64' }, 'composedSolve');
        const found = await runComposed({ ...plain, dtype: 'f32', isInBasis: true }, 'squaresSolve');
        found.rows.forEach((x, i) => {
          expectNear(x, exact.rows[i] as number[], 1e-4, `row ${i} of ${counts[i]} entries, rank ${rank}`);
        });
        for (const sum of ['loss', 'penalty', 'gradientSquared', 'ownSquared'] as const)
          expect(Math.abs(found.totals[sum] / exact.totals[sum] - 1), `${sum}, rank ${rank}`).toBeLessThan(1e-5);
      }
  });

  it('long rows step by step in that basis: as in f64 where they are settled, and else most of the way', async () => {
    const random = source(99);
    for (const rank of [48, 61, 96])
      for (const value of [0, 0.4]) {
        const base = problem({ m: 4, n: 2600, rank, seed: rank });
        const counts = [13, 40, 90, 250, 2500];
        const { entries, own } = withLengths(base, counts, rank);
        const weighted = entries.map((row) => row.map(([j, a]) => [j, a, 1 + Math.abs(random())] as const));
        const request: ComposedRequest = {
          ...{ ...base, entries: weighted, own, lambda: 600 },
          background: { r: counts.map(() => 0.5), c: base.V.map(() => 0.2 + 0.1 * Math.abs(random())), value },
        };
        const exact = await runComposed({ ...request, dtype: 'f64' }, 'composedSolve');
        const whole = await runComposed({ ...request, dtype: 'f32' }, 'squaresSolve');
        const settled = await runComposed({ ...request, dtype: 'f32', isInBasis: true }, 'squaresSolve');
        const sweep = await runComposed({ ...request, dtype: 'f32', isInBasis: true, isSweep: true }, 'squaresSolve');
        counts.forEach((count, i) => {
          const best = exact.rows[i] as number[];
          const where = `row ${i} of ${count} entries, rank ${rank}`;
          expectNear(settled.rows[i] as number[], best, 1e-4, where);
          expect(settled.rows[i], where).not.toEqual(whole.rows[i]);
          const above = (x: readonly number[]) => objectiveOfRow(request, i, x) - objectiveOfRow(request, i, best);
          expect(above(sweep.rows[i] as number[]), where).toBeLessThan(1e-4 * above(own[i] as number[]));
        });
        for (const sum of ['loss', 'penalty', 'gradientSquared', 'ownSquared'] as const)
          expect(Math.abs(settled.totals[sum] / exact.totals[sum] - 1), `${sum}, rank ${rank}`).toBeLessThan(1e-5);
      }
  });

  it('long rows without a background, conditioned by one: as in f64 where they are settled, and else most of the way', async () => {
    const random = source(99);
    const plain = { isOwnBiasFree: false, beta: 0 };
    const cases = [
      ...[48, 61, 96].flatMap((rank) => [0.2, 30, 0].map((lambda) => ({ ...plain, rank, lambda }))),
      ...[48, 59].flatMap((rank) =>
        [true, false].map((isOwnBiasFree) => ({ rank, lambda: 3, isOwnBiasFree, beta: 20 })),
      ),
    ];
    for (const { rank, lambda, ...biases } of cases) {
      const more = biases.beta > 0 && { ...biases, mean: 0.3, otherBias: Array.from({ length: 2600 }, random) };
      const found = problem({ m: 5, n: 2600, rank: rank + (biases.isOwnBiasFree ? 1 : 0), seed: rank });
      const base = { ...found, rank, V: found.V.map((v) => v.slice(0, rank)), ...more };
      const counts = [0, 9, 40, 90, 250, 2500];
      const { entries, own } = withLengths(base, counts, rank);
      const weighted = entries.map((row) => row.map(([j, a]) => [j, a, 1 + Math.abs(random())] as const));
      const request: ComposedRequest = { ...base, entries: weighted, own, lambda };
      const exact = await runComposed({ ...request, dtype: 'f64' }, 'composedSolve');
      const weights = { r: counts.map((count) => 2 * count), c: base.V.map(() => 1 / 2600), value: 0 };
      const stepped = { ...request, dtype: 'f32', isInBasis: true, background: weights } as const;
      const settled = await runComposed(stepped, 'preconditionedRows');
      const sweep = await runComposed({ ...stepped, isSweep: true }, 'preconditionedRows');
      counts.forEach((count, i) => {
        // Without a ridge a row of fewer entries than unknowns has many solutions.
        if (lambda === 0 && count < 2 * rank) return;
        const best = exact.rows[i] as number[];
        const where = `row ${i} of ${count} entries, rank ${rank}, λ ${lambda}, ${JSON.stringify(biases)}`;
        const above = (x: readonly number[]) => objectiveOfRow(request, i, x) - objectiveOfRow(request, i, best);
        const start = above(own[i] as number[]);
        expect(settled.statuses[i], where).toBe(0);
        expect(above(settled.rows[i] as number[]), where).toBeLessThanOrEqual(1e-9 * start);
        expect(above(sweep.rows[i] as number[]), where).toBeLessThanOrEqual(1e-2 * start);
        // Between these it is for the steps themselves to say whether the matrix is cheaper.
        const isStepped = settled.rows[i]?.some((x, c) => x !== sweep.rows[i]?.[c]);
        if (count >= 2500 || count * 4 <= rank) expect(isStepped, where).toBe(count >= 2500);
      });
      if (lambda === 0) continue;
      for (const sum of totalNames)
        if (exact.totals[sum] !== 0 || settled.totals[sum] !== 0)
          expect(Math.abs(settled.totals[sum] / exact.totals[sum] - 1), `${sum}, rank ${rank}`).toBeLessThan(1e-4);
    }
  });

  it('a penalty of 0 on a background that has no full rank is left to f64', async () => {
    const base = problem({ m: 4, n: 20, rank: 8, seed: 3 });
    const V = base.V.map((row) => row.map((x, c) => (c < 2 ? 0 : x)));
    const request: ComposedRequest = {
      ...withLengths({ ...base, V, lambda: 0 }, [0, 2, 4], 3),
      ...{ dtype: 'f32', isInBasis: true, background: background(3, 20, 4) },
    };
    await expect(runComposed(request, 'squaresSolve')).resolves.toMatchObject({ statuses: [1, 1, 1] });
  });
});

describe('the eigenbasis of a symmetric matrix', () => {
  it('is orthonormal, and brings the matrix back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 1e6 }), (p, seed) => {
        const random = source(seed);
        // Of any rank, so that eigenvalues coincide at 0.
        const Z = Array.from({ length: seed % (p + 2) }, () => Array.from({ length: p }, () => random()));
        const entry = (r: number, c: number) => Z.reduce((sum, z) => sum + (z[r] as number) * (z[c] as number), 0);
        const A = Float64Array.from({ length: p * p }, (_, t) => entry(Math.floor(t / p), t % p));
        const { values, vectors } = eigenbasis(A.slice(), p);
        const q = (e: number, c: number) => vectors[e]?.[c] as number;
        for (let r = 0; r < p; r++)
          for (let c = 0; c < p; c++) {
            const back = values.reduce((sum, value, e) => sum + value * q(e, r) * q(e, c), 0);
            expect(back).toBeCloseTo(A[r * p + c] as number, 11);
            const product = vectors.reduce((sum, _, e) => sum + q(r, e) * q(c, e), 0);
            expect(product).toBeCloseTo(r === c ? 1 : 0, 12);
          }
      }),
      { numRuns: 50 },
    );
  });

  it('is the same to the bit by kernels', () => {
    const { module } = compileKernels('reproducible');
    for (const p of [1, 2, 3, 4, 5, 6, 7, 33, 64, 130]) {
      const random = source(p);
      const A = Float64Array.from({ length: p * p }, () => random());
      for (let r = 0; r < p; r++) A[r * p + r] = p + random();
      expect(tridiagonalize(A.slice(), p, module)).toEqual(tridiagonalize(A.slice(), p));
      const plain = eigenbasis(A.slice(), p);
      const found = eigenbasis(A.slice(), p, module);
      expect(found.values).toEqual(plain.values);
      // Views of the kernels' memory are of another buffer.
      expect(found.vectors.map((q) => Float64Array.from(q))).toEqual(plain.vectors);
    }
  });
});
