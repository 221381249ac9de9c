/** Standard errors against the whole Gauss–Newton matrix made plainly, degrees of freedom, and coverage by simulation. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, loadModel, type Model, openSession, plan } from '../../dist/src/index.js';
import { temporaryFolder } from '../cli/run.js';
import { expectClose } from '../helpers/compare.js';
import { dense, type Problem, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

const exact = { dtype: 'f64', threads: 1, maxSweeps: 20000, tolerance: 1e-12, intervals: 0.9 } as const;

interface Shape {
  /** Unknowns of a row and of a column. */
  readonly q: number;
  readonly p: number;
}

const shapeOf = ({ rank, biases }: Model): Shape => ({
  q: rank + (biases.rows ? 1 : 0),
  p: rank + (biases.columns ? 1 : 0),
});

/** ∂p_ij/∂(all unknowns): U and row biases, row by row, then V and column biases. */
function jacobianRow(model: Model, i: number, j: number): Float64Array {
  const { q, p } = shapeOf(model);
  const [m, n] = model.shape;
  const z = new Float64Array(m * q + n * p);
  for (let c = 0; c < q; c++) z[i * q + c] = c < model.rank ? model.V.get(j, c) : 1;
  for (let c = 0; c < p; c++) z[m * q + j * p + c] = c < model.rank ? model.U.get(i, c) : 1;
  return z;
}

/** Gauss–Jordan with pivoting. */
function inverse(A: readonly (readonly number[])[]): number[][] {
  const size = A.length;
  const B = A.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let c = 0; c < size; c++) {
    let best = c;
    for (let r = c; r < size; r++) if (Math.abs(B[r]?.[c] as number) > Math.abs(B[best]?.[c] as number)) best = r;
    [B[c], B[best]] = [B[best] as number[], B[c] as number[]];
    const pivot = B[c] as number[];
    const scale = pivot[c] as number;
    for (let t = 0; t < 2 * size; t++) pivot[t] = (pivot[t] as number) / scale;
    B.forEach((row, r) => {
      const factor = row[c] as number;
      if (r === c || factor === 0) return;
      for (let t = 0; t < 2 * size; t++) row[t] = (row[t] as number) - factor * (pivot[t] as number);
    });
  }
  return B.map((row) => row.slice(size));
}

/** H = JᵀJ + λ, and its inverse among what moves V (U, where it has fewer rows) orthogonally to [V, 1]: by a bordered matrix. */
function wholeCovariance(model: Model, { m, n, entries }: Problem, lambda: number): number[][] {
  const { q, p } = shapeOf(model);
  const size = m * q + n * p;
  const H = Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => (r === c ? lambda : 0)));
  for (const { row, column, weight } of entries) {
    const z = jacobianRow(model, row, column);
    for (let r = 0; r < size; r++)
      if (z[r] !== 0)
        for (let c = 0; c < size; c++)
          (H[r] as number[])[c] = (H[r]?.[c] as number) + weight * weight * (z[r] as number) * (z[c] as number);
  }
  const isColumns = m >= n;
  const [factor, count, width, at] = isColumns ? [model.V, n, p, m * q] : [model.U, m, q, 0];
  const gauge = model.rank + ((isColumns ? model.biases.rows : model.biases.columns) ? 1 : 0);
  const borders: number[][] = [];
  for (let c = 0; c < gauge; c++)
    for (let a = 0; a < width; a++) {
      const border = new Array<number>(size).fill(0);
      for (let j = 0; j < count; j++) border[at + j * width + a] = c < model.rank ? factor.get(j, c) : 1;
      borders.push(border);
    }
  const bordered = [
    ...H.map((row, r) => [...row, ...borders.map((border) => border[r] as number)]),
    ...borders.map((border) => [...border, ...borders.map(() => 0)]),
  ];
  return inverse(bordered)
    .slice(0, size)
    .map((row) => row.slice(0, size));
}

/** The blocks of a matrix on its diagonal, packed. */
function packed(C: readonly (readonly number[])[], at: number, count: number, width: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < count; i++)
    for (let c = 0; c < width; c++)
      for (let e = 0; e <= c; e++) out.push(C[at + i * width + c]?.[at + i * width + e] as number);
  return out;
}

describe('covariances', () => {
  const cases: [string, Parameters<typeof problem>[0], Partial<FactorizeOptions>][] = [
    ['tall', { m: 16, n: 9, rank: 2, density: 0.8, isWeighted: true, seed: 3 }, { rank: 2 }],
    ['wide', { m: 8, n: 15, rank: 2, density: 0.75, isWeighted: true, seed: 4 }, { rank: 2 }],
    ['with biases', { m: 16, n: 10, rank: 1, density: 0.8, isWeighted: true, seed: 5 }, { rank: 1, biases: 'both' }],
    ['with column biases', { m: 9, n: 12, rank: 1, density: 0.8, seed: 6 }, { rank: 1, biases: 'columns' }],
    [
      'with λ',
      { m: 14, n: 9, rank: 2, density: 0.7, isWeighted: true, seed: 7 },
      { rank: 2, lambda: 0.3, biases: 'rows' },
    ],
  ];
  test.each(cases)('are those of the whole Gauss–Newton matrix: %s', async (_name, shape, given) => {
    const data = problem(shape);
    const model = await factorize(triples(data), {
      ...exact,
      ...given,
      rank: given.rank as number,
      weights: sqrtWeights(data),
    });
    const { q, p } = shapeOf(model);
    const { m, n } = data;
    const C = wholeCovariance(model, data, given.lambda ?? 0);
    const { uncertainty } = model.fit;
    const variance = (uncertainty?.spread as number) ** 2;
    expect(uncertainty).toMatchObject({ kind: 'full', noise: 'residuals', isBiased: given.lambda !== undefined });
    const scaled = (values: readonly number[]) => values.map((value) => variance * value);
    expectClose(model.covariances?.rows as Float64Array, scaled(packed(C, 0, m, q)), 1e-7);
    expectClose(model.covariances?.columns as Float64Array, scaled(packed(C, m * q, n, p)), 1e-7);
    // What the two terms leave out of zᵀCz, which no gauge changes, is of second order.
    const ratios: number[] = [];
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        const z = jacobianRow(model, i, j);
        let whole = 0;
        for (let r = 0; r < z.length; r++)
          for (let c = 0; c < z.length; c++) whole += (z[r] as number) * (z[c] as number) * (C[r]?.[c] as number);
        const { standardError } = model.predict(i, j, { interval: 0.9 });
        ratios.push(standardError ** 2 / (variance * whole));
      }
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.12);
  });

  test('take degrees of freedom: a count where λ is 0', async () => {
    const data = problem({ m: 20, n: 12, density: 0.7, seed: 8 });
    const fittedDegrees = async (options: Omit<FactorizeOptions, 'rank'>) => {
      const { fit } = await factorize(triples(data), { ...exact, rank: 2, ...options });
      const { fittedDegrees: spent, residualDegrees, reducedChiSquare } = fit.uncertainty ?? {};
      expect(residualDegrees).toBeCloseTo(data.entries.length - (spent as number), 9);
      expect(reducedChiSquare).toBeCloseTo(fit.loss / (residualDegrees as number), 9);
      return spent;
    };
    expect(await fittedDegrees({})).toBe(20 * 2 + 12 * 2 - 4);
    expect(await fittedDegrees({ biases: 'rows' })).toBe(20 * 3 + 12 * 2 - 6);
    expect(await fittedDegrees({ biases: 'both' })).toBe(20 * 3 + 12 * 3 - 9);
    // Rows shorter than the rank count as many as they have; what they do not determine has no end.
    const short = { ...data, entries: data.entries.filter(({ row }) => row > 0) };
    const one = data.entries.find(({ row }) => row === 0) as Problem['entries'][number];
    const thin = { ...short, entries: [one, ...short.entries] };
    const model = await factorize(triples(thin), { ...exact, rank: 2 });
    expect(model.fit.uncertainty).toMatchObject({ kind: 'conditional', fittedDegrees: 1 + 19 * 2 + 12 * 2 - 4 });
    expect(model.predict(0, 3, { interval: 0.9 })).toMatchObject({
      standardError: Number.POSITIVE_INFINITY,
      lower: Number.NEGATIVE_INFINITY,
    });
    expect(model.fit.notes.some((note) => note.includes('not determined'))).toBe(true);
  });

  test('and the trace of the smoother where it is not, by finite differences', async () => {
    const data = problem({ m: 9, n: 6, rank: 1, density: 0.8, noise: 0.002, seed: 9 });
    const options = { ...exact, rank: 1, lambda: 0.4 };
    const base = await factorize(triples(data), options);
    const step = 1e-4;
    let trace = 0;
    for (const entry of data.entries) {
      const moved = async (by: number) => {
        const shifted = triples(data, (e) => e.value + (e === entry ? by : 0));
        return (await factorize(shifted, { ...options, init: base })).predict(entry.row, entry.column);
      };
      trace += ((await moved(step)) - (await moved(-step))) / (2 * step);
    }
    const spent = base.fit.uncertainty?.fittedDegrees as number;
    expect(spent).toBeLessThan(9 + 6 - 1);
    expect(Math.abs(spent / trace - 1)).toBeLessThan(0.02);
  });
});

/** UVᵀ of rank k, observed with normal noise at `share` of its cells, every row and column at least 5k times. */
function simulate(m: number, n: number, k: number, share: number, seed: number) {
  const next = uniform(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const factor = (rows: number) => Array.from({ length: rows }, () => Array.from({ length: k }, normal));
  const [U, V] = [factor(m), factor(n)];
  const truth = (i: number, j: number) => (U[i] as number[]).reduce((sum, u, c) => sum + u * (V[j]?.[c] as number), 0);
  const isSeen = new Uint8Array(m * n).map(() => (next() < share ? 1 : 0));
  const seen = (cells: readonly number[]) => cells.reduce((sum, t) => sum + (isSeen[t] as number), 0);
  const fill = (cells: readonly number[]) => {
    while (seen(cells) < 5 * k) isSeen[cells[Math.floor(next() * cells.length)] as number] = 1;
  };
  for (let i = 0; i < m; i++) fill(Array.from({ length: n }, (_, j) => i * n + j));
  for (let j = 0; j < n; j++) fill(Array.from({ length: m }, (_, i) => i * n + j));
  const values = Float64Array.from({ length: m * n }, (_, t) =>
    isSeen[t] ? truth(Math.floor(t / n), t % n) + 0.3 * normal() : Number.NaN,
  );
  return { truth, A: ndarray(values, [m, n]) };
}

describe('intervals of 90 %', () => {
  const runs = 5;
  const share = async (m: number, n: number, k: number, density: number, given: Partial<FactorizeOptions> = {}) => {
    let [inside, all] = [0, 0];
    for (let seed = 1; seed <= runs; seed++) {
      const { truth, A } = simulate(m, n, k, density, seed);
      // Another optimum is no error that an interval covers.
      const options = { dtype: 'f64', threads: 1, tolerance: 1e-9, intervals: 0.9, ...given, rank: k } as const;
      const starts = await Promise.all([1, 2, 3].map((start) => factorize(A, { ...options, seed: start })));
      const model = starts.reduce((best, one) => (one.fit.objective < best.fit.objective ? one : best));
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          if (!Number.isNaN(A.get(i, j))) continue;
          const { lower, upper } = model.predict(i, j, { interval: 0.9, of: 'mean' });
          all++;
          if (truth(i, j) >= lower && truth(i, j) <= upper) inside++;
        }
    }
    return inside / all;
  };

  test.each<[number, number, number, number, Partial<FactorizeOptions>]>([
    [60, 40, 2, 0.3, {}],
    [60, 25, 2, 0.5, {}],
    [40, 80, 3, 0.5, {}],
    [50, 40, 2, 0.5, { biases: 'both' }],
  ])('cover 87 … 93 of 100 means of cells not seen: %i × %i, rank %i, %d observed', async (m, n, k, density, given) => {
    const covered = await share(m, n, k, density, given);
    expect(covered).toBeGreaterThan(0.87);
    expect(covered).toBeLessThan(0.93);
  });

  test('so do those of each side given the other, where the whole matrix is too large or the factors have bounds', async () => {
    const covered = await share(60, 40, 2, 0.5, { bounds: { rows: [-100, 100] } });
    expect(covered).toBeGreaterThan(0.87);
    expect(covered).toBeLessThan(0.93);
  });
});

describe('a model with standard errors', () => {
  const data = problem({ m: 30, n: 20, density: 0.7, isWeighted: true, seed: 11 });
  const options = { rank: 2, dtype: 'f64', intervals: 0.9, threads: 1 } as const;
  const sigma = { sigma: Float64Array.from(data.entries, (e) => 1 / e.weight) };

  test('takes σ at its word where it is given, and says how the residuals compare', async () => {
    const known = await factorize(triples(data), { ...options, weights: sigma });
    const estimated = await factorize(triples(data), { ...options, weights: sigma, noise: 'residuals' });
    expect(known.fit.uncertainty).toMatchObject({ noise: 'weights', spread: 1 });
    const spread = Math.sqrt(known.fit.uncertainty?.reducedChiSquare as number);
    expect(estimated.fit.uncertainty).toMatchObject({ noise: 'residuals', spread });
    const at = { interval: 0.9 };
    expect(estimated.predict(2, 3, at).standardError / known.predict(2, 3, at).standardError).toBeCloseTo(spread, 9);
    const { lower, upper, prediction, standardError } = known.predict(2, 3, at);
    expect(prediction).toBe(known.predict(2, 3));
    expect((upper - lower) / (2 * standardError)).toBeCloseTo(1.6448536269514722, 5);
    const wide = known.predict(2, 3, { ...at, of: 'observation' });
    const inColumn = data.entries.filter(({ column }) => column === 3);
    const weight = inColumn.reduce((sum, e) => sum + e.weight ** 2, 0) / inColumn.length;
    expect(wide.standardError ** 2 - standardError ** 2).toBeCloseTo(1 / weight, 9);
    // Weights that promise half of what the residuals come to.
    const half = { sigma: sigma.sigma.map((each) => (each * spread) / 2) };
    const loud = await factorize(triples(data), { ...options, weights: half });
    expect(loud.fit.notes.join()).toMatch(/Residuals are 2\.0 times .* \(reduced χ² 4\.0\)/);
    expect(known.fit.notes.join() + estimated.fit.notes.join()).not.toContain('Residuals are');
    const many = known.predict([2, 4], [3, 5], at);
    expect([many.predictions[0], many.standardErrors[0], many.lower[0], many.upper[0]]).toEqual([
      prediction,
      standardError,
      lower,
      upper,
    ]);
  });

  test('keeps them in its folder, and brings them out of a session, to the bit and for every number of threads', async () => {
    const folder = temporaryFolder();
    const model = await factorize(triples(data), options);
    await model.save(`${folder.path}/model`);
    const again = await loadModel(`${folder.path}/model`);
    expect(again.covariances).toEqual(model.covariances);
    const session = openSession({ threads: 2 });
    const remote = await session.factorize(triples(data), { ...options, inline: 'never' });
    await session.close();
    expect(remote.covariances).toEqual(model.covariances);
    expect(remote.fit.uncertainty).toEqual(model.fit.uncertainty);
    folder.remove();
  });

  test('is planned with them, and without them refuses intervals', async () => {
    const bytes = (intervals?: number) => plan(triples(data), { ...options, intervals }).bytes;
    expect(bytes().covariances).toBe(0);
    expect(bytes(0.9).covariances).toBeGreaterThanOrEqual((30 + 20) * 3 * 8);
    expect(bytes(0.9).total).toBeGreaterThan(bytes().total);
    const plain = await factorize(triples(data), { ...options, intervals: undefined });
    expect(() => plain.predict(0, 0, { interval: 0.9 })).toThrow(
      expect.objectContaining({ code: 'incompatible-options' }),
    );
    const model = await factorize(dense(data), options);
    for (const odd of [{ interval: 1 }, { interval: 0.9, of: 'all' }, { interval: 0.9, off: 1 }])
      expect(() => model.predict(0, 0, odd as never)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    for (const odd of [{ loss: 'huber:1' }, { background: 0.1 }])
      await expect(factorize(triples(data), { ...options, ...odd })).rejects.toMatchObject({
        code: 'incompatible-options',
        position: { option: 'intervals' },
      });
  });
});
