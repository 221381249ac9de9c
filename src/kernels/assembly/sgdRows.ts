/**
 * Stochastic gradient steps over one block of entries, row by row, both factors moved in one pass.
 *
 * The entries of a row come in batches of a vector's lanes: all at the same u, each v at most once a batch. With r the
 * residual, z = W²r/size, λ̂ a row's penalty spread over its entries (and divided by the same size):
 *
 *     G_u += Σ‖λ̂_u u − z v‖²/k,  u ← (u + η_u Σ z v)/(1 + c η_u λ̂_u),  η_u = step/√G_u      and v the same with its own z alone
 *
 * AdaGrad (J. Duchi, E. Hazan & Y. Singer, JMLR 12 (2011)) with one rate a row, as LIBMF has it (W.-S. Chin et al., PAKDD 2015);
 * the penalty's step is implicit, so that no λ overshoots. ‖g‖² comes from u·v, ‖u‖² and ‖v‖²: it costs no pass of its own.
 */
import { copy, dots, lanesOf, lanesWith, splatLane, storeLanes } from "./entryLanes";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";

/** Field order is the contract with sgd.ts of the host. The job's `own` is read, `out` written, `other` written and moved in place. */
@unmanaged
export class Descent {
  /** u32 a row: its first entry in the block, and the one behind its last. */
  starts: usize;
  ends: usize;
  /** Rates: read, written, and moved in place. */
  ownRates: usize;
  outRates: usize;
  otherRates: usize;
  /** What the other side's rows of the block and their rates are copied from. */
  otherFrom: usize;
  otherRatesFrom: usize;
  /** The other side's rows of the block. */
  otherFirst: i32;
  otherLast: i32;
  otherBiasFree: i32;
  isBounded: i32;
  /** 1/size of a gradient of residuals. */
  scale: f64;
  step: f64;
  biasStep: f64;
  ownLower: f64;
  ownUpper: f64;
  otherLower: f64;
  otherUpper: f64;
}

/** A rate of a row, 8 of T: what it has seen of squared gradients, λ̂, ‖x‖² while its block is at work, and the bias's first two. */
const rateSize: usize = 8;
const shareAt: usize = 1;
const normAt: usize = 2;
const biasAt: usize = 3;
const biasShareAt: usize = 4;

export function sgdRows<T>(job: RowJob, descent: Descent, first: i32, last: i32): void {
  const bytes = <usize>job.stride * sizeof<T>();
  const rateBytes = rateSize * sizeof<T>();
  takeOthers<T>(job, descent);
  const u = job.scratch;
  for (let row = first; row < last; row++) {
    const own = job.own + <usize>row * bytes, out = job.out + <usize>row * bytes;
    const rate = descent.outRates + <usize>row * rateBytes;
    copy(rate, descent.ownRates + <usize>row * rateBytes, rateBytes);
    const start = <usize>load<u32>(descent.starts + (<usize>row << 2));
    const end = <usize>load<u32>(descent.ends + (<usize>row << 2));
    if (start == end) {
      copy(out, own, bytes);
      continue;
    }
    copy(u, own, bytes);
    if (descent.isBounded) rowSteps<T>(true, job, descent, u, rate, start, end);
    else rowSteps<T>(false, job, descent, u, rate, start, end);
    copy(out, u, bytes);
  }
}

/** Copies the block's rows of the other side and their rates, and notes ‖v‖². */
function takeOthers<T>(job: RowJob, descent: Descent): void {
  const bytes = <usize>job.stride * sizeof<T>(), rateBytes = rateSize * sizeof<T>();
  const first = <usize>descent.otherFirst, count = <usize>descent.otherLast - first;
  memory.copy(job.other + first * bytes, descent.otherFrom + first * bytes, count * bytes);
  memory.copy(descent.otherRates + first * rateBytes, descent.otherRatesFrom + first * rateBytes, count * rateBytes);
  for (let j = first; j < first + count; j++)
    store<T>(descent.otherRates + j * rateBytes + normAt * sizeof<T>(), latentSquares<T>(job, job.other + j * bytes));
}

/** ‖x‖² without the bias. */
function latentSquares<T>(job: RowJob, x: usize): T {
  const slot = x + <usize>job.rank * sizeof<T>();
  const bias = job.hasBias ? load<T>(slot) : <T>0;
  if (job.hasBias) store<T>(slot, 0);
  let sum = v128.splat<T>(0);
  for (const end = x + <usize>job.stride * sizeof<T>(); x != end; x += 16) {
    const a = v128.load(x);
    sum = madd<T>(a, a, sum);
  }
  if (job.hasBias) store<T>(slot, bias);
  return sumLanes<T>(sum);
}

/** A row's steps over entries t … end−1. Its bias stands behind u, and its slot is 0 meanwhile. */
// @ts-ignore: decorator
@inline
function rowSteps<T>(isBounded: bool, job: RowJob, descent: Descent, u: usize, rate: usize, t: usize, end: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  const slot = u + <usize>job.rank * sizeof<T>();
  const bias = u + <usize>job.stride * sizeof<T>();
  store<T>(bias, job.hasBias ? load<T>(slot) : <T>0);
  if (job.hasBias) store<T>(slot, 0);
  store<T>(rate + normAt * sizeof<T>(), latentSquares<T>(job, u));
  for (; t + lanes <= end; t += lanes) batch<T>(16 / sizeof<T>(), isBounded, job, descent, u, rate, t);
  const rest = end - t;
  if (rest == 1) batch<T>(1, isBounded, job, descent, u, rate, t);
  if (sizeof<T>() == 4) {
    if (rest == 2) batch<T>(2, isBounded, job, descent, u, rate, t);
    else if (rest == 3) batch<T>(3, isBounded, job, descent, u, rate, t);
  }
  if (job.hasBias) store<T>(slot, load<T>(bias));
}

/** One step of u, and one of each v of `count` entries, 1 to the number of lanes. */
// @ts-ignore: decorator
@inline
function batch<T>(count: i32, isBounded: bool, job: RowJob, descent: Descent, u: usize, rate: usize, t: usize): void {
  const size = sizeof<T>(), bytes = <usize>job.stride * sizeof<T>(), rateBytes = rateSize * sizeof<T>();
  const index = job.indices + (t << 2), value = job.values + t * size, weight = job.weights + t * size;
  const j0 = <usize>load<u32>(index);
  const j1 = count > 1 ? <usize>load<u32>(index, 4) : j0;
  const j2 = count > 2 ? <usize>load<u32>(index, 8) : j0;
  const j3 = count > 3 ? <usize>load<u32>(index, 12) : j0;
  const v0 = job.other + j0 * bytes, v1 = job.other + j1 * bytes, v2 = job.other + j2 * bytes, v3 = job.other + j3 * bytes;
  const rates = descent.otherRates;
  const r0 = rates + j0 * rateBytes, r1 = rates + j1 * rateBytes, r2 = rates + j2 * rateBytes, r3 = rates + j3 * rateBytes;
  const products = dots<T>(count, u, v0, v1, v2, v3, bytes);

  // An entry a lane; a lane without one has weight 0.
  const offset = <T>job.mean + load<T>(u + bytes);
  const slot = <usize>job.rank * size;
  let y = v128.sub<T>(lanesOf<T>(count, value, value + size, value + 2 * size, value + 3 * size), v128.splat<T>(offset));
  let biases = v128.splat<T>(0);
  if (job.hasBias) {
    biases = lanesOf<T>(count, v0 + slot, v1 + slot, v2 + slot, v3 + slot);
    y = v128.sub<T>(y, biases);
  }
  let w = lanesWith<T>(count, <T>descent.scale);
  if (job.weights) {
    const W = lanesOf<T>(count, weight, weight + size, weight + 2 * size, weight + 3 * size);
    w = v128.mul<T>(w, v128.mul<T>(W, W));
  }
  const z = v128.mul<T>(w, v128.sub<T>(y, products));

  const norm = load<T>(rate + normAt * size), share = load<T>(rate + shareAt * size);
  const norms = lanesOf<T>(count, r0 + normAt * size, r1 + normAt * size, r2 + normAt * size, r3 + normAt * size);
  const shares = lanesOf<T>(count, r0 + shareAt * size, r1 + shareAt * size, r2 + shareAt * size, r3 + shareAt * size);
  const u2 = v128.splat<T>(norm), one = v128.splat<T>(1), each = v128.splat<T>(<T>1 / <T>job.rank);
  const zz = v128.mul<T>(z, z), cross = v128.mul<T>(v128.add<T>(z, z), products);

  let seen = v128.mul<T>(each, squares<T>(shares, norms, cross, zz, u2));
  seen = v128.add<T>(seen, lanesOf<T>(count, r0, r1, r2, r3));
  storeLanes<T>(count, seen, r0, r1, r2, r3);
  // A lane without an entry has seen nothing, and takes a step of 0·∞ to nowhere.
  const steps = v128.div<T>(v128.splat<T>(<T>descent.step), v128.sqrt<T>(seen));
  const c = v128.div<T>(one, madd<T>(steps, shares, one));
  const d = v128.mul<T>(c, v128.mul<T>(steps, z));

  const mine = v128.mul<T>(each, squares<T>(lanesWith<T>(count, share), u2, cross, zz, norms));
  const total = load<T>(rate) + sumLanes<T>(mine);
  store<T>(rate, total);
  const step = <T>descent.step / sqrt<T>(total);
  const a = <T>1 / (<T>1 + <T>count * step * share);
  const b = v128.mul<T>(z, v128.splat<T>(a * step));
  // ‖c·v + d·u‖²; what is brought back within bounds is measured.
  const crossed = v128.mul<T>(v128.mul<T>(v128.add<T>(c, c), d), products);
  const moved = madd<T>(v128.mul<T>(d, d), u2, madd<T>(v128.mul<T>(c, c), norms, crossed));
  storeLanes<T>(count, moved, r0 + normAt * size, r1 + normAt * size, r2 + normAt * size, r3 + normAt * size);
  const squared = move<T>(count, isBounded, descent, u, v0, v1, v2, v3, bytes, a, b, c, d);
  if (isBounded) {
    store<T>(r0 + normAt * size, latentSquares<T>(job, v0));
    if (count > 1) store<T>(r1 + normAt * size, latentSquares<T>(job, v1));
    if (count > 2) store<T>(r2 + normAt * size, latentSquares<T>(job, v2));
    if (count > 3) store<T>(r3 + normAt * size, latentSquares<T>(job, v3));
  }
  if (!job.hasBias) {
    store<T>(rate + normAt * size, squared);
    return;
  }
  store<T>(u + slot, 0);
  store<T>(rate + normAt * size, latentSquares<T>(job, u));
  if (job.ownBiasFree) moveOwnBias<T>(count, descent, u + bytes, rate, z);
  if (!descent.otherBiasFree) return;
  moveBias<T>(descent, v0 + slot, r0, v128.extract_lane<T>(biases, 0), v128.extract_lane<T>(z, 0));
  if (count > 1) moveBias<T>(descent, v1 + slot, r1, v128.extract_lane<T>(biases, 1), v128.extract_lane<T>(z, 1));
  if (sizeof<T>() == 4) {
    if (count > 2) moveBias<T>(descent, v2 + slot, r2, v128.extract_lane<T>(biases, 2), v128.extract_lane<T>(z, 2));
    if (count > 3) moveBias<T>(descent, v3 + slot, r3, v128.extract_lane<T>(biases, 3), v128.extract_lane<T>(z, 3));
  }
}

/** ‖λ̂x − z y‖² from λ̂, ‖x‖², 2z x·y, z² and ‖y‖². */
// @ts-ignore: decorator
@inline
function squares<T>(shares: v128, norms: v128, cross: v128, zz: v128, otherNorms: v128): v128 {
  const penalty = v128.mul<T>(shares, v128.sub<T>(v128.mul<T>(shares, norms), cross));
  return v128.pmax<T>(madd<T>(zz, otherNorms, penalty), v128.splat<T>(0));
}

/** u ← a·u + Σ b_t v_t and v_t ← c_t v_t + d_t u, each within its bounds. @returns ‖u‖², with what stands in its slot. */
// @ts-ignore: decorator
@inline
function move<T>(
  count: i32, isBounded: bool, descent: Descent,
  u: usize, v0: usize, v1: usize, v2: usize, v3: usize, bytes: usize,
  a: T, b: v128, c: v128, d: v128,
): T {
  const as = v128.splat<T>(a), next = u + bytes + 64;
  // Two entries at a time: what they are multiplied by stays in registers.
  pair<T>(count > 1, false, isBounded, descent, u, next, v0, v1, bytes, as,
    splatLane<T>(b, 0), splatLane<T>(c, 0), splatLane<T>(d, 0), splatLane<T>(b, 1), splatLane<T>(c, 1), splatLane<T>(d, 1));
  if (count > 2) pair<T>(count > 3, true, isBounded, descent, u, next, v2, v3, bytes, as,
    splatLane<T>(b, 2), splatLane<T>(c, 2), splatLane<T>(d, 2), splatLane<T>(b, 3), splatLane<T>(c, 3), splatLane<T>(d, 3));
  const lower = v128.splat<T>(<T>descent.ownLower), upper = v128.splat<T>(<T>descent.ownUpper);
  let sum = v128.splat<T>(0);
  for (let o: usize = 0; o < bytes; o += 16) {
    let y = v128.load(next + o);
    if (isBounded) y = v128.pmin<T>(v128.pmax<T>(y, lower), upper);
    v128.store(u + o, y);
    sum = madd<T>(y, y, sum);
  }
  return sumLanes<T>(sum);
}

// @ts-ignore: decorator
@inline
function pair<T>(
  isPair: bool, isSecond: bool, isBounded: bool, descent: Descent, u: usize, next: usize, v: usize, w: usize, bytes: usize,
  a: v128, b0: v128, c0: v128, d0: v128, b1: v128, c1: v128, d1: v128,
): void {
  const lower = v128.splat<T>(<T>descent.otherLower), upper = v128.splat<T>(<T>descent.otherUpper);
  const end = u + bytes;
  if (bytes & 16) {
    pairAt<T>(0, isPair, isSecond, isBounded, u, next, v, w, a, b0, c0, d0, b1, c1, d1, lower, upper);
    u += 16;
    next += 16;
    v += 16;
    w += 16;
  }
  for (; u != end; u += 32, v += 32, w += 32, next += 32) {
    pairAt<T>(0, isPair, isSecond, isBounded, u, next, v, w, a, b0, c0, d0, b1, c1, d1, lower, upper);
    pairAt<T>(16, isPair, isSecond, isBounded, u, next, v, w, a, b0, c0, d0, b1, c1, d1, lower, upper);
  }
}

// @ts-ignore: decorator
@inline
function pairAt<T>(
  o: i32, isPair: bool, isSecond: bool, isBounded: bool, u: usize, next: usize, v: usize, w: usize,
  a: v128, b0: v128, c0: v128, d0: v128, b1: v128, c1: v128, d1: v128, lower: v128, upper: v128,
): void {
  const x = o == 0 ? v128.load(u) : v128.load(u, 16);
  let y = o == 0 ? v128.load(v) : v128.load(v, 16);
  let sum = madd<T>(b0, y, isSecond ? (o == 0 ? v128.load(next) : v128.load(next, 16)) : v128.mul<T>(a, x));
  y = madd<T>(d0, x, v128.mul<T>(c0, y));
  if (isBounded) y = v128.pmin<T>(v128.pmax<T>(y, lower), upper);
  if (o == 0) v128.store(v, y);
  else v128.store(v, y, 16);
  if (isPair) {
    y = o == 0 ? v128.load(w) : v128.load(w, 16);
    sum = madd<T>(b1, y, sum);
    y = madd<T>(d1, x, v128.mul<T>(c1, y));
    if (isBounded) y = v128.pmin<T>(v128.pmax<T>(y, lower), upper);
    if (o == 0) v128.store(w, y);
    else v128.store(w, y, 16);
  }
  if (o == 0) v128.store(next, sum);
  else v128.store(next, sum, 16);
}

function moveOwnBias<T>(count: i32, descent: Descent, bias: usize, rate: usize, z: v128): void {
  const b = load<T>(bias), share = load<T>(rate + biasShareAt * sizeof<T>());
  const g = v128.sub<T>(lanesWith<T>(count, share * b), z);
  const seen = load<T>(rate + biasAt * sizeof<T>()) + sumLanes<T>(v128.mul<T>(g, g));
  store<T>(rate + biasAt * sizeof<T>(), seen);
  const step = <T>descent.biasStep / sqrt<T>(seen);
  store<T>(bias, (b + step * sumLanes<T>(z)) / (<T>1 + <T>count * step * share));
}

function moveBias<T>(descent: Descent, to: usize, rate: usize, b: T, z: T): void {
  const share = load<T>(rate + biasShareAt * sizeof<T>());
  const g = share * b - z;
  const seen = load<T>(rate + biasAt * sizeof<T>()) + g * g;
  store<T>(rate + biasAt * sizeof<T>(), seen);
  const step = <T>descent.biasStep / sqrt<T>(seen);
  store<T>(to, (b + step * z) / (<T>1 + step * share));
}
