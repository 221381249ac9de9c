/**
 * A lower bound of f over all factors of every rank, from the convex problem that a ridge relaxes to.
 *
 * With r the residuals that U, V and the biases leave, f = Σ W²(A − u_i·v_j − b_i − c_j)² + Σ d_i‖u_i‖² + Σ e_j‖v_j‖²
 * + Σ β_i b_i² + Σ γ_j c_j² (A less the mean). Three facts give the bound:
 *
 * 1. Σ d_i‖u_i‖² + Σ e_j‖v_j‖² ≥ 2‖D^½ X E^½‖_* for X = UVᵀ, with equality for the balanced factors of its singular value
 *    decomposition where there are rank X columns (Srebro, Rennie & Jaakkola, NIPS 2004; Mazumder, Hastie & Tibshirani,
 *    JMLR 11, 2010, lemma 6). So f ≥ h(X, b, c) with a convex h.
 * 2. w²z² ≥ 2yz − y²/w² for every y, an equality at y = w²z: Fenchel's inequality of the square. With a matrix Y that is 0
 *    where nothing is observed,
 *
 *        h ≥ 2⟨Y, A⟩ − ΣY²/W² + [2‖D^½XE^½‖_* − 2⟨Y, X⟩] + Σ[β_i b_i² − 2b_i y_i] + Σ[γ_j c_j² − 2c_j y_j]
 *
 *    with y_i and y_j the sums of row i and column j of Y.
 * 3. ⟨Y, X⟩ ≤ ‖D^−½YE^−½‖₂·‖D^½XE^½‖_*, so that the first bracket is at least 0 for every X where that norm is at most 1;
 *    the others are at least −y_i²/β_i and −y_j²/γ_j. Where a bias has no penalty its y must be 0.
 *
 * Y = tG with G = W²r and t ≥ 0 gives, with σ = ‖D^−½GE^−½‖₂, L = ⟨G, A⟩ and Q = ΣG²/W² + Σ g_i²/β_i + Σ g_j²/γ_j,
 *
 *        f ≥ B(t) = 2tL − t²Q   for every 0 ≤ t ≤ 1/σ, largest at t = min(1/σ, max(0, L/Q)).
 *
 * That holds wherever U and V are. It meets f where they minimise h: there σ ≤ 1, ⟨G, X⟩ is half the penalty of U and V,
 * g_i = β_i b_i, and B(1) = f. Bounds, held entries and further penalties only raise f, so B stays below.
 */
import type { Orientation } from '../data/observations.js';
import { longest, type NormBound, normCost, type SparseRows, spectralNormBound, transposed } from './spectralNorm.js';

/** A fit with quadratic loss at a point, in the units its values are stored in. */
export interface BoundProblem {
  readonly byRow: Orientation;
  readonly byColumn: Pick<Orientation, 'pointers' | 'indices'>;
  readonly rank: number;
  /** Taken from every value. */
  readonly mean: number;
  /** A − mean − u_i·v_j − b_i − c_j of every entry: asked for where there is a bound. */
  readonly residuals: () => Float64Array;
  /** d and e. */
  readonly penalties: { readonly rows: ArrayLike<number>; readonly columns: ArrayLike<number> };
  /** β and γ, of the biases that are fitted. */
  readonly biasPenalties: {
    readonly rows?: ArrayLike<number> | undefined;
    readonly columns?: ArrayLike<number> | undefined;
  };
  /** 32 random bits for each index. */
  readonly bits: (index: number) => number;
  /** Of kernels for what is dense, where there are any. */
  readonly module?: WebAssembly.Module;
}

export interface RelaxationBound {
  /** At least 0. */
  readonly bound: number;
  /** An upper bound of σ, and where it comes from; above 1 at a stationary point, a further column would lower f. */
  readonly sigma: NormBound;
}

const unit = 2 ** -53;

/** Multiplications that {@link relaxationBound} takes, counted. */
export function relaxationCost({ byRow, byColumn, rank }: BoundProblem): number {
  return (byRow.pointers.at(-1) as number) * (rank + 20) + normCost(byRow.pointers, byColumn.pointers);
}

/** Why there is no such bound; undefined where there is one. */
export function whyNoRelaxation({ byRow, byColumn, penalties, biasPenalties }: BoundProblem): string | undefined {
  const isFree = (values: ArrayLike<number> | undefined, { pointers }: Pick<Orientation, 'pointers'>) =>
    values !== undefined &&
    Array.prototype.some.call(values, (value: number, i) => pointers[i + 1] !== pointers[i] && !(value > 0));
  if (isFree(penalties.rows, byRow) || isFree(penalties.columns, byColumn)) return 'λ is 0';
  if (isFree(biasPenalties.rows, byRow) && isFree(biasPenalties.columns, byColumn))
    return 'the biases of both sides carry no penalty';
  return undefined;
}

export function relaxationBound(problem: BoundProblem): RelaxationBound {
  const { byRow, penalties, biasPenalties, bits, mean } = problem;
  const { pointers, indices, values, weights } = byRow;
  const columns = problem.byColumn.pointers.length - 1;
  const G = gradientOf(problem);
  const rowSums = new Float64Array(pointers.length - 1);
  const columnSums = new Float64Array(columns);
  const scaled = new Float64Array(G.length);
  const rootsOf = (list: ArrayLike<number>) => new Float64Array(list).map(Math.sqrt);
  const [d, e] = [rootsOf(penalties.rows), rootsOf(penalties.columns)];
  let L = 0;
  let Q = 0;
  let size = 0;
  for (let i = 0; i < rowSums.length; i++) {
    // Destructured, each would be an object anew at every entry.
    let l = 0;
    let q = 0;
    let s = 0;
    let sum = 0;
    const di = d[i] as number;
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const j = indices[t] as number;
      const g = G[t] as number;
      const z = weights ? g / (weights[t] as number) : g;
      const product = g * ((values[t] as number) - mean);
      l += product;
      s += Math.abs(product);
      q += z * z;
      sum += g;
      columnSums[j] = (columnSums[j] as number) + g;
      scaled[t] = g / (di * (e[j] as number));
    }
    L += l;
    Q += q;
    size += s;
    rowSums[i] = sum;
  }
  Q += conjugate(rowSums, biasPenalties.rows) + conjugate(columnSums, biasPenalties.columns);
  const sigma = spectralNormBound({ pointers, indices, values: scaled, columns }, bits, problem.module);
  const t = Math.min(1 / sigma.bound, Math.max(0, L / Q));
  if (!(t > 0 && Number.isFinite(t))) return { bound: 0, sigma };
  // What rounding in the sums, and in G where a bias must be held at a sum of 0, can have added; with room to spare.
  const terms = longest(lengths(pointers)) + longest(lengths(problem.byColumn.pointers)) + rowSums.length + 100;
  const rounding = 4 * terms * unit * (2 * t * size + t * t * Q);
  return { bound: Math.max(0, 2 * t * L - t * t * Q - rounding), sigma };
}

/** Σ g²/β; where β is 0 the sum g is 0, or nothing is observed. */
function conjugate(sums: Float64Array, penalties: ArrayLike<number> | undefined): number {
  if (!penalties) return 0;
  let total = 0;
  for (let i = 0; i < sums.length; i++) {
    const beta = penalties[i] as number;
    if (beta > 0) total += ((sums[i] as number) * (sums[i] as number)) / beta;
  }
  return total;
}

/** A − mean − prediction of every entry, in rows. */
export function residualsOf(
  { pointers, indices, values }: Orientation,
  mean: number,
  predict: (row: number, column: number) => number,
): Float64Array {
  const residuals = new Float64Array(pointers.at(-1) as number);
  for (let i = 0; i + 1 < pointers.length; i++) {
    const end = pointers[i + 1] as number;
    for (let t = pointers[i] as number; t < end; t++)
      residuals[t] = (values[t] as number) - mean - predict(i, indices[t] as number);
  }
  return residuals;
}

/** W²r of every entry; the residuals of a row (or column) whose bias has no penalty are centred first, so that its sum is 0. */
function gradientOf(problem: BoundProblem): Float64Array {
  const { byRow, biasPenalties, residuals } = problem;
  const { pointers, indices, weights } = byRow;
  if (!weights && !biasPenalties.rows && !biasPenalties.columns) return residuals();
  const G = residuals().slice();
  if (weights)
    for (let t = 0; t < G.length; t++) G[t] = (weights[t] as number) * (weights[t] as number) * (G[t] as number);
  if (!biasPenalties.rows && !biasPenalties.columns) return G;
  const squares = new Float64Array(G.length).fill(1);
  weights?.forEach((w, t) => {
    squares[t] = w * w;
  });
  centre(G, squares, (t) => t, { pointers }, biasPenalties.rows);
  if (!biasPenalties.columns) return G;
  // Where each entry of a column stands in the rows.
  const places = transposed({ pointers, indices, values: Float64Array.from(G.keys()), columns: columnsOf(problem) });
  centre(G, squares, (t) => places.values[t] as number, places, biasPenalties.columns);
  return G;
}

const columnsOf = ({ byColumn }: BoundProblem) => byColumn.pointers.length - 1;

function centre(
  G: Float64Array,
  squares: Float64Array,
  place: (t: number) => number,
  { pointers }: Pick<SparseRows, 'pointers'>,
  penalties: ArrayLike<number> | undefined,
): void {
  if (!penalties) return;
  for (let i = 0; i + 1 < pointers.length; i++) {
    if ((penalties[i] as number) > 0) continue;
    let [sum, weight] = [0, 0];
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      sum += G[place(t)] as number;
      weight += squares[place(t)] as number;
    }
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++)
      G[place(t)] = (G[place(t)] as number) - (sum * (squares[place(t)] as number)) / weight;
  }
}

function lengths(pointers: Float64Array): Float64Array {
  return pointers.subarray(1).map((end, i) => end - (pointers[i] as number));
}
