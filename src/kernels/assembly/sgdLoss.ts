/** What an epoch of stochastic gradient steps came to. */
import { copy, dots, lanesOf, lanesWith, listed } from "./entryLanes";
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { penaltyOfRow, widen } from "./residual";

/**
 * Loss and penalty at `own`, predictions in the precision of storage and their squares summed in float64: what an epoch came to,
 * at a third of the cost of predictions in float64.
 */
export function sgdLossRows<T>(job: RowJob, first: i32, last: i32): void {
  const bytes = <usize>job.stride * sizeof<T>(), lanes: usize = 16 / sizeof<T>();
  const u = job.scratch, bias = u + bytes, wide = (bias + 64) & ~63, slot = u + <usize>job.rank * sizeof<T>();
  for (let row = first; row < last; row++) {
    const own = job.own + <usize>row * bytes;
    copy(u, own, bytes);
    store<T>(bias, job.hasBias ? load<T>(slot) : <T>0);
    if (job.hasBias) store<T>(slot, 0);
    let t = <usize>load<u32>(job.pointers + (<usize>row << 2));
    const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
    let loss: f64 = 0;
    for (; t + lanes <= end; t += lanes) loss += lossOf<T>(16 / sizeof<T>(), job, u, t);
    for (; t < end; t++) loss += lossOf<T>(1, job, u, t);
    job.loss += loss;
    job.penalty += penaltyOfRow(job, wide, widen<T>(job, own, wide), row);
  }
}

// @ts-ignore: decorator
@inline
function lossOf<T>(count: i32, job: RowJob, u: usize, t: usize): f64 {
  const size = sizeof<T>(), bytes = <usize>job.stride * sizeof<T>();
  const index = job.indices + (t << 2), value = job.values + t * size, weight = job.weights + t * size;
  const v0 = job.other + <usize>load<u32>(index) * bytes;
  const v1 = count > 1 ? job.other + <usize>load<u32>(index, 4) * bytes : v0;
  const v2 = count > 2 ? job.other + <usize>load<u32>(index, 8) * bytes : v0;
  const v3 = count > 3 ? job.other + <usize>load<u32>(index, 12) * bytes : v0;
  let r = v128.sub<T>(listed<T>(count, value), dots<T>(count, u, v0, v1, v2, v3, bytes));
  r = v128.sub<T>(r, lanesWith<T>(count, <T>job.mean + load<T>(u + bytes)));
  if (job.hasBias) {
    const slot = <usize>job.rank * size;
    r = v128.sub<T>(r, lanesOf<T>(count, v0 + slot, v1 + slot, v2 + slot, v3 + slot));
  }
  if (job.weights) r = v128.mul<T>(r, listed<T>(count, weight));
  if (sizeof<T>() == 8) return sumLanes<f64>(f64x2.mul(r, r));
  const low = f64x2.promote_low_f32x4(r), high = f64x2.promote_low_f32x4(v128.shuffle<i64>(r, r, 1, 1));
  return sumLanes<f64>(f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
}
