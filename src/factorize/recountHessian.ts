/**
 * The Hessian of f = Σ w²(a − p)² + Σ λ_i‖u_i‖² + … at a model's factors, in plain float64, entry by entry and with no line of the
 * kernels. With e = p − a, and m_ij = du_i·v_j + u_i·dv_j + db_i + dc_j what a move (dU, dV) does to p_ij,
 *
 *     ½(H·d)_{u_i} = Σ_j w²(m_ij v_j + e_ij dv_j) + λ_i du_i      ½(H·d)_{b_i} = Σ_j w² m_ij + β_i db_i
 */
import { type BlockNorm, blockNormOf } from '../certificate/blockNorm.js';
import type { Orientation } from '../data/observations.js';
import type { Model } from '../model/model.js';
import { predictEntry } from '../model/objective.js';
import { type PerSide, type Side, sides } from '../parallel/layout.js';
import type { Recounted } from './recount.js';

/** Weighted squares and a ridge at a point. Bounds, L1 and held entries are the caller's to know of. */
export interface PlainProblem {
  readonly byRow: Orientation;
  readonly byColumn: Orientation;
  /** W² and p − a of every entry, in rows. */
  readonly squares: Float64Array;
  readonly residuals: Float64Array;
  readonly rank: number;
  /** Unknowns of each side: the factor, and the bias where it is fitted. */
  readonly widths: PerSide<number>;
  readonly isBiasFitted: PerSide<boolean>;
  readonly counts: PerSide<number>;
  /** Numbers a row of `factors`, a bias behind the factor; 0 where the side has none. */
  readonly stride: number;
  readonly factors: PerSide<Float64Array>;
  /** λ of an unknown. */
  readonly penaltyOf: (side: Side, row: number, c: number) => number;
}

export function plainProblem(
  model: Model,
  { byRow, byColumn }: PerSideOrientation,
  { penalties, biasPenalties }: Pick<Recounted, 'penalties' | 'biasPenalties'>,
): PlainProblem {
  const { U, V, biases, rank } = model;
  const [m, n] = model.shape;
  const { freeColumns } = model.fit.options;
  const stride = rank + (biases.rows || biases.columns ? 1 : 0);
  const buffer = (factor: ArrayLike<number>, count: number, bias: ArrayLike<number> | undefined) =>
    Float64Array.from({ length: count * stride }, (_, t) => {
      const [row, c] = [Math.floor(t / stride), t % stride];
      return c < rank ? (factor[row * rank + c] as number) : (bias?.[row] ?? 0);
    });
  const isBiasFitted = { rows: biases.rows !== undefined, columns: biases.columns !== undefined };
  const { pointers, indices, values, weights } = byRow;
  const residuals = new Float64Array(values.length);
  for (let i = 0; i < m; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++)
      residuals[t] = predictEntry(model, i, indices[t] as number) - (values[t] as number);
  return {
    byRow,
    byColumn,
    squares: Float64Array.from(values, (_, t) => (weights ? (weights[t] as number) ** 2 : 1)),
    residuals,
    rank,
    widths: { rows: rank + (biases.rows ? 1 : 0), columns: rank + (biases.columns ? 1 : 0) },
    isBiasFitted,
    counts: { rows: m, columns: n },
    stride,
    factors: { rows: buffer(U.data, m, biases.rows), columns: buffer(V.data, n, biases.columns) },
    penaltyOf: (side, row, c) => (c < freeColumns ? 0 : ((c < rank ? penalties : biasPenalties)[side][row] as number)),
  };
}

type PerSideOrientation = { readonly byRow: Orientation; readonly byColumn: Orientation };

/** ½H·d; d is the rows' change followed by that of the columns', each as in `factors`. */
export function halfHessianProduct(problem: PlainProblem, d: Float64Array): Float64Array {
  const { rank, stride, counts, factors, isBiasFitted, squares, residuals } = problem;
  const { pointers, indices } = problem.byRow;
  const { rows: U, columns: V } = factors;
  const out = new Float64Array(d.length);
  for (let i = 0; i < counts.rows; i++) {
    const a = i * stride;
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const v = (indices[t] as number) * stride;
      const b = U.length + v;
      const s = (squares[t] as number) * linearChange(problem, d, a, v);
      const e = (squares[t] as number) * (residuals[t] as number);
      for (let c = 0; c < rank; c++) {
        out[a + c] = (out[a + c] as number) + s * (V[v + c] as number) + e * (d[b + c] as number);
        out[b + c] = (out[b + c] as number) + s * (U[a + c] as number) + e * (d[a + c] as number);
      }
      if (isBiasFitted.rows) out[a + rank] = (out[a + rank] as number) + s;
      if (isBiasFitted.columns) out[b + rank] = (out[b + rank] as number) + s;
    }
  }
  eachUnknown(problem, (at, penalty) => {
    out[at] = (out[at] as number) + penalty * (d[at] as number);
  });
  return out;
}

/** What d does to p in the row and column at a of U and v of V, to first order. */
function linearChange({ rank, stride, factors }: PlainProblem, d: Float64Array, a: number, v: number): number {
  const { rows: U, columns: V } = factors;
  const b = U.length + v;
  let sum = rank < stride ? (d[a + rank] as number) + (d[b + rank] as number) : 0;
  for (let c = 0; c < rank; c++)
    sum += (d[a + c] as number) * (V[v + c] as number) + (U[a + c] as number) * (d[b + c] as number);
  return sum;
}

/** f at the factors moved by `step` times d, and its slope there along d. */
export function along(problem: PlainProblem, d: Float64Array, step: number): { value: number; slope: number } {
  const { rank, stride, counts, factors, squares, residuals } = problem;
  const { pointers, indices } = problem.byRow;
  let value = 0;
  let slope = 0;
  for (let i = 0; i < counts.rows; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const a = i * stride;
      const v = (indices[t] as number) * stride;
      // p changes by step·linear + step²·square.
      const linear = linearChange(problem, d, a, v);
      let square = 0;
      for (let c = 0; c < rank; c++) square += (d[a + c] as number) * (d[factors.rows.length + v + c] as number);
      const e = (residuals[t] as number) + step * (linear + step * square);
      value += (squares[t] as number) * e * e;
      slope += 2 * (squares[t] as number) * e * (linear + 2 * step * square);
    }
  eachUnknown(problem, (at, penalty, x) => {
    const moved = x + step * (d[at] as number);
    value += penalty * moved * moved;
    slope += 2 * penalty * moved * (d[at] as number);
  });
  return { value, slope };
}

/** The norm of the rows' own normal equations G_i = Σ w²z zᵀ + λ_i. */
export function plainBlockNorm(problem: PlainProblem): BlockNorm {
  const inverses = (side: Side) => {
    const width = problem.widths[side];
    const all = new Float64Array(problem.counts[side] * width * width);
    eachNormal(problem, side, (row, G) => {
      all.set(inverseFactor(G, width), row * width * width);
    });
    return all;
  };
  return blockNormOf(problem, { rows: inverses('rows'), columns: inverses('columns') });
}

/** Calls back with the lower half of every row's G, row-major, and its number of entries; G is the callback's to change. */
export function eachNormal(
  problem: PlainProblem,
  side: Side,
  visit: (row: number, G: Float64Array, entries: number) => void,
): void {
  const { rank, stride, widths, counts, factors, byRow, byColumn, penaltyOf } = problem;
  const { pointers, indices, weights } = side === 'rows' ? byRow : byColumn;
  const other = side === 'rows' ? factors.columns : factors.rows;
  const width = widths[side];
  const G = new Float64Array(width * width);
  const z = new Float64Array(width).fill(1);
  for (let row = 0; row < counts[side]; row++) {
    G.fill(0);
    let entries = 0;
    for (let t = pointers[row] as number; t < (pointers[row + 1] as number); t++) {
      const w = weights ? (weights[t] as number) : 1;
      if (w === 0) continue;
      entries++;
      for (let c = 0; c < rank; c++) z[c] = other[(indices[t] as number) * stride + c] as number;
      for (let a = 0; a < width; a++)
        for (let b = 0; b <= a; b++)
          G[a * width + b] = (G[a * width + b] as number) + w * w * (z[a] as number) * (z[b] as number);
    }
    for (let c = 0; c < width; c++) G[c * (width + 1)] = (G[c * (width + 1)] as number) + penaltyOf(side, row, c);
    visit(row, G, entries);
  }
}

/** L⁻¹ of G = LLᵀ, row-major; rows of 0 where a pivot vanishes beside the largest entry of the diagonal. */
function inverseFactor(G: Float64Array, width: number): Float64Array {
  let largest = 0;
  for (let a = 0; a < width; a++) largest = Math.max(largest, G[a * (width + 1)] as number);
  const smallestPivot = largest * width * Number.EPSILON;
  const inverse = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = G[a * width + b] as number;
      for (let s = 0; s < b; s++) sum -= (G[a * width + s] as number) * (G[b * width + s] as number);
      const pivot = G[b * (width + 1)] as number;
      if (b < a) G[a * width + b] = pivot > 0 ? sum / pivot : 0;
      else G[a * width + a] = sum > smallestPivot ? Math.sqrt(sum) : 0;
    }
    const pivot = G[a * (width + 1)] as number;
    if (!(pivot > 0)) continue;
    for (let b = 0; b <= a; b++) {
      let sum = a === b ? 1 : 0;
      for (let s = b; s < a; s++) sum -= (G[a * width + s] as number) * (inverse[s * width + b] as number);
      inverse[a * width + b] = sum / pivot;
    }
  }
  return inverse;
}

/** Whether any unknown has a penalty. */
export function isPenalised(problem: PlainProblem): boolean {
  let isAny = false;
  eachUnknown(problem, (_at, penalty) => {
    isAny ||= penalty > 0;
  });
  return isAny;
}

/** Calls back with the place of every unknown in a direction, its λ and its value. */
function eachUnknown(
  { counts, widths, stride, factors, penaltyOf }: PlainProblem,
  visit: (at: number, penalty: number, x: number) => void,
): void {
  for (const side of sides) {
    const offset = side === 'rows' ? 0 : factors.rows.length;
    for (let row = 0; row < counts[side]; row++)
      for (let c = 0; c < widths[side]; c++) {
        const at = row * stride + c;
        visit(offset + at, penaltyOf(side, row, c), factors[side][at] as number);
      }
  }
}
