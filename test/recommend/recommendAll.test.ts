/** Exact recommendations of many rows: against every column predicted in float64 and sorted. */
import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type RecommendAllOptions, recommendAll, recommendEach } from '../../dist/src/index.js';
import { Model, matrix } from '../../dist/src/model/model.js';
import { predictEntry } from '../../dist/src/model/objective.js';
import { planKernel } from '../../dist/src/recommend/scoreKernel.js';
import { uniform } from '../helpers/random.js';
import { sampleModel } from '../model/sample.js';
import { bruteForce, type ModelRequest, randomModel } from './models.js';

const isKernelUsed = (model: Model, top: number) =>
  planKernel(
    model,
    Uint32Array.from({ length: model.shape[1] }, (_, j) => j),
    top,
    0,
  ) !== undefined;

async function expectExact(model: Model, options: RecommendAllOptions = {}): Promise<void> {
  const { top = 10 } = options;
  for (const { row, recommendations } of await recommendAll(model, options))
    expect(recommendations).toEqual(bruteForce(model, row, top));
}

describe('the order and the predictions are those of float64', () => {
  const table: [string, ModelRequest, number][] = [
    ['f32', {}, 10],
    ['f64', { dtype: 'f64' }, 10],
    ['biases of both sides', { biases: 'both', rank: 8 }, 10],
    ['biases of rows', { biases: 'rows', dtype: 'f64' }, 10],
    ['biases of columns', { biases: 'columns', rank: 3 }, 25],
    ['rank 1', { rank: 1 }, 10],
    ['rank 70, columns of no multiple of 8', { rank: 70, columns: 1003 }, 3],
    ['one best', { columns: 900 }, 1],
    ['duplicates of 40 columns', { columns: 1200, distinct: 40 }, 50],
    ['all columns alike', { rows: 5, distinct: 1 }, 10],
    ['large values', { dtype: 'f64', scale: [1e30, 1e40], biases: 'both' }, 10],
    ['small values', { dtype: 'f64', scale: [1e-60, 1e-50], biases: 'columns', mean: 0 }, 10],
    ['values that f32 holds as subnormals', { scale: [1e-40, 1] }, 10],
    ['a mean that drowns the differences', { dtype: 'f64', biases: 'both', scale: [1e-3, 1e-3], mean: 1e9 }, 10],
    ['a mean that leaves only ties', { dtype: 'f64', biases: 'both', scale: [1e-9, 1e-9], mean: 1e9 }, 10],
  ];
  test.each(table)('%s', async (_name, request, top) => {
    const model = randomModel(request);
    expect(isKernelUsed(model, top)).toBe(true);
    await expectExact(model, { top });
  });

  test('beyond the range of f32 altogether', async () => {
    const model = randomModel({ dtype: 'f64', scale: [1e-150, 1e-160] });
    expect(isKernelUsed(model, 10)).toBe(false);
    await expectExact(model);
  });

  test('whatever the model', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 1, max: 12 }),
          columns: fc.integer({ min: 520, max: 900 }),
          rank: fc.integer({ min: 1, max: 20 }),
          dtype: fc.constantFrom('f32', 'f64'),
          biases: fc.constantFrom('none', 'rows', 'columns', 'both'),
          seed: fc.integer({ min: 1, max: 1e6 }),
          distinct: fc.integer({ min: 1, max: 900 }),
          mean: fc.constantFrom(0, 3.5, -1e6),
        }) as fc.Arbitrary<Required<Omit<ModelRequest, 'scale'>>>,
        fc.integer({ min: 1, max: 30 }),
        async (request, top) => {
          const distinct = Math.min(request.distinct, request.columns);
          await expectExact(randomModel({ ...request, distinct }), { top });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('where neighbours differ in the last bit of float64 alone', async () => {
    const n = 2000;
    const next = uniform(5);
    // Columns 0 … n − 1 in steps of one ulp, shuffled by their numbers.
    const V = Float64Array.from({ length: n }, () => 1 + Math.floor(next() * 50) * Number.EPSILON);
    const model = new Model({
      U: matrix(Float64Array.of(1, 3), 2, 1),
      V: matrix(V, n, 1),
      biases: { kind: 'none', mean: 0 },
      fit: sampleModel().fit,
    });
    await expectExact(model, { top: 100 });
  });

  test('where f32 puts neighbours in another order', async () => {
    // 120 groups of 7 columns that differ by about what f32 is wrong by.
    const model = randomModel({ rows: 40, columns: 840, rank: 90, dtype: 'f64', distinct: 120 });
    const next = uniform(11);
    model.V.data.forEach((value, t) => {
      model.V.data[t] = value * (1 + 1e-6 * next());
    });
    expect(isKernelUsed(model, 10)).toBe(true);
    await expectExact(model);
  });

  test('a row or a column alone, and more asked for than there is', async () => {
    for (const [rows, columns] of [
      [1, 1],
      [1, 9],
      [9, 1],
    ]) {
      const model = randomModel({ rows, columns, rank: 2 } as ModelRequest);
      await expectExact(model, { top: 20 });
      const [first] = await recommendAll(model, { top: 20 });
      expect(first?.missing).toBe(
        columns === 1
          ? 'Only 1 is left of the 20 asked for: the model has 1 column.'
          : 'Only 9 are left of the 20 asked for: the model has 9 columns.',
      );
    }
  });

  test('rows in any order, twice over, and none', async () => {
    const model = randomModel({ rows: 200 });
    const rows = Array.from({ length: 150 }, (_, i) => (i * 37) % 90);
    const answers = await recommendAll(model, { rows, top: 4 });
    expect(answers.map(({ row }) => row)).toEqual(rows);
    for (const { row, recommendations } of answers) expect(recommendations).toEqual(bruteForce(model, row, 4));
    expect(await recommendAll(model, { rows: [] })).toEqual([]);
  });

  test('a million columns', async () => {
    const model = randomModel({ rows: 2, columns: 1_000_000, rank: 16, biases: 'columns' });
    expect(isKernelUsed(model, 10)).toBe(true);
    for (const { row, recommendations } of await recommendAll(model)) {
      const last = recommendations[9];
      let better = 0;
      for (let column = 0; column < 1_000_000; column++) {
        const prediction = predictEntry(model, row, column);
        if (prediction > (last?.prediction as number)) better++;
      }
      // Without ties at the end, these are the ten.
      expect(better).toBe(9);
      expect(recommendations).toEqual(
        [...recommendations].sort((a, b) => b.prediction - a.prediction || a.column - b.column),
      );
      for (const { column, prediction } of recommendations) expect(prediction).toBe(model.predict(row, column));
    }
  });
});

describe('what may not be recommended', () => {
  const model = randomModel({ rows: 130, columns: 800, biases: 'both' });
  const next = uniform(9);
  const count = 6000;
  const seen = {
    rows: Int32Array.from({ length: count }, () => Math.floor(next() * 130)),
    columns: Int32Array.from({ length: count }, () => Math.floor(next() * 800)),
    values: new Float64Array(count),
    shape: [130, 800] as const,
  };
  const pairs = new Set(Array.from(seen.rows, (row, t) => row * 800 + (seen.columns[t] as number)));

  test('entries of the data, in any order and twice over', async () => {
    for (const { row, recommendations } of await recommendAll(model, { exclude: seen }))
      expect(recommendations).toEqual(bruteForce(model, row, 10, (column) => pairs.has(row * 800 + column)));
  });

  test('entries of dense data, where NaN is nothing', async () => {
    const dense = ndarray(new Float64Array(130 * 800).fill(Number.NaN), [130, 800]);
    for (const pair of pairs) dense.data[pair] = 1;
    expect(await recommendAll(model, { exclude: dense })).toEqual(await recommendAll(model, { exclude: seen }));
  });

  test('columns outside a list, or in one, and seen ones besides', async () => {
    const only = Array.from({ length: 700 }, (_, t) => 799 - t);
    const without = new Set([200, 300, 400]);
    const isOut = (column: number) => column < 100 || without.has(column);
    for (const { row, recommendations } of await recommendAll(model, { only, without, exclude: seen, rows: [3, 77] }))
      expect(recommendations).toEqual(
        bruteForce(model, row, 10, (column) => isOut(column) || pairs.has(row * 800 + column)),
      );
    expect(model.recommend(3, { only, without })).toEqual(bruteForce(model, 3, 10, isOut));
  });

  test('everything: the reason is said', async () => {
    const small = randomModel({ rows: 2, columns: 5, rank: 2 });
    const exclude = {
      rows: Int32Array.of(0, 0, 0, 0, 0, 1, 1),
      columns: Int32Array.of(0, 1, 2, 3, 4, 2, 2),
      values: new Float64Array(7),
      shape: [2, 5] as const,
    };
    const [all, some] = await recommendAll(small, { exclude, top: 4 });
    expect(all).toEqual({
      row: 0,
      recommendations: [],
      missing: 'No column is left: the model has 5 columns, 5 are excluded for this row.',
    });
    expect(some?.missing).toBeUndefined();
    const [filtered] = await recommendAll(small, { exclude, rows: [1], only: [2, 3], top: 2 });
    expect(filtered?.missing).toBe(
      'Only 1 is left of the 2 asked for: the model has 5 columns, 3 are left out by the filters, 1 is excluded for this row.',
    );
    expect(await recommendAll(small, { only: [], rows: [0] })).toMatchObject([{ recommendations: [] }]);
  });

  test('what is no number', async () => {
    const overflowing = randomModel({ rows: 1, columns: 4, rank: 2, dtype: 'f64' });
    overflowing.U.data.set([1e200, 1e200]);
    overflowing.V.data.set([1e200, -1e200], 2);
    const [answer] = await recommendAll(overflowing, { top: 4 });
    expect(answer?.recommendations.map(({ column }) => column).sort()).toEqual([0, 2, 3]);
    expect(answer?.missing).toContain('1 is predicted as no number');
  });
});

describe('rows that nothing is known of', () => {
  test('are said to be so, and ordered by the biases, or by number', async () => {
    for (const biases of ['both', 'rows'] as const) {
      const model = randomModel({ rows: 3, biases });
      model.U.data.fill(0, 5, 10);
      model.biases.rows?.fill(0, 1, 2);
      const answers = await recommendAll(model);
      expect(answers.map(({ unobserved }) => unobserved)).toEqual([undefined, true, undefined]);
      expect(answers[1]?.recommendations).toEqual(bruteForce(model, 1, 10));
      if (biases === 'rows')
        expect(answers[1]?.recommendations.map(({ column }) => column)).toEqual([...Array(10).keys()]);
    }
  });
});

describe('threads', () => {
  const model = randomModel({ rows: 1500, columns: 900, rank: 9, biases: 'both', dtype: 'f64' });

  test('any number gives the same', async () => {
    const inline = await recommendAll(model);
    for (const threads of [1, 2, 3]) expect(await recommendAll(model, { threads, inline: 'never' })).toEqual(inline);
  });

  test('leave nothing behind when aborted, broken off or failed', async () => {
    const workers = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    for (const inline of ['never', 'auto'] as const) {
      const controller = new AbortController();
      // Four batches: the third at the latest finds that a stop was asked for.
      const rows = Array.from({ length: 12_000 }, (_, i) => i % 1500);
      const onProgress = () => controller.abort('enough');
      await expect(
        recommendAll(model, { inline, rows, top: 900, threads: 2, signal: controller.signal, onProgress }),
      ).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' });
      await expect(recommendAll(model, { inline, signal: AbortSignal.abort('why') })).rejects.toMatchObject({
        name: 'AbortError',
        cause: 'why',
      });
      for await (const { row } of recommendEach(model, { inline, threads: 2 })) if (row === 3) break;
      const fails = recommendAll(model, {
        inline,
        threads: 2,
        onProgress: () => {
          throw new Error('progress');
        },
      });
      await expect(fails).rejects.toThrow('progress');
    }
    await expect(
      recommendAll(model, { inline: 'never', workerUrl: new URL('./nowhere.cjs', import.meta.url).href }),
    ).rejects.toMatchObject({ code: 'worker-died' });
    // Not as many as before: threads of the test before may still have been on their way out then.
    await expect.poll(workers).toBe(0);
    // The memory that was stopped in is as good as new.
    expect(await recommendAll(model, { rows: [5] })).toHaveLength(1);
  });
});

test('refuses what is no request', async () => {
  const model = randomModel({ rows: 4, columns: 6, rank: 2 });
  const seen = {
    rows: Int32Array.of(0),
    columns: Int32Array.of(0),
    values: Float64Array.of(1),
    shape: [4, 5] as const,
  };
  const table: [object, object][] = [
    [{ top: 0 }, { code: 'invalid-option', position: { option: 'top' } }],
    [{ rows: 'all' }, { code: 'invalid-option', position: { option: 'rows' } }],
    [{ rows: [0, 4] }, { code: 'index-out-of-range', position: { option: 'rows', index: 1 } }],
    [{ rows: ['alice'] }, { code: 'invalid-input', position: { option: 'rows', index: 0 } }],
    [{ only: [6] }, { code: 'index-out-of-range', position: { option: 'only', column: 6 } }],
    [{ without: ['x'] }, { code: 'invalid-input', position: { option: 'without' } }],
    [{ without: 5 }, { code: 'invalid-option', position: { option: 'without' } }],
    [{ exclude: seen }, { code: 'shape-mismatch', position: { option: 'exclude' } }],
    [{ threads: 0 }, { code: 'invalid-option', position: { option: 'threads' } }],
    [{ inline: 'yes' }, { code: 'invalid-option', position: { option: 'inline' } }],
    [{ colums: [1] }, { code: 'invalid-option', position: { option: 'colums' } }],
  ];
  for (const [options, failure] of table)
    await expect(recommendAll(model, options as never)).rejects.toMatchObject(failure);
});
