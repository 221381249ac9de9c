/**
 * The reduced problem of variable projection. With x_i eliminated, the half-Hessian of f over the rows θ_j of the other
 * factor is the Schur complement (Golub & Pereyra 1973; Okatani, Yoshida & Deguchi 2011)
 *
 *     H_jj′ = δ_jj′ (Σ_i w_ij² h_i h_iᵀ + λ_j) − Σ_i C_ij G_i⁻¹ C_ij′ᵀ,   C_ij = w_ij² h_i d_jᵀ + c_ij J,   c_ij = w_ij² e_ij
 *
 * d_j = [v_j, 1] is what x_i = [u_i, b_i] meets, h_i = [u_i, 1] what θ_j = [v_j, b_j] meets, G_i = Σ_j w_ij² d_j d_jᵀ + λ_i,
 * e_ij the residual (prediction − a_ij), J the identity of the latent part. Without c it is the Gauss–Newton matrix (Ruhe &
 * Wedin's second algorithm), with it the exact one.
 */
import { RowJob } from "./job";
import { dotWide, weightOf, widen } from "./residual";

/** Field order is the contract with reduced.ts of the host. Strides are in doubles and even. */
@unmanaged
export class Reduced {
  /** z_ij = w L_i⁻¹(w d), y_ij = w G_i⁻¹(w d) (latent part) and c_ij of every entry of the eliminated side, in its order. */
  z: usize;
  y: usize;
  c: usize;
  /** G_i⁻¹ of every eliminated row, latent part. */
  inverses: usize;
  /** Upper half of H, row-major, `order` doubles a row. */
  hessian: usize;
  order: i32;
  /** Rows that stay. */
  count: i32;
  /** Unknowns of an eliminated row, of a row that stays. */
  eliminated: i32;
  staying: i32;
  /** Entries of the eliminated side: the job's own are those of the side that stays. */
  pointers: usize;
  indices: usize;
  isExact: i32;
}

// @ts-ignore: decorator
@inline
export function even(n: i32): usize {
  return (<usize>n + 1) & ~1;
}

/** Fills z, and for the exact matrix y, c and inverses, for eliminated rows first … last−1 at `own`, solved for `other`. */
export function projectRows(job: RowJob, reduced: Reduced, first: i32, last: i32): void {
  const rank = job.rank, stride = job.stride, width = reduced.eliminated;
  const zBytes = even(width) << 3;
  const wide = job.scratch;
  const d = wide + (<usize>stride << 3);
  const G = d + (even(width) << 3);
  const L = G + (<usize>(width * width) << 3);
  memory.fill(d, 0, even(width) << 3);
  for (let row = first; row < last; row++) {
    const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    memory.fill(G, 0, <usize>(width * width) << 3);
    for (let t = start; t < end; t++) {
      const w = weightOf<f64>(job, t);
      design(job, t, w, d, width);
      for (let a = 0; a < width; a++) {
        const da = load<f64>(d + (<usize>a << 3));
        const to = G + (<usize>(a * width) << 3);
        for (let b = 0; b <= a; b++) {
          const o = <usize>b << 3;
          store<f64>(to + o, load<f64>(to + o) + da * load<f64>(d + o));
        }
      }
    }
    for (let a = 0; a < width; a++) {
      const penalties = a < rank ? job.penalties : job.biasPenalties;
      const at = G + (<usize>(a * width + a) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(penalties + (<usize>row << 3)));
    }
    invertFactor(G, L, width);
    // Rows are padded to whole vectors.
    memory.fill(reduced.z + start * zBytes, 0, (end - start) * zBytes);
    for (let t = start; t < end; t++) {
      const w = weightOf<f64>(job, t);
      design(job, t, w, d, width);
      const z = reduced.z + t * zBytes;
      for (let a = 0; a < width; a++) {
        let sum: f64 = 0;
        for (let b = 0; b <= a; b++) sum += load<f64>(L + (<usize>(a * width + b) << 3)) * load<f64>(d + (<usize>b << 3));
        store<f64>(z + (<usize>a << 3), w * sum);
      }
    }
    if (reduced.isExact) addResiduals(job, reduced, row, L, wide);
  }
}

/** y, c and the inverse of a row, which the exact matrix takes beside z. */
function addResiduals(job: RowJob, reduced: Reduced, row: i32, L: usize, wide: usize): void {
  const rank = job.rank, stride = job.stride, width = reduced.eliminated;
  const zBytes = even(width) << 3, yBytes = even(rank) << 3, rowBytes = <usize>stride << 3;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  memory.fill(reduced.y + start * yBytes, 0, (end - start) * yBytes);
  // G⁻¹ = L⁻ᵀL⁻¹
  const inverse = reduced.inverses + <usize>row * <usize>rank * yBytes;
  memory.fill(inverse, 0, <usize>rank * yBytes);
  for (let a = 0; a < rank; a++)
    for (let b = 0; b < rank; b++) {
      let sum: f64 = 0;
      for (let s = max(a, b); s < width; s++)
        sum += load<f64>(L + (<usize>(s * width + a) << 3)) * load<f64>(L + (<usize>(s * width + b) << 3));
      store<f64>(inverse + <usize>a * yBytes + (<usize>b << 3), sum);
    }
  const bias = widen<f64>(job, job.own + <usize>row * rowBytes, wide);
  for (let t = start; t < end; t++) {
    const w = weightOf<f64>(job, t);
    const z = reduced.z + t * zBytes, y = reduced.y + t * yBytes;
    for (let a = 0; a < rank; a++) {
      let sum: f64 = 0;
      for (let s = a; s < width; s++) sum += load<f64>(L + (<usize>(s * width + a) << 3)) * load<f64>(z + (<usize>s << 3));
      store<f64>(y + (<usize>a << 3), sum);
    }
    const v = job.other + <usize>load<u32>(job.indices + (t << 2)) * rowBytes;
    const e = job.mean + bias + dotWide<f64>(wide, v, stride) - load<f64>(job.values + (t << 3));
    store<f64>(reduced.c + (t << 3), w * w * e);
  }
}

/** w·[v_j, 1] of entry t. */
// @ts-ignore: decorator
@inline
function design(job: RowJob, t: usize, w: f64, d: usize, width: i32): void {
  const rank = job.rank;
  const v = job.other + ((<usize>load<u32>(job.indices + (t << 2)) * <usize>job.stride) << 3);
  for (let a = 0; a < rank; a++) store<f64>(d + (<usize>a << 3), w * load<f64>(v + (<usize>a << 3)));
  if (width > rank) store<f64>(d + (<usize>rank << 3), w);
}

/**
 * L⁻¹ of G = LLᵀ, both lower. A column that depends on those before it, to rounding, is left out: its row of L⁻¹ is 0, and
 * L⁻ᵀL⁻¹ an inverse on the span of the others.
 */
export function invertFactor(G: usize, inverse: usize, width: i32): void {
  let largest: f64 = 0;
  for (let a = 0; a < width; a++) largest = max(largest, load<f64>(G + (<usize>(a * width + a) << 3)));
  const smallestPivot = largest * <f64>width * f64.EPSILON;
  memory.fill(inverse, 0, <usize>(width * width) << 3);
  for (let a = 0; a < width; a++) {
    const row = G + (<usize>(a * width) << 3);
    for (let b = 0; b <= a; b++) {
      const above = G + (<usize>(b * width) << 3);
      let sum = load<f64>(row + (<usize>b << 3));
      for (let s = 0; s < b; s++) sum -= load<f64>(row + (<usize>s << 3)) * load<f64>(above + (<usize>s << 3));
      if (b < a) {
        const pivot = load<f64>(above + (<usize>b << 3));
        store<f64>(row + (<usize>b << 3), pivot > 0 ? sum / pivot : 0);
      } else store<f64>(row + (<usize>a << 3), sum > smallestPivot ? sqrt<f64>(sum) : 0);
    }
    const pivot = load<f64>(row + (<usize>a << 3));
    if (!(pivot > 0)) continue;
    const to = inverse + (<usize>(a * width) << 3);
    for (let b = 0; b <= a; b++) {
      let sum: f64 = a == b ? 1 : 0;
      for (let s = b; s < a; s++) sum -= load<f64>(row + (<usize>s << 3)) * load<f64>(inverse + (<usize>(s * width + b) << 3));
      store<f64>(to + (<usize>b << 3), sum / pivot);
    }
  }
}
