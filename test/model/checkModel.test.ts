/** What plain JavaScript may give in place of a model or of options is refused by name, before any work. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import {
  evaluate,
  explain,
  exportModel,
  foldIn,
  impute,
  inspectModel,
  isHadamardError,
  loadModel,
  type Model,
  recommendAll,
  recommendEach,
  reportHtml,
  similar,
  tune,
  update,
} from '../../dist/src/index.js';
import { checkModel } from '../../dist/src/model/checkModel.js';
import { sampleModel } from './sample.js';

const model = sampleModel();
const A = ndarray(
  Float64Array.from({ length: 20 }, (_, t) => ((t * 7) % 11) / 3),
  [5, 4],
);
const out = join(tmpdir(), 'hadamard-never');

/** What a call throws or rejects with. */
const failureOf = async (call: () => unknown): Promise<unknown> => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('what is no model', () => {
  const calls: Record<string, (model: Model) => unknown> = {
    foldIn: (model) => foldIn(model, A),
    update: (model) => update(model, A),
    'update that removes': (model) => update(model, undefined, { remove: [0] }),
    explain: (model) => explain(model, A, 0, 0),
    impute: (model) => impute(A, { model }),
    recommendAll: (model) => recommendAll(model),
    recommendEach: (model) => recommendEach(model).next(),
    similar: (model) => similar(model, { row: 0 }),
    exportModel: (model) => exportModel(model, { format: 'npy', out }),
    reportHtml: (model) => reportHtml(model),
    inspectModel: (model) => inspectModel(model),
  };
  const none: [string, unknown][] = [
    ['null', null],
    ['a number', 5],
    ['a fake', { U: 1 }],
    ['a promise of one', Promise.resolve(model)],
    ['its parts', { ...model }],
    ['a copy without its report', Object.assign(Object.create(Object.getPrototypeOf(model)), { ...model, fit: {} })],
  ];

  test.each(Object.entries(calls))('is refused by %s', async (name, call) => {
    for (const [kind, fake] of name === 'impute' ? none : [...none, ['undefined', undefined] as const]) {
      const error = await failureOf(() => call(fake as Model));
      expect(isHadamardError(error), `${kind}: ${String(error)}`).toBe(true);
      expect(error, kind).toMatchObject({ code: 'invalid-input', position: { option: 'model' } });
    }
  });

  test('is not one that another copy of the package made, nor one that was loaded', async () => {
    const { U, V, biases, labels, fit, shape, rank } = model;
    expect(() => checkModel({ U, V, biases, labels, fit, shape, rank, predict: () => 0 })).not.toThrow();
    const folder = join(tmpdir(), `hadamard-check-${process.pid}`);
    await model.save(folder);
    const loaded = await loadModel(folder);
    expect(() => checkModel(loaded)).not.toThrow();
    rmSync(folder, { recursive: true });
  });
});

describe('options', () => {
  const takes: Record<string, (options: never) => unknown> = {
    evaluate: (options) => evaluate(A, options),
    tune: (options) => tune(A, options),
    foldIn: (options) => foldIn(model, A, options),
    update: (options) => update(model, A, options),
    explain: (options) => explain(model, A, 0, 0, options),
    impute: (options) => impute(A, options),
    reportHtml: (options) => reportHtml(model, A, options),
    inspectModel: (options) => inspectModel(model, options),
    'Model.recommend': (options) => model.recommend(0, options),
  };

  test.each(Object.entries(takes))('of %s are an object', async (name, call) => {
    // Model.recommend takes null for options left out.
    for (const odd of [5, 'x', [], ...(name === 'Model.recommend' ? [] : [null])])
      expect(await failureOf(() => call(odd as never))).toMatchObject({
        code: 'invalid-option',
        what: expect.stringMatching(/^The options are /),
      });
  });

  test.each(Object.entries(takes))('of %s have no name that there is not', async (_name, call) => {
    expect(await failureOf(() => call({ rank: 1, foo: 1 } as never))).toMatchObject({ code: 'invalid-option' });
  });

  test('that are left out are those of a fit without them', async () => {
    expect(await failureOf(() => (evaluate as (A: unknown) => unknown)(A))).toMatchObject({
      code: 'invalid-option',
      position: { option: 'rank' },
    });
    const { ranks, metric } = await tune(A);
    expect({ ranks, metric }).toEqual({ ranks: [1, 2, 4], metric: 'rmse' });
  });

  test('that are to be called are functions, which is known before the first fit', async () => {
    const onProgress = 5 as never;
    const calls = {
      evaluate: () => evaluate(A, { rank: 1, onProgress }),
      tune: () => tune(A, { onProgress }),
      update: () => update(model, A, { onProgress }),
      recommendAll: () => recommendAll(model, { onProgress }),
      'a signal': () => foldIn(model, A, { signal: 5 as never }),
    };
    for (const [name, call] of Object.entries(calls))
      expect(await failureOf(call), name).toMatchObject({
        code: 'invalid-option',
        position: { option: name === 'a signal' ? 'signal' : 'onProgress' },
      });
  });

  test('metrics are a list of names', async () => {
    for (const metrics of ['rmse', 5, null, [5], [Symbol('x')]])
      expect(await failureOf(() => evaluate(A, { rank: 1, metrics: metrics as never }))).toMatchObject({
        code: 'invalid-option',
        position: { option: 'metrics' },
      });
    expect(await failureOf(() => tune(A, { metric: 5 as never }))).toMatchObject({ code: 'invalid-option' });
  });

  test('data that is null is no data left out', () => {
    expect(() => reportHtml(model, null as never)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});
