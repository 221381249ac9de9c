/** The gradient, derived in three ways, against central differences, the kernels and the certificate. */
import { describe, expect, test } from 'vitest';
import type { MatrixInput, WeightsInput } from '../../dist/src/data/input.js';
import { factorize } from '../../dist/src/factorize/factorize.js';
import { expectClose } from '../helpers/compare.js';
import { openFit } from '../helpers/fit.js';
import { compressed, dense, type Entry, type Problem, problem, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';
import {
  at,
  centredNorm,
  firstOrderAt,
  type Gradient,
  gradientAt,
  objectiveAt,
  type Point,
  pointOf,
  predict,
  type Regularization,
  type Variable,
  weightedMean,
} from '../helpers/reference.js';

const k = 3;
const variables: readonly Variable[] = ['U', 'V', 'b', 'c'];
const kinds = ['none', 'rows', 'columns', 'both'] as const;
const sparse = problem({ m: 9, n: 7, density: 0.5, isWeighted: true, offset: 2, seed: 3 });

/** A random point; the mean where there are biases. */
function randomPoint(of: Problem, biases: (typeof kinds)[number], seed: number): Point {
  const next = uniform(seed);
  const fill = (length: number) => new Float64Array(length).map(() => 2 * next() - 1);
  return {
    k,
    mean: biases === 'none' ? 0 : weightedMean(of),
    U: fill(of.m * k),
    V: fill(of.n * k),
    ...((biases === 'rows' || biases === 'both') && { b: fill(of.m) }),
    ...((biases === 'columns' || biases === 'both') && { c: fill(of.n) }),
  };
}

/** f is a parabola in any one coordinate, so central differences have no truncation error at any step. */
function differences(of: Problem, point: Point, rule: Regularization): Gradient {
  const h = 2 ** -7;
  const f = (name: Variable, i: number, shift: number) => {
    const moved = Float64Array.from(point[name] as Float64Array);
    moved[i] = at(moved, i) + shift;
    return objectiveAt(of, { ...point, [name]: moved }, rule).objective;
  };
  return Object.fromEntries(
    variables
      .filter((name) => point[name])
      .map((name) => [
        name,
        Float64Array.from(point[name] as Float64Array, (_, i) => (f(name, i, h) - f(name, i, -h)) / (2 * h)),
      ]),
  );
}

/** Frobenius form: f = tr(RᵀR) with R = W∘(A − P), so ∂f/∂U = −2(W∘R)V + 2ΛU and ∂f/∂V = −2(W∘R)ᵀU + 2ΛV, as matrices. */
function frobeniusGradient(of: Problem, point: Point, lambda: number): { U: Float64Array; V: Float64Array } {
  const { m, n } = of;
  const A = dense(of, undefined, 0).data;
  const W = dense(of, (e) => e.weight, 0).data;
  const P = multiply(point.U, transpose(point.V, n, k), m, k, n).map((p) => p + point.mean);
  const WR = Float64Array.from({ length: m * n }, (_, i) => at(W, i) * at(W, i) * (at(A, i) - at(P, i)));
  const shrink = (G: Float64Array, X: Float64Array) => G.map((g, i) => -2 * g + 2 * lambda * at(X, i));
  return {
    U: shrink(multiply(WR, point.V, m, n, k), point.U),
    V: shrink(multiply(transpose(WR, m, n), point.U, n, m, k), point.V),
  };
}

function multiply(X: Float64Array, Y: Float64Array, rows: number, inner: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let t = 0; t < inner; t++) sum += at(X, row * inner + t) * at(Y, t * columns + column);
    return sum;
  });
}

function transpose(X: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => at(X, (i % rows) * columns + Math.floor(i / rows)));
}

/** Product rule: d(UVᵀ) = dU·Vᵀ + U·dVᵀ, so the derivative along (D, E) is 2⟨W∘W∘(P − A), DVᵀ + UEᵀ⟩ + 2λ(⟨U,D⟩ + ⟨V,E⟩). */
function directionalDerivative(of: Problem, point: Point, lambda: number, D: Float64Array, E: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * at(y, i), 0);
  const along = ({ row, column, value, weight }: Entry) => {
    let change = 0;
    for (let t = 0; t < k; t++)
      change += at(D, row * k + t) * at(point.V, column * k + t) + at(point.U, row * k + t) * at(E, column * k + t);
    return 2 * weight ** 2 * (predict(point, row, column) - value) * change;
  };
  return of.entries.reduce((sum, e) => sum + along(e), 0) + 2 * lambda * (dot(point.U, D) + dot(point.V, E));
}

test('three derivations of the gradient agree: Frobenius form, componentwise, product rule', () => {
  for (const of of [sparse, problem({ m: 6, n: 8, isWeighted: true, seed: 5 })]) {
    const point = randomPoint(of, 'none', 11);
    const lambda = 0.3;
    const componentwise = gradientAt(of, point, { lambda });
    const frobenius = frobeniusGradient(of, point, lambda);
    const unit = (length: number, i: number) => new Float64Array(length).fill(1, i, i + 1);
    const noU = new Float64Array(of.m * k);
    const noV = new Float64Array(of.n * k);
    const product = {
      U: noU.map((_, i) => directionalDerivative(of, point, lambda, unit(of.m * k, i), noV)),
      V: noV.map((_, i) => directionalDerivative(of, point, lambda, noU, unit(of.n * k, i))),
    };
    for (const name of ['U', 'V'] as const) {
      expectClose(frobenius[name], componentwise[name], 1e-13, `Frobenius ${name}`);
      expectClose(product[name], componentwise[name], 1e-13, `product rule ${name}`);
    }
  }
});

describe('at a random point, the kernels give the gradient, the loss and the penalty of the formula', () => {
  const lambdaScales = ['row', 'count', 'weight'] as const;
  const table = kinds.flatMap((biases) =>
    lambdaScales.flatMap((lambdaScale) =>
      [undefined, 0, 0.7].map((biasLambda) => ({ biases, lambdaScale, biasLambda })),
    ),
  );
  const problems = {
    sparse,
    unweighted: problem({ m: 8, n: 11, density: 0.6, seed: 8 }),
    dense: problem({ m: 7, n: 6 }),
  };
  test.each(table)('biases $biases, λ by $lambdaScale, λ of the biases $biasLambda', async (row) => {
    for (const [name, of] of Object.entries(problems)) {
      const options = { rank: k, lambda: 0.3, dtype: 'f64', method: 'gradient', ...row } as const;
      const point = randomPoint(of, row.biases, 17);
      const { run, read, mean, ...opened } = await openFit(of, options, point);
      expect(mean).toBeCloseTo(point.mean, 13);
      const rule = { lambda: 0.3, ...row };
      const expected = gradientAt(of, point, rule);
      const numeric = differences(of, point, rule);
      for (const variable of variables.filter((v) => point[v]))
        expectClose(
          expected[variable] ?? [],
          numeric[variable] as Float64Array,
          1e-10,
          `${name}: central differences, ${variable}`,
        );

      const f = objectiveAt(of, point, rule);
      let penalty = 0;
      for (const side of ['rows', 'columns'] as const) {
        const totals = await run({ phase: 'gradient', side, own: 0, other: 0, out: 2 });
        const { factor, bias } = read(side, 2);
        expectClose(factor, side === 'rows' ? expected.U : expected.V, 1e-13, `${name}: gradient of the ${side}`);
        const ofBias = side === 'rows' ? expected.b : expected.c;
        expect(bias === undefined).toBe(ofBias === undefined);
        if (bias && ofBias) expectClose(bias, ofBias, 1e-13, `${name}: gradient of the ${side}' bias`);
        expectClose([totals.loss], [f.loss], 1e-13, `${name}: loss`);
        penalty += totals.penalty;
      }
      expectClose([penalty], [f.regularization], 1e-13, `${name}: regularization`);
      expectClose([opened.centredNorm], [centredNorm(of, point.mean)], 1e-13, `${name}: ‖W∘(A − mean)‖²`);
    }
  });
});

test('the gradient of f32 storage is that of the stored numbers, summed in f64', async () => {
  const next = uniform(2);
  const U = new Float64Array(sparse.m * k).map(() => Math.fround(next()));
  const V = new Float64Array(sparse.n * k).map(() => Math.fround(next()));
  const { run } = await openFit(sparse, { rank: k, dtype: 'f32', method: 'gradient' }, { k, U, V });
  const expected = gradientAt(sparse, { k, mean: 0, U, V }, {});
  const totals = await run({ phase: 'gradient', side: 'rows', own: 0, other: 0, out: null });
  const squared = expected.U.reduce((sum, g) => sum + g * g, 0);
  expectClose([totals.gradientSquared], [squared], 1e-12);
});

describe('the certificate of an unfinished fit is the gradient of its saved factors', () => {
  const forms: Record<string, (of: Problem) => MatrixInput> = {
    triples: (of) => triples(of),
    CSR: (of) => compressed(of),
    dense: (of) => dense(of),
  };
  const weightings: Record<string, ((of: Problem) => WeightsInput) | undefined> = {
    none: undefined,
    sqrtWeight: (of) => ({ sqrtWeight: triples(of, (e) => e.weight) }),
    weight: (of) => ({ weight: compressed(of, (e) => e.weight ** 2) }),
    sigma: (of) => ({ sigma: dense(of, (e) => 1 / e.weight, 1) }),
  };
  const table = Object.keys(forms).flatMap((form) => Object.keys(weightings).map((weighting) => ({ form, weighting })));
  test.each(table)('$form, weights $weighting', async ({ form, weighting }) => {
    const give = weightings[weighting];
    const of = give ? sparse : { ...sparse, entries: sparse.entries.map((e) => ({ ...e, weight: 1 })) };
    const A = (forms[form] as (of: Problem) => MatrixInput)(of);
    for (const [i, biases] of kinds.entries()) {
      const rule = {
        lambda: 0.2,
        lambdaScale: (['row', 'count', 'weight', 'count'] as const)[i] as 'row',
        ...(i % 2 === 1 && { biasLambda: 0 }),
      };
      const options = { rank: k, dtype: 'f64', maxSweeps: 1, biases, weights: give?.(of), ...rule } as const;
      const { fit, ...model } = await factorize(A, options).then((found) => ({
        fit: found.fit,
        point: pointOf(found),
      }));
      const { gradientNorm, relativeGradientNorm } = firstOrderAt(of, model.point, rule);
      expect(fit.certificate.relativeGradientNorm).toBeGreaterThan(1e-4);
      expectClose([fit.certificate.gradientNorm.V], [gradientNorm.V], 1e-11, `${biases}: ‖∂f/∂V‖`);
      // U is exact for V: both see nothing but rounding.
      expect(fit.certificate.gradientNorm.U).toBeLessThan(1e-12 * gradientNorm.V + 1e-12);
      expectClose([fit.certificate.relativeGradientNorm], [relativeGradientNorm], 1e-10, biases);
      const f = objectiveAt(of, model.point, rule);
      expectClose(
        [fit.objective, fit.loss, fit.regularization],
        [f.objective, f.loss, f.regularization],
        1e-13,
        biases,
      );
    }
  });
});
