/** A vector with an entry of a row in each lane: four of f32, two of f64; `count` of them, a constant where these are inlined. */
import { madd } from "./lanes";

/** u·v of each entry, in its lane. */
// @ts-ignore: decorator
@inline
export function dots<T>(count: i32, u: usize, v0: usize, v1: usize, v2: usize, v3: usize, bytes: usize): v128 {
  let s0 = v128.splat<T>(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  let o: usize = 0;
  if (bytes & 16) {
    const x = v128.load(u);
    s0 = v128.mul<T>(x, v128.load(v0));
    if (count > 1) s1 = v128.mul<T>(x, v128.load(v1));
    if (count > 2) s2 = v128.mul<T>(x, v128.load(v2));
    if (count > 3) s3 = v128.mul<T>(x, v128.load(v3));
    o = 16;
  }
  for (; o < bytes; o += 32) {
    const x = v128.load(u + o), y = v128.load(u + o, 16);
    s0 = madd<T>(x, v128.load(v0 + o), s0);
    t0 = madd<T>(y, v128.load(v0 + o, 16), t0);
    if (count > 1) {
      s1 = madd<T>(x, v128.load(v1 + o), s1);
      t1 = madd<T>(y, v128.load(v1 + o, 16), t1);
    }
    if (count > 2) {
      s2 = madd<T>(x, v128.load(v2 + o), s2);
      t2 = madd<T>(y, v128.load(v2 + o, 16), t2);
    }
    if (count > 3) {
      s3 = madd<T>(x, v128.load(v3 + o), s3);
      t3 = madd<T>(y, v128.load(v3 + o, 16), t3);
    }
  }
  s0 = v128.add<T>(s0, t0);
  s1 = v128.add<T>(s1, t1);
  if (sizeof<T>() == 8) return v128.add<T>(v128.shuffle<f64>(s0, s1, 0, 2), v128.shuffle<f64>(s0, s1, 1, 3));
  s2 = v128.add<T>(s2, t2);
  s3 = v128.add<T>(s3, t3);
  const low = v128.add<T>(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7));
  const high = v128.add<T>(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
  return v128.add<T>(v128.shuffle<f32>(low, high, 0, 1, 4, 5), v128.shuffle<f32>(low, high, 2, 3, 6, 7));
}

/** x in the first `count` lanes, 0 behind. */
// @ts-ignore: decorator
@inline
export function lanesWith<T>(count: i32, x: T): v128 {
  if (<usize>count * sizeof<T>() == 16) return v128.splat<T>(x);
  let lanes = v128.replace_lane<T>(v128.splat<T>(0), 0, x);
  if (sizeof<T>() == 4) {
    if (count > 1) lanes = v128.replace_lane<T>(lanes, 1, x);
    if (count > 2) lanes = v128.replace_lane<T>(lanes, 2, x);
  }
  return lanes;
}

/** What stands at the first `count` addresses, 0 behind. */
// @ts-ignore: decorator
@inline
export function lanesOf<T>(count: i32, a: usize, b: usize, c: usize, d: usize): v128 {
  let lanes = sizeof<T>() == 4 ? v128.load32_zero(a) : v128.load64_zero(a);
  if (count > 1) lanes = v128.load_lane<T>(b, lanes, 1);
  if (sizeof<T>() == 4) {
    if (count > 2) lanes = v128.load_lane<T>(c, lanes, 2);
    if (count > 3) lanes = v128.load_lane<T>(d, lanes, 3);
  }
  return lanes;
}

/** The first `count` of a list, 0 behind. */
// @ts-ignore: decorator
@inline
export function listed<T>(count: i32, list: usize): v128 {
  const size = sizeof<T>();
  if (<usize>count * size == 16) return v128.load(list);
  return lanesOf<T>(count, list, list + size, list + 2 * size, list + 3 * size);
}

// @ts-ignore: decorator
@inline
export function splatLane<T>(x: v128, lane: i32): v128 {
  if (sizeof<T>() == 8) return lane == 0 ? v128.shuffle<f64>(x, x, 0, 0) : v128.shuffle<f64>(x, x, 1, 1);
  if (lane == 0) return v128.shuffle<f32>(x, x, 0, 0, 0, 0);
  if (lane == 1) return v128.shuffle<f32>(x, x, 1, 1, 1, 1);
  if (lane == 2) return v128.shuffle<f32>(x, x, 2, 2, 2, 2);
  return v128.shuffle<f32>(x, x, 3, 3, 3, 3);
}

/** A few vectors: memory.copy calls out of WebAssembly for them. */
// @ts-ignore: decorator
@inline
export function copy(to: usize, from: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, v128.load(from + o));
}

// @ts-ignore: decorator
@inline
export function clear(to: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, i32x4.splat(0));
}
