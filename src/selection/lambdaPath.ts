/** A path of λ from the data: from where every factor is zero down to where λ no longer matters. */
import type { Listing } from '../data/listing.js';

/** Of the resolved options, what the scale of λ depends on. */
export interface PathOptions {
  readonly lambdaScale: 'row' | 'count' | 'weight';
  readonly nu: number;
  readonly biases: 'none' | 'rows' | 'columns' | 'both';
}

/** Steps of a decade: five, each some 1.6 times the next. */
const steps = [1, 0.63, 0.4, 0.25, 0.16] as const;
const decades = 5;

/**
 * λ_max and 25 values of five a decade, largest first, to two digits. Of squares with a ridge on both sides, scaled by s_i and
 * s_j, zero is the optimum from
 *
 *     λ_max = ‖D(s_i)^−½ (W² ∘ R) D(s_j)^−½‖₂
 *
 * on, R being A, or what row and column means leave of it where biases are fitted (since λ(‖U‖² + ‖V‖²) is 2λ‖UVᵀ‖_* at the
 * optimum). For other losses it is near enough to begin from.
 */
export function lambdaPath(listing: Listing, options: PathOptions): number[] {
  const largest = lambdaMax(listing, options);
  if (!(largest > 0)) return [1];
  return Array.from({ length: decades * steps.length }, (_, index) => {
    const tens = Number(`1e-${Math.floor(index / steps.length)}`);
    return Number((largest * tens * (steps[index % steps.length] as number)).toPrecision(2));
  });
}

export function lambdaMax(listing: Listing, { lambdaScale, nu, biases }: PathOptions): number {
  const { rows, columns, weights, shape } = listing;
  const squared = Float64Array.from(rows, (_, t) => (weights ? (weights[t] as number) ** 2 : 1));
  const scaleOf = (indices: Uint32Array, count: number) => {
    const sums = new Float64Array(count);
    indices.forEach((index, t) => {
      sums[index] = (sums[index] as number) + (lambdaScale === 'weight' ? (squared[t] as number) : 1);
    });
    return sums.map((sum) => (lambdaScale === 'row' ? 1 : sum > 0 ? 1 / Math.sqrt(sum ** nu) : 0));
  };
  const [left, right] = [scaleOf(rows, shape[0]), scaleOf(columns, shape[1])];
  const residuals = residualsOf(listing, squared, biases);
  const M = residuals.map(
    (r, t) =>
      (squared[t] as number) * r * (left[rows[t] as number] as number) * (right[columns[t] as number] as number),
  );
  return spectralNorm(rows, columns, M, shape);
}

/** What the weighted mean, and the means of rows and columns in turn, leave. */
function residualsOf(
  { rows, columns, values }: Listing,
  squared: Float64Array,
  biases: PathOptions['biases'],
): Float64Array {
  const residuals = values.slice();
  if (biases === 'none') return residuals;
  const one = new Uint32Array(values.length);
  const means = (indices: Uint32Array) => {
    const count = indices.reduce((most, index) => Math.max(most, index), 0) + 1;
    const sums = new Float64Array(count);
    const totals = new Float64Array(count);
    indices.forEach((index, t) => {
      sums[index] = (sums[index] as number) + (squared[t] as number) * (residuals[t] as number);
      totals[index] = (totals[index] as number) + (squared[t] as number);
    });
    indices.forEach((index, t) => {
      const total = totals[index] as number;
      if (total > 0) residuals[t] = (residuals[t] as number) - (sums[index] as number) / total;
    });
  };
  means(one);
  for (let turn = 0; turn < 10; turn++) {
    if (biases !== 'columns') means(rows);
    if (biases !== 'rows') means(columns);
  }
  return residuals;
}

/** The largest singular value, to the two digits that are wanted: power iteration from the vector of ones and a half. */
function spectralNorm(
  rows: Uint32Array,
  columns: Uint32Array,
  M: Float64Array,
  [m, n]: readonly [number, number],
): number {
  let v = Float64Array.from({ length: n }, (_, j) => 1 + (j % 7) / 2);
  let norm = 0;
  for (let turn = 0; turn < 50; turn++) {
    const u = new Float64Array(m);
    M.forEach((value, t) => {
      u[rows[t] as number] = (u[rows[t] as number] as number) + value * (v[columns[t] as number] as number);
    });
    const next = new Float64Array(n);
    M.forEach((value, t) => {
      next[columns[t] as number] = (next[columns[t] as number] as number) + value * (u[rows[t] as number] as number);
    });
    const length = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
    if (!(length > 0)) return norm;
    const before = norm;
    norm = Math.sqrt(length);
    v = next.map((x) => x / length);
    if (Math.abs(norm - before) < 1e-4 * norm) break;
  }
  return norm;
}
