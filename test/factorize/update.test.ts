/** Rows added, replaced and removed: the rest keeps every bit, and V's gradient is what plain float64 says it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, foldIn, loadModel, type Model, update } from '../../dist/src/index.js';
import { digestOf } from '../../dist/src/model/digest.js';
import { expectClose } from '../helpers/compare.js';
import { type Problem, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { at, centredNorm, gradientAt, pointOf } from '../helpers/reference.js';

const base = problem({ m: 30, n: 20, density: 0.6, isWeighted: true, offset: 1, noise: 0.3, seed: 11 });
const names = Array.from({ length: base.m }, (_, i) => `row ${i}`);
const columns = Array.from({ length: base.n }, (_, j) => `column ${j}`);
const options = { rank: 3, lambda: 0.1, biases: 'both', dtype: 'f64', threads: 1 } as const;

/** Rows first … last−1 of a problem, as one of their own. */
const rowsOf = (of: Problem, first: number, last: number): Problem => ({
  ...of,
  m: last - first,
  entries: of.entries.filter((e) => e.row >= first && e.row < last).map((e) => ({ ...e, row: e.row - first })),
});
const fit = (of: Problem, more: Partial<FactorizeOptions> = {}): Promise<Model> =>
  factorize(triples(of), { ...options, weights: sqrtWeights(of), ...more });
const labelled = (more: Partial<FactorizeOptions> = {}) => fit(base, { labels: { rows: names, columns }, ...more });

const rowOf = ({ U, biases, rank }: Model, row: number) => [
  ...Array.from(U.data.slice(row * rank, (row + 1) * rank)),
  biases.rows?.[row],
];

describe('update', () => {
  test('adds, replaces and removes by label, solves what is given and keeps every other bit', async () => {
    const model = await labelled();
    const given = rowsOf(base, 3, 6);
    const next = await update(model, triples(given), {
      names: ['row 9', 'new', 'row 2'],
      weights: sqrtWeights(given),
      remove: ['row 0', 'row 29'],
    });
    const labels = [...names.slice(1, 29), 'new'];
    expect(next.labels).toEqual({ rows: labels, columns });
    expect(next.shape).toEqual([29, base.n]);
    expect(next.V).toBe(model.V);
    expect(next.biases.columns).toBe(model.biases.columns);
    const { factor, bias } = await foldIn(model, triples(given), { weights: sqrtWeights(given) });
    const given1 = (t: number) => [...Array.from(factor.data.slice(3 * t, 3 * t + 3)), bias?.[t]];
    labels.forEach((label, i) => {
      const t = ['row 9', 'new', 'row 2'].indexOf(label);
      expect(rowOf(next, i)).toEqual(t >= 0 ? given1(t) : rowOf(model, model.rowIndex(label) as number));
    });
    expect(next.fit.updates).toMatchObject([
      { side: 'rows', added: 1, replaced: 2, removed: 2, observed: given.entries.length },
    ]);
    expect(next.fit).toMatchObject({ rows: 29, objective: model.fit.objective, status: model.fit.status });
    expect(next.fit.digest).toBe(digestOf([next.U.data, next.V.data, next.biases.rows, next.biases.columns]));
    expect(next.fit.notes.at(-1)).toContain('updated after the fit');
  });

  test('leaves the model as it was', async () => {
    const model = await labelled();
    const before = digestOf([model.U.data, model.V.data, model.biases.rows, model.biases.columns]);
    await update(model, triples(rowsOf(base, 0, 1)), { names: ['row 5'], remove: ['row 1'] });
    expect(digestOf([model.U.data, model.V.data, model.biases.rows, model.biases.columns])).toBe(before);
    expect(model.fit.updates).toBeUndefined();
  });

  test('adds columns as well, and rows without labels by their indices', async () => {
    const model = await fit(base);
    const wide = {
      ...base,
      n: 1,
      entries: base.entries.filter((e) => e.column === 4).map((e) => ({ ...e, column: 0 })),
    };
    const more = await update(model, triples(wide), { side: 'columns', weights: sqrtWeights(wide) });
    expect(more.shape).toEqual([base.m, base.n + 1]);
    const last = Array.from(more.V.data.slice(-3));
    expectClose(last, Array.from(model.V.data.slice(12, 15)), 50 * model.certificate.relativeGradientNorm);
    const given = rowsOf(base, 7, 9);
    const rows = await update(model, triples(given), { names: [7, 30], weights: sqrtWeights(given), remove: [0] });
    expectClose(rows.U.data.slice(0, -3), model.U.data.slice(3), 1e-10);
    expectClose(rows.U.data.slice(-3), model.U.data.slice(24, 27), 1e-10);
    expect((await update(model, triples(given))).shape).toEqual([32, base.n]);
  });

  test('removes without data, and again and again', async () => {
    const once = await update(await labelled(), undefined, { remove: ['row 3'] });
    const twice = await update(once, undefined, { remove: ['row 4'] });
    expect(twice.labels.rows).toEqual(names.filter((name) => name !== 'row 3' && name !== 'row 4'));
    expect(twice.fit.updates?.map(({ removed }) => removed)).toEqual([1, 1]);
    expect(twice.fit.updates?.[0]).not.toHaveProperty('drift');
    expect(twice.fit.notes.filter((note) => note.includes('updated'))).toHaveLength(1);
  });

  test('says of the rows given what there is to know, in its own entry: the model may lose them again', async () => {
    const model = await labelled();
    const empty = { ...rowsOf(base, 0, 1), entries: [] };
    const one = await update(model, triples(empty), { names: ['mute'], weights: sqrtWeights(empty) });
    expect(one.fit.updates?.[0]?.notes).toEqual([expect.stringContaining('1 row has no observation')]);
    const two = await update(one, undefined, { remove: ['mute'] });
    expect(two.fit.notes.filter((note) => note.includes('no observation'))).toEqual([]);
    expect(two.fit.updates?.[1]).not.toHaveProperty('notes');
  });

  test('is saved and loaded with its updates', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hadamard-update-'));
    const next = await update(await labelled(), triples(rowsOf(base, 0, 2)), { names: ['a', 'b'] });
    await next.save(join(folder, 'model'));
    const again = await loadModel(join(folder, 'model'));
    expect(again.U.data).toEqual(next.U.data);
    expect(again.fit).toEqual(next.fit);
    rmSync(folder, { recursive: true });
  });

  test('keeps the weights of a separable background in step', async () => {
    const weight = {
      rows: Float64Array.from({ length: base.m }, (_, i) => 0.1 + i / 50),
      columns: new Float64Array(base.n).fill(0.5),
    };
    const model = await fit(base, { background: { weight } });
    const given = rowsOf(base, 3, 5);
    const next = await update(model, triples(given), { names: [3, 30], remove: [0], backgroundWeights: [7, 8] });
    expect(next.background?.rows).toEqual(
      Float64Array.from([...Array.from(weight.rows.slice(1, 3)), 7, ...Array.from(weight.rows.slice(4)), 8]),
    );
    expect(next.background?.columns).toEqual(weight.columns);
  });
});

describe('the drift', () => {
  const norm = (x: ArrayLike<number> | undefined) => Math.hypot(...Array.from(x ?? []));

  test.each(['none', 'both'] as const)('is the gradient of V and c at the rows given, biases %s', async (biases) => {
    const model = await fit(base, { biases });
    const given = rowsOf(base, 4, 9);
    const { fit: report } = await update(model, triples(given), { weights: sqrtWeights(given) });
    const { factor, bias } = await foldIn(model, triples(given), { weights: sqrtWeights(given) });
    const point = { ...pointOf(model), U: Float64Array.from(factor.data), ...(bias && { b: Float64Array.from(bias) }) };
    const g = gradientAt(given, point, { lambda: 0 });
    const expected =
      (norm(g.V) * norm(point.V) + norm(g.c) * norm(point.c)) / (2 * centredNorm(given, model.biases.mean));
    expectClose([at([report.updates?.[0]?.drift as number], 0)], [expected], 1e-9);
    expect(report.updates?.[0]).not.toHaveProperty('relativeGradientNorm');
  });

  test.each<[string, Partial<FactorizeOptions>]>([
    ['plain', {}],
    ['by count', { lambdaScale: 'count', lambda: 0.02 }],
    ['non-negative', { nonnegative: 'columns' }],
    ['huber with a background of none', { loss: 'huber:0.5' }],
    ['a background', { background: 0.2 }],
  ])('and with all rows given the certificate of the fit: %s', async (_name, more) => {
    const model = await fit(base, { maxSweeps: 3, tolerance: 0, ...more });
    const { fit: report } = await update(model, triples(base), {
      names: names.map((_, i) => i),
      weights: sqrtWeights(base),
    });
    expectClose([report.updates?.[0]?.relativeGradientNorm as number], [model.certificate.relativeGradientNorm], 1e-8);
  });

  test('has the same bits on threads, staged', async () => {
    const many = problem({ m: 3000, n: 300, density: 0.05, isWeighted: true, seed: 4 });
    const model = await fit(many, { maxSweeps: 2, rank: 6, background: 0.1 });
    const weights = sqrtWeights(many);
    const drift = async (more: object) =>
      (await update(model, triples(many), { weights, ...more })).fit.updates?.[0]?.drift as number;
    const one = await drift({ threads: 1 });
    expect(one).toBeGreaterThan(0);
    expect(await drift({ threads: 2, inline: 'never', residency: 'staged' })).toBe(one);
  });

  test('grows with how strange the rows are', async () => {
    const clear = problem({ m: 60, n: 20, noise: 0.01, seed: 3 });
    const model = await fit(clear, { lambda: 0.01 });
    const seen = rowsOf(clear, 0, 10);
    const strange = {
      ...seen,
      entries: seen.entries.map((e) => ({ ...e, value: ((e.row * 7 + e.column * 5) % 11) / 5 - 1 })),
    };
    const drift = async (of: Problem) => (await update(model, triples(of))).fit.updates?.[0]?.drift as number;
    expect(await drift(strange)).toBeGreaterThan(10 * (await drift(seen)));
  });
});

describe('refresh', () => {
  test('goes on with sweeps until V is stationary for the new rows too', async () => {
    const old = rowsOf(base, 0, 20);
    const model = await fit(old, { labels: { rows: names.slice(0, 20), columns } });
    const order = [...names.slice(20), ...names.slice(0, 20)];
    const turned = { ...base, entries: base.entries.map((e) => ({ ...e, row: (e.row + 10) % 30 })) };
    const next = await update(model, triples(turned), { names: order, weights: sqrtWeights(turned), refresh: 500 });
    expect(next.labels.rows).toEqual([...names.slice(0, 20), ...names.slice(20)]);
    expect(next.fit.status).toBe('converged');
    expect(next.fit).not.toHaveProperty('updates');
    // Seed 1 ends in another optimum.
    const whole = await fit(base, { seed: 2 });
    expectClose([next.fit.objective], [whole.fit.objective], 1e-6);
    expectClose([next.objective(triples(base), { weights: sqrtWeights(base) })], [next.fit.objective], 1e-10);
  });

  test('of one sweep is nearer than none', async () => {
    const model = await fit(rowsOf(base, 0, 20));
    const weights = sqrtWeights(base);
    const all = { names: names.map((_, i) => i), weights };
    const [none, one] = [
      await update(model, triples(base), all),
      await update(model, triples(base), { ...all, refresh: 1 }),
    ];
    expect(one.objective(triples(base), { weights })).toBeLessThan(none.objective(triples(base), { weights }));
    expect(one.fit.sweeps).toBe(1);
  });
});

describe('update refuses', () => {
  test('sweeps that are no number of them, by the name of the option', async () => {
    const model = await fit(base, { maxSweeps: 1 });
    for (const refresh of [-1, 0.5, Number.NaN, '2', null])
      await expect(update(model, triples(base), { refresh } as never)).rejects.toMatchObject({
        code: 'invalid-option',
        position: { option: 'refresh' },
        what: expect.stringMatching(/^refresh is /),
      });
  });

  test('new indices that are not the next ones, in order', async () => {
    const model = await fit(base, { maxSweeps: 1 });
    const data = triples(rowsOf(base, 0, 2));
    for (const [given, index] of [
      [[500, 30], 0],
      [[31, 30], 0],
      [[2, 31], 1],
      [[30, 32], 1],
    ] as const)
      await expect(update(model, data, { names: given })).rejects.toMatchObject({
        code: 'index-out-of-range',
        position: { option: 'names', index },
      });
    expect((await update(model, data, { names: [30, 31] })).shape).toEqual([32, base.n]);
    expect((await update(model, data, { names: [30, 2] })).shape).toEqual([31, base.n]);
  });

  const part = triples(rowsOf(base, 0, 2));
  test.each<[string, unknown, object, string]>([
    ['rows without names', part, {}, 'invalid-option'],
    ['fewer names than rows', part, { names: ['a'] }, 'invalid-option'],
    ['a name twice', part, { names: ['a', 'a'] }, 'invalid-option'],
    ['an index where there are labels', part, { names: ['a', 1] }, 'invalid-option'],
    ['names that are no list', part, { names: 'ab' }, 'invalid-option'],
    ['to remove what there is not', part, { names: ['a', 'b'], remove: ['x'] }, 'not-found'],
    ['to remove what is given', part, { names: ['a', 'row 1'], remove: ['row 1'] }, 'invalid-option'],
    ['to remove all', undefined, { remove: names }, 'invalid-option'],
    ['a refresh with part of the rows', part, { names: ['a', 'b'], refresh: 2 }, 'incompatible-options'],
    ['half a sweep', part, { names: ['a', 'b'], refresh: 0.5 }, 'invalid-option'],
    ['options of a fit', part, { names: ['a', 'b'], rank: 2 }, 'invalid-option'],
    ['another width', triples({ ...rowsOf(base, 0, 2), n: 90 }), { names: ['a', 'b'] }, 'shape-mismatch'],
  ])('%s', async (_name, data, given, code) => {
    const model = await labelled({ maxSweeps: 1 });
    await expect(update(model, data as never, given as never)).rejects.toMatchObject({ code });
  });
});
