/** The canonical form against its definition: orthonormal, signs fixed, the same for every factorization of one matrix. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { factorize, type Model } from '../../dist/src/index.js';
import { canonicalForm, varimaxForm } from '../../dist/src/model/canonical.js';
import { expectClose } from '../helpers/compare.js';
import { problem, triples } from '../helpers/problem.js';
import { uniform } from '../helpers/random.js';

type Matrix = { readonly data: ArrayLike<number>; readonly shape: number[] };

function random(rows: number, k: number, seed: number) {
  const next = uniform(seed);
  return ndarray(
    Float64Array.from({ length: rows * k }, () => 2 * next() - 1),
    [rows, k],
  );
}

const at = ({ data, shape }: Matrix, i: number, c: number) => data[i * (shape[1] as number) + c] as number;

/** XᵀY, k×k. */
function gram(X: Matrix, Y: Matrix): number[] {
  const [rows = 0, k = 0] = X.shape;
  return Array.from({ length: k * k }, (_, t) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += at(X, i, Math.floor(t / k)) * at(Y, i, t % k);
    return sum;
  });
}

function product(X: Matrix, Y: Matrix, d?: ArrayLike<number>): number[] {
  const [m = 0, k = 0] = X.shape;
  const n = Y.shape[0] as number;
  return Array.from({ length: m * n }, (_, t) => {
    let sum = 0;
    for (let c = 0; c < k; c++) sum += at(X, Math.floor(t / n), c) * at(Y, t % n, c) * (d ? (d[c] as number) : 1);
    return sum;
  });
}

const identity = (k: number) => Array.from({ length: k * k }, (_, t) => (Math.floor(t / k) === t % k ? 1 : 0));

describe('the canonical form', () => {
  const [U, V] = [random(30, 4, 1), random(17, 4, 2)];
  const form = canonicalForm(U, V);

  test('is the same matrix, orthonormal, with falling singular values and fixed signs', () => {
    expectClose(product(form.U, form.V, form.d), product(U, V), 1e-13, 'UdVᵀ');
    expectClose(gram(form.U, form.U), identity(4), 1e-13, 'UᵀU');
    expectClose(gram(form.V, form.V), identity(4), 1e-13, 'VᵀV');
    for (let c = 1; c < 4; c++) expect(form.d[c]).toBeLessThanOrEqual(form.d[c - 1] as number);
    for (let c = 0; c < 4; c++) {
      const column = Array.from({ length: 17 }, (_, j) => at(form.V, j, c));
      expect(column.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))).toBeGreaterThan(0);
    }
  });

  test('does not depend on the factors it came from', () => {
    const turned = ndarray(
      Float64Array.from(U.data, (x, i) => x * (i % 4 === 1 ? -8 : 0.5)),
      [30, 4],
    );
    const back = ndarray(
      Float64Array.from(V.data, (x, i) => x / (i % 4 === 1 ? -8 : 0.5)),
      [17, 4],
    );
    const again = canonicalForm(turned, back);
    expectClose(again.d, form.d, 1e-12, 'd');
    expectClose(again.V.data, form.V.data, 1e-11, 'V');
  });

  test('of lower rank has zeros and nothing that is not finite', () => {
    const low = ndarray(
      Float64Array.from(U.data, (x, i) => (i % 4 === 3 ? (U.data[i - 1] as number) : x)),
      [30, 4],
    );
    const copy = ndarray(Float64Array.from(V.data), [17, 4]);
    const { U: P, d, V: Q } = canonicalForm(low, copy);
    expect(d[3]).toBeLessThan(1e-12 * (d[0] as number));
    expectClose(product(P, Q, d), product(low, copy), 1e-12, 'UdVᵀ');
    expect([...P.data, ...Q.data].every(Number.isFinite)).toBe(true);
  });
});

test('varimax keeps the matrix and orthonormal scores, and no rotation of two columns raises its criterion', () => {
  const form = canonicalForm(random(30, 3, 5), random(17, 3, 6));
  const { scores, loadings } = varimaxForm(form);
  expectClose(product(scores, loadings), product(form.U, form.V, form.d), 1e-12, 'scores·loadingsᵀ');
  expectClose(gram(scores, scores), identity(3), 1e-12, 'orthonormal');
  const criterion = (L: Matrix, p = 0, q = 1, angle = 0) => {
    let sum = 0;
    for (let c = 0; c < 3; c++) {
      let [fourth, second] = [0, 0];
      for (let j = 0; j < 17; j++) {
        let x = at(L, j, c);
        if (c === p) x = Math.cos(angle) * at(L, j, p) + Math.sin(angle) * at(L, j, q);
        if (c === q) x = Math.cos(angle) * at(L, j, q) - Math.sin(angle) * at(L, j, p);
        fourth += x ** 4 / 17;
        second += x ** 2 / 17;
      }
      sum += fourth - second ** 2;
    }
    return sum;
  };
  const best = criterion(loadings);
  for (const [p, q] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const)
    for (const angle of [1e-3, -1e-3, 0.3, -0.3, 0.7])
      expect(criterion(loadings, p, q, angle)).toBeLessThanOrEqual(best + 1e-12);
});

describe('of a model', () => {
  const of = problem({ m: 20, n: 12, density: 0.8, seed: 3 });
  const fit = (options: object): Promise<Model> => factorize(triples(of), { rank: 3, threads: 1, ...options });

  test('at the optimum of ridge penalties UᵀU = VᵀV, so λ(‖U‖² + ‖V‖²) is 2λ times the nuclear norm', async () => {
    const model = await fit({ preset: 'softimpute', lambda: 0.3, tolerance: 1e-12, maxSweeps: 5000 });
    const nuclear = model.canonical().d.reduce((sum, d) => sum + d, 0);
    expect(model.fit.regularization / (2 * 0.3 * nuclear)).toBeCloseTo(1, 8);
  });

  test('is refused where a rotation would not keep what was asked for', async () => {
    const model = await fit({ preset: 'nmf', maxSweeps: 3 });
    for (const form of ['canonical', 'varimax'] as const)
      expect(() => model[form]()).toThrow(expect.objectContaining({ code: 'incompatible-options' }));
  });
});
