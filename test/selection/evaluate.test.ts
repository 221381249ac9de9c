/** Evaluation against the same folds done by hand; what is tested is never seen. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { asInput, listEntries, listingOf } from '../../dist/src/data/listing.js';
import {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type FactorizeOptions,
  factorize,
  foldIn,
} from '../../dist/src/index.js';
import { foldInMembers } from '../../dist/src/selection/foldInMembers.js';
import { role, splitEntries } from '../../dist/src/selection/splits.js';
import { expectClose } from '../helpers/compare.js';
import { dense, problem, reordered, sqrtWeights, triples, withEntries } from '../helpers/problem.js';
import { permutation } from '../helpers/random.js';

const of = problem({ m: 40, n: 25, density: 0.5, rank: 2, noise: 0.5, isWeighted: true, offset: 3, seed: 5 });
const A = triples(of);
const weights = sqrtWeights(of);
const options: EvaluateOptions = { rank: 2, lambda: 0.5, biases: 'both', weights, folds: 3, seed: 2 };
const all = ['rmse', 'mae', 'weighted-rmse', 'precision@3', 'recall@3', 'hr@3', 'mrr@3', 'map@3', 'ndcg@3'];
const digests = ({ folds }: Evaluation) => folds.map(({ digest }) => digest);

describe('k-fold', () => {
  test('is each fold fitted by factorize and measured by hand', async () => {
    const evaluation = await evaluate(A, { ...options, metrics: all });
    const listing = listEntries(A, weights, 'refuse');
    const folds = splitEntries(listing, { folds: 3 }, 2);
    for (const [f, { roles }] of folds.entries()) {
      const train = asInput(listingOf(listing, (t) => roles[t] === role.train));
      const model = await factorize(train.A, { rank: 2, lambda: 0.5, biases: 'both', seed: 2, weights: train.weights });
      expect(model.fit.digest).toBe(evaluation.folds[f]?.digest);
      let [squares, count, absolute] = [0, 0, 0];
      // The mean of recall@3 over rows: how many of the three best unseen columns were tested.
      const recalls: number[] = [];
      for (let row = 0; row < of.m; row++) {
        const own = [...listing.rows.keys()].filter((t) => listing.rows[t] === row);
        const tested = own.filter((t) => roles[t] === role.test);
        for (const t of tested) {
          const r = (listing.values[t] as number) - model.predict(row, listing.columns[t] as number);
          squares += r * r;
          absolute += Math.abs(r);
          count++;
        }
        if (tested.length === 0) continue;
        const seen = own.filter((t) => roles[t] === role.train).map((t) => listing.columns[t] as number);
        const best = new Set(model.recommend(row, { top: 3, exclude: seen }).map(({ column }) => column));
        recalls.push(tested.filter((t) => best.has(listing.columns[t] as number)).length / tested.length);
      }
      const { metrics, tested, trained, rankedRows } = evaluation.folds[f] as Evaluation['folds'][number];
      expect(metrics.rmse).toBeCloseTo(Math.sqrt(squares / count), 12);
      expect(metrics.mae).toBeCloseTo(absolute / count, 12);
      expect(metrics['recall@3']).toBeCloseTo(recalls.reduce((a, b) => a + b, 0) / recalls.length, 12);
      expect(rankedRows).toBe(recalls.length);
      expect([tested, trained]).toEqual([count, of.entries.length - count]);
    }
    const rmses = evaluation.folds.map(({ metrics }) => metrics.rmse as number);
    const mean = rmses.reduce((a, b) => a + b, 0) / 3;
    expect(evaluation.metrics.rmse?.mean).toBeCloseTo(mean, 14);
    const variance = rmses.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 2;
    expect(evaluation.metrics.rmse?.standardError).toBeCloseTo(Math.sqrt(variance / 3), 14);
    expect(Object.keys(evaluation.metrics)).toEqual(all);
  });

  test('stands beside what the training mean and the most popular columns would do', async () => {
    const { folds, baseline } = await evaluate(A, { ...options, metrics: all });
    const listing = listEntries(A, weights, 'refuse');
    for (const [f, { roles }] of splitEntries(listing, { folds: 3 }, 2).entries()) {
      const part = (which: number) =>
        [...roles.keys()]
          .filter((t) => roles[t] === which)
          .map((t) => ({
            row: listing.rows[t] as number,
            column: listing.columns[t] as number,
            value: listing.values[t] as number,
            squared: (listing.weights?.[t] as number) ** 2,
          }));
      const [train, tested] = [part(role.train), part(role.test)];
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      const mean = sum(train.map((e) => e.squared * e.value)) / sum(train.map((e) => e.squared));
      const count = (column: number) => train.filter((e) => e.column === column).length;
      // HR@3: the chance that one of a row's test entries is among its first three, ties in every order equally often.
      const hits = [...new Set(tested.map((e) => e.row))].map((row) => {
        const isSeen = (column: number) => train.some((e) => e.row === row && e.column === column);
        const mine = tested.filter((e) => e.row === row).map((e) => e.column);
        const candidates = Array.from({ length: of.n }, (_, column) => column).filter((column) => !isSeen(column));
        const third = candidates.map(count).sort((a, b) => b - a)[2] as number;
        if (mine.some((column) => count(column) > third)) return 1;
        const tied = candidates.filter((column) => count(column) === third).length;
        const places = 3 - candidates.filter((column) => count(column) > third).length;
        const own = mine.filter((column) => count(column) === third).length;
        let missed = 1;
        for (let place = 0; place < places; place++) missed *= Math.max(0, tied - own - place) / (tied - place);
        return 1 - missed;
      });
      const told = folds[f]?.baseline as Record<string, number>;
      const squares = tested.map((e) => (e.value - mean) ** 2);
      const weighted =
        sum(tested.map((e, t) => e.squared * (squares[t] as number))) / sum(tested.map((e) => e.squared));
      expect(told.rmse).toBeCloseTo(Math.sqrt(sum(squares) / tested.length), 12);
      expect(told.mae).toBeCloseTo(sum(tested.map((e) => Math.abs(e.value - mean))) / tested.length, 12);
      expect(told['weighted-rmse']).toBeCloseTo(Math.sqrt(weighted), 12);
      expect(told['hr@3']).toBeCloseTo(sum(hits) / hits.length, 12);
    }
    expect(Object.keys(baseline)).toEqual(all);
    const [first, second, third] = folds.map((fold) => fold.baseline.mae as number) as [number, number, number];
    expect(baseline.mae?.mean).toBeCloseTo((first + second + third) / 3, 12);
  });

  test('has the same bits for every order of listing, form and number of threads', async () => {
    const expected = await evaluate(A, options);
    const other = reordered(of, permutation(of.entries.length, 9));
    for (const [data, w, threads] of [
      [triples(other), sqrtWeights(other), 1],
      [dense(of), { sqrtWeight: dense(of, (e) => e.weight) }, 2],
      [A, weights, 3],
    ] as const) {
      const { folds, metrics } = await evaluate(data, { ...options, weights: w, threads });
      expect({ folds, metrics }).toEqual({ folds: expected.folds, metrics: expected.metrics });
    }
  });
});

describe.each(['holdout', 'k-fold', 'blocks', 'leave-one-out', 'rows', 'columns', 'time'] as const)('%s', (split) => {
  test('does not let what is tested into the fit', async () => {
    const time = of.entries.map(({ row, column }) => (row * 7 + column * 13) % 50);
    const given = { ...options, split, time, holdout: 0.3 };
    const expected = await evaluate(A, given);
    const listing = listEntries(A, weights, 'refuse');
    for (const [f, { roles }] of splitEntries(listing, given, 2).entries()) {
      const changed = withEntries(of, ({ row, column, value }) => {
        const t = listing.rows.findIndex((each, i) => each === row && listing.columns[i] === column);
        return roles[t] === role.train ? {} : { value: 50 - 7 * value, weight: 3 };
      });
      const other = await evaluate(triples(changed), { ...given, weights: sqrtWeights(changed) });
      expect(digests(other)[f]).toBe(digests(expected)[f]);
      expect(other.folds[f]?.metrics.rmse).not.toBe(expected.folds[f]?.metrics.rmse);
      if (f === 1) break;
    }
    expect(expected.folds.every(({ metrics }) => (metrics.rmse as number) < 2)).toBe(true);
  });
});

test('entries without weight are nobody’s, whatever the split', async () => {
  const zero = withEntries(of, (e) => ({ weight: e.row % 7 === e.column % 7 ? 0 : e.weight }));
  const without = { ...of, entries: zero.entries.filter((e) => e.weight > 0) };
  for (const split of ['k-fold', 'blocks', 'leave-one-out', 'rows', 'columns'] as const) {
    const said = { ...options, split, maxSweeps: 20 };
    const evaluation = await evaluate(triples(zero), { ...said, weights: sqrtWeights(zero) });
    const expected = await evaluate(triples(without), { ...said, weights: sqrtWeights(without) });
    expect(evaluation.folds).toEqual(expected.folds);
  }
});

describe('rows and columns that are left out are folded in', () => {
  const exact = { rank: 2, dtype: 'f64', tolerance: 1e-13, maxSweeps: 5000, seed: 1 } as const;
  const cases: [string, Partial<FactorizeOptions>][] = [
    ['plain', { lambda: 0.5 }],
    ['biases', { lambda: 0.5, biases: 'both' }],
    ['biases with a penalty of their own', { lambda: 0.5, biases: 'both', biasLambda: 0.1 }],
    ['biases of rows, scaled by count', { lambda: 0.1, lambdaScale: 'count', biases: 'rows' }],
    ['biases of columns, scaled by weight', { lambda: 0.1, lambdaScale: 'weight', nu: 0.5, biases: 'columns' }],
    ['free columns', { lambda: 0.5, freeColumns: 1 }],
    ['non-negative', { lambda: 0.5, nonnegative: 'both' }],
    ['huber', { lambda: 0.5, loss: 'huber:1', biases: 'both' }],
    ['elastic net', { lambda: 0.5, l1: 0.2 }],
    ['background', { lambda: 0.5, background: 0.2 }],
    ['background and biases', { lambda: 0.5, background: 0.2, biases: 'both' }],
    [
      'separable background',
      {
        lambda: 0.5,
        background: {
          weight: {
            rows: Float64Array.from({ length: 40 }, (_, i) => 0.1 + (i % 3) / 10),
            columns: new Float64Array(25).fill(0.5),
          },
        },
      },
    ],
  ];
  test.each(cases)('with the factors of training: %s', async (_name, more) => {
    const model = await factorize(A, { ...exact, ...more, weights });
    const listing = listEntries(A, weights, 'refuse');
    for (const side of ['rows', 'columns'] as const) {
      const given = listingOf(listing, (t) => (listing[side][t] as number) % 3 === 1);
      // Nothing of their own is left in the model that they are folded into.
      const factor = side === 'rows' ? model.U : model.V;
      const folded = await foldInMembers(model, side, given, { ...exact, ...more, weights });
      const found = side === 'rows' ? folded.U : folded.V;
      expect(found).not.toBe(factor);
      expectClose(found.data, factor.data, more.loss || more.nonnegative ? 1e-5 : 1e-6, side);
      const bias = model.biases[side];
      if (bias) expectClose(folded.biases[side] as Float64Array, bias, 1e-6, `bias of ${side}`);
    }
  });

  test('with what stands in no background, as training would be told', async () => {
    const zero = withEntries(of, (e) => ({ weight: e.row % 7 === e.column % 7 ? 0 : e.weight }));
    const listing = listEntries(triples(zero), sqrtWeights(zero), 'refuse', true);
    for (const split of ['rows', 'columns'] as const)
      for (const { roles } of splitEntries(listing, { split, folds: 3 }, 2)) {
        const members = (which: number) => new Set(listing[split].filter((_, t) => roles[t] === which));
        const out = members(role.test);
        expect(out.size).toBeGreaterThan(5);
        for (const member of members(role.train)) expect(out.has(member)).toBe(false);
        listing.weights?.forEach((weight, t) => {
          const isOut = out.has(listing[split][t] as number);
          if (weight === 0) expect(roles[t]).toBe(isOut ? role.given : role.train);
        });
      }
  });

  test('beside a background whose lists are of one number', async () => {
    const weight = { rows: new Float64Array(of.m).fill(0.5), columns: new Float64Array(of.n).fill(0.4) };
    const said = { ...options, split: 'rows', maxSweeps: 10, metrics: ['rmse'] } as const;
    const { metrics } = await evaluate(A, { ...said, background: { weight } });
    const one = await evaluate(A, { ...said, background: 0.2 });
    expectClose([metrics.rmse?.mean as number], [one.metrics.rmse?.mean as number], 1e-4);
  });

  test('leaving nothing behind in the background either', async () => {
    const fit = {
      rank: 2,
      lambda: 0.5,
      biases: 'both',
      seed: 2,
      maxSweeps: 10,
      background: { weight: 0.3, value: 1 },
    } as const;
    const evaluation = await evaluate(A, { ...fit, weights, split: 'rows', folds: 3, metrics: ['rmse'] });
    const listing = listEntries(A, weights, 'refuse', true);
    const [fold] = splitEntries(listing, { split: 'rows', folds: 3 }, 2);
    const out = new Set(listing.rows.filter((_, t) => fold?.roles[t] !== role.train));
    const kept = [...new Set(listing.rows)].filter((row) => !out.has(row));
    const rest = {
      ...of,
      m: kept.length,
      entries: of.entries.flatMap((e) => (out.has(e.row) ? [] : [{ ...e, row: kept.indexOf(e.row) }])),
    };
    const alone = await factorize(triples(rest), { ...fit, weights: sqrtWeights(rest) });
    const part = (which: number) => listingOf(listing, (t) => fold?.roles[t] === which);
    const [given, tested] = [asInput(part(role.given)), part(role.test)];
    const folded = await foldIn(alone, given.A, { weights: given.weights });
    const squares = tested.values.reduce((sum, value, t) => {
      const [row, column] = [tested.rows[t] as number, tested.columns[t] as number];
      let p = alone.biases.mean + (folded.bias?.[row] as number) + (alone.biases.columns?.[column] as number);
      for (let c = 0; c < 2; c++) p += folded.factor.get(row, c) * alone.V.get(column, c);
      return sum + (value - p) ** 2;
    }, 0);
    expectClose([evaluation.folds[0]?.metrics.rmse as number], [Math.sqrt(squares / tested.values.length)], 1e-5);
  });

  test('predicts them better than their mean', async () => {
    const clean = triples(problem({ m: 60, n: 30, density: 0.7, rank: 2, noise: 0.05 }));
    const values = Array.from(clean.values);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, a) => sum + (a - mean) ** 2, 0) / values.length);
    for (const split of ['rows', 'columns'] as const) {
      const { metrics } = await evaluate(clean, { rank: 2, lambda: 0.01, split, folds: 3 });
      expect(metrics.rmse?.mean).toBeLessThan(spread / 5);
    }
  });
});

describe('ranking', () => {
  /** Row i likes the columns of its parity, a few of them unseen. */
  const likes = { rows: [] as number[], columns: [] as number[] };
  for (let i = 0; i < 30; i++)
    for (let j = i % 2; j < 20; j += 2) {
      if ((i * 3 + j) % 5 === 0) continue;
      likes.rows.push(i);
      likes.columns.push(j);
    }
  const seen = {
    rows: Uint32Array.from(likes.rows),
    columns: Uint32Array.from(likes.columns),
    values: new Float64Array(likes.rows.length).fill(1),
    shape: [30, 20] as const,
  };

  test('one left out is found, among all columns and among as many as are drawn', async () => {
    for (const negatives of ['all', 5, 1000] as const) {
      const { metrics, folds } = await evaluate(seen, {
        rank: 2,
        lambda: 0.1,
        background: 0.1,
        split: 'leave-one-out',
        negatives,
        metrics: ['hr@3', 'ndcg@3'],
      });
      expect(metrics['hr@3']?.mean, String(negatives)).toBeGreaterThan(0.9);
      expect(metrics['hr@3']?.standardError).toBeNull();
      expect(folds[0]?.rankedRows).toBe(30);
    }
  });

  test('a model of nothing does as chance would', async () => {
    const nothing = { ...seen, values: new Float64Array(seen.values.length) };
    const given = { rank: 1, lambda: 1, split: 'leave-one-out', metrics: ['hr@2', 'recall@2'] } as const;
    const { metrics } = await evaluate(nothing, { ...given, negatives: 3 });
    expect(metrics['hr@2']?.mean).toBeCloseTo(2 / 4, 12);
    expect(metrics['recall@2']?.mean).toBeCloseTo(2 / 4, 12);
  });

  test('from a value on entries are relevant, and gains may be values', async () => {
    const relevant = { ...options, biases: 'both', metrics: ['ndcg@5', 'recall@5'] } as const;
    const [every, few, graded] = await Promise.all([
      evaluate(A, relevant),
      evaluate(A, { ...relevant, relevance: 3.5 }),
      evaluate(A, { ...relevant, relevance: 3.5, gains: 'value' }),
    ]);
    expect(few.folds[0]?.rankedRows).toBeLessThan(every.folds[0]?.rankedRows as number);
    expect(graded.metrics['ndcg@5']?.mean).not.toBe(few.metrics['ndcg@5']?.mean);
    expect(graded.metrics['recall@5']?.mean).toBe(few.metrics['recall@5']?.mean);
  });

  test('is the standard of a background', async () => {
    const { metrics } = await evaluate(seen, { rank: 2, preset: 'implicit', folds: 2 });
    expect(Object.keys(metrics)).toEqual(['ndcg@10', 'recall@20']);
    const like = await evaluate(seen, { rank: 2, like: 'implicit', lambda: 0.1, split: 'rows', folds: 2 });
    expect(Object.keys(like.metrics)).toEqual(['ndcg@10', 'recall@20']);
    expect(like.metrics['recall@20']?.mean).toBe(1);
  });
});

describe('is refused', () => {
  test.each<[string, object, string]>([
    ['a metric that there is not', { metrics: ['rsme'] }, 'metrics'],
    ['no metric', { metrics: [] }, 'metrics'],
    ['a ranking metric without k', { metrics: ['ndcg'] }, 'metrics'],
    ['an error with k', { metrics: ['rmse@5'] }, 'metrics'],
    ['k of 0', { metrics: ['hr@0'] }, 'metrics'],
    ['negatives of 0', { negatives: 0 }, 'negatives'],
    ['relevance of NaN', { relevance: Number.NaN }, 'relevance'],
    ['gains of another kind', { gains: 'exponential' }, 'gains'],
    ['an option that there is not', { rnak: 3 }, 'rnak'],
    ['more folds than entries', { folds: 100000 }, 'folds'],
    ['early stopping without a validation set', { patience: 3 }, 'patience'],
  ])('%s', async (_name, more, option) => {
    await expect(evaluate(A, { ...options, ...more } as never)).rejects.toMatchObject({
      code: 'invalid-option',
      position: { option },
    });
  });

  test('what is no matrix', async () => {
    await expect(evaluate({} as never, { rank: 1 })).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(evaluate(ndarray(new Float64Array(4).fill(Number.NaN), [2, 2]), { rank: 1 })).rejects.toMatchObject({
      code: 'invalid-option',
    });
  });

  test('an evaluation that is aborted', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const evaluation = evaluate(A, { ...options, signal, onProgress: () => controller.abort('enough') });
    await expect(evaluation).rejects.toMatchObject({
      name: 'AbortError',
      message: 'The work was aborted before there was a result.',
      cause: 'enough',
    });
  });
});
