/**
 * Covariances of rows and columns and the degrees of freedom of a fit, in plain float64 from the model and the data: see
 * fullCovariance.ts for what they are. There the gauge is taken out of an inverse; here it is taken out of the matrix before.
 */
import { orthogonalize } from '../certificate/lanczos.js';
import { norm, scale } from '../kernels/vectors.js';
import { packedLength } from '../methods/covariancePhase.js';
import { otherSide, type PerSide, type Side } from '../parallel/layout.js';
import { invert } from './plainInverse.js';
import { eachNormal, isPenalised, type PlainProblem } from './recountHessian.js';

export interface RecountedCovariance {
  /** Packed, of every row and column, for errors of standard deviation 1/W; NaN where a row does not determine its unknowns. */
  readonly covariances: PerSide<Float64Array>;
  /** Degrees of freedom that the fit takes. */
  readonly spent: number;
  /** What rounding has been multiplied by, and pivots of which it decided whether they vanish. */
  readonly cancellation: number;
  readonly doubtful: number;
  /** The largest variances that were subtracted from each other. */
  readonly largest: PerSide<number>;
}

/** Of each side given the other, over the unknowns that are free. */
export function conditionalCovariance(
  problem: PlainProblem,
  isFree: (side: Side, row: number, c: number) => boolean,
): RecountedCovariance {
  let [spent, unknowns] = [0, 0];
  let [cancellation, doubtful] = [1, 0];
  const of = (side: Side) => {
    const width = problem.widths[side];
    const packed = new Float64Array(problem.counts[side] * packedLength(width));
    eachNormal(problem, side, (row, G, entries) => {
      const free = Array.from({ length: width }, (_, c) => c).filter((c) => isFree(side, row, c));
      const size = free.length;
      const part = Float64Array.from({ length: size * size }, (_, t) => {
        const [r, c] = [free[Math.floor(t / size)] as number, free[t % size] as number];
        return r >= c ? (G[r * width + c] as number) : (G[c * width + r] as number);
      });
      const { rank, ...how } = invert(part, size, 16);
      cancellation = Math.max(cancellation, how.cancellation);
      doubtful += how.doubtful;
      const to = packed.subarray(row * packedLength(width), (row + 1) * packedLength(width));
      if (rank < size) to.fill(Number.NaN);
      else
        for (let r = 0; r < size; r++)
          for (let c = 0; c <= r; c++)
            to[packedLength(free[r] as number) + (free[c] as number)] = part[r * size + c] as number;
      if (entries === 0) return;
      unknowns += rank;
      spent += rank;
      if (rank === size)
        for (let r = 0; r < size; r++)
          spent -= problem.penaltyOf(side, row, free[r] as number) * (part[r * (size + 1)] as number);
    });
    return packed;
  };
  const covariances = { rows: of('rows'), columns: of('columns') };
  // UVᵀ → UMM⁻¹Vᵀ is counted by rows and by columns, each as far as λ and bounds leave it free.
  const gauge = (problem.widths.rows * problem.widths.columns * spent) / Math.max(unknowns, 1);
  const largest = { rows: largestOf(covariances.rows), columns: largestOf(covariances.columns) };
  return { covariances, spent: spent - gauge, cancellation, doubtful, largest };
}

const largestOf = (values: Float64Array) => values.reduce((most, x) => (x > most ? x : most), 0);

/**
 * Of the whole Gauss–Newton matrix, the unknowns of the other side moving orthogonally to the gauge.
 *
 * @param side the side that is eliminated.
 * @param given of its rows, the other side as it is.
 * @returns undefined where the data do not determine the factors.
 */
export function wholeCovariance(
  problem: PlainProblem,
  side: Side,
  given: RecountedCovariance,
): RecountedCovariance | undefined {
  const inverses = given.covariances[side];
  const { counts, widths } = problem;
  const staying = otherSide(side);
  const order = counts[staying] * widths[staying];
  const S = reducedMatrix(problem, side, inverses);
  const { gauge, lost } = gaugeBasis(problem, staying);
  let spent = counts[side] * widths[side] + order;
  const height = trace(S, order) / order || 1;
  let size = 0;
  eachNormal(problem, staying, (_row, G) => {
    size = Math.max(size, largestOf(diagonalBlocks(G, widths[staying], 1)));
  });
  let cancellation = Math.max(given.cancellation, lost);
  let { doubtful } = given;
  let largest = 1 / height;
  const inverted = (matrix: Float64Array) => {
    const how = invert(matrix, order, 1);
    // S is what is left of the rows' own G by the inverses of the others, and its gauge is taken out at one scale for all.
    const spread = given.cancellation * size * largestOf(diagonalBlocks(matrix, order, 1));
    cancellation = Math.max(cancellation, how.cancellation, spread);
    doubtful += how.doubtful;
    return how.rank === order;
  };
  if (isPenalised(problem)) {
    const whole = S.slice();
    if (!inverted(whole)) return undefined;
    largest = largestOf(diagonalBlocks(whole, order, 1));
    spent -= penaltyTrace(problem, side, eliminated(problem, side, inverses, whole));
    spent -= penaltyTrace(problem, staying, diagonalBlocks(whole, counts[staying], widths[staying]));
  } else spent -= gauge.length;
  project(S, order, gauge);
  for (const q of gauge) addSquare(S, q, height);
  if (!inverted(S)) return undefined;
  for (const q of gauge) addSquare(S, q, -1 / height);
  const covariances = {
    [side]: eliminated(problem, side, inverses, S),
    [staying]: diagonalBlocks(S, counts[staying], widths[staying]),
  } as unknown as PerSide<Float64Array>;
  return {
    covariances,
    spent,
    cancellation: order * cancellation,
    doubtful,
    largest: { rows: largestOf(covariances.rows), columns: largestOf(covariances.columns), [staying]: largest },
  };
}

/** S = Λ + Σ_i (h_i h_iᵀ) ⊗ (diag(w²) − y_i G_i y_iᵀ), y_ij = w²G_i⁻¹d_j: the other side's matrix with the rows solved. */
function reducedMatrix(problem: PlainProblem, side: Side, inverses: Float64Array): Float64Array {
  const { counts, widths, penaltyOf } = problem;
  const staying = otherSide(side);
  const width = widths[staying];
  const order = counts[staying] * width;
  const S = new Float64Array(order * order);
  for (let j = 0; j < counts[staying]; j++)
    for (let c = 0; c < width; c++) S[(j * width + c) * (order + 1)] = penaltyOf(staying, j, c);
  eachRow(problem, side, inverses, ({ columns, squares, d, y, h }) => {
    columns.forEach((j, t) => {
      columns.forEach((l, s) => {
        const coefficient = (t === s ? (squares[t] as number) : 0) - product(y[t], d[s]) * (squares[s] as number);
        for (let a = 0; a < width; a++)
          for (let b = 0; b < width; b++) {
            const at = (j * width + a) * order + l * width + b;
            S[at] = (S[at] as number) + coefficient * (h[a] as number) * (h[b] as number);
          }
      });
    });
  });
  return S;
}

/** Σ of every eliminated row: G⁻¹ + Σ_jl y_j y_lᵀ (hᵀΣ_jl h), packed. */
function eliminated(problem: PlainProblem, side: Side, inverses: Float64Array, covariance: Float64Array): Float64Array {
  const width = problem.widths[otherSide(side)];
  const order = problem.counts[otherSide(side)] * width;
  const own = problem.widths[side];
  const packed = inverses.slice();
  eachRow(problem, side, inverses, ({ row, columns, y, h }) => {
    const at = row * packedLength(own);
    columns.forEach((j, t) => {
      columns.forEach((l, s) => {
        let value = 0;
        for (let a = 0; a < width; a++)
          for (let b = 0; b < width; b++)
            value +=
              (h[a] as number) * (h[b] as number) * (covariance[(j * width + a) * order + l * width + b] as number);
        for (let c = 0; c < own; c++)
          for (let e = 0; e <= c; e++) {
            const to = at + packedLength(c) + e;
            packed[to] = (packed[to] as number) + value * (y[t]?.[c] as number) * (y[s]?.[e] as number);
          }
      });
    });
  });
  return packed;
}

interface OpenRow {
  readonly row: number;
  readonly columns: readonly number[];
  readonly squares: readonly number[];
  /** [v_j, 1] and w²G⁻¹ of it, of each entry. */
  readonly d: readonly Float64Array[];
  readonly y: readonly Float64Array[];
  /** [u_i, 1] */
  readonly h: Float64Array;
}

function eachRow(problem: PlainProblem, side: Side, inverses: Float64Array, visit: (row: OpenRow) => void): void {
  const { rank, stride, widths, counts, factors, byRow, byColumn } = problem;
  const { pointers, indices, weights } = side === 'rows' ? byRow : byColumn;
  const staying = otherSide(side);
  const design = (of: Side, row: number, width: number) =>
    Float64Array.from({ length: width }, (_, c) => (c < rank ? (factors[of][row * stride + c] as number) : 1));
  for (let row = 0; row < counts[side]; row++) {
    const places = Array.from(
      { length: (pointers[row + 1] as number) - (pointers[row] as number) },
      (_, t) => (pointers[row] as number) + t,
    );
    const columns = places.map((t) => indices[t] as number);
    const squares = places.map((t) => (weights ? (weights[t] as number) ** 2 : 1));
    const d = columns.map((j) => design(staying, j, widths[side]));
    const at = row * packedLength(widths[side]);
    const inverse = (c: number, e: number) => inverses[at + packedLength(Math.max(c, e)) + Math.min(c, e)] as number;
    const y = d.map((z, t) =>
      z.map((_, c) => (squares[t] as number) * z.reduce((sum, value, e) => sum + inverse(c, e) * value, 0)),
    );
    visit({ row, columns, squares, d, y, h: design(side, row, widths[staying]) });
  }
}

/**
 * Orthonormal directions of the side that stays which the other side can undo: [V, 1] ⊗ each unknown; `lost` is the most that one
 * of these columns lost to those before it.
 */
function gaugeBasis({ rank, stride, widths, counts, factors }: PlainProblem, staying: Side) {
  const width = widths[staying];
  const gauge: Float64Array[] = [];
  let lost = 1;
  for (let c = 0; c < widths[otherSide(staying)]; c++)
    for (let a = 0; a < width; a++) {
      const q = new Float64Array(counts[staying] * width);
      for (let j = 0; j < counts[staying]; j++)
        q[j * width + a] = c < rank ? (factors[staying][j * stride + c] as number) : 1;
      const before = norm(q);
      orthogonalize(q, gauge);
      const after = norm(q);
      if (!(after > 1e-14 * before)) continue;
      lost = Math.max(lost, before / after);
      scale(q, 1 / after);
      gauge.push(q);
    }
  return { gauge, lost };
}

/** PSP, P the projection away from an orthonormal basis. */
function project(S: Float64Array, order: number, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (let r = 0; r < order; r++) orthogonalize(S.subarray(r * order, (r + 1) * order), basis);
    for (let r = 0; r < order; r++)
      for (let c = 0; c < r; c++) {
        const [below, above] = [S[r * order + c] as number, S[c * order + r] as number];
        S[r * order + c] = above;
        S[c * order + r] = below;
      }
  }
}

/** S + factor·qqᵀ */
function addSquare(S: Float64Array, q: Float64Array, factor: number): void {
  q.forEach((x, r) => {
    if (x !== 0)
      q.forEach((y, c) => {
        S[r * q.length + c] = (S[r * q.length + c] as number) + factor * x * y;
      });
  });
}

function diagonalBlocks(S: Float64Array, count: number, width: number): Float64Array {
  const packed: number[] = [];
  for (let j = 0; j < count; j++)
    for (let c = 0; c < width; c++)
      for (let e = 0; e <= c; e++) packed.push(S[(j * width + c) * count * width + j * width + e] as number);
  return Float64Array.from(packed);
}

/** tr(ΛΣ) over a side. */
function penaltyTrace({ counts, widths, penaltyOf }: PlainProblem, side: Side, packed: Float64Array): number {
  const length = packedLength(widths[side]);
  let sum = 0;
  for (let row = 0; row < counts[side]; row++)
    for (let c = 0; c < widths[side]; c++)
      sum += penaltyOf(side, row, c) * (packed[row * length + packedLength(c) + c] as number);
  return sum;
}

const trace = (S: Float64Array, order: number) => diagonalBlocks(S, order, 1).reduce((sum, x) => sum + x, 0);

const product = (x: Float64Array | undefined, y: Float64Array | undefined) =>
  (x as Float64Array).reduce((sum, value, c) => sum + value * (y?.[c] as number), 0);
