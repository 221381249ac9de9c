/** What US EPA PMF reports of a fit: Q true, robust and expected, and how well each column is explained. */
import { filledRows } from '../data/observations.js';
import { type RowEntries, stretchesOf } from '../data/storedRows.js';
import { factorBuffer } from '../methods/rowPhases.js';
import type { Loss } from '../objective/losses.js';
import type { FitContext } from '../parallel/phase.js';

/** PMF 5.0 User Guide (2014): scaled residuals z = W(A − p). */
export interface ReceptorReport {
  /** Σz² */
  readonly true: number;
  /** Σ min(1, δ/|z|)z²: beyond δ (4, or that of loss huber) a residual costs δ|z|. */
  readonly robust: number;
  /** Observed entries less k(m + n), of rows and columns that have any. Weak columns count like others: their weights say enough. */
  readonly expected: number;
  /** The squared correlation of values and predictions of each column; NaN is null where either does not vary. */
  readonly r2: readonly (number | null)[];
}

const standardDelta = 4;

export function receptorReport(
  fit: FitContext,
  point: { readonly rows: number; readonly columns: number },
  loss: Loss,
): ReceptorReport {
  const { pointers } = fit.observations.columns;
  const { stride, rank } = fit;
  const U = factorBuffer(fit, 'rows', point.rows);
  const V = factorBuffer(fit, 'columns', point.columns);
  const delta = loss.name === 'huber' ? loss.parameter : standardDelta;
  let squares = 0;
  let robust = 0;
  let observed = 0;
  const r2: (number | null)[] = [];
  const addColumn = (column: number, { start, indices, values, weights }: RowEntries) => {
    const moments = { count: 0, a: 0, p: 0, aa: 0, pp: 0, ap: 0 };
    let first = 0;
    for (let t = (pointers[column] as number) - start; t < (pointers[column + 1] as number) - start; t++) {
      const w = weights ? (weights[t] as number) : 1;
      if (w === 0) continue;
      const row = indices[t] as number;
      let p = fit.mean;
      if (fit.hasBias) p += (U[row * stride + rank] as number) + (V[column * stride + rank] as number);
      for (let c = 0; c < rank; c++) p += (U[row * stride + c] as number) * (V[column * stride + c] as number);
      const a = values[t] as number;
      const z = Math.abs(w * (a - p));
      squares += z * z;
      robust += z <= delta ? z * z : delta * z;
      // Around a value of the column: around 0, what biases take off all values would cancel.
      if (moments.count === 0) first = a;
      const [x, y] = [a - first, p - first];
      moments.count++;
      moments.a += x;
      moments.p += y;
      moments.aa += x * x;
      moments.pp += y * y;
      moments.ap += x * y;
    }
    observed += moments.count;
    r2.push(correlationSquared(moments));
  };
  for (const stretch of stretchesOf(fit.observations.columns))
    for (let column = stretch.first; column < stretch.last; column++) addColumn(column, stretch);
  const fitted = rank * (filledRows(fit.observations.rows.pointers) + filledRows(pointers));
  return { true: squares, robust, expected: observed - fitted, r2 };
}

function correlationSquared(of: Record<'count' | 'a' | 'p' | 'aa' | 'pp' | 'ap', number>): number | null {
  const { count, a, p, aa, pp, ap } = of;
  const varying = (aa - (a * a) / count) * (pp - (p * p) / count);
  return varying > 0 ? (ap - (a * p) / count) ** 2 / varying : null;
}
