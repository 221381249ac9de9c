/** Bootstrap, displacement and both: matching, the same for every number of threads, and a curvature that is known. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { bootstrap, bootstrapDisplace, displace, factorize, type Model } from '../../dist/src/index.js';
import { drawRows } from '../../dist/src/selection/bootstrap.js';
import { matchFactors } from '../../dist/src/selection/factorMatching.js';
import { expectClose } from '../helpers/compare.js';
import { uniform } from '../helpers/random.js';

const sigma = 0.05;

/** Two sources that are told apart by species of their own. */
function sources(m: number, profiles: readonly (readonly number[])[], seed: number) {
  const next = uniform(seed);
  const n = profiles[0]?.length as number;
  const values = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    const u = profiles.map(() => 0.3 + 2 * next() ** 2);
    for (let j = 0; j < n; j++) {
      const exact = u.reduce((sum, x, p) => sum + x * (profiles[p]?.[j] as number), 0);
      values[i * n + j] = Math.max(0, exact + sigma * 2 * (next() + next() + next() - 1.5));
    }
  }
  return { A: ndarray(values, [m, n]), weights: { sigma: ndarray(new Float64Array(m * n).fill(sigma), [m, n]) } };
}

const two = sources(
  30,
  [
    [5, 3, 0, 0, 1],
    [0, 1, 4, 3, 0],
  ],
  3,
);
const fitTwo = () => factorize(two.A, { rank: 2, preset: 'pmf', threads: 1, weights: two.weights });

describe('factors are matched', () => {
  const U = ndarray(Float64Array.of(1, 5, 2, 1, 3, 4, 4, 2), [4, 2]);
  const rows = Uint32Array.of(0, 1, 2, 3);
  test('by the best correlation of contributions, to none below the threshold', () => {
    const swapped = ndarray(
      Float64Array.from([5, 1, 1, 2, 4, 3, 2, 4], (x) => 3 * x + 1),
      [4, 2],
    );
    expect(matchFactors(swapped, U, rows, 0.6)).toEqual([1, 0]);
    expect(matchFactors(U, U, rows, 0.6)).toEqual([0, 1]);
    // Rows 0 2 2 1 of the base: the first column is then 1 3 3 2, the second 5 4 4 1.
    const drawn = ndarray(Float64Array.of(2, 1, 6, 1, 6, 2, 4, 1), [4, 2]);
    expect(matchFactors(drawn, U, Uint32Array.of(0, 2, 2, 1), 0.6)).toEqual([0, -1]);
    expect(matchFactors(ndarray(new Float64Array(8).fill(1), [4, 2]), U, rows, 0.6)).toEqual([-1, -1]);
  });
});

test('blocks are of rows that follow each other, and of the seed', () => {
  const listing = { shape: [10, 1] } as never;
  const rows = drawRows(listing, 4, 1, 0);
  expect(rows).toHaveLength(10);
  rows.forEach((row, t) => {
    if (t % 4 !== 0) expect(row).toBe(((rows[t - 1] as number) + 1) % 10);
  });
  expect(drawRows(listing, 4, 1, 0)).toEqual(rows);
  expect(drawRows(listing, 4, 2, 0)).not.toEqual(rows);
  expect(drawRows(listing, 4, 1, 1)).not.toEqual(rows);
});

test('bootstrap maps every factor of two clear sources, the same on one thread and two', async () => {
  const model = await fitTwo();
  const seen: number[] = [];
  const given = { weights: two.weights, runs: 6, blockRows: 5 };
  const report = await bootstrap(two.A, model, { ...given, threads: 1, onProgress: ({ done }) => seen.push(done) });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect(report.mapping).toEqual([
    [6, 0],
    [0, 6],
  ]);
  expect(report).toMatchObject({ runs: 6, converged: 6, unmapped: [0, 0], blockRows: 5, threshold: 0.6, seed: 1 });
  // Contributions of preset pmf have mean 1, so that profiles are the columns of V.
  expectClose(
    report.profiles.flat(),
    [0, 1].flatMap((c) => [0, 1, 2, 3, 4].map((j) => model.V.get(j, c))),
    1e-6,
  );
  for (const [p, profile] of report.percentiles.p50.entries())
    for (const [j, value] of profile.entries()) {
      expect(report.percentiles.p5[p]?.[j] as number).toBeLessThanOrEqual(value);
      expect(report.percentiles.p95[p]?.[j] as number).toBeGreaterThanOrEqual(value);
    }
  expect(await bootstrap(two.A, model, { ...given, threads: 2 })).toEqual(report);
  await expect(bootstrap(two.A, model, { ...given, signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  });
});

/** dQmax·gᵀH⁺g of φ_j = v_j·mean(u) at rank 1, by plain elimination of what H = JᵀJ leaves free. */
function knownReach(model: Model, column: number, level: number): number {
  const [m, n] = model.shape;
  const size = m + n;
  const u = (i: number) => model.U.get(i, 0);
  const v = (j: number) => model.V.get(j, 0);
  const H = Array.from({ length: size }, () => new Array<number>(size + 1).fill(0));
  const add = (r: number, c: number, x: number) => {
    (H[r] as number[])[c] = (H[r]?.[c] as number) + x;
  };
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      add(i, i, (v(j) / sigma) ** 2);
      add(m + j, m + j, (u(i) / sigma) ** 2);
      add(i, m + j, (u(i) * v(j)) / sigma ** 2);
      add(m + j, i, (u(i) * v(j)) / sigma ** 2);
    }
  // The scale: (u, −v) is free; φ does not depend on it.
  const free = [...Array.from({ length: m }, (_, i) => u(i)), ...Array.from({ length: n }, (_, j) => -v(j))];
  for (let r = 0; r < size; r++) for (let c = 0; c < size; c++) add(r, c, (free[r] as number) * (free[c] as number));
  let mean = 0;
  for (let i = 0; i < m; i++) mean += u(i) / m;
  const g = [
    ...new Array<number>(m).fill(v(column) / m),
    ...Array.from({ length: n }, (_, j) => (j === column ? mean : 0)),
  ];
  for (const [r, x] of g.entries()) add(r, size, x);
  for (let c = 0; c < size; c++)
    for (let r = 0; r < size; r++) {
      if (r === c) continue;
      const factor = (H[r]?.[c] as number) / (H[c]?.[c] as number);
      for (let t = c; t <= size; t++) add(r, t, -factor * (H[c]?.[t] as number));
    }
  const variance = g.reduce((sum, x, r) => sum + (x * (H[r]?.[size] as number)) / (H[r]?.[r] as number), 0);
  return Math.sqrt(level * variance);
}

test('displacement goes as far as the curvature of Q says where that is known', async () => {
  const one = sources(12, [[5, 3, 2, 1]], 7);
  const model = await factorize(one.A, { rank: 1, preset: 'pmf', threads: 1, weights: one.weights, tolerance: 1e-10 });
  const given = { weights: one.weights, levels: [4, 15], threads: 1 };
  const report = await displace(one.A, model, given);
  report.levels.forEach((level, l) => {
    for (let j = 0; j < 4; j++) {
      const reach = knownReach(model, j, level);
      const profile = report.profiles[0]?.[j] as number;
      expect(((report.upper[l]?.[0]?.[j] as number) - profile) / reach).toBeCloseTo(1, 1);
      expect((profile - (report.lower[l]?.[0]?.[j] as number)) / reach).toBeCloseTo(1, 1);
    }
  });
  expect(report.swaps).toEqual([[0], [0]]);
  expect(report.largestFall).toBeLessThan(1e-3);
  expect(await displace(one.A, model, { ...given, threads: 2 })).toEqual(report);
}, 30_000);

test('displacement within bootstrap runs counts the runs that keep their factors', async () => {
  const model = await fitTwo();
  const given = { weights: two.weights, runs: 2, columns: [1], levels: [2], threads: 2, blockRows: 5 };
  const report = await bootstrapDisplace(two.A, model, given);
  expect(report).toMatchObject({ runs: 2, accepted: 2, columns: [1], levels: [2] });
  for (const p of [0, 1]) {
    const profile = report.profiles[p]?.[1] as number;
    expect(report.lower[0]?.[p]?.[0] as number).toBeLessThan(profile);
    expect(report.upper[0]?.[p]?.[0] as number).toBeGreaterThan(profile);
  }
}, 30_000);

test('other data and other weights than those of the fit are refused', async () => {
  const refusal = { code: 'invalid-input', what: expect.stringContaining('that of the fit was') };
  await expect(bootstrap(two.A, await fitTwo(), { runs: 2 })).rejects.toMatchObject(refusal);
});

test('other models and odd options are refused', async () => {
  const free = await factorize(two.A, { rank: 2, threads: 1 });
  await expect(bootstrap(two.A, free)).rejects.toMatchObject({ code: 'incompatible-options' });
  const huber = await factorize(two.A, { rank: 2, nonnegative: 'both', loss: 'huber:2', threads: 1 });
  await expect(displace(two.A, huber)).rejects.toMatchObject({ code: 'incompatible-options' });
  const model = await fitTwo();
  for (const [odd, code] of [
    [{ runs: 0 }, 'invalid-option'],
    [{ blockRows: 31 }, 'invalid-option'],
    [{ threshold: 2 }, 'invalid-option'],
    [{ blocks: 2 }, 'invalid-option'],
  ] as const)
    await expect(bootstrap(two.A, model, { weights: two.weights, ...odd } as object)).rejects.toMatchObject({ code });
  for (const odd of [{ levels: [4, 2] }, { levels: [] }, { columns: [5] }, { columns: [1, 1] }])
    await expect(displace(two.A, model, { weights: two.weights, ...odd })).rejects.toMatchObject({
      code: 'invalid-option',
    });
  await expect(bootstrap(two.A.hi(20, 5), model)).rejects.toMatchObject({ code: 'shape-mismatch' });
});
