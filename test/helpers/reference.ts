/**
 * f(U,V) = ‖W∘(A − mean − b1ᵀ − 1cᵀ − UVᵀ)‖² + Σ λ_i‖u_i‖² + Σ λ_j‖v_j‖² + Σ β_i b_i² + Σ β_j c_j², its gradient and its exact
 * row solutions in plain float64: written from the formula, and sharing no line with src.
 */
import type { Model } from '../../dist/src/model/model.js';
import type { Entry, Problem } from './problem.js';

/** Where f is evaluated; a bias that is not fitted is absent. */
export interface Point {
  readonly k: number;
  readonly mean: number;
  readonly U: Float64Array;
  readonly V: Float64Array;
  readonly b?: Float64Array;
  readonly c?: Float64Array;
}

export type Variable = 'U' | 'V' | 'b' | 'c';

export interface Regularization {
  readonly lambda?: number | undefined;
  readonly lambdaScale?: 'row' | 'count' | 'weight' | undefined;
  /** As lambda where absent. */
  readonly biasLambda?: number | undefined;
}

export function pointOf(model: Model): Point {
  const { rows, columns, mean } = model.biases;
  return {
    k: model.rank,
    mean,
    U: Float64Array.from(model.U.data),
    V: Float64Array.from(model.V.data),
    ...(rows && { b: Float64Array.from(rows) }),
    ...(columns && { c: Float64Array.from(columns) }),
  };
}

const none = new Float64Array(0);

export const at = (array: ArrayLike<number> | undefined, i: number): number => array?.[i] ?? 0;

/** ΣW²A/ΣW². */
export function weightedMean({ entries }: Problem): number {
  const sum = (term: (e: Entry) => number) => entries.reduce((total, e) => total + term(e), 0);
  return sum((e) => e.weight ** 2 * e.value) / sum((e) => e.weight ** 2);
}

export function centredNorm({ entries }: Problem, mean: number): number {
  return entries.reduce((sum, e) => sum + (e.weight * (e.value - mean)) ** 2, 0);
}

export function predict({ k, mean, U, V, b, c }: Point, row: number, column: number): number {
  let sum = mean + at(b, row) + at(c, column);
  for (let t = 0; t < k; t++) sum += at(U, row * k + t) * at(V, column * k + t);
  return sum;
}

/** What λ and β are multiplied by in each row and column. */
function scales({ m, n, entries }: Problem, { lambdaScale = 'row' }: Regularization) {
  const rows = new Float64Array(m).fill(lambdaScale === 'row' ? 1 : 0);
  const columns = new Float64Array(n).fill(lambdaScale === 'row' ? 1 : 0);
  const share = { row: () => 0, count: () => 1, weight: (e: Entry) => e.weight ** 2 }[lambdaScale];
  for (const entry of entries) {
    rows[entry.row] = at(rows, entry.row) + share(entry);
    columns[entry.column] = at(columns, entry.column) + share(entry);
  }
  return { rows, columns };
}

export function objectiveAt(of: Problem, point: Point, rule: Regularization) {
  const { lambda = 0, biasLambda = lambda } = rule;
  const { rows, columns } = scales(of, rule);
  const squares = (x: Float64Array | undefined, width: number, scale: Float64Array) =>
    (x ?? none).reduce((sum, value, i) => sum + at(scale, Math.floor(i / width)) * value * value, 0);
  const loss = of.entries.reduce((sum, e) => sum + (e.weight * (e.value - predict(point, e.row, e.column))) ** 2, 0);
  const regularization =
    lambda * (squares(point.U, point.k, rows) + squares(point.V, point.k, columns)) +
    biasLambda * (squares(point.b, 1, rows) + squares(point.c, 1, columns));
  return { loss, regularization, objective: loss + regularization };
}

export type Gradient = { readonly [name in Variable]?: Float64Array };

/** Componentwise: ∂f/∂u_it = Σ_j −2W_ij²(A_ij − prediction)v_jt + 2λ_i u_it, and so on. */
export function gradientAt(of: Problem, point: Point, rule: Regularization) {
  const { lambda = 0, biasLambda = lambda } = rule;
  const { rows, columns } = scales(of, rule);
  const { k, U, V, b, c } = point;
  const start = (x: Float64Array, width: number, scale: Float64Array, strength: number) =>
    x.map((value, i) => 2 * strength * at(scale, Math.floor(i / width)) * value);
  const g = {
    U: start(U, k, rows, lambda),
    V: start(V, k, columns, lambda),
    ...(b && { b: start(b, 1, rows, biasLambda) }),
    ...(c && { c: start(c, 1, columns, biasLambda) }),
  };
  for (const { row, column, value, weight } of of.entries) {
    const r = -2 * weight ** 2 * (value - predict(point, row, column));
    for (let t = 0; t < k; t++) {
      g.U[row * k + t] = at(g.U, row * k + t) + r * at(V, column * k + t);
      g.V[column * k + t] = at(g.V, column * k + t) + r * at(U, row * k + t);
    }
    if (g.b) g.b[row] = at(g.b, row) + r;
    if (g.c) g.c[column] = at(g.c, column) + r;
  }
  return g;
}

const norm = (...arrays: readonly (Float64Array | undefined)[]): number =>
  Math.sqrt(arrays.reduce((sum, x) => sum + (x ?? none).reduce((s, value) => s + value * value, 0), 0));

/** The certificate's numbers, by their definitions. */
export function firstOrderAt(of: Problem, point: Point, rule: Regularization) {
  const g = gradientAt(of, point, rule);
  const gradientNorm = { U: norm(g.U, g.b), V: norm(g.V, g.c) };
  const factors = norm(g.U) * norm(point.U) + norm(g.V) * norm(point.V);
  const product = factors + norm(g.b) * norm(point.b) + norm(g.c) * norm(point.c);
  return { gradientNorm, relativeGradientNorm: product / (2 * centredNorm(of, point.mean)) };
}

/**
 * [u_i, b_i] that minimise f with everything else fixed, by the normal equations and Gaussian elimination with pivoting;
 * b_i only where b is fitted. λ > 0 or enough observations are assumed.
 */
export function foldIn(of: Problem, point: Point, rule: Regularization, row: number): Float64Array {
  const { lambda = 0, biasLambda = lambda } = rule;
  const scale = at(scales(of, rule).rows, row);
  const { k, V, mean } = point;
  const size = k + (point.b ? 1 : 0);
  const G = Array.from({ length: size }, (_, i) => {
    const line = new Float64Array(size + 1);
    line[i] = scale * (i < k ? lambda : biasLambda);
    return line;
  });
  for (const e of of.entries) {
    if (e.row !== row) continue;
    const z = Float64Array.from({ length: size }, (_, t) => (t < k ? at(V, e.column * k + t) : 1));
    const y = e.value - mean - at(point.c, e.column);
    G.forEach((line, i) => {
      for (let j = 0; j <= size; j++) line[j] = at(line, j) + e.weight ** 2 * at(z, i) * (j < size ? at(z, j) : y);
    });
  }
  return eliminate(G);
}

/** Solves [G | rhs] in place. */
function eliminate(lines: Float64Array[]): Float64Array {
  const size = lines.length;
  for (let p = 0; p < size; p++) {
    let best = p;
    for (let i = p + 1; i < size; i++) if (Math.abs(at(lines[i], p)) > Math.abs(at(lines[best], p))) best = i;
    [lines[p], lines[best]] = [lines[best] as Float64Array, lines[p] as Float64Array];
    const pivot = lines[p] as Float64Array;
    for (const [i, line] of lines.entries()) {
      if (i === p) continue;
      const factor = at(line, p) / at(pivot, p);
      for (let j = p; j <= size; j++) line[j] = at(line, j) - factor * at(pivot, j);
    }
  }
  return Float64Array.from(lines, (line, i) => at(line, size) / at(line, i));
}
