/**
 * Forms of a model that do not depend on how it was reached: factors are known only up to U→UM, V→VM⁻ᵀ.
 *
 * With thin QR factorizations U = Q_u R_u and V = Q_v R_v the singular value decomposition of UVᵀ is that of the k×k matrix
 * R_u R_vᵀ, turned by Q_u and Q_v.
 */
import ndarray, { type NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { orthogonalizeColumns } from '../kernels/jacobi.js';
import { dot } from '../kernels/vectors.js';

/** UVᵀ = U·diag(d)·Vᵀ. */
export interface Canonical {
  /** m×k, orthonormal columns (0 where d is 0). */
  readonly U: NdArray<Float64Array>;
  /** The k singular values of UVᵀ, falling. */
  readonly d: Float64Array;
  /** n×k, orthonormal columns, the entry of largest magnitude in each positive. */
  readonly V: NdArray<Float64Array>;
}

/** UVᵀ = scores·loadingsᵀ, the loadings turned towards few large entries a column. */
export interface Rotated {
  /** m×k, orthonormal columns. */
  readonly scores: NdArray<Float64Array>;
  /** n×k */
  readonly loadings: NdArray<Float64Array>;
}

type Columns = Float64Array[];

export function canonicalForm(U: NdArray<RealArray>, V: NdArray<RealArray>): Canonical {
  const [Qu, Ru] = orthonormalize(columnsOf(U));
  const [Qv, Rv] = orthonormalize(columnsOf(V));
  const k = Ru.length;
  // Columns of B = R_u R_vᵀ; R_x[c] is column c of its triangle.
  const B = Array.from({ length: k }, (_, j) =>
    Float64Array.from({ length: k }, (_, i) => {
      let sum = 0;
      for (let c = Math.max(i, j); c < k; c++) sum += entry(Ru, i, c) * entry(Rv, j, c);
      return sum;
    }),
  );
  const P = identity(k);
  orthogonalizeColumns(B, P);
  const norms = B.map((column) => Math.sqrt(dot(column, column)));
  const order = norms.map((_, c) => c).sort((a, b) => (norms[b] as number) - (norms[a] as number) || a - b);
  const d = Float64Array.from(order, (c) => norms[c] as number);
  const left = order.map((c, at) => (B[c] as Float64Array).map((x) => (d[at] ? x / (d[at] as number) : 0)));
  const u = combine(Qu, left);
  const v = combine(
    Qv,
    order.map((c) => P[c] as Float64Array),
  );
  v.forEach((column, c) => {
    let largest = 0;
    for (const x of column) if (Math.abs(x) > Math.abs(largest)) largest = x;
    if (largest < 0) for (const vector of [column, u[c] as Float64Array]) negate(vector);
  });
  return { U: matrixOf(u), d, V: matrixOf(v) };
}

function negate(vector: Float64Array): void {
  for (let i = 0; i < vector.length; i++) vector[i] = -(vector[i] as number);
}

const mostSweeps = 1000;

/** Varimax rotation of the canonical loadings V·diag(d): H. F. Kaiser, Psychometrika 23 (1958), by plane rotations. */
export function varimaxForm(canonical: Canonical): Rotated {
  const loadings = columnsOf(canonical.V).map((column, c) => column.map((x) => x * (canonical.d[c] as number)));
  const scores = columnsOf(canonical.U);
  const n = loadings[0]?.length ?? 0;
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let largest = 0;
    for (let p = 0; p < loadings.length; p++)
      for (let q = p + 1; q < loadings.length; q++) {
        const [x, y] = [loadings[p] as Float64Array, loadings[q] as Float64Array];
        let [a, b, c, e] = [0, 0, 0, 0];
        for (let j = 0; j < n; j++) {
          const u = (x[j] as number) ** 2 - (y[j] as number) ** 2;
          const v = 2 * (x[j] as number) * (y[j] as number);
          a += u;
          b += v;
          c += u * u - v * v;
          e += 2 * u * v;
        }
        const angle = Math.atan2(e - (2 * a * b) / n, c - (a * a - b * b) / n) / 4;
        largest = Math.max(largest, Math.abs(angle));
        turn(x, y, angle);
        turn(scores[p] as Float64Array, scores[q] as Float64Array, angle);
      }
    if (largest < 1e-12) break;
  }
  return { scores: matrixOf(scores), loadings: matrixOf(loadings) };
}

function turn(x: Float64Array, y: Float64Array, angle: number): void {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] as number, y[i] as number];
    x[i] = cosine * a + sine * b;
    y[i] = cosine * b - sine * a;
  }
}

/** Thin QR by Gram–Schmidt done twice, which is enough (L. Giraud et al., Numer. Math. 101 (2005)). R by columns. */
function orthonormalize(X: Columns): [Q: Columns, R: Columns] {
  const Q: Columns = [];
  const R: Columns = [];
  for (const column of X) {
    const q = column.slice();
    const r = new Float64Array(X.length);
    const before = Math.sqrt(dot(q, q));
    for (let pass = 0; pass < 2; pass++)
      Q.forEach((other, i) => {
        const product = dot(other, q);
        r[i] = (r[i] as number) + product;
        for (let t = 0; t < q.length; t++) q[t] = (q[t] as number) - product * (other[t] as number);
      });
    const norm = Math.sqrt(dot(q, q));
    const isDependent = norm <= 1e-14 * before;
    r[Q.length] = isDependent ? 0 : norm;
    Q.push(isDependent ? q.fill(0) : q.map((x) => x / norm));
    R.push(r);
  }
  return [Q, R];
}

/** Entry (i, c) of a matrix held by columns. */
function entry(columns: Columns, i: number, c: number): number {
  return (columns[c] as Float64Array)[i] as number;
}

function identity(k: number): Columns {
  return Array.from({ length: k }, (_, c) => new Float64Array(k).fill(1, c, c + 1));
}

/** Q·M, both held by columns. */
function combine(Q: Columns, M: Columns): Columns {
  return M.map((weights) => {
    const out = new Float64Array(Q[0]?.length ?? 0);
    Q.forEach((column, c) => {
      const weight = weights[c] as number;
      for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + weight * (column[i] as number);
    });
    return out;
  });
}

function columnsOf(X: NdArray<RealArray>): Columns {
  const [rows = 0, k = 0] = X.shape;
  return Array.from({ length: k }, (_, c) => Float64Array.from({ length: rows }, (_, i) => X.get(i, c)));
}

function matrixOf(columns: Columns): NdArray<Float64Array> {
  const k = columns.length;
  const rows = columns[0]?.length ?? 0;
  const data = new Float64Array(rows * k);
  columns.forEach((column, c) => {
    for (let i = 0; i < rows; i++) data[i * k + c] = column[i] as number;
  });
  return ndarray(data, [rows, k]);
}
