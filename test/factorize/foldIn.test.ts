/** Folding in: a training row comes back, whatever was minimised; new rows are what a plain float64 search says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import {
  explain,
  type FactorizeOptions,
  type FoldedIn,
  type FoldInOptions,
  factorize,
  foldIn,
  loadModel,
  Model,
  update,
} from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { base, type Objective, objectives, ones, separable, some } from '../helpers/objectives.js';
import { compressed, dense, type Problem, problem, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

const table = Object.entries(objectives);

const fit = (of: Problem, options: Objective, more: Partial<FactorizeOptions> = {}): Promise<Model> =>
  factorize(triples(of), { rank: 3, weights: sqrtWeights(of), threads: 1, dtype: 'f64', ...options, ...more });

/** What the fit was told of its rows or columns, for folding all of them in. */
const told = (of: Problem, { background, hold }: Objective, side: 'rows' | 'columns'): FoldInOptions => ({
  side,
  weights: sqrtWeights(of),
  threads: 1,
  ...(hold && { hold }),
  ...(typeof background === 'object' &&
    typeof background.weight === 'object' && { backgroundWeights: background.weight[side] }),
});

const whole = ({ factor, bias }: { factor: { data: ArrayLike<number> }; bias?: ArrayLike<number> }) =>
  Float64Array.from([...Array.from(factor.data), ...Array.from(bias ?? [])]);

/** A column is solved for the final U, which V was not: it may differ by this many times what the certificate leaves. */
const columnSlack = 50;

test('a bias that pays far less than the factor is right in f32, of rows with fewer entries than unknowns too', async () => {
  const plain = problem({ m: 60, n: 50, density: 0.3, noise: 0.5, seed: 5 });
  const of = withEntries(plain, ({ row, value }) => ({ value: value + (row % 9) / 2 }));
  for (const share of [1e-6, 1e-3, 0.02]) {
    const penalties = { lambda: 1, lambdaScale: 'count', biases: 'rows', biasLambda: share } as const;
    const model = await fit(of, { ...penalties }, { rank: 40, dtype: 'f32', maxSweeps: 5 });
    const { U, V, biases, labels } = model;
    const exact = new Model({
      U,
      V: { ...V, data: Float64Array.from(V.data) } as Model['V'],
      biases,
      labels,
      fit: { ...model.fit, dtype: 'f64' },
    });
    const [found, expected] = [await foldIn(model, triples(of)), await foldIn(exact, triples(of))];
    expectClose(found.bias as Float32Array, expected.bias as Float64Array, 1e-5, `β = ${share}λ`);
  }
});

describe.each(table)('%s', (name, { of = base, options }) => {
  test('a training row returns its factor to 1e-10, a column to the certificate', async () => {
    const model = await fit(of, options, { maxSweeps: 300 });
    expect(model.U.data.some((x) => x !== 0)).toBe(true);
    const rows = await foldIn(model, triples(of), told(of, options, 'rows'));
    const { rows: b, columns: c } = model.biases;
    expectClose(whole(rows), whole({ factor: model.U, ...(b && { bias: b }) }), 1e-10, 'rows');
    const columns = await foldIn(model, triples(of), told(of, options, 'columns'));
    const limit = columnSlack * model.certificate.relativeGradientNorm;
    expectClose(whole(columns), whole({ factor: model.V, ...(c && { bias: c }) }), Math.max(limit, 1e-10), 'columns');
    expect(rows.notes).toEqual([]);
  });

  test('a training row returns its factor in f32 as well, to its precision', async () => {
    const model = await fit(of, options, { maxSweeps: 60, dtype: 'f32' });
    const rows = await foldIn(model, triples(of), told(of, options, 'rows'));
    expect(rows.factor.data).toBeInstanceOf(Float32Array);
    const { rows: b } = model.biases;
    expectClose(whole(rows), whole({ factor: model.U, ...(b && { bias: b }) }), 2e-5, 'rows');
  });

  test('no feasible move of a new row lowers the slow objective', async () => {
    const model = await fit(of, options, { maxSweeps: 40 });
    const fresh = newRows(of);
    const folded = await foldIn(model, triples(fresh), newParts(fresh, options));
    const moved = withRows(model, folded, fresh.m);
    const f = () => moved.objective(triples(fresh), { weights: sqrtWeights(fresh) });
    const at = f();
    const [lower, upper] = boundsOf(options);
    const held = newParts(fresh, options).hold?.U;
    const next = uniform(3);
    for (let draw = 0; draw < 10; draw++) {
      const index = Math.floor(next() * moved.U.data.length);
      const x = moved.U.data[index] as number;
      if (held && !Number.isNaN(held.get(Math.floor(index / 3), index % 3))) {
        expect(x).toBe(held.get(Math.floor(index / 3), index % 3));
        continue;
      }
      for (const step of [1e-4, -1e-4]) {
        moved.U.data[index] = Math.min(upper, Math.max(lower, x + step));
        expect(f()).toBeGreaterThanOrEqual(at - 1e-12 * Math.abs(at));
        moved.U.data[index] = x;
      }
    }
    const bias = moved.biases.rows;
    if (bias)
      for (const step of [1e-4, -1e-4]) {
        bias[1] = (bias[1] as number) + step;
        expect(f()).toBeGreaterThanOrEqual(at - 1e-12 * Math.abs(at));
        bias[1] = (bias[1] as number) - step;
      }
  });

  test('has the same bits on any number of threads, staged or not, and whatever rows a row comes with', async () => {
    const fresh = newRows(of);
    // Each objective in both precisions, and every other one in either way.
    const isOdd = table.findIndex(([each]) => each === name) % 2 === 1;
    const way = isOdd ? { threads: 3 } : { threads: 2, residency: 'staged' as const };
    for (const dtype of ['f32', 'f64'] as const) {
      const model = await fit(of, options, { maxSweeps: 5, dtype });
      const parts = newParts(fresh, options);
      const all = await foldIn(model, triples(fresh), parts);
      if ((dtype === 'f32') === isOdd)
        expect(whole(await foldIn(model, triples(fresh), { ...parts, ...way, inline: 'never' }))).toEqual(whole(all));
      const row = 2;
      const alone = {
        ...fresh,
        m: 1,
        entries: fresh.entries.filter((e) => e.row === row).map((e) => ({ ...e, row: 0 })),
      };
      const U = parts.hold?.U;
      const one = await foldIn(model, triples(alone), {
        ...newParts(alone, options),
        ...(U && {
          hold: {
            U: ndarray(
              Float64Array.from([0, 1, 2], (c) => U.get(row, c)),
              [1, 3],
            ),
          },
        }),
        ...(parts.backgroundWeights && { backgroundWeights: [parts.backgroundWeights[row] as number] }),
      });
      expect(Array.from(one.factor.data)).toEqual(Array.from(all.factor.data.slice(3 * row, 3 * row + 3)));
      expect(one.bias?.[0]).toBe(all.bias?.[row]);
    }
  });
});

test.each([
  ['beside a background, at a rank of short rows', { rank: 16, background: 0.1 }],
  ['at a rank of steps, with biases', { rank: 96, biases: 'both' }],
] as const)('%s, a row has the same bits alone as among thousands', async (_, more) => {
  const many = problem({ m: 4000, n: 200, density: 0.03, rank: 3, isWeighted: false, offset: 1, seed: 9 });
  const options = {
    ...more,
    lambda: 0.3,
    dtype: 'f32',
    method: 'als',
    maxSweeps: 3,
    seed: 2,
  } as const;
  const model = await factorize(triples(many), options);
  const all = await foldIn(model, triples(many));
  for (const row of [0, 1, 2, 3, 7]) {
    const entries = many.entries.filter((e) => e.row === row).map((e) => ({ ...e, row: 0 }));
    const one = await foldIn(model, triples({ ...many, m: 1, entries }));
    const { rank } = more;
    expect(Array.from(one.factor.data)).toEqual(Array.from(all.factor.data.subarray(rank * row, rank * (row + 1))));
  }
  expectClose(all.factor.data, model.U.data, 1e-4, 'rows');
});

test.each([1, 1e-2, 1e-6])('rows of fewer entries than a large rank come back beside a ridge of %d', async (lambda) => {
  const few = problem({ m: 400, n: 150, density: 0.5, rank: 5, isWeighted: false, offset: 1, seed: 1 });
  const options = { rank: 97, method: 'als', lambda, maxSweeps: 20, certificate: 'first-order' } as const;
  const [single, double] = await Promise.all(
    (['f32', 'f64'] as const).map((dtype) => factorize(triples(few), { ...options, dtype })),
  );
  const { factor } = await foldIn(single as Model, triples(few));
  expectClose(factor.data, (single as Model).U.data, 1e-3, 'rows');
  // To a gradient of 1e-5, f32's tolerance, the least of the ridges takes fewer sweeps than to f64's.
  if (lambda > 1e-6) expect(single?.fit.objective).toBeLessThan(1.1 * (double?.fit.objective as number));
});

/** Rows that the fit has not seen: those of the problem, other way up and further from it, the last without an entry. */
function newRows(of: Problem): Problem {
  const m = 6;
  const entries = of.entries
    .filter((e) => e.row < m - 1)
    .map((e) => ({ ...e, column: of.n - 1 - e.column }))
    .sort((a, b) => a.row - b.row || a.column - b.column);
  return { ...of, m, entries };
}

function newParts(of: Problem, { hold, background }: Objective): FoldInOptions {
  return {
    weights: sqrtWeights(of),
    threads: 1,
    ...(hold?.U && { hold: { U: some(of.m) } }),
    ...(typeof background === 'object' &&
      typeof background.weight === 'object' && { backgroundWeights: separable.weight.rows.slice(0, of.m) }),
  };
}

/** A model of the new rows alone. */
function withRows(model: Model, { factor, bias }: FoldedIn, m: number): Model {
  const { background, biases } = model;
  return new Model({
    U: factor,
    V: model.V,
    biases: { ...biases, ...(bias && { rows: bias }) },
    fit: model.fit,
    ...(background && { background: { ...background, rows: background.rows.slice(0, m) } }),
  });
}

function boundsOf({ bounds, nonnegative, loss }: Objective): readonly [number, number] {
  const [lower, upper] = bounds?.rows ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const isNonnegative = nonnegative === 'rows' || nonnegative === 'both' || loss === 'poisson';
  return [isNonnegative ? Math.max(0, lower) : lower, upper];
}

describe('folding in', () => {
  test('gives f of the rows: the loss and their own penalties', async () => {
    const model = await fit(base, { lambda: 0.3, biases: 'both' });
    const { objective, loss, regularization } = await foldIn(model, triples(base), told(base, {}, 'rows'));
    const ofColumns = [...model.V.data, ...(model.biases.columns as Float64Array)].reduce(
      (sum, x) => sum + 0.3 * x * x,
      0,
    );
    expectClose([objective], [model.fit.objective - ofColumns], 1e-12);
    expect(loss + regularization).toBe(objective);
  });

  test('of rows with fewer observations than the rank gives the smallest, as the fit does', async () => {
    const short = { ...base, entries: base.entries.filter((e) => e.row % 3 !== 0 || e.column < 2) };
    const model = await fit(short, {}, { maxSweeps: 20 });
    const rows = await foldIn(model, triples(short), told(short, {}, 'rows'));
    expectClose(rows.factor.data, model.U.data, 1e-10);
    expect(rows.observed[0]).toBe(short.entries.filter((e) => e.row === 0).length);
  });

  test('takes dense data with NaN, CSR and triples alike', async () => {
    const model = await fit(base, { lambda: 0.1, biases: 'both' }, { maxSweeps: 10 });
    const weights = { sqrtWeight: dense(base, (e) => e.weight) };
    const one = await foldIn(model, triples(base), { weights: sqrtWeights(base) });
    expect(whole(await foldIn(model, dense(base), { weights }))).toEqual(whole(one));
    expect(whole(await foldIn(model, compressed(base), { weights: sqrtWeights(base) }))).toEqual(whole(one));
  });

  test('of many blocks has the same bits as one by one', async () => {
    const many = problem({ m: 9000, n: 40, density: 0.4, isWeighted: true, seed: 5 });
    const model = await factorize(triples(many), { rank: 8, lambda: 0.1, background: 0.1, maxSweeps: 2, threads: 2 });
    const all = await foldIn(model, triples(many), { weights: sqrtWeights(many), threads: 2, inline: 'never' });
    const part = { ...many, m: 100, entries: many.entries.filter((e) => e.row < 100) };
    const some = await foldIn(model, triples(part), { weights: sqrtWeights(part), threads: 1 });
    expect(some.factor.data).toEqual(all.factor.data.slice(0, 800));
  });

  test('reads values as the tool that the fit was like', async () => {
    const like = { like: 'implicit', alpha: 3, lambda: 0.5 } as const;
    const plays = withEntries(base, (e) => ({ value: 1 + Math.round(Math.abs(e.value)), weight: 1 }));
    const model = await factorize(triples(plays), { rank: 3, dtype: 'f64', ...like });
    expectClose((await foldIn(model, triples(plays))).factor.data, model.U.data, 1e-10);
  });

  test('returns rows of counts beside a background many times their own loss', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const of = withEntries(problem({ m: 12, n: 9, density: 0.5, offset: 1, seed }), (e) => ({
        value: Math.max(0, Math.round(3 * e.value)),
      }));
      const options = { loss: 'poisson', background: 1, lambda: 0.01, lambdaScale: 'count' } as const;
      const model = await fit(of, options, { maxSweeps: 50 });
      const rows = await foldIn(model, triples(of), told(of, options, 'rows'));
      expectClose(rows.factor.data, model.U.data, 1e-10);
    }
  });

  test('leaves entries of weight 0 out of a background, and does not count them', async () => {
    const zero = withEntries(base, (e) => ({ weight: e.column === 3 ? 0 : e.weight }));
    const model = await fit(zero, { background: 0.5, lambda: 0.1 });
    const rows = await foldIn(model, triples(zero), told(zero, {}, 'rows'));
    expectClose(rows.factor.data, model.U.data, 1e-10);
    expect(rows.observed[0]).toBe(zero.entries.filter((e) => e.row === 0 && e.weight > 0).length);
  });

  test('says what has no observation', async () => {
    const model = await fit(base, { lambda: 0.1 }, { maxSweeps: 3 });
    const { factor, notes } = await foldIn(model, triples(newRows(base)), newParts(newRows(base), {}));
    expect(notes).toEqual([
      '1 row has no observation: the factor is 0 and predictions are the mean and the other bias.',
    ]);
    expect(Array.from(factor.data.slice(-3))).toEqual([0, 0, 0]);
  });

  test('is of a model that was saved and loaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hadamard-fold-'));
    const options = { background: separable, lambda: 0.1, biases: 'both' } as const;
    const model = await fit(base, options, { maxSweeps: 10 });
    await model.save(join(folder, 'model'));
    const again = await loadModel(join(folder, 'model'));
    const parts = told(base, options, 'rows');
    expect(whole(await foldIn(again, triples(base), parts))).toEqual(whole(await foldIn(model, triples(base), parts)));
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['other columns', triples({ ...base, n: base.n + 1 }), {}, 'shape-mismatch'],
    ['an option of the fit', triples(base), { lambda: 1 }, 'invalid-option'],
    ['no side', triples(base), { side: 'up' }, 'invalid-option'],
    ['threads', triples(base), { threads: 0 }, 'invalid-option'],
    ['a background where there is none', triples(base), { backgroundWeights: [1] }, 'invalid-option'],
    ['held entries of another shape', triples(base), { hold: { U: ones(3) } }, 'shape-mismatch'],
    ['bare weights', triples(base), { weights: new Float64Array(3) }, 'ambiguous-weights'],
    [
      'values that are not numbers',
      ndarray(new Float64Array(base.n).fill(Number.POSITIVE_INFINITY), [1, base.n]),
      {},
      'invalid-value',
    ],
  ])('refuses %s', async (_name, data, options, code) => {
    const model = await fit(base, { lambda: 0.1 }, { maxSweeps: 2 });
    await expect((async () => foldIn(model, data, options as never))()).rejects.toMatchObject({ code });
  });

  test('says when the fit had weights and the rows have none', async () => {
    const note = 'The model was fitted with weights; these rows are given none, so each entry counts W = 1.';
    const model = await fit(base, { lambda: 0.1 }, { maxSweeps: 2 });
    expect((await foldIn(model, triples(base))).notes).toContain(note);
    expect((await foldIn(model, triples(base), { weights: sqrtWeights(base) })).notes).not.toContain(note);
    const indices = Array.from({ length: base.m }, (_, i) => i);
    const updated = await update(model, triples(base), { names: indices });
    expect(updated.fit.updates?.[0]?.notes).toEqual([note]);
    // With the weights the same rows are in the model, and what was said of them is of the past.
    const again = await update(updated, triples(base), { names: indices, weights: sqrtWeights(base) });
    expect(again.fit.updates?.[1]).not.toHaveProperty('notes');
    expect(again.fit.notes).not.toContain(note);
    const refreshed = await update(model, triples(base), { names: indices, refresh: 1 });
    expect(refreshed.fit.notes[0]).toBe(note.replace('these rows are', 'its refresh was'));
    expect((await explain(model, triples(base), 0, 0)).notes).toEqual([note]);
    const plain = await factorize(triples(base), { rank: 3, lambda: 0.1, maxSweeps: 2 });
    expect((await foldIn(plain, triples(base))).notes).not.toContain(note);
  });

  test('ends with an AbortError when its signal was aborted', async () => {
    const model = await fit(base, { lambda: 0.1 }, { maxSweeps: 2 });
    const folding = foldIn(model, triples(base), { signal: AbortSignal.abort() });
    await expect(folding).rejects.toMatchObject({
      name: 'AbortError',
      message: 'The work was aborted before there was a result.',
    });
  });
});
