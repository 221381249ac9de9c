/** The quadratic that is tangent to a row's smooth part at its present value, its background's Gram matrix included. */
import { ComposedSpace, penaltyFactor } from "./composedSpace";
import { downdate, gram } from "./gram";
import { RowJob } from "./job";
import { curvature, halfSlope, Loss } from "./losses";
import { collect } from "./panel";
import { dotWide } from "./residual";
import { ownBias, widen } from "./rowValue";
import { Terms } from "./terms";

/** Observations of a panel. */
export const panelRows: usize = 64;

/** G (upper half) and b of the quadratic xᵀGx − 2bᵀx tangent to the row's smooth part at x of the space. */
export function tangent<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const space = work.space;
  const stride = work.size;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  if (terms.gram) {
    const weight = load<f64>(terms.ownWeights + (<usize>row << 3));
    scaleTo(work.G, terms.gram, weight, stride * stride);
    if (terms.isFull) memory.fill(work.b, 0, stride << 3);
    else scaleTo(work.b, terms.gramSum, weight, stride);
  } else {
    memory.fill(work.G, 0, stride * (stride << 3));
    memory.fill(work.b, 0, stride << 3);
  }
  const wide = widen(job, work, space.x);
  for (let t = start; t < end; t += panelRows) {
    const count = min(panelRows, end - t);
    const added = locate<S>(job, terms, work, row, wide, t, count);
    collect<S, f64>(job, space, count, space.P, true);
    if (terms.isFull) continue;
    if (added > 0) gram<f64>(work.G, space.P, <i32>added, stride);
    if (added < count) downdate<f64>(work.G, space.P + added * (stride << 3), <i32>(count - added), stride);
  }
  for (let c: usize = 0; c < stride; c++) {
    const diagonal = work.G + c * (stride << 3) + (c << 3);
    store<f64>(diagonal, c < work.n ? load<f64>(diagonal) + penaltyFactor(job, terms, row, c) : 1);
    if (c >= work.n) store<f64>(work.b + (c << 3), 0);
  }
}

function scaleTo(to: usize, from: usize, factor: f64, count: usize): void {
  const s = f64x2.splat(factor);
  for (let o: usize = 0; o < count << 3; o += 16) v128.store(to + o, f64x2.mul(s, v128.load(from + o)));
}

/** Fills the panel's lists, observations that add to G from the front, those that take from it from the back. @returns how many add. */
function locate<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, wide: usize, start: usize, count: usize): usize {
  const space = work.space;
  const bytes = <usize>job.stride * sizeof<S>();
  const bias = ownBias(job, space.x);
  const loss = terms.loss, d = terms.lossParameter;
  const r: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  let front: usize = 0, back = count;
  for (let t = start; t < start + count; t++) {
    const j = <usize>load<u32>(job.indices + (t << 2));
    const v = job.other + j * bytes;
    const a = <f64>load<S>(job.values + t * sizeof<S>());
    const w: f64 = job.weights ? <f64>load<S>(job.weights + t * sizeof<S>()) : 1;
    const offset = offsetOf<S>(job, v);
    let omega: f64, right: f64;
    if (loss == Loss.Quadratic) {
      omega = w * w;
      right = omega * (a - offset);
    } else {
      const p = dotWide<S>(wide, v, job.stride) + bias + job.mean;
      omega = curvature(loss, w, a, p, d);
      right = omega * (p - offset) - halfSlope(loss, w, a, p, d);
    }
    if (terms.gram && !terms.isFull) {
      const rc = r * load<f64>(terms.otherWeights + (j << 3));
      if (loss == Loss.Poisson) right += 0.5 * rc;
      else {
        omega -= rc;
        right -= rc * (terms.value - offset);
      }
    }
    const slot = omega >= 0 ? front++ : --back;
    store<u32>(space.addresses + (slot << 2), <u32>v);
    store<f64>(space.scales + (slot << 3), sqrt(abs(omega)));
    store<f64>(space.rights + (slot << 3), right);
  }
  return front;
}

/** mean + the other side's bias at `v`. */
// @ts-ignore: decorator
@inline
export function offsetOf<S>(job: RowJob, v: usize): f64 {
  return job.hasBias ? job.mean + <f64>load<S>(v + <usize>job.rank * sizeof<S>()) : job.mean;
}
