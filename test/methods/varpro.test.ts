/** Variable projection: its matrix against finite differences and a dense Schur complement, its optima against those of als. */
import { describe, expect, it, test } from 'vitest';
import { type FactorizeOptions, factorize } from '../../dist/src/index.js';
import { orthonormalize } from '../../dist/src/methods/reducedGauge.js';
import { eliminatedSide, reducedSpace } from '../../dist/src/methods/reducedPhases.js';
import { otherSide } from '../../dist/src/parallel/layout.js';
import { expectClose, relativeDifference } from '../helpers/compare.js';
import { type OpenFit, openFit } from '../helpers/fit.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { at, gradientAt, type Point, type Regularization } from '../helpers/reference.js';

interface Objective {
  readonly name: string;
  readonly options: Omit<FactorizeOptions, 'method'>;
}

const shapes = [
  { m: 14, n: 6 },
  { m: 5, n: 13 },
] as const;
const objectives = [
  { name: 'λ = 0', options: { rank: 2 } },
  { name: 'ridge by count, biases', options: { rank: 3, lambda: 0.3, lambdaScale: 'count', biases: 'both' } },
  { name: 'biases of rows, unpenalised', options: { rank: 2, lambda: 0.2, biases: 'rows', biasLambda: 0 } },
  { name: 'biases of columns', options: { rank: 1, lambda: 0.2, biases: 'columns', biasLambda: 0.1 } },
] as const satisfies readonly Objective[];
/** Blocks of the matrix fill registers in another way for each width. */
const widths = [
  { name: 'rank 4', options: { rank: 4, lambda: 0.3 } },
  { name: 'rank 5', options: { rank: 5, lambda: 0.3 } },
  { name: 'rank 5, biases', options: { rank: 5, lambda: 0.3, biases: 'both' } },
  { name: 'rank 6', options: { rank: 6 } },
  { name: 'rank 7', options: { rank: 7, lambda: 0.3 } },
  { name: 'rank 8', options: { rank: 8, lambda: 0.3 } },
  { name: 'rank 8, biases of columns', options: { rank: 8, lambda: 0.3, biases: 'columns' } },
  { name: 'rank 9, biases of rows', options: { rank: 9, lambda: 0.3, biases: 'rows' } },
  { name: 'rank 10, biases', options: { rank: 10, lambda: 0.3, biases: 'both' } },
] as const satisfies readonly Objective[];
const cases = [
  ...shapes.flatMap((shape) => objectives.map((objective) => ({ ...shape, ...objective }))),
  ...widths.map((objective) => ({ m: 27, n: 12, ...objective })),
];

/** A fit with random factors, the longer side solved from the other one. */
async function open({ m, n, options }: (typeof cases)[number]) {
  const of = problem({ m, n, density: 0.9, isWeighted: true, offset: 1, seed: 3 });
  const next = uniform(8);
  const random = (length: number) => Float64Array.from({ length }, () => 2 * next() - 1);
  const biases: string = 'biases' in options ? options.biases : 'none';
  const point: Omit<Point, 'mean'> = {
    k: options.rank,
    U: random(m * options.rank),
    V: random(n * options.rank),
    ...((biases === 'rows' || biases === 'both') && { b: random(m) }),
    ...((biases === 'columns' || biases === 'both') && { c: random(n) }),
  };
  const opened = await openFit(of, { ...options, method: 'varpro' }, point);
  return { of, opened, staying: otherSide(eliminatedSide({ rows: m, columns: n })) };
}

/** Half the reduced Hessian, full and dense, as the phases make it at buffers 0. */
async function reducedHessian({ fit, run }: OpenFit, isExact: boolean): Promise<number[][]> {
  const counts = { rows: fit.blocks.rows.at(-1) as number, columns: fit.blocks.columns.at(-1) as number };
  const eliminated = eliminatedSide(counts);
  const base = { own: 0, other: 0, out: null, isExact };
  await run({ ...base, phase: 'project', side: eliminated });
  await run({ ...base, phase: 'reducedHessian', side: otherSide(eliminated) });
  const { rank, isBiasFitted, capacity } = fit;
  const space = reducedSpace({ counts, rank, isBiasFitted, observed: capacity });
  const { order, unknowns } = space;
  const stored = new Float64Array(fit.memory.buffer, fit.layout.workspace + space.hessian, order * order);
  return Array.from({ length: unknowns }, (_, i) =>
    Array.from({ length: unknowns }, (_, j) => stored[Math.min(i, j) * order + Math.max(i, j)] as number),
  );
}

describe.each(cases)('the reduced Hessian of $m×$n, $name', (one) => {
  const { m, n, options } = one;
  const width = (opened: OpenFit, side: 'rows' | 'columns') => options.rank + (opened.fit.isBiasFitted[side] ? 1 : 0);

  /** The factors of both sides in buffer 0 as a point of the reference. */
  const pointOf = ({ read, mean }: OpenFit): Point => {
    const [rows, columns] = [read('rows', 0), read('columns', 0)];
    return {
      k: options.rank,
      mean,
      U: rows.factor,
      V: columns.factor,
      ...(rows.bias && { b: rows.bias }),
      ...(columns.bias && { c: columns.bias }),
    };
  };

  it('is the derivative of the reduced gradient', async () => {
    const { of, opened, staying } = await open(one);
    const { fit, run } = opened;
    const q = width(opened, staying);
    const eliminated = otherSide(staying);
    const solve = { phase: 'solve', side: eliminated, own: null, other: 0, out: 0 } as const;
    const count = staying === 'rows' ? m : n;
    const buffer = new Float64Array(fit.memory.buffer, fit.layout.sides[staying].buffers[0], count * fit.stride);
    const place = (i: number) => Math.floor(i / q) * fit.stride + (i % q < options.rank ? i % q : fit.rank);
    const gradient = async () => {
      await run(solve);
      const g = gradientAt(of, pointOf(opened), options as Regularization);
      const [factor, bias] = staying === 'rows' ? [g.U, g.b] : [g.V, g.c];
      return Array.from({ length: count * q }, (_, i) => {
        const row = Math.floor(i / q);
        return i % q < options.rank ? at(factor, row * options.rank + (i % q)) : at(bias, row);
      });
    };
    const h = 1e-5;
    const differences: number[] = [];
    for (let i = 0; i < count * q; i++) {
      const x = buffer[place(i)] as number;
      buffer[place(i)] = x + h;
      const above = await gradient();
      buffer[place(i)] = x - h;
      const below = await gradient();
      buffer[place(i)] = x;
      differences.push(...above.map((value, j) => (value - at(below, j)) / (4 * h)));
    }
    await run(solve);
    expectClose((await reducedHessian(opened, true)).flat(), differences, 1e-6);
  });

  it("is Gauss–Newton's without the residuals: the Schur complement of JᵀJ", async () => {
    const { of, opened, staying } = await open(one);
    await opened.run({ phase: 'solve', side: otherSide(staying), own: null, other: 0, out: 0 });
    const { U, V } = pointOf(opened);
    const k = options.rank;
    const [p, q] = [width(opened, otherSide(staying)), width(opened, staying)];
    const isRowStaying = staying === 'rows';
    const [long, short] = isRowStaying ? [n, m] : [m, n];
    const size = long * p + short * q;
    const JJ = Array.from({ length: size }, () => new Float64Array(size));
    const scale = (side: 'rows' | 'columns', i: number) =>
      'lambdaScale' in options ? of.entries.filter((e) => (side === 'rows' ? e.row : e.column) === i).length : 1;
    const lambda = 'lambda' in options ? options.lambda : 0;
    const biasLambda = 'biasLambda' in options ? options.biasLambda : lambda;
    const addPenalty = (from: number, rows: number, wide: number, side: 'rows' | 'columns') => {
      for (let i = 0; i < rows; i++)
        for (let a = 0; a < wide; a++) {
          const row = JJ[from + i * wide + a] as Float64Array;
          row[from + i * wide + a] = (a < k ? lambda : biasLambda) * scale(side, i);
        }
    };
    addPenalty(0, long, p, otherSide(staying));
    addPenalty(long * p, short, q, staying);
    for (const { row, column, weight } of of.entries) {
      const [i, j] = isRowStaying ? [column, row] : [row, column];
      const x = (isRowStaying ? V : U).subarray(i * k, (i + 1) * k);
      const v = (isRowStaying ? U : V).subarray(j * k, (j + 1) * k);
      const J = new Map<number, number>();
      for (let a = 0; a < p; a++) J.set(i * p + a, weight * (a < k ? at(v, a) : 1));
      for (let a = 0; a < q; a++) J.set(long * p + j * q + a, weight * (a < k ? at(x, a) : 1));
      for (const [a, g] of J) for (const [b, h] of J) (JJ[a] as Float64Array)[b] = at(JJ[a], b) + g * h;
    }
    // Gaussian elimination of the long side leaves the Schur complement.
    for (let c = 0; c < long * p; c++) {
      const pivot = JJ[c] as Float64Array;
      for (let r = c + 1; r < size; r++) {
        const row = JJ[r] as Float64Array;
        const factor = at(row, c) / at(pivot, c);
        if (factor !== 0) for (let s = c; s < size; s++) row[s] = at(row, s) - factor * at(pivot, s);
      }
    }
    const schur = JJ.slice(long * p).map((row) => Array.from(row.subarray(long * p)));
    expectClose((await reducedHessian(opened, false)).flat(), schur.flat(), 1e-9);
  });
});

it('a step with the matrix that the last one has factored is that step', async () => {
  for (const one of cases) {
    const { opened, staying } = await open(one);
    await opened.run({ phase: 'solve', side: otherSide(staying), own: null, other: 0, out: 0 });
    await reducedHessian(opened, false);
    await opened.run({ phase: 'gradient', side: staying, own: 0, other: 0, out: 3 });
    const call = { phase: 'reducedStep', side: staying, own: 0, other: 0, extra: 3, step: 0.1, gauge: 'none' } as const;
    await opened.run({ ...call, out: 1 });
    await opened.run({ ...call, own: null, out: 4, isFactored: true });
    const [from, to, step] = [0, 1, 4].map((index) => {
      const { factor, bias } = opened.read(staying, index);
      return [...factor, ...(bias ?? [])];
    }) as [number[], number[], number[]];
    expect(Math.max(...step.map(Math.abs))).toBeGreaterThan(1e-3);
    expectClose(
      step,
      to.map((x, i) => x - at(from, i)),
      1e-11,
    );
  }
});

describe('a fit', () => {
  const weighted = problem({ m: 40, n: 25, density: 0.6, rank: 2, isWeighted: true, seed: 5 });
  const A = triples(weighted);
  const common = { weights: sqrtWeights(weighted), dtype: 'f64', tolerance: 1e-11, maxSweeps: 5000 } as const;

  test.each([
    { rank: 2 },
    { rank: 2, lambda: 0.5 },
    { rank: 2, lambda: 0.05, lambdaScale: 'count' },
    { rank: 2, lambda: 0.3, biases: 'both' },
    { rank: 1, biases: 'rows' },
    { rank: 1, biases: 'both' },
    { rank: 1, lambda: 0.2, biases: 'columns', biasLambda: 0 },
  ] as const)('ends where als does: %o', async (options) => {
    for (const of of [A, { ...A, rows: A.columns, columns: A.rows, shape: [25, 40] as const }]) {
      const [als, varpro] = [
        await factorize(of, { ...common, ...options, method: 'als' }),
        await factorize(of, { ...common, ...options, method: 'varpro' }),
      ];
      expect([als.fit.status, varpro.fit.status]).toEqual(['converged', 'converged']);
      expect(relativeDifference(als.fit.objective, varpro.fit.objective)).toBeLessThan(1e-8);
      expect(varpro.fit.certificate.monotone).toBe(true);
    }
  });

  it('has the same bits for every number of threads', async () => {
    const run = (threads: number) =>
      factorize(A, {
        ...common,
        rank: 3,
        biases: 'both',
        lambda: 0.1,
        method: 'varpro',
        threads,
        inline: 'never',
        maxSweeps: 12,
      });
    const [one, two, three] = [await run(1), await run(2), await run(3)];
    expect(new Set([one.fit.digest, two.fit.digest, three.fit.digest]).size).toBe(1);
  });

  it('gets through rows with fewer entries than the rank', async () => {
    const sparse = problem({ m: 60, n: 12, density: 0.15, rank: 2, seed: 9 });
    const lengths = Array.from({ length: 60 }, (_, row) => sparse.entries.filter((e) => e.row === row).length);
    expect(lengths.filter((length) => length < 3).length).toBeGreaterThan(10);
    const run = (method: 'als' | 'varpro') =>
      factorize(triples(sparse), { rank: 3, method, dtype: 'f64', maxSweeps: 300, tolerance: 1e-9 });
    const [als, { fit }] = [await run('als'), await run('varpro')];
    expect(fit.certificate.monotone).toBe(true);
    expect(fit.objective).toBeLessThan(als.fit.objective);
  });
});

it('orthonormalize leaves the span and makes its basis orthonormal; what depends on others becomes 0', () => {
  const next = uniform(2);
  const matrix = Float64Array.from({ length: 20 * 4 }, () => 2 * next() - 1);
  for (let row = 0; row < 20; row++) matrix[row * 4 + 2] = at(matrix, row * 4) - 3 * at(matrix, row * 4 + 1);
  const fourth = Array.from({ length: 20 }, (_, row) => at(matrix, row * 4 + 3));
  orthonormalize(matrix, 20, 4, 3);
  const column = (c: number) => Array.from({ length: 20 }, (_, row) => at(matrix, row * 4 + c));
  const product = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * at(b, i), 0);
  const [p, q, r] = [column(0), column(1), column(2)];
  expectClose([product(p, p), product(q, q), product(p, q) + 1], [1, 1, 1], 1e-14);
  expect(r.every((x) => x === 0)).toBe(true);
  expect(column(3)).toEqual(fourth);
});

describe('method auto', () => {
  const small = triples(problem({ m: 30, n: 8, density: 0.8, seed: 2 }));
  const chosen = async (options: Partial<FactorizeOptions>, A = small) => {
    const { fit } = await factorize(A, { rank: 2, maxSweeps: 31, ...options });
    return fit.method;
  };

  it('takes als where second-order steps are not to be had or not needed, and says why', async () => {
    const wide = triples(problem({ m: 900, n: 800, density: 0.01, seed: 2 }));
    for (const [options, reason, A] of [
      [{ dtype: 'f32' }, /need f64/],
      [{ nonnegative: 'both' }, /more than weighted squares/],
      [{ lambda: 0.1 }, /a ridge/],
      [{ holdout: 0.1, patience: 3 }, /early stopping/],
      [{ residency: 'staged' }, /each entry once/],
      [{ maxSweeps: 30 }, /^30 sweeps are too few/],
      [{}, /^too large/, wide],
    ] as const)
      expect(await chosen(options, A)).toEqual({ name: 'als', reason: expect.stringMatching(reason) });
  });

  it('is als alone where that converges soon, to the bit', async () => {
    const easy = triples(problem({ m: 40, n: 20, density: 0.9, rank: 2, noise: 0.1, seed: 4 }));
    const run = (method?: 'als') => factorize(easy, { rank: 2, dtype: 'f64', ...(method && { method }) });
    const model = await run();
    expect(model.fit.method).toEqual({
      name: 'als',
      reason: expect.stringMatching(/^it converged before .* 40 unknowns/),
    });
    expect(model.fit.digest).toBe((await run('als')).fit.digest);
  });

  it('is varpro from the same start where als does not, to the bit; sweeps and trace count on', async () => {
    const options = { rank: 2, seed: 3, start: 'random', maxSweeps: 200, tolerance: 1e-12 } as const;
    const sparse = triples(problem({ m: 40, n: 12, density: 0.3, rank: 3, noise: 0.5, seed: 5 }));
    const model = await factorize(sparse, options);
    const varpro = await factorize(sparse, { ...options, method: 'varpro' });
    expect(model.fit.method).toEqual({
      name: 'varpro',
      reason: expect.stringMatching(
        /24 unknowns, .* 30 sweeps of als did not converge; it begins anew from their start$/,
      ),
    });
    expect(model.fit.digest).toBe(varpro.fit.digest);
    expect(model.fit.sweeps).toBe(30 + varpro.fit.sweeps);
    expect(model.fit.trace.map(({ sweep }) => sweep)).toEqual(model.fit.trace.map((_, i) => i + 1));
    expect(model.fit.trace.slice(30).map((entry) => entry.objective)).toEqual(
      varpro.fit.trace.map((entry) => entry.objective),
    );
  });

  it('of many starts tries no als first', async () => {
    expect(await chosen({ starts: 2, maxSweeps: 100 })).toEqual({
      name: 'varpro',
      reason: expect.stringMatching(
        /^λ = 0, and small: 16 unknowns, [\d.e+]+ operations a step; begun rank by rank, by \d+ sweeps of its own$/,
      ),
    });
  });
});

test.each([
  ['bounds', { nonnegative: 'both' }, 'method'],
  ['f32', { dtype: 'f32' }, 'dtype'],
] as const)('method varpro does not go with %s', async (_, options, option) => {
  const run = factorize(triples(problem({ m: 6, n: 5 })), { rank: 1, method: 'varpro', ...options });
  await expect(run).rejects.toMatchObject({ code: 'incompatible-options', position: { option } });
});
