/** Every loss and option of a fit by itself, and together with others, each with data that it can be fitted to. */
import ndarray, { type NdArray } from 'ndarray';
import type { FactorizeOptions } from '../../dist/src/index.js';
import { type Problem, problem, withEntries } from './problem.js';

export const base: Problem = problem({ m: 40, n: 25, density: 0.6, isWeighted: true, offset: 1, noise: 0.4, seed: 31 });
const counts = withEntries(base, (e) => ({ value: Math.max(0, Math.round(2 * e.value)) }));
const classes = withEntries(base, (e) => ({ value: e.value > 1 ? 1 : -1 }));
const outliers = withEntries(base, (e) => ({ value: (e.row * 7 + e.column) % 19 === 0 ? 20 : e.value }));
const positive = withEntries(base, (e) => ({ value: Math.abs(e.value) }));

export const separable: { weight: { rows: Float64Array; columns: Float64Array }; value: number } = {
  weight: {
    rows: Float64Array.from({ length: base.m }, (_, i) => 0.2 + (i % 3) / 8),
    columns: Float64Array.from({ length: base.n }, (_, j) => 0.5 + (j % 4) / 8),
  },
  value: 0.3,
};

/** NaN is free. */
const heldOf = (rows: number, value: (row: number, c: number) => number) =>
  ndarray(
    Float64Array.from({ length: rows * 3 }, (_, t) => value(Math.floor(t / 3), t % 3)),
    [rows, 3],
  );
export const ones = (rows: number): NdArray<Float64Array> => heldOf(rows, (_row, c) => (c === 0 ? 1 : Number.NaN));
export const some = (rows: number): NdArray<Float64Array> =>
  heldOf(rows, (row, c) => (c === row % 5 ? 0.5 : Number.NaN));

export type Objective = Omit<FactorizeOptions, 'rank'>;

/** The rank is 3. */
export const objectives: Record<string, { of?: Problem; options: Objective }> = {
  'no penalty': { options: {} },
  ...Object.fromEntries(
    (['none', 'rows', 'columns', 'both'] as const).flatMap((biases) =>
      (['row', 'count', 'weight'] as const).map((lambdaScale) => [
        `biases ${biases}, λ by ${lambdaScale}`,
        { options: { biases, lambdaScale, lambda: 0.05, nu: lambdaScale === 'weight' ? 0.7 : 1 } },
      ]),
    ),
  ),
  'biases without penalty': { options: { biases: 'both', lambda: 0.05, biasLambda: 0 } },
  'λ by side': { options: { lambdaRows: 0.4, lambdaColumns: 0.1 } },
  'method gradient': { options: { method: 'gradient', lambda: 0.1, biases: 'both' } },
  'non-negative': { of: positive, options: { nonnegative: 'both', lambda: 0.01 } },
  'non-negative rows': { options: { nonnegative: 'rows', lambda: 0.01, biases: 'columns' } },
  'non-negative columns': { options: { nonnegative: 'columns', lambda: 0.01 } },
  'bounds of both': { options: { bounds: { rows: [-0.5, 1], columns: [-1, 2] }, lambda: 0.01 } },
  'bounds that f32 rounds': { options: { bounds: { rows: [0.1, 0.8], columns: [0.1, 2] }, lambda: 0.01 } },
  L1: { options: { l1: 0.2, lambda: 0.01 } },
  'L1 by weight, non-negative': {
    of: positive,
    options: { l1: 0.02, lambda: 0.02, lambdaScale: 'weight', nonnegative: 'both' },
  },
  'free columns': { options: { lambda: 0.3, freeColumns: 1, biases: 'rows' } },
  'held columns of V': { options: { lambda: 0.05, hold: { V: ones(base.n) } } },
  'held entries of both': { options: { lambda: 0.05, hold: { U: some(base.m), V: ones(base.n) } } },
  'a background': { options: { background: 0.2, lambda: 0.1 } },
  'a background with a value and biases': {
    options: { background: { weight: 0.3, value: 0.7 }, lambda: 0.1, biases: 'both', lambdaScale: 'count' },
  },
  'a separable background, biases': { options: { background: separable, lambda: 0.1, biases: 'both' } },
  'a separable background by weight, non-negative': {
    of: positive,
    options: { background: separable, lambda: 0.1, lambdaScale: 'weight', nonnegative: 'both' },
  },
  'preset pca': { options: { preset: 'pca' } },
  'preset pmf': { of: positive, options: { preset: 'pmf', nonnegative: 'both' } },
  'preset softimpute': { options: { preset: 'softimpute' } },
  huber: { of: outliers, options: { loss: 'huber:0.8', lambda: 0.1 } },
  'huber, raw, biases': { of: outliers, options: { loss: 'huber:0.8:raw', lambda: 0.1, biases: 'both' } },
  'huber, non-negative': { of: outliers, options: { loss: 'huber:1', nonnegative: 'both', lambda: 0.02 } },
  'l1 loss': { of: outliers, options: { loss: 'l1:0.2', lambda: 0.2 } },
  'l1 loss, its ε from the data': { of: outliers, options: { loss: 'l1', lambda: 0.2, biases: 'both' } },
  logistic: { of: classes, options: { loss: 'logistic', lambda: 0.2 } },
  'logistic, biases, by count': {
    of: classes,
    options: { loss: 'logistic', lambda: 0.02, biases: 'both', lambdaScale: 'count' },
  },
  'logistic, non-negative, L1': {
    of: classes,
    options: { loss: 'logistic', lambda: 0.05, l1: 0.01, nonnegative: 'rows' },
  },
  poisson: { of: counts, options: { loss: 'poisson', lambda: 0.05 } },
  'poisson, a background, L1': { of: counts, options: { loss: 'poisson', background: 0.5, lambda: 0.05, l1: 0.1 } },
  'poisson, a separable background': {
    of: counts,
    options: { loss: 'poisson', background: { weight: separable.weight }, lambda: 0.05, lambdaScale: 'count' },
  },
};
