/** Moves of one row and of those that a batch of its entries names, all that a stochastic step does to the rows themselves. */
import { Descent } from "./descent";
import { splatLane } from "./entryLanes";
import { madd, sumLanes } from "./lanes";

/**
 * u ← u + Σ b_t v_t and v_t ← v_t + d_t u, their first columns x and y_t, each within its bounds when it is multiplied by its scale.
 *
 * @returns ‖u‖² behind the first column, before that.
 */
// @ts-ignore: decorator
@inline
export function move<T>(
  count: i32, isBounded: bool, descent: Descent,
  u: usize, v0: usize, v1: usize, v2: usize, v3: usize, bytes: usize,
  b: v128, d: v128, x: T, y: v128, scale: T, scales: v128,
): T {
  const b0 = splatLane<T>(b, 0), d0 = splatLane<T>(d, 0), b1 = splatLane<T>(b, 1), d1 = splatLane<T>(d, 1);
  const b2 = splatLane<T>(b, 2), d2 = splatLane<T>(d, 2), b3 = splatLane<T>(b, 3), d3 = splatLane<T>(d, 3);
  const end = u + bytes;
  let sum = moveFirst<T>(count, u, v0, v1, v2, v3, b0, b1, b2, b3, d0, d1, d2, d3, x, y);
  u += 16; v0 += 16; v1 += 16; v2 += 16; v3 += 16;
  if (!(bytes & 16)) {
    sum = moveAt<T>(0, count, u, v0, v1, v2, v3, b0, b1, b2, b3, d0, d1, d2, d3, sum);
    u += 16; v0 += 16; v1 += 16; v2 += 16; v3 += 16;
  }
  for (; u != end; u += 32, v0 += 32, v1 += 32, v2 += 32, v3 += 32) {
    sum = moveAt<T>(0, count, u, v0, v1, v2, v3, b0, b1, b2, b3, d0, d1, d2, d3, sum);
    sum = moveAt<T>(16, count, u, v0, v1, v2, v3, b0, b1, b2, b3, d0, d1, d2, d3, sum);
  }
  if (!isBounded) return sumLanes<T>(sum);
  u -= bytes;
  bringBack<T>(u, bytes, <T>descent.ownLower / scale, <T>descent.ownUpper / scale);
  const lower = v128.div<T>(v128.splat<T>(<T>descent.otherLower), scales);
  const upper = v128.div<T>(v128.splat<T>(<T>descent.otherUpper), scales);
  bringBack<T>(v0 - bytes, bytes, v128.extract_lane<T>(lower, 0), v128.extract_lane<T>(upper, 0));
  if (count > 1) bringBack<T>(v1 - bytes, bytes, v128.extract_lane<T>(lower, 1), v128.extract_lane<T>(upper, 1));
  if (sizeof<T>() == 4) {
    if (count > 2) bringBack<T>(v2 - bytes, bytes, v128.extract_lane<T>(lower, 2), v128.extract_lane<T>(upper, 2));
    if (count > 3) bringBack<T>(v3 - bytes, bytes, v128.extract_lane<T>(lower, 3), v128.extract_lane<T>(upper, 3));
  }
  return normOfRest<T>(u, bytes);
}

// @ts-ignore: decorator
@inline
function moveAt<T>(
  o: i32, count: i32, u: usize, v0: usize, v1: usize, v2: usize, v3: usize,
  b0: v128, b1: v128, b2: v128, b3: v128, d0: v128, d1: v128, d2: v128, d3: v128, squares: v128,
): v128 {
  const x = at(o, u);
  let y = at(o, v0);
  let sum = madd<T>(b0, y, x);
  put(o, v0, madd<T>(d0, x, y));
  if (count > 1) {
    y = at(o, v1);
    sum = madd<T>(b1, y, sum);
    put(o, v1, madd<T>(d1, x, y));
  }
  if (count > 2) {
    y = at(o, v2);
    sum = madd<T>(b2, y, sum);
    put(o, v2, madd<T>(d2, x, y));
  }
  if (count > 3) {
    y = at(o, v3);
    sum = madd<T>(b3, y, sum);
    put(o, v3, madd<T>(d3, x, y));
  }
  put(o, u, sum);
  return madd<T>(sum, sum, squares);
}

// @ts-ignore: decorator
@inline
function moveFirst<T>(
  count: i32, u: usize, v0: usize, v1: usize, v2: usize, v3: usize,
  b0: v128, b1: v128, b2: v128, b3: v128, d0: v128, d1: v128, d2: v128, d3: v128, x: T, y: v128,
): v128 {
  const from = v128.load(u);
  let y0 = v128.load(v0);
  let sum = madd<T>(b0, y0, from);
  v128.store(v0, withFirst<T>(madd<T>(d0, from, y0), y, 0));
  if (count > 1) {
    y0 = v128.load(v1);
    sum = madd<T>(b1, y0, sum);
    v128.store(v1, withFirst<T>(madd<T>(d1, from, y0), y, 1));
  }
  if (count > 2) {
    y0 = v128.load(v2);
    sum = madd<T>(b2, y0, sum);
    v128.store(v2, withFirst<T>(madd<T>(d2, from, y0), y, 2));
  }
  if (count > 3) {
    y0 = v128.load(v3);
    sum = madd<T>(b3, y0, sum);
    v128.store(v3, withFirst<T>(madd<T>(d3, from, y0), y, 3));
  }
  v128.store(u, v128.replace_lane<T>(sum, 0, x));
  sum = v128.replace_lane<T>(sum, 0, 0);
  return v128.mul<T>(sum, sum);
}

/** A vector with a lane of `lanes` as its first. */
// @ts-ignore: decorator
@inline
function withFirst<T>(x: v128, lanes: v128, lane: i32): v128 {
  if (sizeof<T>() == 8) return lane == 0 ? v128.shuffle<f64>(lanes, x, 0, 3) : v128.shuffle<f64>(lanes, x, 1, 3);
  if (lane == 0) return v128.shuffle<f32>(lanes, x, 0, 5, 6, 7);
  if (lane == 1) return v128.shuffle<f32>(lanes, x, 1, 5, 6, 7);
  if (lane == 2) return v128.shuffle<f32>(lanes, x, 2, 5, 6, 7);
  return v128.shuffle<f32>(lanes, x, 3, 5, 6, 7);
}

/** An offset has to be a literal. */
// @ts-ignore: decorator
@inline
function at(o: i32, x: usize): v128 {
  return o == 0 ? v128.load(x) : v128.load(x, 16);
}

// @ts-ignore: decorator
@inline
function put(o: i32, x: usize, y: v128): void {
  if (o == 0) v128.store(x, y);
  else v128.store(x, y, 16);
}

function bringBack<T>(x: usize, bytes: usize, lower: T, upper: T): void {
  const least = v128.splat<T>(lower), most = v128.splat<T>(upper);
  for (let o: usize = 0; o < bytes; o += 16) v128.store(x + o, v128.pmin<T>(v128.pmax<T>(v128.load(x + o), least), most));
}

/** ‖x‖² behind the first column. */
export function normOfRest<T>(x: usize, bytes: usize): T {
  const end = x + bytes, rest = v128.replace_lane<T>(v128.load(x), 0, 0);
  let sum = v128.mul<T>(rest, rest);
  for (x += 16; x != end; x += 16) {
    const a = v128.load(x);
    sum = madd<T>(a, a, sum);
  }
  return sumLanes<T>(sum);
}
