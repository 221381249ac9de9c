/** Half the gradient of a row's smooth part from its entries one by one: no matrix is made up. */
import { ComposedSpace, penaltyFactor } from "./composedSpace";
import { addScaled } from "./gradientRows";
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { curvature, halfSlope, Loss } from "./losses";
import { dotWide } from "./residual";
import { ownBias, widen } from "./rowValue";
import { offsetOf } from "./tangent";
import { Terms } from "./terms";

/** At x of the space: Gx − b of the tangent quadratic to `d`, and b. */
export function slope<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const x = work.space.x;
  const bytes = <usize>job.stride * sizeof<S>();
  const rank = <usize>job.rank;
  const hasBackground = terms.gram != 0 && !terms.isFull;
  const r: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  const wide = widen(job, work, x);
  const bias = ownBias(job, x);
  const loss = terms.loss, parameter = terms.lossParameter;
  memory.fill(work.d, 0, work.size << 3);
  memory.fill(work.b, 0, work.size << 3);
  // In the bias's place comes along the other side's, where a 1 belongs.
  let slopes: f64 = 0, rights: f64 = 0;
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t++) {
    const j = <usize>load<u32>(job.indices + (t << 2));
    const v = job.other + j * bytes;
    const a = <f64>load<S>(job.values + t * sizeof<S>());
    const w: f64 = job.weights ? <f64>load<S>(job.weights + t * sizeof<S>()) : 1;
    const offset = offsetOf<S>(job, v);
    let s: f64, right: f64;
    if (terms.isFull) {
      right = w * w * (a - offset);
      s = -right;
    } else {
      const p = dotWide<S>(wide, v, job.stride) + bias + job.mean;
      s = halfSlope(loss, w, a, p, parameter);
      right = curvature(loss, w, a, p, parameter) * (p - offset) - s;
      if (hasBackground) {
        const rc = r * load<f64>(terms.otherWeights + (j << 3));
        s -= loss == Loss.Poisson ? 0.5 * rc : rc * (p - terms.value);
        right -= loss == Loss.Poisson ? -0.5 * rc : rc * (terms.value - offset);
      }
    }
    addScaled<S>(work.d, v, s, job.stride);
    addScaled<S>(work.b, v, right, job.stride);
    slopes += s;
    rights += right;
  }
  if (job.hasBias) {
    store<f64>(work.d + (rank << 3), slopes);
    store<f64>(work.b + (rank << 3), rights);
  }
  for (let c: usize = 0; c < work.n; c++) {
    const o = c << 3;
    let s = load<f64>(work.d + o) + penaltyFactor(job, terms, row, c) * load<f64>(x + o);
    if (terms.gram) {
      s += r * productOfRow(terms.gram + c * (work.size << 3), x, work.size);
      if (hasBackground) {
        const sum = r * load<f64>(terms.gramSum + o);
        s -= sum;
        store<f64>(work.b + o, load<f64>(work.b + o) + sum);
      }
    }
    store<f64>(work.d + o, s);
  }
}

/** A row of a background's matrix, which has both halves, times x. */
export function productOfRow(row: usize, x: usize, size: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let o: usize = 0; o < size << 3; o += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(row + o), v128.load(x + o)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(row + o, 16), v128.load(x + o, 16)));
  }
  return sumLanes<f64>(f64x2.add(s0, s1));
}
