/**
 * Rows of a full matrix without biases, whose entries stand in the order of the other side's rows: sums over them in float64
 * without a look at an index, four rows at a time. Each sum takes its terms in the order of locate and collect: the same bits.
 */
import { ComposedSpace } from "./composedSpace";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";
import { dotWide, dotVector } from "./residual";

/** Rows whose sums are made at a time. */
export const fullRows: i32 = 4;
/** Observations of each that are listed at a time. */
const listed: usize = 64;
const listBytes: usize = listed << 3;

/** Σ W²a·v_j of row first + i to the i-th vector of the panel; behind these, W²a of `listed` entries of each row. */
export function rightSides<S>(job: RowJob, work: ComposedSpace, first: i32, count: i32): void {
  const stride = work.size, sums = work.space.P, vector = stride << 3;
  const lists = sums + <usize>fullRows * vector;
  const bytes = stride * sizeof<S>();
  const columns = <usize>(load<u32>(job.pointers + (<usize>first << 2), 4) - load<u32>(job.pointers + (<usize>first << 2)));
  memory.fill(sums, 0, <usize>fullRows * vector);
  for (let t: usize = 0; t < columns; t += listed) {
    const length = min(listed, columns - t);
    for (let i = 0; i < fullRows; i++) {
      // Rows that are left over are the last once more.
      const row = first + min(i, count - 1);
      list<S>(job, <usize>load<u32>(job.pointers + (<usize>row << 2)) + t, length, lists + <usize>i * listBytes);
    }
    for (let c: usize = 0; c < <usize>job.rank; c += 4) {
      const v = job.other + t * bytes + c * sizeof<S>();
      // What is behind the rank is padding.
      if (<usize>job.rank - c > 2) fourColumns<S>(v, bytes, length, lists, sums + (c << 3), vector);
      else twoColumns<S>(v, bytes, length, lists, sums + (c << 3), vector);
    }
  }
}

function list<S>(job: RowJob, start: usize, length: usize, to: usize): void {
  const end = to + (length << 3);
  let value = job.values + start * sizeof<S>();
  if (!job.weights) {
    for (; to != end; to += 8, value += sizeof<S>()) store<f64>(to, <f64>load<S>(value));
    return;
  }
  const toWeight = job.weights - job.values;
  for (; to != end; to += 8, value += sizeof<S>()) {
    const w = <f64>load<S>(value + toWeight);
    store<f64>(to, w * (w * <f64>load<S>(value)));
  }
}

/** Four columns of the factor, at `v` and every `bytes` on, times the lists, added to four rows' sums. */
function fourColumns<S>(v: usize, bytes: usize, length: usize, lists: usize, sums: usize, vector: usize): void {
  let a0 = v128.load(sums), a1 = v128.load(sums, 16);
  let b0 = v128.load(sums + vector), b1 = v128.load(sums + vector, 16);
  let c0 = v128.load(sums + 2 * vector), c1 = v128.load(sums + 2 * vector, 16);
  let d0 = v128.load(sums + 3 * vector), d1 = v128.load(sums + 3 * vector, 16);
  for (const end = lists + (length << 3); lists != end; lists += 8, v += bytes) {
    const z0 = sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(v)) : v128.load(v);
    const z1 = sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(v, 8)) : v128.load(v, 16);
    let r = v128.load64_splat(lists);
    a0 = madd<f64>(r, z0, a0); a1 = madd<f64>(r, z1, a1);
    r = v128.load64_splat(lists, listBytes);
    b0 = madd<f64>(r, z0, b0); b1 = madd<f64>(r, z1, b1);
    r = v128.load64_splat(lists, 2 * listBytes);
    c0 = madd<f64>(r, z0, c0); c1 = madd<f64>(r, z1, c1);
    r = v128.load64_splat(lists, 3 * listBytes);
    d0 = madd<f64>(r, z0, d0); d1 = madd<f64>(r, z1, d1);
  }
  v128.store(sums, a0); v128.store(sums, a1, 16);
  v128.store(sums + vector, b0); v128.store(sums + vector, b1, 16);
  v128.store(sums + 2 * vector, c0); v128.store(sums + 2 * vector, c1, 16);
  v128.store(sums + 3 * vector, d0); v128.store(sums + 3 * vector, d1, 16);
}

/** The same of two. */
function twoColumns<S>(v: usize, bytes: usize, length: usize, lists: usize, sums: usize, vector: usize): void {
  let a = v128.load(sums), b = v128.load(sums + vector), c = v128.load(sums + 2 * vector), d = v128.load(sums + 3 * vector);
  for (const end = lists + (length << 3); lists != end; lists += 8, v += bytes) {
    const z = sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(v)) : v128.load(v);
    a = madd<f64>(v128.load64_splat(lists), z, a);
    b = madd<f64>(v128.load64_splat(lists, listBytes), z, b);
    c = madd<f64>(v128.load64_splat(lists, 2 * listBytes), z, c);
    d = madd<f64>(v128.load64_splat(lists, 3 * listBytes), z, d);
  }
  v128.store(sums, a);
  v128.store(sums + vector, b);
  v128.store(sums + 2 * vector, c);
  v128.store(sums + 3 * vector, d);
}

/** Σ W²(x·v_j − a)² of a row widened to `wide`. */
export function fullLoss<S>(job: RowJob, wide: usize, row: i32): f64 {
  const stride = job.stride, weights = job.weights;
  const bytes = <usize>stride * sizeof<S>();
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2)), last = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  let value = job.values + start * sizeof<S>();
  const end = job.values + last * sizeof<S>(), toWeight = weights - job.values;
  let v = job.other;
  let pairs = f64x2.splat(0);
  if (!weights)
    for (; value + 2 * sizeof<S>() <= end; value += 2 * sizeof<S>(), v += 2 * bytes) {
      const s = dotVector<S>(wide, v, stride), t = dotVector<S>(wide, v + bytes, stride);
      const dots = f64x2.add(v128.shuffle<f64>(s, t, 0, 2), v128.shuffle<f64>(s, t, 1, 3));
      const gap = f64x2.sub(dots, sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(value)) : v128.load(value));
      pairs = f64x2.add(pairs, f64x2.mul(gap, gap));
    }
  let loss = sumLanes<f64>(pairs);
  for (; value != end; value += sizeof<S>(), v += bytes) {
    let gap = dotWide<S>(wide, v, stride) - <f64>load<S>(value);
    if (weights) gap *= <f64>load<S>(value + toWeight);
    loss += gap * gap;
  }
  return loss;
}
