/** The convex problem that a ridge relaxes to, solved plainly: proximal gradient steps with singular value thresholding. */
import type { Problem } from './problem.js';
import { at } from './reference.js';

export interface ConvexProblem {
  readonly of: Problem;
  readonly mean: number;
  /** d and e, of every row and column. */
  readonly d: Float64Array;
  readonly e: Float64Array;
  /** β and γ; a bias that is not fitted is absent. */
  readonly beta?: Float64Array;
  readonly gamma?: Float64Array;
}

/** min Σ W²(A − mean − X − b1ᵀ − 1cᵀ)² + 2‖D^½XE^½‖_* + Σβb² + Σγc², as far as `steps` come from above. */
export function convexOptimum({ of, mean, d, e, beta, gamma }: ConvexProblem, steps: number) {
  const { m, n, entries } = of;
  const Z = Array.from({ length: m }, () => new Float64Array(n));
  const b = new Float64Array(m);
  const c = new Float64Array(n);
  const scale = (i: number, j: number) => Math.sqrt(at(d, i) * at(e, j));
  const steepest = Math.max(...entries.map(({ row, column, weight }) => 2 * (weight / scale(row, column)) ** 2));
  const X = (i: number, j: number) => at(Z[i], j) / scale(i, j);
  let norms: number[] = [];
  const value = () =>
    entries.reduce(
      (sum, { row, column, value, weight }) =>
        sum + (weight * (value - mean - X(row, column) - at(b, row) - at(c, column))) ** 2,
      0,
    ) +
    2 * norms.reduce((sum, s) => sum + s, 0) +
    b.reduce((sum, x, i) => sum + at(beta, i) * x * x, 0) +
    c.reduce((sum, x, j) => sum + at(gamma, j) * x * x, 0);
  for (let step = 0; step < steps; step++) {
    // The residual of an entry depends on its own Z alone, so the step may be taken as it is measured.
    for (const entry of entries) {
      const { row, column, weight } = entry;
      const line = Z[row] as Float64Array;
      line[column] = at(line, column) + (2 * weight ** 2 * residual(entry)) / scale(row, column) / steepest;
    }
    norms = threshold(Z, 2 / steepest);
    if (beta) centre(b, beta, 'row');
    if (gamma) centre(c, gamma, 'column');
  }
  return { value: value(), rank: norms.filter((s) => s > 1e-6).length };

  function residual({ row, column, value }: Problem['entries'][number]): number {
    return value - mean - X(row, column) - at(b, row) - at(c, column);
  }

  /** The exact minimum over one side's biases. */
  function centre(x: Float64Array, penalty: Float64Array, side: 'row' | 'column'): void {
    const sums = new Float64Array(x.length);
    const weights = Float64Array.from(penalty);
    for (const entry of entries) {
      const i = entry[side];
      sums[i] = at(sums, i) + entry.weight ** 2 * (residual(entry) + at(x, i));
      weights[i] = at(weights, i) + entry.weight ** 2;
    }
    for (let i = 0; i < x.length; i++) x[i] = at(sums, i) / (at(weights, i) || 1);
  }
}

/** Z less τ of each singular value; returns what is left of these. */
function threshold(Z: Float64Array[], tau: number): number[] {
  const { vectors, values } = decompose(Z);
  const left = values.map((s) => Math.max(0, s - tau));
  for (const line of Z) {
    const rotated = vectors.map((v) => v.reduce((sum, x, j) => sum + x * at(line, j), 0));
    line.fill(0);
    vectors.forEach((v, index) => {
      const share = at(values, index) > 0 ? at(left, index) / at(values, index) : 0;
      for (let j = 0; j < line.length; j++) line[j] = at(line, j) + share * at(rotated, index) * at(v, j);
    });
  }
  return left;
}

/** Right singular vectors and singular values, from the eigenvalues of ZᵀZ by cyclic Jacobi rotations. */
export function decompose(Z: readonly Float64Array[]): { vectors: Float64Array[]; values: number[] } {
  const n = Z[0]?.length ?? 0;
  const G = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_, j) => Z.reduce((sum, line) => sum + at(line, i) * at(line, j), 0)),
  );
  const vectors = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0, isDone = false; sweep < 12 && !isDone; sweep++) {
    isDone = true;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const off = at(G[p], q);
        if (Math.abs(off) <= 1e-16 * Math.sqrt(at(G[p], p) * at(G[q], q))) continue;
        isDone = false;
        const angle = 0.5 * Math.atan2(2 * off, at(G[q], q) - at(G[p], p));
        const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
        const turn = (a: Float64Array, i: number, j: number) => {
          [a[i], a[j]] = [cosine * at(a, i) - sine * at(a, j), sine * at(a, i) + cosine * at(a, j)];
        };
        for (const line of G) turn(line, p, q);
        const [gp, gq] = [G[p] as Float64Array, G[q] as Float64Array];
        const [vp, vq] = [vectors[p] as Float64Array, vectors[q] as Float64Array];
        for (let j = 0; j < n; j++) {
          [gp[j], gq[j]] = [cosine * at(gp, j) - sine * at(gq, j), sine * at(gp, j) + cosine * at(gq, j)];
          [vp[j], vq[j]] = [cosine * at(vp, j) - sine * at(vq, j), sine * at(vp, j) + cosine * at(vq, j)];
        }
      }
  }
  return { vectors, values: vectors.map((_, i) => Math.sqrt(Math.max(0, at(G[i], i)))) };
}
