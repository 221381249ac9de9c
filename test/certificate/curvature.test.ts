/** The curvature certificate against a dense Hessian in float64, and saddles that fits are started in. */
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { type FactorizeOptions, factorize, type Model } from '../../dist/src/index.js';
import { curvatureInWords } from '../../dist/src/report/curvatureInWords.js';
import { type ProblemOptions, problem, sqrtWeights, triples } from '../helpers/problem.js';
import { at, gradientAt, type Point, pointOf, type Regularization } from '../helpers/reference.js';

const names = ['U', 'b', 'V', 'c'] as const;

/** ½H of all variables in order, f being of degree 4 along each: these differences of its gradient are exact but for rounding. */
function halfHessian(of: ReturnType<typeof problem>, point: Point, rule: Regularization): Float64Array[] {
  const present = names.filter((name) => point[name] !== undefined);
  const slopeAt = (name: (typeof names)[number], i: number, step: number) => {
    const moved = (point[name] as Float64Array).slice();
    moved[i] = at(moved, i) + step;
    const g = gradientAt(of, { ...point, [name]: moved }, rule);
    return present.flatMap((each) => Array.from(g[each] as Float64Array));
  };
  return present.flatMap((name) =>
    Array.from(point[name] as Float64Array, (_, i) => {
      const [a, b, c, d] = [-1, -0.5, 0.5, 1].map((step) => slopeAt(name, i, step));
      return Float64Array.from(a as number[], (_x, j) => (8 * (at(c, j) - at(b, j)) - (at(d, j) - at(a, j))) / 12);
    }),
  );
}

/** Eigenvalues of a symmetric matrix, rising, by cyclic Jacobi rotations. */
function eigenvalues(matrix: readonly Float64Array[]): number[] {
  const A = matrix.map((row) => Float64Array.from(row));
  const entry = (i: number, j: number) => at(A[i], j);
  const size = A.length;
  for (let sweep = 0; sweep < 12; sweep++)
    for (let p = 0; p < size; p++)
      for (let q = p + 1; q < size; q++) {
        if (Math.abs(entry(p, q)) < 1e-300) continue;
        const theta = (entry(q, q) - entry(p, p)) / (2 * entry(p, q));
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let i = 0; i < size; i++) {
          const [x, y] = [entry(i, p), entry(i, q)];
          (A[i] as Float64Array)[p] = c * x - s * y;
          (A[i] as Float64Array)[q] = s * x + c * y;
        }
        for (let i = 0; i < size; i++) {
          const [x, y] = [entry(p, i), entry(q, i)];
          (A[p] as Float64Array)[i] = c * x - s * y;
          (A[q] as Float64Array)[i] = s * x + c * y;
        }
      }
  return A.map((_, i) => entry(i, i)).sort((a, b) => a - b);
}

/** L⁻¹HL⁻ᵀ, L the Cholesky factor of H's diagonal blocks: the rows' own variables stand in `groups`. */
function scaled(H: readonly Float64Array[], groups: readonly (readonly number[])[]): Float64Array[] {
  const size = H.length;
  const M = H.map((row) => Float64Array.from(row));
  const S = Array.from({ length: size }, () => new Float64Array(size));
  for (const group of groups) {
    const k = group.length;
    const L = Array.from({ length: k }, () => new Float64Array(k));
    for (let a = 0; a < k; a++)
      for (let b = 0; b <= a; b++) {
        let sum = at(M[group[a] as number], group[b] as number);
        for (let s = 0; s < b; s++) sum -= at(L[a], s) * at(L[b], s);
        (L[a] as Float64Array)[b] = a === b ? Math.sqrt(sum) : sum / at(L[b], b);
      }
    for (let c = 0; c < k; c++)
      for (let a = 0; a < k; a++) {
        let sum = a === c ? 1 : 0;
        for (let s = 0; s < a; s++) sum -= at(L[a], s) * at(S[group[s] as number], group[c] as number);
        (S[group[a] as number] as Float64Array)[group[c] as number] = sum / at(L[a], a);
      }
  }
  const left = S.map((row) =>
    Float64Array.from({ length: size }, (_, j) => row.reduce((sum, x, s) => sum + x * at(M[s], j), 0)),
  );
  return left.map((row) =>
    Float64Array.from({ length: size }, (_, j) => row.reduce((sum, x, s) => sum + x * at(S[j], s), 0)),
  );
}

const cases: Record<string, ProblemOptions & Partial<FactorizeOptions> & { gauge: number }> = {
  'λ = 0, complete': { m: 9, n: 7, gauge: 4 },
  'λ = 0, weighted, with gaps': { m: 12, n: 9, density: 0.7, isWeighted: true, gauge: 4, seed: 3 },
  'ridge, biases': { m: 9, n: 8, density: 0.8, offset: 2, biases: 'both', lambda: 0.3, gauge: 1, seed: 2 },
  'unpenalised biases': { m: 9, n: 8, offset: 1, biases: 'both', lambda: 0.3, biasLambda: 0, gauge: 2, seed: 5 },
  'column biases, nothing penalised': { m: 10, n: 8, offset: 1, biases: 'columns', gauge: 6, seed: 6 },
};

test.each(Object.entries(cases))(
  'the smallest eigenvalue beyond the gauge is that of the dense Hessian: %s',
  async (_name, row) => {
    const { m, n, density = 1, isWeighted = false, offset = 0, seed = 1, gauge, ...options } = row;
    const of = problem({ m, n, density, isWeighted, offset, seed });
    const k = 2;
    const { fit, ...model } = await factorize(triples(of), {
      ...{ rank: k, dtype: 'f64', method: 'als', maxSweeps: 5000, tolerance: 1e-11 },
      ...(isWeighted && { weights: sqrtWeights(of) }),
      ...options,
    });
    expect(fit.certificate).toMatchObject({ curvature: 'minimum', p: 1e-6 });
    const point = pointOf({ ...model, fit, rank: k } as Model);
    const { lambda = 0, biasLambda = lambda } = options;
    const H = halfHessian(of, point, { lambda, biasLambda });
    const starts = { U: 0, b: m * k, V: m * k + (point.b ? m : 0), c: (m + n) * k + (point.b ? m : 0) };
    const group = (name: 'U' | 'V', bias: 'b' | 'c', i: number) => [
      ...Array.from({ length: k }, (_, t) => starts[name] + i * k + t),
      ...(point[bias] ? [starts[bias] + i] : []),
    ];
    const groups = [
      ...Array.from({ length: m }, (_, i) => group('U', 'b', i)),
      ...Array.from({ length: n }, (_, j) => group('V', 'c', j)),
    ];
    const values = eigenvalues(scaled(H, groups));
    // The directions that leave f as it is have eigenvalue 0 at a stationary point.
    for (const value of values.slice(0, gauge)) expect(Math.abs(value)).toBeLessThan(1e-6);
    const {
      smallestEigenvalue = Number.NaN,
      largestEigenvalue = Number.NaN,
      eigenvalueBound = Number.NaN,
    } = fit.certificate;
    expect(Math.abs(smallestEigenvalue - at(values, gauge))).toBeLessThan(1e-6);
    expect(Math.abs(largestEigenvalue - (values.at(-1) as number))).toBeLessThan(1e-6);
    expect(eigenvalueBound).toBeLessThanOrEqual(at(values, gauge) + 1e-6);
  },
);

describe('a fit that is started in a saddle leaves it', () => {
  const diagonal = ndarray(Float64Array.from([3, 0, 0, 0, 2, 0, 0, 0, 1]), [3, 3]);
  const table = (['als', 'gradient', 'lbfgs', 'varpro'] as const).flatMap((method) =>
    [0, 0.1].map((lambda) => ({ method, lambda })),
  );
  // A = diag(3, 2, 1), rank 1, at the second singular vector: the gradient is exactly 0 and f = 10 in place of 5.
  test.each(table)('$method, λ = $lambda', async ({ method, lambda }) => {
    const V = ndarray(Float64Array.from([0, Math.sqrt(2 - lambda), 0]), [3, 1]);
    const { fit } = await factorize(diagonal, { rank: 1, dtype: 'f64', method, lambda, init: { V } });
    // σ₁ shrinks to 3 − λ: f = 1 + 4 + λ² + 2λ(3 − λ).
    expect(Math.abs(fit.objective - (5 + lambda * lambda + 2 * lambda * (3 - lambda)))).toBeLessThan(1e-8);
    expect(fit).toMatchObject({
      status: 'converged',
      certificate: { curvature: 'minimum', escapes: 1, monotone: true },
    });
    // Of diag(σ): 1 − σ₂/σ₁ is the least curvature in units of the rows' own; with a ridge that of the scale, 2(3 − λ)/3 of 2.
    expect(fit.certificate.smallestEigenvalue).toBeCloseTo(lambda === 0 ? 1 / 3 : 2 * (1 - 2.9 / 3), 6);
    expect(curvatureInWords(fit.certificate)).toMatch(
      /^no negative direction found: .*\(p < 1e-6\); a saddle was left on the way$/,
    );
    expect(fit.trace.map(({ sweep }) => sweep)).toEqual(fit.trace.map((_, i) => i + 1));
  });

  test('the same bits for every number of threads', async () => {
    const V = ndarray(Float64Array.from([0, Math.sqrt(2), 0]), [3, 1]);
    const options = { rank: 1, dtype: 'f64', init: { V } } as const;
    const [one, two] = await Promise.all([
      factorize(diagonal, { ...options, threads: 1 }),
      factorize(diagonal, { ...options, threads: 3, inline: 'never' }),
    ]);
    expect(two.fit.digest).toBe(one.fit.digest);
    expect(two.certificate).toEqual(one.certificate);
  });
});

test('nothing is said where nothing was looked at: f32, another objective, a budget', async () => {
  const A = triples(problem({ m: 12, n: 9 }));
  for (const options of [
    { dtype: 'f32' },
    { dtype: 'f64', loss: 'huber:1', lambda: 0.1 },
    { dtype: 'f64', maxSweeps: 1 },
  ] as const) {
    const { certificate } = await factorize(A, { rank: 2, ...options });
    expect(certificate.curvature).toBe('unknown');
    expect(certificate.smallestEigenvalue).toBeUndefined();
    expect(curvatureInWords(certificate)).toBeUndefined();
  }
});

test('words of a saddle and of what is too close to call', () => {
  const certificate = {
    ...{ relativeGradientNorm: 0, gradientNorm: { U: 0, V: 0 }, objective: 1, monotone: true, tolerance: 1e-8 },
    smallestEigenvalue: -0.02,
  };
  expect(curvatureInWords({ ...certificate, curvature: 'saddle', escapes: 5 })).toBe(
    "a saddle: the objective falls along a direction of negative curvature (smallest eigenvalue found -2e-2 of a row's own curvature); 5 saddles were left on the way",
  );
  expect(curvatureInWords({ ...certificate, curvature: 'unknown' })).toBe(
    "too close to call: smallest eigenvalue found -2e-2 of a row's own curvature",
  );
  // A bound is never rounded up.
  for (const eigenvalueBound of [0.03168, 0.0999, 0.0951, -0.0114, -0.0119]) {
    const words = curvatureInWords({ ...certificate, curvature: 'minimum', eigenvalueBound, p: 1e-6 }) as string;
    const said = Number(/none below (\S+) \(p < 1e-6\)/.exec(words)?.[1]);
    expect(said).toBeLessThanOrEqual(eigenvalueBound);
    expect(said).toBeGreaterThan(eigenvalueBound - 0.12 * Math.abs(eigenvalueBound));
  }
});

test.each([
  [20, 12, 10, 4],
  [30, 20, 20, 1],
])(
  'where %i×%i is met exactly at rank %i nothing lies below, whatever rounding says of curvature',
  async (m, n, rank, seed) => {
    let state = seed;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.5;
    };
    const values = Float64Array.from({ length: m * n }, () => (next() < 0 ? Number.NaN : next()));
    const { fit } = await factorize(ndarray(values, [m, n]), { rank });
    expect(fit.objective).toBeLessThan(1e-24);
    expect(fit.certificate.curvature).toBe('unknown');
    expect(fit.certificate.escapes).toBeUndefined();
  },
);

test.each([
  ['a saddle', { m: 27, n: 9, density: 0.3, noise: 0.3, offset: 2, seed: 308 }, { rank: 4, biases: 'columns' }],
  ['a minimum', { m: 30, n: 7, density: 0.3, noise: 0.001, offset: 1, seed: 346 }, { rank: 3, method: 'varpro' }],
] as const)(
  'an eigenvalue that rounding makes of rows near singular is not taken for %s',
  async (_name, shape, options) => {
    const of = problem(shape);
    const method = 'method' in options ? options.method : 'lbfgs';
    const { fit } = await factorize(triples(of), {
      dtype: 'f64',
      maxSweeps: 3000,
      seed: shape.seed,
      ...options,
      method,
    });
    expect(fit.status).toBe('converged');
    expect(Math.abs(fit.certificate.smallestEigenvalue ?? 1)).toBeLessThan(1e-6);
    expect(fit.certificate.curvature).toBe('unknown');
    expect(fit.certificate.escapes).toBeUndefined();
  },
);
