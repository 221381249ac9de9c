import { inspect } from 'node:util';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { sampleModel } from './sample.js';

/** The prediction straight from the definition. */
function predicted(model: ReturnType<typeof sampleModel>, i: number, j: number): number {
  let sum = model.biases.mean + (model.biases.rows?.[i] ?? 0) + (model.biases.columns?.[j] ?? 0);
  for (let t = 0; t < model.rank; t++) sum += (model.U.get(i, t) as number) * (model.V.get(j, t) as number);
  return sum;
}

describe('predict', () => {
  test.each(['none', 'rows', 'columns', 'both'] as const)('is mean + biases + u·v with biases %s', (biases) => {
    const model = sampleModel({ biases, rank: 3 });
    const rows = [0, 4, 2, 2];
    const columns = [3, 0, 1, 1];
    const bulk = model.predict(rows, Int32Array.from(columns));
    expect(bulk).toBeInstanceOf(Float64Array);
    rows.forEach((i, t) => {
      const j = columns[t] as number;
      expect(model.predict(i, j)).toBeCloseTo(predicted(model, i, j), 12);
      expect(bulk[t]).toBe(model.predict(i, j));
    });
  });

  test.each([
    [5, 0],
    [0, 4],
    [-1, 0],
    [0.5, 0],
    [Number.NaN, 0],
  ])('refuses entry (%s, %s) of a 5×4 model', (row, column) => {
    const error = expect.objectContaining({
      code: 'index-out-of-range',
      position: expect.objectContaining({ row, column }),
    });
    expect(() => sampleModel().predict(row, column)).toThrow(error);
    expect(() => sampleModel().predict([0, row], [0, column])).toThrow(
      expect.objectContaining({ code: 'index-out-of-range', position: { row, column, index: 1 } }),
    );
  });

  test('refuses rows and columns of different length', () => {
    expect(() => sampleModel().predict([0, 1], [0])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => sampleModel().predict([0, 1], 0 as never)).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    );
  });

  test.each([
    [null, 0],
    [{}, {}],
    [true, 1],
    [undefined, undefined],
    [0, undefined],
    [new DataView(new ArrayBuffer(8)), new DataView(new ArrayBuffer(8))],
  ])('refuses (%o, %o), which are no indices', (row, column) => {
    expect(() => sampleModel().predict(row as never, column as never)).toThrow(
      expect.objectContaining({ code: 'invalid-input', rule: expect.stringContaining('predict takes') }),
    );
  });

  test('tells labels from indices', () => {
    const model = sampleModel({ rows: 5, columns: 5, labels: { rows: [...'abcde'], columns: [...'abcde'] } });
    const error = expect.objectContaining({ code: 'invalid-input', remedy: expect.stringContaining('rowIndex') });
    expect(() => model.predict('alice' as never, 'a' as never)).toThrow(error);
    expect(() => model.predict(0, 'a' as never)).toThrow(error);
    expect(() => model.predict([0, 'b'] as never, [0, 1])).toThrow(
      expect.objectContaining({ code: 'invalid-input', position: { index: 1 } }),
    );
    expect(() => model.recommend('a' as never)).toThrow(error);
    expect(() => model.recommend(0, { exclude: ['a'] as never })).toThrow(error);
  });
});

describe('objective', () => {
  const values = Float64Array.of(1, 2, 3, -1, 0.5, 4);
  const triples = {
    rows: Int32Array.of(0, 1, 2, 3, 4, 0),
    columns: Int32Array.of(0, 1, 2, 3, 0, 3),
    values,
    shape: [5, 4] as const,
  };
  const W = Float64Array.of(1, 2, 0.5, 3, 1.5, 0.25);

  test.each(['row', 'count', 'weight'] as const)('follows its definition with λ by %s', (lambdaScale) => {
    const model = sampleModel({ biases: 'both', lambda: 0.3, biasLambda: 0.7, lambdaScale });
    let expected = 0;
    const rowScale = new Float64Array(5).fill(lambdaScale === 'row' ? 1 : 0);
    const columnScale = new Float64Array(4).fill(lambdaScale === 'row' ? 1 : 0);
    values.forEach((value, t) => {
      const [i, j, w] = [triples.rows[t] as number, triples.columns[t] as number, W[t] as number];
      expected += w * w * (value - predicted(model, i, j)) ** 2;
      if (lambdaScale !== 'row') {
        rowScale[i] = (rowScale[i] as number) + (lambdaScale === 'count' ? 1 : w * w);
        columnScale[j] = (columnScale[j] as number) + (lambdaScale === 'count' ? 1 : w * w);
      }
    });
    for (let i = 0; i < 5; i++) {
      for (let t = 0; t < 2; t++) expected += 0.3 * (rowScale[i] as number) * (model.U.get(i, t) as number) ** 2;
      expected += 0.7 * (rowScale[i] as number) * (model.biases.rows?.[i] as number) ** 2;
    }
    for (let j = 0; j < 4; j++) {
      for (let t = 0; t < 2; t++) expected += 0.3 * (columnScale[j] as number) * (model.V.get(j, t) as number) ** 2;
      expected += 0.7 * (columnScale[j] as number) * (model.biases.columns?.[j] as number) ** 2;
    }
    expect(model.objective(triples, { weights: { sqrtWeight: W } })).toBeCloseTo(expected, 10);
    expect(model.objective(triples, { weights: { weight: W.map((w) => w * w) } })).toBeCloseTo(expected, 10);
    expect(model.objective(triples, { weights: { sigma: W.map((w) => 1 / w) } })).toBeCloseTo(expected, 10);
  });

  test('is the same for dense, triples and CSR', () => {
    const model = sampleModel({ lambda: 0.1, lambdaScale: 'count' });
    const dense = ndarray(new Float64Array(20).fill(Number.NaN), [5, 4]);
    values.forEach((value, t) => {
      dense.set(triples.rows[t] as number, triples.columns[t] as number, value);
    });
    const compressed = {
      rowPointers: Int32Array.of(0, 2, 3, 4, 5, 6),
      columnIndices: Int32Array.of(0, 3, 1, 2, 3, 0),
      values: Float64Array.of(1, 4, 2, 3, -1, 0.5),
      shape: [5, 4] as const,
    };
    expect(model.objective(dense)).toBeCloseTo(model.objective(triples), 12);
    expect(model.objective(compressed)).toBeCloseTo(model.objective(triples), 12);
  });

  test('treats duplicates as the fit did unless told otherwise', () => {
    const twice = { ...triples, rows: Int32Array.of(0, 1, 2, 3, 0, 0), columns: Int32Array.of(0, 1, 2, 3, 3, 3) };
    const model = sampleModel();
    expect(() => model.objective(twice)).toThrow(expect.objectContaining({ code: 'duplicate-entry' }));
    const residual = (value: number) => (value - predicted(model, 0, 3)) ** 2;
    const keep = model.objective(twice, { duplicates: 'keep' });
    expect(keep - model.objective(twice, { duplicates: 'last' })).toBeCloseTo(residual(0.5), 12);
    expect(model.objective(twice, { duplicates: 'sum' }) - keep).toBeCloseTo(
      residual(4.5) - residual(0.5) - residual(4),
      12,
    );
  });

  test('refuses what duplicates cannot mean', () => {
    expect(() => sampleModel().objective(triples, { duplicates: 'first' as never })).toThrow(
      expect.objectContaining({ code: 'invalid-option', position: { option: 'duplicates' } }),
    );
  });

  test('refuses data of another shape, before it takes memory for it', () => {
    expect(() => sampleModel().objective({ ...triples, shape: [4e9, 4] })).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    );
    expect(() => sampleModel({ rows: 6 }).objective(triples)).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    );
  });
});

describe('recommend', () => {
  test('lists the columns of highest prediction, best first, without those excluded', () => {
    const model = sampleModel({ columns: 30, labels: { columns: Array.from({ length: 30 }, (_, j) => `c${j}`) } });
    const scores = Array.from({ length: 30 }, (_, j) => predicted(model, 2, j));
    const best = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
    expect(model.recommend(2).map(({ column }) => column)).toEqual(best.slice(0, 10));
    expect(model.recommend(2, { top: 3, exclude: best.slice(0, 2) })).toEqual(
      best.slice(2, 5).map((column) => ({ column, label: `c${column}`, prediction: model.predict(2, column) })),
    );
    expect(model.recommend(2, { top: 100 })).toHaveLength(30);
  });

  test('orders ties by column', () => {
    const model = sampleModel({ columns: 6 });
    model.V.data.fill(1);
    expect(model.recommend(0, { top: 6 }).map(({ column }) => column)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('refuses a row or a top that is none', () => {
    expect(() => sampleModel().recommend(5)).toThrow(expect.objectContaining({ code: 'index-out-of-range' }));
    expect(() => sampleModel().recommend(0, { top: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid-option', position: { option: 'top' } }),
    );
    expect(() => sampleModel().recommend(0, { exclude: 5 as never })).toThrow(
      expect.objectContaining({ code: 'invalid-option', position: { option: 'exclude' } }),
    );
    expect(sampleModel().recommend(0, null as never)).toEqual(sampleModel().recommend(0));
  });
});

test('a model is printed as one line', () => {
  const model = sampleModel({ rows: 500, columns: 400, rank: 3 });
  expect(inspect(model)).toBe('Model 500×400, rank 3, converged, f = 1.5');
});
