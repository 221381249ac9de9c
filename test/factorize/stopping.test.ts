/** How a fit ends: status, abort, time, progress; and what it leaves alone. */
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Progress } from '../../dist/src/index.js';
import { digestOf } from '../../dist/src/model/digest.js';
import { matrix } from '../../dist/src/model/model.js';
import { expectClose } from '../helpers/compare.js';
import { problem, sqrtWeights, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import { at, firstOrderAt, foldIn, pointOf } from '../helpers/reference.js';

const of = problem({ m: 60, n: 40, density: 0.4, isWeighted: true, seed: 33 });
const A = triples(of);
const weights = sqrtWeights(of);
const fit = (options: Partial<FactorizeOptions> = {}) =>
  factorize(A, { rank: 3, lambda: 0.2, dtype: 'f64', weights, maxSweeps: 2000, ...options });

/** A fit aborted from within its progress report. */
function fitAndAbortAt(sweep: number, options: Partial<FactorizeOptions> = {}) {
  const controller = new AbortController();
  const onProgress = (progress: Progress) => {
    if (progress.sweep === sweep) controller.abort();
  };
  return fit({ tolerance: 0, ...options, signal: controller.signal, onProgress });
}

describe.each([
  { method: 'als', inline: 'auto', threads: 1 },
  { method: 'gradient', inline: 'auto', threads: 1 },
  { method: 'als', inline: 'never', threads: 2 },
  { method: 'gradient', inline: 'never', threads: 2 },
] as const)('$method, inline $inline', (way) => {
  const table = {
    converged: { reason: 'gradient', run: () => fit({ ...way, tolerance: 1e-6 }) },
    stalled: { reason: 'objective', run: () => fit({ ...way, tolerance: 0, maxSweeps: 20000, dtype: 'f32' }) },
    budget: { reason: 'sweeps', run: () => fit({ ...way, maxSweeps: 3 }) },
    'budget (time)': {
      reason: 'time',
      run: () => fit({ ...way, tolerance: 0, maxSweeps: 1e9, timeLimit: 0.02, onProgress: wait }),
    },
    cancelled: { reason: 'signal', run: () => fitAndAbortAt(4, way) },
  } as const;

  test.each(Object.entries(table))('%s', async (status, { reason, run }) => {
    const model = await run();
    expect(model.fit).toMatchObject({ status: status.split(' ')[0], reason });
    const { certificate } = model.fit;
    expect(certificate.relativeGradientNorm <= certificate.tolerance).toBe(status === 'converged');
    // Whatever the end, the model is whole: certified, and U is exact for V.
    const point = pointOf(model);
    const { relativeGradientNorm } = firstOrderAt(of, point, { lambda: 0.2 });
    expectClose([certificate.relativeGradientNorm], [relativeGradientNorm], 1e-6);
    const tolerance = model.fit.dtype === 'f64' ? 1e-10 : 1e-4;
    for (const row of [0, 17, 59])
      expectClose(point.U.subarray(row * 3, row * 3 + 3), foldIn(of, point, { lambda: 0.2 }, row), tolerance);
    if (status === 'cancelled') expect(model.fit.sweeps).toBe(4);
  });
});

/** Makes a sweep take a while, so that the clock and not the machine decides. */
function wait(): void {
  const until = performance.now() + 1;
  while (performance.now() < until);
}

describe('abort', () => {
  test('before the call', async () => {
    await expect(fit({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test.each(['auto', 'never'] as const)('after the call and before the first sweep, inline %s', async (inline) => {
    const controller = new AbortController();
    const pending = fit({ signal: controller.signal, inline, threads: inline === 'auto' ? 1 : 2 });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('with a reason of the caller, which is the cause of the rejection', async () => {
    const reason = new Error('the user left');
    const rejection = { name: 'AbortError', cause: reason };
    await expect(fit({ signal: AbortSignal.abort(reason) })).rejects.toMatchObject(rejection);
    await expect(fit({ signal: AbortSignal.abort(reason) })).rejects.toBeInstanceOf(DOMException);
    const controller = new AbortController();
    const pending = fit({ signal: controller.signal });
    controller.abort(reason);
    await expect(pending).rejects.toMatchObject(rejection);
  });

  test('after the fit is over changes nothing', async () => {
    const controller = new AbortController();
    const model = await fit({ signal: controller.signal, maxSweeps: 2 });
    controller.abort();
    expect(model.fit.status).toBe('budget');
    expect((await fit({ maxSweeps: 2 })).fit.digest).toBe(model.fit.digest);
  });

  test('in a sweep gives the bits of that many sweeps', async () => {
    const cancelled = await fitAndAbortAt(5, { inline: 'never', threads: 2 });
    const budget = await fit({ tolerance: 0, maxSweeps: 5 });
    expect(cancelled.fit.digest).toBe(budget.fit.digest);
  });

  test('by a timer is heard although the fit runs in this very thread', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    const model = await fit({ threads: 1, tolerance: 0, rank: 5, signal: controller.signal, onProgress: wait });
    expect(model.fit.inline).toBe(true);
    expect(model.fit.status).toBe('cancelled');
  });

  test('in the report of the last sweep still gives the model', async () => {
    const model = await fitAndAbortAt(3, { maxSweeps: 3 });
    expect(model.fit).toMatchObject({ sweeps: 3, digest: (await fit({ tolerance: 0, maxSweeps: 3 })).fit.digest });
  });

  test('the signal holds no listener afterwards', async () => {
    const controller = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners.add(args[1]);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove(...args);
    };
    await fit({ signal, maxSweeps: 2 });
    expect(listeners.size).toBe(0);
  });
});

test('a time limit that is over at once gives the exact start', async () => {
  const model = await fit({ timeLimit: 1e-9, maxSweeps: 1e6, tolerance: 0, onProgress: wait });
  expect(model.fit).toMatchObject({ status: 'budget', reason: 'time' });
});

test('a time limit beyond what a timer holds is no limit', async () => {
  const model = await fit({ timeLimit: 1e9, maxSweeps: 3 });
  expect(model.fit).toMatchObject({ reason: 'sweeps', sweeps: 3 });
});

test('progress: prepare, once a sweep, in order, with the trace, then certify', async () => {
  const all: Progress[] = [];
  const model = await fit({ maxSweeps: 7, tolerance: 0, onProgress: (progress) => all.push(progress) });
  expect(all.at(0)).toMatchObject({ phase: 'prepare', sweep: 0, maxSweeps: 7, objective: Number.NaN });
  expect(all.at(-1)).toMatchObject({ phase: 'certify', sweep: 7, maxSweeps: 7 });
  expectClose([all.at(-1)?.objective as number], [model.fit.objective], 1e-12);
  const seen = all.slice(1, -1);
  expect(seen.map(({ sweep }) => sweep)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const accepted = model.trace.filter(({ step }) => step !== 'rejected');
  expect(seen.map(({ objective }) => objective)).toEqual(accepted.map(({ objective }) => objective));
  for (const { maxSweeps, phase, observationsPerSecond, seconds } of seen) {
    expect({ maxSweeps, phase }).toEqual({ maxSweeps: 7, phase: 'sweep' });
    expect(observationsPerSecond).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThanOrEqual(0);
  }
});

test('the seconds add up to the call', async () => {
  const began = performance.now();
  const { fit: report } = await fit({ maxSweeps: 20, tolerance: 0, onProgress: wait, inline: 'never', threads: 1 });
  const wall = (performance.now() - began) / 1000;
  const total = Object.values(report.seconds).reduce((a, b) => a + b, 0);
  expect(total).toBeLessThanOrEqual(wall);
  expect(total).toBeGreaterThan(wall / 2);
});

test('an error thrown by onProgress fails the fit, and the next one is well', async () => {
  const failing = fit({
    onProgress: () => {
      throw new Error('full');
    },
  });
  await expect(failing).rejects.toThrow('full');
  expect((await fit({ maxSweeps: 2 })).fit.status).toBe('budget');
});

describe('the model owns its bytes', () => {
  test.each(['auto', 'never'] as const)('a later fit leaves them alone, inline %s', async (inline) => {
    const first = await fit({ inline, threads: 2, biases: 'both', maxSweeps: 5 });
    const bytes = () => digestOf([first.U.data, first.V.data, first.biases.rows, first.biases.columns]);
    expect(bytes()).toBe(first.fit.digest);
    const other = problem({ m: 100, n: 90, seed: 3 });
    await Promise.all([
      factorize(triples(other), { rank: 5, inline, threads: 2, maxSweeps: 5 }),
      fit({ rank: 4, maxSweeps: 3 }),
    ]);
    expect(bytes()).toBe(first.fit.digest);
    for (const array of [first.U.data, first.V.data]) {
      expect(array.buffer).toBeInstanceOf(ArrayBuffer);
      expect(array.byteLength).toBe(array.buffer.byteLength);
    }
  });

  test('fits at the same time do not disturb each other', async () => {
    const alone = await Promise.all([1, 2, 3].map(async (seed) => (await fit({ seed, maxSweeps: 20 })).fit.digest));
    const together = await Promise.all(
      [1, 2, 3].map((seed) => fit({ seed, maxSweeps: 20, inline: 'never', threads: 2 })),
    );
    expect(together.map((model) => model.fit.digest)).toEqual(alone);
  });
});

describe('init', () => {
  const next = uniform(77);
  const U = matrix(
    Float64Array.from({ length: of.m * 3 }, () => next() - 0.5),
    of.m,
    3,
  );
  const V = matrix(
    Float64Array.from({ length: of.n * 3 }, () => next() - 0.5),
    of.n,
    3,
  );
  const once = (init: FactorizeOptions['init']) => fit({ init, maxSweeps: 1, acceleration: 'none' });

  /** V solved exactly for U, by the transposed problem. */
  const solveColumns = (factor: Float64Array) => {
    const entries = of.entries.map((e) => ({ ...e, row: e.column, column: e.row }));
    const transposed = { m: of.n, n: of.m, entries };
    const point = { k: 3, mean: 0, U: new Float64Array(of.n * 3), V: factor };
    return Float64Array.from(
      Array.from({ length: of.n }, (_, j) => Array.from(foldIn(transposed, point, { lambda: 0.2 }, j))).flat(),
    );
  };
  const solveRows = (factor: Float64Array) =>
    Float64Array.from(
      Array.from({ length: of.m }, (_, i) =>
        Array.from(foldIn(of, { k: 3, mean: 0, U: new Float64Array(of.m * 3), V: factor }, { lambda: 0.2 }, i)),
      ).flat(),
    );

  test('V: U is solved from it, then a sweep', async () => {
    const model = await once({ V });
    const expected = solveColumns(solveRows(V.data as Float64Array));
    expectClose(model.V.data, expected, 1e-11);
  });

  test('U: V is solved from it first', async () => {
    const model = await once({ U });
    const first = solveColumns(U.data as Float64Array);
    expectClose(model.V.data, solveColumns(solveRows(first)), 1e-11);
  });

  test('both: U is replaced by the exact one for V', async () => {
    expect((await once({ U, V })).fit.digest).toBe((await once({ V })).fit.digest);
  });

  test('the seed does not matter then, and any strides do', async () => {
    const transposed = matrix(
      Float64Array.from({ length: of.n * 3 }, (_, i) => at(V.data, (i % of.n) * 3 + Math.floor(i / of.n))),
      3,
      of.n,
    ).transpose(1, 0);
    const digests = await Promise.all([
      fit({ init: { V }, maxSweeps: 3, seed: 1 }),
      fit({ init: { V }, maxSweeps: 3, seed: 2 }),
      fit({ init: { V: transposed }, maxSweeps: 3 }),
    ]);
    expect(new Set(digests.map((model) => model.fit.digest)).size).toBe(1);
  });

  test('refused with its name, shape or position', async () => {
    const short = matrix(new Float64Array(of.n * 2), of.n, 2);
    await expect(once({ V: short })).rejects.toMatchObject({
      code: 'shape-mismatch',
      position: { option: 'init' },
      what: `init.V is ${of.n}×2.`,
    });
    await expect(once({ U: short })).rejects.toMatchObject({ code: 'shape-mismatch' });
    const broken = matrix(Float64Array.from(V.data), of.n, 3);
    broken.set(7, 2, Number.NaN);
    await expect(once({ V: broken })).rejects.toMatchObject({
      code: 'invalid-value',
      position: { option: 'init', row: 7, column: 2 },
    });
  });
});
