/** Eigenvalues and norms that global bounds stand on, by kernels and without. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockBound } from '../../dist/src/certificate/blockBound.js';
import { spectralNormBound } from '../../dist/src/certificate/spectralNorm.js';
import { compileKernels } from '../../dist/src/kernels/load.js';
import { largestEigenvalues, tridiagonalize } from '../../dist/src/kernels/symmetric.js';
import { bitsAt } from '../../dist/src/starts/random.js';
import { decompose } from '../helpers/convex.js';
import { uniform } from '../helpers/random.js';
import { at } from '../helpers/reference.js';

const bits = (index: number) => bitsAt(1, 99, index, 0);

test('eigenvalues of a symmetric matrix are those of Jacobi rotations', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1e6 }), (p, seed) => {
      const next = uniform(seed);
      const Z = Array.from({ length: p + 1 }, () => Float64Array.from({ length: p }, () => 2 * next() - 1));
      const gram = Float64Array.from({ length: p * p }, (_, t) =>
        Z.reduce((sum, line) => sum + at(line, Math.floor(t / p)) * at(line, t % p), 0),
      );
      const expected = decompose(Z)
        .values.map((s) => s * s)
        .sort((a, b) => b - a);
      for (const module of [undefined, compileKernels('reproducible').module, compileKernels('fast').module]) {
        const found = largestEigenvalues(tridiagonalize(gram.slice(), p, module), p);
        for (const [index, value] of found.entries()) expect(value).toBeCloseTo(at(expected, index), 10);
      }
    }),
  );
});

test('the norm is bounded from above and closely, densely and by Lanczos, with indices listed twice', () => {
  for (const size of [40, 700]) {
    const next = uniform(size);
    const lines = Array.from({ length: size + 3 }, () =>
      Array.from({ length: 4 }, () => [Math.floor(next() * size), 2 * next() - 1] as const).sort((a, b) => a[0] - b[0]),
    );
    const M = {
      pointers: Float64Array.from({ length: size + 4 }, (_, i) => 4 * i),
      indices: Uint32Array.from(lines.flat(), ([j]) => j),
      values: Float64Array.from(lines.flat(), ([, value]) => value),
      columns: size,
    };
    // The power method from below.
    let x = Float64Array.from({ length: size }, () => next() + 0.1);
    let norm = 0;
    for (let step = 0; step < 1500; step++) {
      const y = new Float64Array(size);
      for (const line of lines) {
        const sum = line.reduce((total, [j, value]) => total + value * at(x, j), 0);
        for (const [j, value] of line) y[j] = at(y, j) + sum * value;
      }
      const length = Math.hypot(...y);
      norm = Math.sqrt(length);
      x = y.map((value) => value / length);
    }
    const { bound, from } = spectralNormBound(M, bits);
    expect(from).toBe(size > 512 ? 'lanczos' : 'eigenvalues');
    expect(bound).toBeGreaterThanOrEqual(norm * (1 - 1e-12));
    expect(bound).toBeLessThan(norm * (size > 512 ? 1.001 : 1 + 1e-9));
  }
});

test('a part of many rows is summed a panel at a time, by kernels and without', () => {
  const [m, n] = [280_000, 4];
  const next = uniform(7);
  const values = Float64Array.from({ length: m * n }, () => 2 * next() - 1);
  const steps = (count: number, step: number) => Float64Array.from({ length: count + 1 }, (_, i) => i * step);
  const gram = new Float64Array(n * n);
  for (let t = 0; t < m; t++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) gram[i * n + j] = at(gram, i * n + j) + at(values, t * n + i) * at(values, t * n + j);
  const [, ...others] = largestEigenvalues(tridiagonalize(gram, n), n);
  for (const module of [undefined, compileKernels('reproducible').module]) {
    const found = blockBound({
      byRow: { pointers: steps(m, n), indices: Uint32Array.from(values, (_, t) => t % n), values, weights: undefined },
      byColumn: { pointers: steps(n, m), indices: Uint32Array.from(values, (_, t) => t % m) },
      rank: 1,
      mean: 0,
      residuals: () => values,
      penalties: { rows: new Float64Array(m), columns: new Float64Array(n) },
      biasPenalties: {},
      bits,
      ...(module && { module }),
    });
    const tail = others.reduce((sum, value) => sum + value, 0);
    expect(found?.isExact).toBe(true);
    expect(Math.abs((found?.bound as number) / tail - 1)).toBeLessThan(1e-8);
  }
});
