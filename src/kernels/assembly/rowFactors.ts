/** The normal equations G = Σ w²z zᵀ + λ of a row by the inverse of their Cholesky factor, for products with G⁻¹. */
import { RowJob } from "./job";
import { madd } from "./lanes";
import { invertFactor } from "./reduced";
import { weightOf } from "./residual";

/** Of an entry that the other side alone explains so much is kept, so that the block stays positive definite. */
const leastShare: f64 = 1e-3;

/** L⁻¹ of row `row`, to its place in `factors`; less what the other side answers where that has factors. */
export function factorRow(job: RowJob, factors: usize, width: i32, otherFactors: usize, otherWidth: i32, row: i32): void {
  const rank = job.rank;
  const rowBytes = <usize>job.stride << 3;
  const even = ((<usize>width + 1) & ~1) << 3;
  // One double more than the row, since vectors hold two.
  const z = job.scratch;
  const d = z + rowBytes + 16, y = d + rowBytes + 16;
  const G = y + rowBytes + 16, packed = G + <usize>width * even;
  memory.fill(z, 0, rowBytes + 16);
  memory.fill(G, 0, <usize>width * even);
  const own = job.own + <usize>row * rowBytes;
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t++) {
    const other = load<u32>(job.indices + (t << 2));
    const w = weightOf<f64>(job, t);
    memory.copy(z, job.other + <usize>other * rowBytes, <usize>rank << 3);
    if (width > rank) store<f64>(z + (<usize>rank << 3), 1);
    let squared = w * w;
    if (otherFactors) {
      memory.copy(d, own, <usize>rank << 3);
      if (otherWidth > rank) store<f64>(d + (<usize>rank << 3), 1);
      const L = otherFactors + <usize>(<i32>other * otherWidth * otherWidth << 3);
      squared *= max(leastShare, 1 - squared * squaredNorm(L, d, otherWidth));
    }
    for (let a = 0; a < width; a++) {
      const s = f64x2.splat(squared * load<f64>(z + (<usize>a << 3)));
      const to = G + <usize>a * even;
      for (let o: usize = 0; o <= <usize>a << 3; o += 16) v128.store(to + o, madd<f64>(s, v128.load(z + o), v128.load(to + o)));
    }
  }
  for (let a = 0; a < width; a++) {
    memory.copy(packed + (<usize>(a * width) << 3), G + <usize>a * even, <usize>width << 3);
    const at = packed + (<usize>(a * width + a) << 3);
    store<f64>(at, load<f64>(at) + load<f64>((a < rank ? job.penalties : job.biasPenalties) + (<usize>row << 3)));
  }
  invertFactor(packed, factors + <usize>(row * width * width << 3), width);
}

/** ‖L⁻¹x‖² */
function squaredNorm(L: usize, x: usize, width: i32): f64 {
  let sum: f64 = 0;
  for (let a = 0; a < width; a++) {
    const y = rowProduct(L, x, a, width);
    sum += y * y;
  }
  return sum;
}

/** Row a of L⁻¹ times x: L⁻¹ is lower triangular. */
// @ts-ignore: decorator
@inline
function rowProduct(L: usize, x: usize, a: i32, width: i32): f64 {
  const row = L + (<usize>(a * width) << 3);
  let s0: f64 = 0, s1: f64 = 0;
  let b = 0;
  for (; b < a; b += 2) {
    s0 += load<f64>(row + (<usize>b << 3)) * load<f64>(x + (<usize>b << 3));
    s1 += load<f64>(row + (<usize>b << 3), 8) * load<f64>(x + (<usize>b << 3), 8);
  }
  if (b == a) s0 += load<f64>(row + (<usize>a << 3)) * load<f64>(x + (<usize>a << 3));
  return s0 + s1;
}

/** out = L⁻ᵀL⁻¹x; y is room for L⁻¹x. */
export function applyInverse(L: usize, x: usize, out: usize, y: usize, width: i32): void {
  for (let a = 0; a < width; a++) store<f64>(y + (<usize>a << 3), rowProduct(L, x, a, width));
  memory.fill(out, 0, <usize>width << 3);
  for (let a = 0; a < width; a++) {
    const s = load<f64>(y + (<usize>a << 3));
    const row = L + (<usize>(a * width) << 3);
    for (let b = 0; b <= a; b++) {
      const o = <usize>b << 3;
      store<f64>(out + o, load<f64>(out + o) + s * load<f64>(row + o));
    }
  }
}
