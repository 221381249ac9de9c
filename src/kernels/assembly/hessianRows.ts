/**
 * Products with the Hessian of f = Σ w²e² + Σ λ_i‖u_i‖² + …, e = prediction − a, without its matrix. For a direction (dU, dV),
 * with z_j = [v_j, 1] and ż_j = [dv_j, 0], row i of (H·d)_U is
 *
 *     2 Σ_j w² [(du_i·z_j + u_i·dv_j + dc_j) z_j + e_ij ż_j] + 2λ_i du_i
 *
 * and needs row i of A and W, u_i, du_i, V and dV alone. Without e it is the Gauss–Newton matrix.
 */
import { RowJob } from "./job";
import { madd } from "./lanes";
import { dotWide, weightOf, widen } from "./residual";
import { applyInverse, factorRow } from "./rowFactors";

/** Field order is the contract with hessian.ts of the host. */
@unmanaged
export class Tangent {
  /** The direction on this side (0: zero), and on the other. */
  own: usize;
  other: usize;
  /** L⁻¹ of each row's normal equations G = LLᵀ, `width` × `width` doubles a row, of this side and of the other. */
  factors: usize;
  width: i32;
  otherFactors: usize;
  otherWidth: i32;
  /** 0: Gauss–Newton. */
  isExact: i32;
  /** Solve the row for the product: out = −G⁻¹ of half of it, the row's answer to a move of the other side. */
  isSolved: i32;
}

export function hessianRows(job: RowJob, tangent: Tangent, first: i32, last: i32): void {
  const stride = job.stride, rank = job.rank, width = tangent.width;
  const bytes = <usize>stride << 3;
  const wide = job.scratch, dwide = wide + bytes, g = dwide + bytes, solved = g + bytes;
  const indices = job.indices, values = job.values;
  for (let row = first; row < last; row++) {
    const offset = job.mean + widen<f64>(job, job.own + <usize>row * bytes, wide);
    memory.fill(dwide, 0, bytes);
    let dbias: f64 = 0;
    if (tangent.own) {
      const from = tangent.own + <usize>row * bytes;
      memory.copy(dwide, from, <usize>rank << 3);
      if (job.ownBiasFree) dbias = load<f64>(from + (<usize>rank << 3));
    }
    memory.fill(g, 0, bytes);
    let ofBias: f64 = 0;
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t++) {
      const at = <usize>load<u32>(indices + (t << 2)) * bytes;
      const v = job.other + at, dv = tangent.other + at;
      const w = weightOf<f64>(job, t);
      const squared = w * w;
      let moved = dbias + dotWide<f64>(wide, dv, stride);
      if (tangent.own) moved += dotWide<f64>(dwide, v, stride);
      const e = tangent.isExact ? offset + dotWide<f64>(wide, v, stride) - load<f64>(values + (t << 3)) : 0;
      addBoth(g, v, squared * moved, dv, squared * e, bytes);
      ofBias += squared * moved;
    }
    if (job.ownBiasFree) store<f64>(g + (<usize>rank << 3), ofBias);
    if (tangent.isSolved) {
      applyInverse(tangent.factors + <usize>(row * width * width << 3), g, solved, dwide, width);
      for (let c = 0; c < width; c++) store<f64>(solved + (<usize>c << 3), -load<f64>(solved + (<usize>c << 3)));
      finish(job, row, solved, width);
      continue;
    }
    const lambda = load<f64>(job.penalties + (<usize>row << 3));
    for (let c = 0; c < width; c++) {
      const d = c < rank ? load<f64>(dwide + (<usize>c << 3)) : dbias;
      const penalty = c < rank ? lambda : load<f64>(job.biasPenalties + (<usize>row << 3));
      const h = 2 * (load<f64>(g + (<usize>c << 3)) + penalty * d);
      store<f64>(g + (<usize>c << 3), h);
      job.loss += d * h;
    }
    finish(job, row, g, width);
  }
}

/** g ← g + s·v + t·dv. */
// @ts-ignore: decorator
@inline
function addBoth(g: usize, v: usize, s: f64, dv: usize, t: f64, bytes: usize): void {
  const sv = f64x2.splat(s), tv = f64x2.splat(t);
  for (let o: usize = 0; o < bytes; o += 16)
    v128.store(g + o, madd<f64>(tv, v128.load(dv + o), madd<f64>(sv, v128.load(v + o), v128.load(g + o))));
}

/** Stores `width` numbers to the row of `out`, zeros behind them. */
function finish(job: RowJob, row: i32, from: usize, width: i32): void {
  const to = job.out + ((<usize>row * <usize>job.stride) << 3);
  memory.fill(to, 0, <usize>job.stride << 3);
  memory.copy(to, from, <usize>width << 3);
}

/**
 * L⁻¹ of every row's normal equations to `factors`. Where the other side has been factored, its answer is taken out:
 * Σ w²(1 − h_ij)z zᵀ + λ, h_ij = w²z_iᵀG_i⁻¹z_i the leverage of the entry, is the diagonal block of the Gauss–Newton matrix
 * of the problem reduced to this side.
 */
export function factorRows(job: RowJob, tangent: Tangent, first: i32, last: i32): void {
  for (let row = first; row < last; row++) factorRow(job, tangent.factors, tangent.width, tangent.otherFactors, tangent.otherWidth, row);
}

/** out = G⁻¹·own of every row; the sum of own·out goes to the job's loss. */
export function preconditionRows(job: RowJob, tangent: Tangent, first: i32, last: i32): void {
  const width = tangent.width;
  const bytes = <usize>job.stride << 3;
  const y = job.scratch, x = y + bytes;
  for (let row = first; row < last; row++) {
    const from = job.own + <usize>row * bytes;
    applyInverse(tangent.factors + <usize>(row * width * width << 3), from, x, y, width);
    for (let c = 0; c < width; c++) job.loss += load<f64>(from + (<usize>c << 3)) * load<f64>(x + (<usize>c << 3));
    finish(job, row, x, width);
  }
}
