/** What an epoch of stochastic gradient steps came to. */
import { copy, dots, lanesOf, lanesWith } from "./entryLanes";
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { penaltyOfRow, widen } from "./residual";

/**
 * Loss and penalty at `own`, predictions in the precision of storage and their squares summed in float64: what an epoch came to,
 * at a third of the cost of predictions in float64.
 */
export function sgdLossRows<T>(job: RowJob, ends: usize, bands: i32, rows: i32, first: i32, last: i32): void {
  const bytes = <usize>job.stride * sizeof<T>();
  let t = <usize>load<u32>(job.pointers + (<usize>first << 2));
  for (let band = 0; band < bands; band++, ends += <usize>rows << 2)
    for (let row = first; row < last; row++) {
      const end = <usize>load<u32>(ends + (<usize>row << 2));
      if (t != end) job.loss += lossOfEntries<T>(job, job.own + <usize>row * bytes, t, end);
      t = end;
    }
  for (let row = first; row < last; row++)
    job.penalty += penaltyOfRow(job, job.scratch, widen<T>(job, job.own + <usize>row * bytes, job.scratch), row);
}

/** Of a row's entries t … end−1. */
function lossOfEntries<T>(job: RowJob, u: usize, t: usize, end: usize): f64 {
  const bytes = <usize>job.stride * sizeof<T>(), lanes: usize = 16 / sizeof<T>();
  let offset = <T>job.mean;
  if (job.hasBias) {
    // With 0 in its slot u does not meet the other side's bias.
    copy(job.scratch, u, bytes);
    u = job.scratch;
    const slot = u + <usize>job.rank * sizeof<T>();
    offset += load<T>(slot);
    store<T>(slot, 0);
  }
  let loss: f64 = 0;
  for (; t + lanes <= end; t += lanes) loss += lossOf<T>(16 / sizeof<T>(), job, u, offset, t);
  if (sizeof<T>() == 4 && t + 2 <= end) {
    loss += lossOf<T>(2, job, u, offset, t);
    t += 2;
  }
  return t < end ? loss + lossOf<T>(1, job, u, offset, t) : loss;
}

// @ts-ignore: decorator
@inline
function lossOf<T>(count: i32, job: RowJob, u: usize, offset: T, t: usize): f64 {
  const size = sizeof<T>(), bytes = <usize>job.stride * sizeof<T>();
  const index = job.indices + (t << 2), value = job.values + t * size, weight = job.weights + t * size;
  const v0 = job.other + <usize>load<u32>(index) * bytes;
  const v1 = count > 1 ? job.other + <usize>load<u32>(index, 4) * bytes : v0;
  const v2 = count > 2 ? job.other + <usize>load<u32>(index, 8) * bytes : v0;
  const v3 = count > 3 ? job.other + <usize>load<u32>(index, 12) * bytes : v0;
  let r = v128.sub<T>(lanesOf<T>(count, value, value + size, value + 2 * size, value + 3 * size), dots<T>(count, u, v0, v1, v2, v3, bytes));
  r = v128.sub<T>(r, lanesWith<T>(count, offset));
  if (job.hasBias) {
    const slot = <usize>job.rank * size;
    r = v128.sub<T>(r, lanesOf<T>(count, v0 + slot, v1 + slot, v2 + slot, v3 + slot));
  }
  if (job.weights) r = v128.mul<T>(r, lanesOf<T>(count, weight, weight + size, weight + 2 * size, weight + 3 * size));
  if (sizeof<T>() == 8) return sumLanes<f64>(f64x2.mul(r, r));
  const low = f64x2.promote_low_f32x4(r), high = f64x2.promote_low_f32x4(v128.shuffle<i64>(r, r, 1, 1));
  return sumLanes<f64>(f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
}
