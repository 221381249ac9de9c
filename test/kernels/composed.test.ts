import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LossName } from '../../dist/src/kernels/composed.js';
import { lossSlope, lossValue } from '../../dist/src/objective/losses.js';
import { expectOptimal, losses, objectiveOfRow, problem, source } from './composedProblem.js';
import { type ComposedRequest, runComposed } from './composedWorkspace.js';

/** Central difference of one row's objective; entries at a corner or a bound are not for it. */
function slopeOfRow(request: ComposedRequest, i: number, x: readonly number[], c: number, h = 1e-6): number {
  const at = (d: number) =>
    objectiveOfRow(
      request,
      i,
      x.map((value, e) => (e === c ? value + d : value)),
    );
  return (at(h) - at(-h)) / (2 * h);
}

describe('losses', () => {
  it.each(losses)('%s: the slope is the derivative, on both branches', (name, parameter) => {
    const loss = { name, parameter };
    const random = source(7);
    for (let t = 0; t < 300; t++) {
      const w = 0.2 + Math.abs(random());
      const a =
        name === 'logistic'
          ? Math.sign(random()) || 1
          : name === 'poisson'
            ? Math.floor(3 * Math.abs(random()))
            : 4 * random();
      const p = name === 'poisson' ? 0.1 + 2 * Math.abs(random()) : 6 * random();
      const h = 1e-6;
      const slope = (lossValue(loss, w, a, p + h) - lossValue(loss, w, a, p - h)) / (2 * h);
      if (
        (name === 'huber' || name === 'rawHuber') &&
        Math.abs(Math.abs((name === 'huber' ? w : 1) * (p - a)) - parameter) < 1e-4
      )
        continue;
      expect(lossSlope(loss, w, a, p)).toBeCloseTo(slope, 6);
    }
  });
});

describe('measuring', () => {
  it.each(losses)(
    '%s: loss and penalty as the slow objective, gradient as its central differences',
    async (loss, lossParameter) => {
      for (const seed of [1, 2, 3]) {
        const base = problem({ m: 5, n: 14, rank: 3, seed }, loss);
        for (const extra of [
          {},
          { l1: 0.3, multiples: [1, 0, 2] },
          { background: { r: [1, 2, 0.5, 1, 3], c: Array.from({ length: 14 }, (_, j) => 0.2 + (j % 3)), value: 0.4 } },
        ]) {
          const isBackground = 'background' in extra;
          if (isBackground && loss !== 'quadratic' && loss !== 'poisson') continue;
          const request = {
            ...base,
            lossParameter,
            ...extra,
            ...(isBackground && loss === 'poisson' && { background: { ...extra.background, value: 0 } }),
          } as ComposedRequest;
          const { rows, totals } = await runComposed(request, 'composedMeasure');
          const f = request.own.reduce((sum, x, i) => sum + objectiveOfRow(request, i, x), 0);
          expect((totals.loss + totals.penalty) / f).toBeCloseTo(1, 10);
          rows.forEach((g, i) => {
            g.forEach((slope, c) => {
              expect(slope).toBeCloseTo(slopeOfRow(request, i, request.own[i] as number[], c), 4);
            });
          });
          const gaps = request.entries.flatMap((row, i) =>
            row.map(([j, a, w]) => {
              const x = request.own[i] as number[];
              return [w, a - (request.V[j] as number[]).reduce((sum, v, c) => sum + v * (x[c] as number), 0)] as const;
            }),
          );
          expect(totals.squares / gaps.reduce((sum, [, gap]) => sum + gap * gap, 0)).toBeCloseTo(1, 10);
          expect(totals.weightedSquares / gaps.reduce((sum, [w, gap]) => sum + (w * gap) ** 2, 0)).toBeCloseTo(1, 10);
          expect(totals.observed).toBe(gaps.length);
          const alone = await runComposed(request, 'composedLoss');
          expect(alone.totals.loss).toBe(totals.loss);
          expect(alone.totals.penalty).toBe(totals.penalty);
        }
      }
    },
  );
});

it('what is not a number is no slope of 0, and a count of 0 at a rate of 0 is a number', async () => {
  const base = {
    rank: 2,
    V: [
      [1, 0],
      [0, 1],
    ],
    own: [[0, 0.5]],
    lower: 0,
    loss: 'poisson',
    lambda: 0.1,
  } as const;
  const zero = await runComposed(
    {
      ...base,
      entries: [
        [
          [0, 0, 1],
          [1, 2, 1],
        ],
      ],
    },
    'composedMeasure',
  );
  expect(zero.rows[0]?.[1]).toBeCloseTo(
    slopeOfRow(
      {
        ...base,
        entries: [
          [
            [0, 0, 1],
            [1, 2, 1],
          ],
        ],
      },
      0,
      [0, 0.5],
      1,
    ),
    5,
  );
  const broken = await runComposed({ ...base, loss: 'quadratic', entries: [[[0, Number.NaN, 1]]] }, 'composedMeasure');
  expect(broken.totals.gradientSquared).toBeNaN();
});

describe('solving', () => {
  it.each(losses)(
    '%s: every row is optimal, free and non-negative, with L1 and without',
    async (loss, lossParameter) => {
      for (const seed of [11, 12, 13, 14]) {
        const base = { ...problem({ m: 6, n: 25, rank: 4, seed }, loss), lossParameter };
        const kinds = [
          ...(loss === 'poisson' ? [] : [{}, { l1: 0.4 }, { lower: -0.2, upper: 0.3 }]),
          { lower: 0 },
          { lower: 0, l1: 0.4, lambda: 0 },
          { lower: 0, multiples: [1, 1, 0, 1] },
        ];
        for (const kind of kinds) {
          const request = { ...base, ...kind, own: base.own.map((row) => row.map(Math.abs)) };
          const { rows, totals } = await runComposed(request, 'composedSolve');
          rows.forEach((x, i) => {
            expectOptimal(request, i, x, 1e-10);
          });
          const f = rows.reduce((sum, x, i) => sum + objectiveOfRow(request, i, x), 0);
          expect((totals.loss + totals.penalty) / f).toBeCloseTo(1, 10);
        }
      }
    },
  );

  it('reaches the optimum of rows that are short of the rank, where one bound after the other is in the way', async () => {
    const random = source(41);
    const rank = 4;
    const V = Array.from({ length: 12 }, () => Array.from({ length: rank }, () => 2 + random()));
    const entries = Array.from({ length: 300 }, (_, i) =>
      [i % 12, (i + 1 + (i % 5)) % 12].map((j) => [j, 10 + 3 * random(), 1] as const),
    );
    const own = entries.map(() => new Array(rank).fill(0));
    const request: ComposedRequest = { rank, V, entries, own, lower: 0, l1: 0.05, lambda: 0.001 };
    const { rows } = await runComposed(request, 'composedSolve');
    rows.forEach((x, i) => {
      expectOptimal(request, i, x, 1e-10);
    });
  });

  it('never raises the objective of a row, whatever the loss and however few tangent steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...losses),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async ([loss, lossParameter], seed, innerSteps, isBounded) => {
          const base = { ...problem({ m: 3, n: 12, rank: 3, seed }, loss), lossParameter, innerSteps };
          const request = isBounded ? { ...base, lower: 0, own: base.own.map((row) => row.map(Math.abs)) } : base;
          const { rows } = await runComposed(request, 'composedSolve');
          rows.forEach((x, i) => {
            const before = objectiveOfRow(request, i, request.own[i] as number[]);
            expect(objectiveOfRow(request, i, x)).toBeLessThanOrEqual(before * (1 + 1e-12) + 1e-13);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('with a background it is what listing every entry gives, corrections of both signs, biases and a value included', async () => {
    for (const seed of [21, 22, 23]) {
      const n = 18;
      const m = 4;
      const random = source(seed);
      const base = problem({ m, n, rank: 3, seed });
      const biased = {
        ...base,
        otherBias: Array.from({ length: n }, random),
        isOwnBiasFree: true,
        own: base.own.map((row) => [...row, 0.1]),
        mean: 0.3,
        beta: 0.2,
      };
      const r = Array.from({ length: m }, () => 0.5 + Math.abs(random()));
      const c = Array.from({ length: n }, () => 0.5 + Math.abs(random()));
      // A listed entry of weight 0 is excluded from the background as well.
      const entries = base.entries.map((row) => row.map(([j, a, w], t) => [j, a, t === 0 ? 0 : w] as const));
      for (const request of [
        { ...base, entries },
        { ...biased, entries },
        { ...base, entries, lower: 0 },
      ]) {
        const withBackground = { ...request, background: { r, c, value: 0.7 } };
        const dense = {
          ...request,
          entries: entries.map((row, i) => {
            const listed = new Map(row.map((entry) => [entry[0], entry]));
            return Array.from(
              { length: n },
              (_, j) => listed.get(j) ?? ([j, 0.7, Math.sqrt((r[i] as number) * (c[j] as number))] as const),
            );
          }),
        };
        const sparse = await runComposed(withBackground, 'composedSolve');
        const full = await runComposed(dense, 'composedSolve');
        sparse.rows.forEach((x, i) => {
          x.forEach((value, k) => {
            expect(Math.abs(value - (full.rows[i]?.[k] as number))).toBeLessThan(1e-10);
          });
        });
        expect(sparse.totals.loss / full.totals.loss).toBeCloseTo(1, 10);
      }
    }
  });

  it('agrees with scipy on non-negative and box-constrained least squares (golden/kernels/nnls.py)', async () => {
    const file = new URL('../golden/kernels/nnls.json', import.meta.url);
    const cases: { X: number[][]; y: number[]; nonnegative: number[]; box: number[] }[] = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    for (const { X, y, nonnegative, box } of cases) {
      const rank = nonnegative.length;
      const request: ComposedRequest = {
        rank,
        V: X,
        entries: [y.map((a, j) => [j, a, 1] as const)],
        own: [new Array(rank).fill(0.1)],
      };
      for (const [bounds, expected] of [
        [{ lower: 0 }, nonnegative],
        [{ lower: -0.25, upper: 0.5 }, box],
      ] as const) {
        const { rows } = await runComposed({ ...request, ...bounds }, 'composedSolve');
        rows[0]?.forEach((x, c) => {
          expect(Math.abs(x - (expected[c] as number))).toBeLessThan(1e-8);
        });
        const { residuals } = await runComposed({ ...request, ...bounds, own: rows }, 'composedMeasure');
        expect(residuals[0]).toBeLessThan(1e-12);
      }
    }
  });

  it('agrees with scipy on the minimiser of every loss (golden/kernels/losses.py)', async () => {
    const file = new URL('../golden/kernels/losses.json', import.meta.url);
    const golden: {
      lam: number;
      cases: { loss: LossName; parameter: number; V: number[][]; a: number[]; w: number[]; x: number[]; f: number }[];
    } = JSON.parse(readFileSync(file, 'utf8'));
    for (const { loss, parameter, V, a, w, x, f } of golden.cases) {
      const request: ComposedRequest = {
        rank: x.length,
        V,
        entries: [a.map((value, j) => [j, value, w[j] as number] as const)],
        own: [new Array(x.length).fill(0.5)],
        loss,
        lossParameter: parameter,
        lambda: golden.lam,
        ...(loss === 'poisson' && { lower: 0 }),
      };
      const { rows, totals } = await runComposed(request, 'composedSolve');
      expect((totals.loss + totals.penalty) / f, loss).toBeCloseTo(1, 10);
      rows[0]?.forEach((value, c) => {
        expect(Math.abs(value - (x[c] as number)), loss).toBeLessThan(1e-5);
      });
    }
  });

  it('leaves held entries alone and is optimal in the others', async () => {
    const base = problem({ m: 3, n: 15, rank: 4, seed: 5 });
    const held = [
      [1, 0, 0, 0],
      [0, 1, 1, 0],
      [1, 1, 1, 1],
    ];
    const request = { ...base, held };
    const { rows } = await runComposed(request, 'composedSolve');
    rows.forEach((x, i) => {
      x.forEach((value, c) => {
        if (held[i]?.[c]) expect(value).toBe(base.own[i]?.[c]);
      });
      expectOptimal(request, i, x, 1e-10);
    });
  });

  it('f32 storage gives the same rows to its rounding', async () => {
    const request = { ...problem({ m: 4, n: 30, rank: 5, seed: 3 }), lower: 0 };
    const wide = await runComposed(request, 'composedSolve');
    const narrow = await runComposed({ ...request, dtype: 'f32' }, 'composedSolve');
    narrow.rows.forEach((x, i) => {
      x.forEach((value, c) => {
        expect(Math.abs(value - (wide.rows[i]?.[c] as number))).toBeLessThan(1e-5);
      });
    });
  });
});
