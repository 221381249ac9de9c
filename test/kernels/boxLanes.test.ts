/** Rows within bounds, which are solved two at a time: against every choice of free coordinates, and against being alone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectOptimal, objectiveOfRow, problem, source } from './composedProblem.js';
import { type ComposedRequest, runComposed } from './composedWorkspace.js';

/** Solution of Gx = b by Gaussian elimination with pivoting; not finite where there is none. */
function solve(G: readonly Float64Array[], b: Float64Array): number[] {
  const n = b.length;
  const rows = G.map((row, r) => [...row, b[r] as number]);
  const at = (r: number, c: number) => rows[r]?.[c] as number;
  for (let c = 0; c < n; c++) {
    const pivot = rows.reduce((best, _, r) => (r >= c && Math.abs(at(r, c)) > Math.abs(at(best, c)) ? r : best), c);
    rows.splice(c, 1, ...rows.splice(pivot, 1, rows[c] as number[]));
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = at(r, c) / at(c, c);
      rows[r] = (rows[r] as number[]).map((value, e) => value - factor * at(c, e));
    }
  }
  return Array.from(b, (_, c) => at(c, n) / at(c, c));
}

/** The least of a row's objective over all choices of what is free, at the lower and at the upper bound. */
function leastOf(request: ComposedRequest, i: number): number {
  const { rank, V, lambda = 0, l1 = 0, lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY } = request;
  const factor = request.rowFactors?.[i] ?? 1;
  const G = Array.from({ length: rank }, (_, r) =>
    Float64Array.from({ length: rank }, (_, c) => (r === c ? factor * lambda : 0)),
  );
  // Where there is an L1 penalty x is at least 0.
  const b = new Float64Array(rank).fill((-factor * l1) / 2);
  for (const [j, a, w] of request.entries[i] ?? []) {
    const v = V[j] as readonly number[];
    v.forEach((vr, r) => {
      b[r] = (b[r] as number) + w * w * a * vr;
      G[r] = (G[r] as Float64Array).map((sum, c) => sum + w * w * vr * (v[c] as number));
    });
  }
  let least = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < 3 ** rank; choice++) {
    const bounds = Array.from(b, (_, c) => [undefined, lower, upper][Math.floor(choice / 3 ** c) % 3]);
    if (bounds.some((bound) => bound !== undefined && !Number.isFinite(bound))) continue;
    const free = [...bounds.keys()].filter((c) => bounds[c] === undefined);
    const rowOf = (c: number) => G[c] as Float64Array;
    const found = solve(
      free.map((r) => Float64Array.from(free, (c) => rowOf(r)[c] as number)),
      Float64Array.from(free, (c) =>
        bounds.reduce<number>((sum, x, e) => sum - (rowOf(c)[e] as number) * (x ?? 0), b[c] as number),
      ),
    );
    if (!found.every((x) => x >= lower && x <= upper)) continue;
    const x = bounds.map((bound, c) => bound ?? (found[free.indexOf(c)] as number));
    least = Math.min(least, objectiveOfRow(request, i, x));
  }
  return least;
}

const boundsOf = [
  { lower: 0 },
  { lower: 0, l1: 0.3 },
  { upper: 0.1 },
  { lower: -0.2, upper: 0.3 },
  { lower: 0.1, upper: 0.1 },
] as const;

/** Each row is the same, to the bit, whichever it shares its lanes with. */
async function expectSameAlone(request: ComposedRequest, rows: readonly number[][]): Promise<void> {
  const { own, entries, rowFactors, background } = request;
  for (const [i, x] of rows.entries()) {
    const one = <T>(list: readonly T[]) => list.slice(i, i + 1);
    const alone: ComposedRequest = {
      ...request,
      own: one(own),
      entries: one(entries),
      ...(rowFactors && { rowFactors: one(rowFactors) }),
      ...(background && { background: { ...background, r: one(background.r) } }),
    };
    expect((await runComposed(alone, 'composedSolve')).rows[0], `row ${i}`).toEqual(x);
  }
}

/** Every entry is listed, its weight of its row and column alone; W = √(r·c) is exact. */
function full(request: ComposedRequest): ComposedRequest {
  const r = request.entries.map((_, i) => [1, 4, 0.25][i % 3] as number);
  const c = request.V.map((_, j) => [1, 4][j % 2] as number);
  const entries = r.map((ri, i) =>
    c.map((cj, j) => [j, Math.fround(Math.sin(1 + 7 * i + j)), Math.sqrt(ri * cj)] as const),
  );
  return { ...request, entries, background: { r, c, value: 0 }, isFull: true };
}

it.each([
  ['of which some entries are listed', (request: ComposedRequest) => request],
  ['of a full matrix', full],
])(
  'rows %s: the least of all choices of free coordinates, and the same bits beside another row as alone',
  async (_name, form) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...boundsOf),
        fc.constantFrom('f32', 'f64'),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        async (bounds, dtype, m, rank, seed) => {
          const rounded = (numbers: readonly number[]) => numbers.map(Math.fround);
          const { lower = -1, upper = 1 } = bounds as { lower?: number; upper?: number };
          const base = problem({ m, n: 14, rank, seed, share: 0.9 });
          const request = form({
            ...base,
            ...bounds,
            dtype,
            rowFactors: base.own.map((_, i) => 1 + i),
            V: base.V.map(rounded),
            own: base.own.map((row) => rounded(row.map((x) => Math.min(upper, Math.max(lower, x))))),
            entries: base.entries.map((row) => row.map(([j, a, w]) => [j, Math.fround(a), Math.fround(w)] as const)),
          });
          const { rows, totals } = await runComposed(request, 'composedSolve');
          for (const [i, x] of rows.entries()) {
            const least = leastOf(request, i);
            const rounding = dtype === 'f32' ? 1e-5 : 1e-13;
            expect(objectiveOfRow(request, i, x)).toBeLessThanOrEqual(least * (1 + 1e-12) + rounding);
          }
          await expectSameAlone(request, rows);
          const f = rows.reduce((sum, x, i) => sum + objectiveOfRow(request, i, x), 0);
          expect(totals.loss + totals.penalty).toBeCloseTo(f, 8);
          const before = await runComposed(request, 'composedMeasure');
          expect(totals.gradientSquared / (before.totals.gradientSquared || 1)).toBeCloseTo(
            before.totals.gradientSquared ? 1 : 0,
            9,
          );
          expect(totals.ownSquared).toBeCloseTo(before.totals.ownSquared, 10);
        },
      ),
      { numRuns: 100 },
    );
  },
);

it.each([
  ['columns that are the same', 0],
  ['columns that are nearly the same', 1e-9],
])('%s, without a ridge: no feasible step lowers f', async (_name, apart) => {
  const random = source(9);
  const V = Array.from({ length: 20 }, () => {
    const [a, b] = [Math.abs(random()), Math.abs(random())];
    return [a, a + apart * random(), b, 0];
  });
  const entries = Array.from({ length: 7 }, () => V.map((_, j) => [j, 1 + random(), 1] as const));
  // Every other row holds one of the columns at its bound, so that its own pivots are sound.
  const own = entries.map((_, i) => (i % 2 === 0 ? [0.3, 0.1, 0, 0.2] : [0.3, 0, 0, 0]));
  const request: ComposedRequest = { rank: 4, V, entries, own, lower: 0, lambda: 0 };
  const { rows } = await runComposed(request, 'composedSolve');
  for (const [i, x] of rows.entries()) expectOptimal(request, i, x, 1e-12);
  await expectSameAlone(request, rows);
});

it('where nothing holds a row but an L1 penalty it is at its bound', async () => {
  const V = Array.from({ length: 6 }, () => [0, 0, 0]);
  const entries = Array.from({ length: 4 }, () => V.map((_, j) => [j, 1, 1] as const));
  const own = [
    [0.4, 0, 0.3],
    [0, 0.2, 0],
    [0.1, 0.1, 0.1],
    [0, 0, 0.2],
  ];
  const { rows } = await runComposed({ rank: 3, V, entries, own, lower: 0, l1: 1, lambda: 0 }, 'composedSolve');
  expect(rows).toEqual(own.map((row) => row.map(() => 0)));
});

it('a bias beside bounded factors is free, and a row is the same alone', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = source(seed);
    const base = problem({ m: 5, n: 14, rank: 3, seed, share: 0.9 });
    const biased = {
      otherBias: base.V.map(random),
      isOwnBiasFree: true,
      mean: 0.3,
      beta: 0.2,
      lower: -0.1,
      upper: 0.4,
    };
    const request = { ...base, ...biased, rowFactors: [1, 2, 3, 4, 5], own: base.own.map((row) => [...row, 0.1]) };
    const { rows, totals } = await runComposed(request, 'composedSolve');
    for (const [i, x] of rows.entries()) expectOptimal(request, i, x, 1e-12);
    await expectSameAlone(request, rows);
    expect(rows.some((x) => Math.abs(x[3] as number) > 0.4)).toBe(true);
    const before = await runComposed(request, 'composedMeasure');
    expect(totals.biasGradientSquared).toBeCloseTo(before.totals.biasGradientSquared, 8);
  }
});

const besides: readonly (readonly [string, Partial<ComposedRequest>])[] = [
  ['', {}],
  [', beside biases of the other side', { otherBias: Array.from({ length: 90 }, (_, j) => Math.sin(j)), mean: 0.5 }],
  [', with a free column', { multiples: [0, ...new Array(32).fill(1)] }],
  [', beside a background', { background: { r: [1, 2, 0.5, 1, 1], c: new Array(90).fill(0.3), value: 0.4 } }],
];

it.each(besides)(
  'ranks up to 32 two at a time and those above one by one%s: the projected gradient vanishes',
  async (_name, more) => {
    for (const rank of [1, 7, 16, 31, 32, 33]) {
      const base = problem({ m: 5, n: 90, rank, seed: rank, share: 0.9 });
      const multiples = more.multiples?.slice(0, rank);
      const request: ComposedRequest = { ...base, ...more, ...(multiples && { multiples }), lower: 0 };
      const { rows } = await runComposed(request, 'composedSolve');
      const { residuals } = await runComposed({ ...request, own: rows }, 'composedMeasure');
      for (const residual of residuals) expect(residual, `rank ${rank}`).toBeLessThan(1e-12);
    }
  },
);
