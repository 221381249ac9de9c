/** A fit that goes on from a model. */
import { describe, expect, test } from 'vitest';
import { warmStart } from '../../dist/src/factorize/warmStart.js';
import { type FactorizeOptions, factorize, type Model, openSession } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';

const base = problem({ m: 40, n: 25, density: 0.6, isWeighted: true, offset: 1, noise: 0.4, seed: 31 });
const options = { rank: 3, lambda: 0.1, dtype: 'f64', threads: 1 } as const;
const fit = (of: Problem, more: Partial<FactorizeOptions> = {}): Promise<Model> =>
  factorize(triples(of), { ...options, weights: sqrtWeights(of), ...more });

describe('a model as init', () => {
  test.each<[string, Partial<FactorizeOptions>]>([
    ['plain', {}],
    ['biases', { biases: 'both' }],
    ['biases of columns without penalty', { biases: 'columns', biasLambda: 0 }],
    ['non-negative', { nonnegative: 'both' }],
    ['huber', { loss: 'huber:0.8' }],
    ['a background', { background: 0.2 }],
  ])('is where it ended: one sweep sees that it has converged, %s', async (_name, more) => {
    const model = await fit(base, { maxSweeps: 5000, tolerance: 1e-9, ...more });
    expect(model.fit.status).toBe('converged');
    const again = await fit(base, { ...more, tolerance: 1e-7, init: model });
    expect(again.fit).toMatchObject({ status: 'converged', sweeps: 1 });
    expectClose(again.V.data, model.V.data, 1e-5, 'V');
    expectClose([again.fit.objective], [model.fit.objective], 1e-10);
  });

  test('of poisson is one too', async () => {
    const counts = withEntries(base, (e) => ({ value: Math.max(0, Math.round(2 * e.value)) }));
    const model = await fit(counts, { loss: 'poisson', maxSweeps: 5000 });
    const again = await fit(counts, { loss: 'poisson', init: model, tolerance: 1e-6 });
    expect(again.fit.sweeps).toBeLessThanOrEqual(2);
    expectClose([again.fit.objective], [model.fit.objective], 1e-8);
  });

  test('saves sweeps where the data has changed a little', async () => {
    const model = await fit(base);
    const changed = withEntries(base, (e) => ({ value: e.value + (e.row === 7 ? 0.1 : 0) }));
    const [cold, warm] = [await fit(changed), await fit(changed, { init: model })];
    expect(warm.fit.sweeps).toBeLessThan(cold.fit.sweeps);
    expectClose([warm.fit.objective], [cold.fit.objective], 1e-6);
  });

  test('of a lower rank begins no worse than it, the last columns drawn', async () => {
    const model = await fit(base, { rank: 2 });
    const wider = await fit(base, { rank: 4, init: model, maxSweeps: 1 });
    expect(wider.rank).toBe(4);
    expect(wider.fit.objective).toBeLessThan(model.fit.objective);
  });

  test('of a higher rank gives its leading components', async () => {
    const model = await fit(base, { rank: 4 });
    const { U, d, V } = model.canonical();
    const start = warmStart(model, 2);
    for (const [i, j] of [
      [0, 0],
      [7, 3],
    ] as const) {
      const truncated = [0, 1].reduce((sum, c) => sum + U.get(i, c) * (d[c] as number) * V.get(j, c), 0);
      const product = [0, 1].reduce(
        (sum, c) => sum + (start.U?.get(i, c) as number) * (start.V?.get(j, c) as number),
        0,
      );
      expectClose([product], [truncated], 1e-12);
    }
    expect((await fit(base, { rank: 2, init: model })).fit.status).toBe('converged');
  });

  test('of a higher rank that cannot be rotated is refused', async () => {
    const model = await fit(base, { nonnegative: 'both', maxSweeps: 2 });
    await expect(fit(base, { rank: 2, init: model })).rejects.toMatchObject({ code: 'incompatible-options' });
  });

  test('of another shape is refused', async () => {
    const model = await fit(base, { maxSweeps: 1 });
    const wide = { ...base, n: base.n + 1 };
    await expect(fit(wide, { init: model })).rejects.toMatchObject({
      code: 'shape-mismatch',
      position: { option: 'init' },
    });
  });

  test('goes into a session', async () => {
    const session = openSession({ threads: 1 });
    const model = await fit(base, {
      biases: 'both',
      background: {
        weight: { rows: new Float64Array(40).fill(0.1), columns: Float64Array.from({ length: 25 }, (_, j) => 1 + j) },
      },
    });
    for (const rank of [3, 2, 4]) {
      const more = {
        ...options,
        threads: undefined,
        rank,
        biases: 'both',
        weights: sqrtWeights(base),
        init: model,
      } as const;
      const inSession = await session.factorize(triples(base), { ...more, maxSweeps: 3 });
      const here = await fit(base, { rank, biases: 'both', init: model, maxSweeps: 3 });
      expect(inSession.fit.digest).toBe(here.fit.digest);
    }
    const separable = {
      weight: { rows: new Float64Array(40).fill(0.1), columns: Float64Array.from({ length: 25 }, (_, j) => 1 + j) },
    };
    const kept = await session.factorize(triples(base), { rank: 2, background: separable, maxSweeps: 1 });
    expect(kept.background?.columns).toEqual(separable.weight.columns);
    await session.close();
  });
});

describe('places', () => {
  test('are those of the model, and new rows and columns are drawn or 0', async () => {
    const model = await fit(base, { biases: 'both', maxSweeps: 3 });
    const { U, V, biases } = warmStart(model, 4, { rows: [5, -1, 0], columns: [2] });
    expect(U?.shape).toEqual([3, 4]);
    expect([U?.get(0, 1), U?.get(1, 1), U?.get(2, 3)]).toEqual([model.U.get(5, 1), Number.NaN, Number.NaN]);
    expect(V?.get(0, 2)).toBe(model.V.get(2, 2));
    expect(Array.from(biases?.rows ?? [])).toEqual([model.biases.rows?.[5], 0, model.biases.rows?.[0]]);
    expect(biases?.columns).toEqual(Float64Array.of(model.biases.columns?.[2] as number));
  });

  test('new columns do no harm: the fit ends where a cold one does', async () => {
    const narrow = { ...base, n: 20, entries: base.entries.filter((e) => e.column < 20) };
    const model = await fit(narrow);
    const columns = Array.from({ length: 25 }, (_, j) => (j < 20 ? j : -1));
    const warm = await fit(base, { init: warmStart(model, 3, { columns }) });
    expectClose([warm.fit.objective], [(await fit(base)).fit.objective], 1e-5);
  });

  test.each([
    { biases: { rows: Float64Array.of(1) } },
    { biases: { rows: [1] } },
    { biases: 3 },
    { biases: { sides: 1 } },
  ])('biases of another form are refused: %o', async (init) => {
    await expect(fit(base, { init: init as never })).rejects.toMatchObject({
      code: 'invalid-input',
      position: { option: 'init' },
    });
  });
});
