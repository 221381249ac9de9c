/** Stochastic gradient descent through factorize: the same bits however it runs, f that falls, and near als where that ends. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, openSession, plan } from '../../dist/src/index.js';
import { bandEdges, gridSize } from '../../dist/src/methods/sgdGrid.js';
import { openFit } from '../helpers/fit.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { objectiveAt } from '../helpers/reference.js';

const weighted = problem({ m: 2000, n: 600, density: 0.1, rank: 4, isWeighted: true, offset: 1, seed: 12 });
const A = triples(weighted);
const weights = sqrtWeights(weighted);

const common: FactorizeOptions = {
  rank: 12,
  method: 'sgd',
  lambda: 0.05,
  lambdaScale: 'count',
  seed: 5,
  maxSweeps: 4,
  certificate: 'first-order',
};

type Model = Awaited<ReturnType<typeof factorize>>;

/** Factors, and every number of the report that is not a time. */
function bitsOf({ fit: { digest, objective, loss, regularization, sweeps, certificate, trace, rmse } }: Model) {
  return {
    digest,
    objective,
    loss,
    regularization,
    sweeps,
    rmse,
    certificate,
    way: trace.map(({ seconds: _, ...rest }) => rest),
  };
}

test('the grid of these tests has blocks to share', () => {
  const shape = {
    counts: { rows: weighted.m, columns: weighted.n },
    observed: weighted.entries.length,
    rank: 12,
    stride: 12,
  };
  expect(gridSize(shape)).toBeGreaterThan(2);
});

test('bands cover all rows in order, with about as many entries each', () => {
  const pointers = [0, 0, 40, 41, 41, 60, 75, 90, 100];
  const edges = bandEdges(pointers, 3);
  expect(edges).toEqual([0, 2, 6, 8]);
  expect(bandEdges([0, 0, 0], 2)).toEqual([0, 0, 2]);
});

describe('a start', () => {
  test('knows the spread of entries around a large average', async () => {
    const entries = [1, -1, -1, 1].map((d, t) => ({ row: t >> 1, column: t & 1, value: 1e9 + d, weight: 1 }));
    const { fit } = await openFit({ m: 2, n: 2, entries }, { rank: 1, dtype: 'f64' });
    expect(fit).toMatchObject({ level: 1e9, spread: 1 });
  });

  test('leaves no column at 0 where all entries are the same', async () => {
    const { V } = await factorize({ ...A, values: A.values.map(() => 2) }, { ...common, rank: 3, maxSweeps: 1 });
    for (let c = 0; c < 3; c++) expect(V.data.some((value, at) => at % 3 === c && value !== 0)).toBe(true);
  });
});

describe('the same bits', () => {
  const cases: [string, Partial<FactorizeOptions>][] = [
    ['plain', {}],
    ['weights and biases', { weights, biases: 'both' }],
    ['non-negative', { nonnegative: 'both' }],
    ['f64', { dtype: 'f64', weights }],
    ['fast', { arithmetic: 'fast' }],
  ];

  test.each(cases)('on 1, 2 and 3 threads: %s', async (_, options) => {
    const inline = await factorize(A, { ...common, ...options, threads: 1 });
    expect(inline.fit.inline).toBe(true);
    for (const threads of [1, 2, 3]) {
      const pooled = await factorize(A, { ...common, ...options, threads, inline: 'never' });
      expect(pooled.fit.inline).toBe(false);
      expect(bitsOf(pooled)).toEqual(bitsOf(inline));
    }
  });

  test('in a session', async () => {
    const here = await factorize(A, common);
    const session = await openSession({ threads: 2 });
    try {
      const there = await session.factorize(A, common);
      expect(there.fit.digest).toBe(here.fit.digest);
    } finally {
      await session.close();
    }
  });

  test('after a worker died in the midst of an epoch', async () => {
    const expected = await factorize(A, { ...common, weights, threads: 1 });
    process.env.HADAMARD_TEST_DEATH = JSON.stringify({
      how: 'exit',
      phase: 'sgd',
      side: 'rows',
      blocks: [1],
      times: 1,
      folder,
    });
    const workerUrl = new URL('../helpers/dyingWorker.cjs', import.meta.url).href;
    const model = await factorize(A, { ...common, weights, threads: 2, inline: 'never', workerUrl });
    expect(readdirSync(folder)).toEqual(['1-1']);
    expect(bitsOf(model)).toEqual(bitsOf(expected));
  });

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hadamard-sgd-'));
  });
  afterEach(() => {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    delete process.env.HADAMARD_TEST_DEATH;
  });
});

describe('an epoch', () => {
  const small = problem({ m: 40, n: 23, density: 0.5, rank: 3, isWeighted: true, offset: 1, seed: 3 });
  const rule = { lambda: 0.3, lambdaScale: 'count', biasLambda: 0.7 } as const;
  const next = uniform(9);
  const random = (length: number) => Float64Array.from({ length }, () => 2 * next() - 1);
  const k = 5;
  const point = { k, U: random(small.m * k), V: random(small.n * k), b: random(small.m), c: random(small.n) };
  const options = { rank: k, method: 'sgd', biases: 'both', dtype: 'f64', ...rule } as const;

  test('of vanishing steps goes along the gradient of f, found by differences', async () => {
    const { run, read, mean } = await openFit(small, options, point);
    // What rows have seen stays 1e12, so that entries move by `length` times half the gradient.
    const length = 1e-9;
    const lead = 0.25;
    const sizes = { scale: 1, step: length * 1e6, lead, biasStep: length * 1e6, squares: 1e12, biasSquares: 1e12 };
    const call = { own: null, other: 0, out: null };
    for (const phase of ['sgdGrid', 'sgdPlace']) await run({ ...call, phase, side: 'rows' });
    const descent = { ...sizes, round: 0, from: 0, to: 0 };
    for (const side of ['rows', 'columns'] as const) await run({ ...call, phase: 'sgdRates', side, descent });
    const moving = { own: 0, out: 1, otherExtra: 0, other: 1, descent: { ...descent, to: 1 } };
    await run({ ...moving, phase: 'sgd', side: 'rows' });
    const f = (at: typeof point) => objectiveAt(small, { ...at, mean }, rule).objective;
    const expectAlong = (name: 'U' | 'V' | 'b' | 'c', moved: Float64Array) => {
      const h = 1e-5;
      for (let i = 0; i < moved.length; i += 7) {
        const at = (sign: number) => f({ ...point, [name]: point[name].map((x, j) => (j === i ? x + sign * h : x)) });
        const slope = (at(1) - at(-1)) / (2 * h);
        const share = (name === 'U' || name === 'V') && i % k === 0 ? lead : 1;
        const change = ((moved[i] as number) - (point[name][i] as number)) / (length * share);
        expect(Math.abs(change + slope / 2)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
      }
    };
    expectAlong('U', read('rows', 1).factor);
    expectAlong('V', read('columns', 1).factor);
    expectAlong('b', read('rows', 1).bias as Float64Array);
    expectAlong('c', read('columns', 1).bias as Float64Array);
  });

  test.each(['f32', 'f64'] as const)('is measured as float64 measures it, %s', async (dtype) => {
    for (const biases of ['both', 'none'] as const) {
      const { b, c, ...plain } = point;
      const { run } = await openFit(small, { ...options, biases, dtype }, biases === 'both' ? point : plain);
      const call = { side: 'rows', own: 0, other: 0, out: null } as const;
      const [found, expected] = [await run({ ...call, phase: 'sgdLoss' }), await run({ ...call, phase: 'loss' })];
      const digits = dtype === 'f32' ? 1e-6 : 1e-13;
      expect(Math.abs(found.loss / expected.loss - 1)).toBeLessThan(digits);
      expect(found.penalty).toBe(expected.penalty);
    }
  });
});

test('begins with what entries are on average, weights and the bounds of both sides heeded', async () => {
  const of = problem({ m: 300, n: 200, density: 0.2, rank: 2, isWeighted: true, offset: -3, seed: 4 });
  const sums = of.entries.reduce(
    ({ value, weight }, e) => ({ value: value + e.weight ** 2 * e.value, weight: weight + e.weight ** 2 }),
    { value: 0, weight: 0 },
  );
  const level = Math.sqrt(-sums.value / sums.weight);
  const start = async (bounds: Partial<FactorizeOptions>) => {
    const { run, read } = await openFit(of, { rank: 5, method: 'sgd', dtype: 'f64', lambda: 0.1, ...bounds });
    for (const side of ['rows', 'columns'] as const)
      await run({ phase: 'sgdStart', side, own: null, other: 0, out: 1, step: 0 });
    return { U: read('rows', 1).factor.slice(0, 5), V: read('columns', 1).factor.slice(0, 5) };
  };
  const { U, V } = await start({});
  expect(Math.abs((U[0] as number) - level)).toBeLessThan(1e-12);
  expect(Math.abs((V[0] as number) + level)).toBeLessThan(1e-12);
  expect([...U.slice(1), ...V.slice(1)].every((x) => x === 0)).toBe(true);
  expect([...(await start({ nonnegative: 'both' })).V]).toEqual([0, 0, 0, 0, 0]);
});

describe('f', () => {
  const cases: [string, Partial<FactorizeOptions>][] = [
    ['plain', {}],
    ['weights', { weights }],
    ['biases of rows', { biases: 'rows' }],
    ['biases of both', { biases: 'both', weights, biasLambda: 0.2 }],
    ['λ by weight', { weights, lambdaScale: 'weight' }],
    ['λ a row', { lambda: 1, lambdaScale: 'row' }],
    ['non-negative', { nonnegative: 'both' }],
    ['f64', { dtype: 'f64' }],
  ];

  test.each(cases)('falls with every epoch, and ends near that of als: %s', async (_, options) => {
    const rank = 4;
    const reached = await factorize(A, { ...common, rank, ...options, maxSweeps: 60 });
    const { trace } = reached;
    trace.forEach((entry, i) => {
      if (i > 0) expect(entry.objective).toBeLessThanOrEqual((trace[i - 1] as typeof entry).objective);
    });
    const best = await factorize(A, { ...common, rank, ...options, method: 'als', maxSweeps: 60 });
    expect(reached.fit.objective).toBeLessThan(best.fit.objective * 1.05);
    // Two thirds of the way are made in a third of the epochs.
    const first = trace[0]?.objective as number;
    expect(trace[20]?.objective).toBeLessThan(best.fit.objective + (first - best.fit.objective) / 3);
  });

  test('is finished by als from there', async () => {
    const near = await factorize(A, { ...common, rank: 4, maxSweeps: 20 });
    const end = await factorize(A, { ...common, rank: 4, method: 'als', dtype: 'f64', init: near, maxSweeps: 300 });
    expect(end.fit.status).toBe('converged');
    expect(end.fit.objective).toBeLessThanOrEqual(near.fit.objective);
  });

  test('goes on from a model', async () => {
    const near = await factorize(A, { ...common, maxSweeps: 10 });
    const further = await factorize(A, { ...common, maxSweeps: 3, init: near });
    expect(further.fit.objective).toBeLessThan(near.fit.objective);
  });

  test('goes the same way whatever the units of A and W', async () => {
    const options = { ...common, dtype: 'f64', lambda: 0, maxSweeps: 5 } as const;
    const plain = await factorize(A, { ...options, weights });
    // Powers of 4 and 2 leave every rounding as it is but those of roots, which are exact.
    const scaled = await factorize({ ...A, values: A.values.map((x) => 256 * x) }, { ...options, weights });
    scaled.trace.forEach(({ objective }, i) => {
      expect(objective / 256 ** 2 / (plain.trace[i]?.objective as number)).toBeCloseTo(1, 9);
    });
    const heavy = await factorize(A, {
      ...options,
      weights: { sqrtWeight: (weights.sqrtWeight as Float64Array).map((w) => 16 * w) },
    });
    heavy.trace.forEach(({ objective }, i) => {
      expect(objective / 16 ** 2 / (plain.trace[i]?.objective as number)).toBeCloseTo(1, 9);
    });
  });
});

test('non-negative factors have no entry below 0', async () => {
  const { U, V } = await factorize(A, { ...common, nonnegative: 'both' });
  for (const { data } of [U, V]) expect(Math.min(...(data as Float32Array))).toBeGreaterThanOrEqual(0);
});

test('biases that are given are where a drawn start begins', async () => {
  const biases = {
    rows: Float64Array.from({ length: 60 }, (_, i) => 2 * Math.sin(3 * i)),
    columns: Float64Array.from({ length: 50 }, (_, j) => 2 * Math.cos(5 * j)),
  };
  const cells = Array.from({ length: 1500 }, (_, t) => [t % 60, (t * 7 + Math.floor(t / 60)) % 50] as const);
  const additive = {
    rows: Uint32Array.from(cells, ([i]) => i),
    columns: Uint32Array.from(cells, ([, j]) => j),
    values: Float64Array.from(cells, ([i, j]) => 10 + (biases.rows[i] as number) + (biases.columns[j] as number)),
    shape: [60, 50] as const,
  };
  const options = { ...common, rank: 3, biases: 'both', lambdaScale: 'row', maxSweeps: 1, duplicates: 'keep' } as const;
  const first = async (more: Partial<FactorizeOptions>) =>
    (await factorize(additive, { ...options, ...more })).trace[0]?.objective;
  expect((await first({ init: { biases } })) as number).toBeLessThan(0.2 * ((await first({})) as number));
});

test('values all equal to the mean are fitted at once', async () => {
  const flat = { ...A, values: A.values.map(() => 2) };
  const model = await factorize(flat, { ...common, biases: 'both' });
  expect(model.fit.loss).toBeLessThan(1e-6);
  expect(Number.isFinite(model.fit.objective)).toBe(true);
});

test('a plan counts the grid and the rates', () => {
  const bytes = (method: 'sgd' | 'als') =>
    plan({ shape: [600, 300], observed: 20_000 }, { rank: 12, method, acceleration: 'none' }).bytes.method;
  expect(bytes('sgd') - bytes('als')).toBeGreaterThan(3 * 900 * 8 * 4);
});

test('staged observations give the same bits', async () => {
  const { digest } = (await factorize(A, common)).fit;
  for (const way of [{ threads: 1 }, { threads: 3, inline: 'never' }] as const) {
    const { fit } = await factorize(A, { ...common, ...way, residency: 'staged' });
    expect(fit).toMatchObject({ digest, resident: false });
  }
});
