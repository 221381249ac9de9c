/**
 * Every kernel once more in plain TypeScript and float64, slow and clear: what the WebAssembly is tested against.
 * A row x minimises Σ W²(a − mean − c_j − x·z_j)² + λ‖x‖² + β b², z_j = [v_j, 1 where the own bias is fitted].
 */

/** One orientation and its fixed factor, as plain arrays. */
export interface ReferenceProblem {
  readonly rank: number;
  /** Elements from one factor row to the next; slot `rank` is the bias where there is one. */
  readonly stride: number;
  readonly hasBias: boolean;
  readonly ownBiasFree: boolean;
  readonly mean: number;
  readonly other: ArrayLike<number>;
  readonly pointers: ArrayLike<number>;
  readonly indices: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** W; undefined: all 1. */
  readonly weights: ArrayLike<number> | undefined;
  readonly penalties: ArrayLike<number>;
  readonly biasPenalties: ArrayLike<number>;
}

interface Design {
  readonly z: Float64Array;
  readonly target: number;
  readonly squaredWeight: number;
}

function designs(problem: ReferenceProblem, row: number): Design[] {
  const { rank, stride, other, values, weights, mean } = problem;
  const size = rank + (problem.ownBiasFree ? 1 : 0);
  const list: Design[] = [];
  for (let t = problem.pointers[row] as number; t < (problem.pointers[row + 1] as number); t++) {
    const at = (problem.indices[t] as number) * stride;
    const z = Float64Array.from({ length: size }, (_, c) => (c < rank ? (other[at + c] as number) : 1));
    const bias = problem.hasBias ? (other[at + rank] as number) : 0;
    const weight = weights ? (weights[t] as number) : 1;
    list.push({ z, target: (values[t] as number) - mean - bias, squaredWeight: weight * weight });
  }
  return list;
}

function penaltyOf(problem: ReferenceProblem, row: number, column: number): number {
  return (column < problem.rank ? problem.penalties[row] : problem.biasPenalties[row]) as number;
}

/** Normal equations and Gaussian elimination with partial pivoting. A row without observations is 0. */
export function solveRow(problem: ReferenceProblem, row: number): Float64Array {
  const list = designs(problem, row);
  const size = problem.rank + (problem.ownBiasFree ? 1 : 0);
  if (list.length === 0) return new Float64Array(size);
  const G = Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size }, (_, j) =>
      list.reduce(
        (sum, { z, squaredWeight }) => sum + squaredWeight * (z[i] as number) * (z[j] as number),
        i === j ? penaltyOf(problem, row, i) : 0,
      ),
    ),
  );
  const b = Float64Array.from({ length: size }, (_, i) =>
    list.reduce((sum, { z, target, squaredWeight }) => sum + squaredWeight * (z[i] as number) * target, 0),
  );
  return eliminate(G, b);
}

/**
 * The row improved from `start` by blocks of `width` columns at the most, of about the same size, each to its minimum beside
 * the others.
 */
export function improveRow(
  problem: ReferenceProblem,
  row: number,
  start: ArrayLike<number>,
  width: number,
): Float64Array {
  const list = designs(problem, row);
  const size = problem.rank + (problem.ownBiasFree ? 1 : 0);
  const x = Float64Array.from({ length: size }, (_, c) => start[c] as number);
  const each = Math.ceil(problem.stride / Math.ceil(problem.stride / width) / 4) * 4;
  for (let from = 0; from < size; from += each) {
    const count = Math.min(each, size - from);
    const column = (z: Float64Array, i: number) => z[from + i] as number;
    const G = Array.from({ length: count }, (_, i) =>
      Float64Array.from({ length: count }, (_, j) =>
        list.reduce(
          (sum, { z, squaredWeight }) => sum + squaredWeight * column(z, i) * column(z, j),
          i === j ? penaltyOf(problem, row, from + i) : 0,
        ),
      ),
    );
    const { gradient } = measureRow(problem, row, x);
    const step = eliminate(
      G,
      Float64Array.from({ length: count }, (_, i) => -0.5 * column(gradient, i)),
    );
    step.forEach((d, i) => {
      x[from + i] = column(x, i) + d;
    });
  }
  return x;
}

function eliminate(G: Float64Array[], b: Float64Array): Float64Array {
  const size = b.length;
  const at = (i: number, j: number) => (G[i] as Float64Array)[j] as number;
  for (let c = 0; c < size; c++) {
    let pivot = c;
    for (let i = c + 1; i < size; i++) if (Math.abs(at(i, c)) > Math.abs(at(pivot, c))) pivot = i;
    [G[c], G[pivot]] = [G[pivot] as Float64Array, G[c] as Float64Array];
    [b[c], b[pivot]] = [b[pivot] as number, b[c] as number];
    for (let i = c + 1; i < size; i++) {
      const factor = at(i, c) / at(c, c);
      for (let j = c; j < size; j++) (G[i] as Float64Array)[j] = at(i, j) - factor * at(c, j);
      b[i] = (b[i] as number) - factor * (b[c] as number);
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let j = i + 1; j < size; j++) b[i] = (b[i] as number) - at(i, j) * (b[j] as number);
    b[i] = (b[i] as number) / at(i, i);
  }
  return b;
}

/** Loss and penalty of row x, its gradient 2(Σ W²(z·x − target)z + Dx), and Σr² and the number of entries of positive weight. */
export function measureRow(
  problem: ReferenceProblem,
  row: number,
  x: ArrayLike<number>,
): { loss: number; penalty: number; gradient: Float64Array; squares: number; observed: number } {
  const size = problem.rank + (problem.ownBiasFree ? 1 : 0);
  const gradient = Float64Array.from({ length: size }, (_, c) => 2 * penaltyOf(problem, row, c) * (x[c] as number));
  let [loss, squares, observed] = [0, 0, 0];
  for (const { z, target, squaredWeight } of designs(problem, row)) {
    const residual = z.reduce((sum, zc, c) => sum + zc * (x[c] as number), -target);
    loss += squaredWeight * residual * residual;
    if (squaredWeight > 0) {
      squares += residual * residual;
      observed++;
    }
    z.forEach((zc, c) => {
      gradient[c] = (gradient[c] as number) + 2 * squaredWeight * residual * zc;
    });
  }
  let penalty = 0;
  for (let c = 0; c < size; c++) penalty += penaltyOf(problem, row, c) * (x[c] as number) * (x[c] as number);
  return { loss, penalty, gradient, squares, observed };
}

/**
 * Row `row` of H·d, for its factor x and direction dx and the other side's direction: 2 Σ W²(dp·z + e·dz) + 2D·dx, dp the
 * change of the prediction and e the residual.
 */
export function hessianRow(
  problem: ReferenceProblem,
  row: number,
  x: ArrayLike<number>,
  dx: ArrayLike<number>,
  otherDirection: ArrayLike<number>,
): Float64Array {
  const { rank, stride } = problem;
  const list = designs(problem, row);
  const product = Float64Array.from(
    { length: dx.length },
    (_, c) => 2 * penaltyOf(problem, row, c) * (dx[c] as number),
  );
  list.forEach(({ z, target, squaredWeight }, t) => {
    const at = (problem.indices[(problem.pointers[row] as number) + t] as number) * stride;
    const dz = z.map((_, c) => (c < rank ? (otherDirection[at + c] as number) : 0));
    const otherBias = problem.hasBias ? (otherDirection[at + rank] as number) : 0;
    const along = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      z.reduce((sum, _, c) => sum + (a[c] as number) * (b[c] as number), 0);
    const change = along(z, dx) + along(dz, x) + otherBias;
    const residual = along(z, x) - target;
    product.forEach((_, c) => {
      product[c] =
        (product[c] as number) + 2 * squaredWeight * (change * (z[c] as number) + residual * (dz[c] as number));
    });
  });
  return product;
}

/** A row's rate: squared gradients seen, and its penalty spread over its entries; the same of its bias. */
export interface ReferenceRate {
  squares: number;
  readonly share: number;
  biasSquares: number;
  readonly biasShare: number;
}

/** Stochastic gradient steps over a block: both factors and all rates are moved in place. */
export interface ReferenceDescent {
  readonly own: Float64Array;
  readonly other: Float64Array;
  readonly ownRates: readonly ReferenceRate[];
  readonly otherRates: readonly ReferenceRate[];
  readonly otherBiasFree: boolean;
  readonly scale: number;
  readonly step: number;
  /** The first column's share of a step and of a squared gradient. */
  readonly lead: number;
  readonly biasStep: number;
  readonly ownBounds: readonly [number, number];
  readonly otherBounds: readonly [number, number];
  /** Entries of a row that are taken at the same u. */
  readonly batch: number;
}

/** The steps of row `row` over entries start … end−1, by the equations of assembly/sgdRows.ts. */
export function descendRow(
  problem: ReferenceProblem,
  descent: ReferenceDescent,
  row: number,
  start: number,
  end: number,
): void {
  const { rank, stride, hasBias, mean, indices, values, weights } = problem;
  const { own, other, scale, step, biasStep } = descent;
  const share = (c: number) => (c === 0 ? descent.lead : 1);
  const u = own.subarray(row * stride, row * stride + rank);
  const rate = descent.ownRates[row] as ReferenceRate;
  const along = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, x, c) => sum + x * (b[c] as number), 0);
  const within = ([lower, upper]: readonly [number, number], x: number) => Math.min(upper, Math.max(lower, x));
  for (let first = start; first < end; first += descent.batch) {
    const old = u.slice();
    const bias = hasBias ? (own[row * stride + rank] as number) : 0;
    const batch = Array.from({ length: Math.min(descent.batch, end - first) }, (_, e) => {
      const j = indices[first + e] as number;
      const v = other.subarray(j * stride, j * stride + rank);
      const otherBias = hasBias ? (other[j * stride + rank] as number) : 0;
      const weight = weights ? (weights[first + e] as number) : 1;
      const residual = (values[first + e] as number) - mean - bias - otherBias - along(old, v);
      return { j, v, before: v.slice(), otherBias, z: scale * weight * weight * residual };
    });
    for (const { before, z } of batch)
      rate.squares +=
        old.reduce((sum, x, c) => sum + share(c) * (rate.share * x - z * (before[c] as number)) ** 2, 0) / rank;
    const ownStep = step / Math.sqrt(rate.squares);
    old.forEach((x, c) => {
      const pull = batch.reduce((sum, { before, z }) => sum + z * (before[c] as number), 0);
      const length = share(c) * ownStep;
      u[c] = within(descent.ownBounds, (x + length * pull) / (1 + batch.length * length * rate.share));
    });
    for (const { j, v, before, otherBias, z } of batch) {
      const theirs = descent.otherRates[j] as ReferenceRate;
      theirs.squares +=
        before.reduce((sum, x, c) => sum + share(c) * (theirs.share * x - z * (old[c] as number)) ** 2, 0) / rank;
      const theirStep = step / Math.sqrt(theirs.squares);
      before.forEach((x, c) => {
        const length = share(c) * theirStep;
        v[c] = within(descent.otherBounds, (x + length * z * (old[c] as number)) / (1 + length * theirs.share));
      });
      if (!descent.otherBiasFree) continue;
      theirs.biasSquares += (theirs.biasShare * otherBias - z) ** 2;
      const moved = biasStep / Math.sqrt(theirs.biasSquares);
      other[j * stride + rank] = (otherBias + moved * z) / (1 + moved * theirs.biasShare);
    }
    if (!problem.ownBiasFree) continue;
    for (const { z } of batch) rate.biasSquares += (rate.biasShare * bias - z) ** 2;
    const moved = biasStep / Math.sqrt(rate.biasSquares);
    const pull = batch.reduce((sum, { z }) => sum + z, 0);
    own[row * stride + rank] = (bias + moved * pull) / (1 + batch.length * moved * rate.biasShare);
  }
}
