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
 * Its division is put off: what stands in memory is x/s, a step adds a multiple of the other row to that and divides s alone.
 *
 * The first column, where what entries are on average has its place, moves by ρη in place of η and counts ρ times in G: it is many
 * times as large as the others, and with one step for all either it would leap or they would creep.
 */
import { Descent } from "./descent";
import { copy, dots, lanesOf, lanesWith, listed } from "./entryLanes";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";
import { move, normOfRest } from "./sgdMove";

/** A rate of a row, 8 of T: what it has seen of squared gradients, λ̂, ‖x‖² behind the first column, what x has still to be multiplied by, and the bias's. */
const rateSize: usize = 8;
const shareAt: usize = 1;
const normAt: usize = 2;
const scaleAt: usize = 3;
const biasSquaresAt: usize = 4;
const biasShareAt: usize = 5;
const biasAt: usize = 6;

/** The scale below which a row is multiplied by it. */
const leastScale = 1e-6;

export function sgdRows<T>(job: RowJob, descent: Descent, first: i32, last: i32): void {
  const bytes = <usize>job.stride * sizeof<T>(), rateBytes = rateSize * sizeof<T>();
  if (descent.isFirst) openOthers<T>(job, descent);
  openNone<T>(job);
  let start = descent.start;
  for (let row = first; row < last; row++) {
    const own = job.own + <usize>row * bytes, out = job.out + <usize>row * bytes;
    const from = descent.ownRates + <usize>row * rateBytes, rate = descent.outRates + <usize>row * rateBytes;
    const end = <usize>load<u32>(descent.ends + (<usize>row << 2));
    if (start == end) {
      copy(out, own, bytes);
      copy(rate, from, rateBytes);
      continue;
    }
    open<T>(job, out, own, rate, from);
    if (descent.isBounded) rowSteps<T>(true, job, descent, out, rate, start, end);
    else rowSteps<T>(false, job, descent, out, rate, start, end);
    close<T>(job, out, rate);
    start = end;
  }
  if (descent.isLast) closeOthers<T>(job, descent);
}

function openOthers<T>(job: RowJob, descent: Descent): void {
  const bytes = <usize>job.stride * sizeof<T>(), rateBytes = rateSize * sizeof<T>();
  for (let j = <usize>descent.otherFirst; j < <usize>descent.otherLast; j++)
    open<T>(job, job.other + j * bytes, descent.otherFrom + j * bytes, descent.otherRates + j * rateBytes, descent.otherRatesFrom + j * rateBytes);
}

function closeOthers<T>(job: RowJob, descent: Descent): void {
  const bytes = <usize>job.stride * sizeof<T>(), rateBytes = rateSize * sizeof<T>();
  for (let j = <usize>descent.otherFirst; j < <usize>descent.otherLast; j++)
    close<T>(job, job.other + j * bytes, descent.otherRates + j * rateBytes);
}

/** Copies a row and its rate; its bias stands in the rate while its block is at work, and its slot is 0. */
function open<T>(job: RowJob, to: usize, from: usize, rate: usize, rateFrom: usize): void {
  copy(to, from, <usize>job.stride * sizeof<T>());
  copy(rate, rateFrom, rateSize * sizeof<T>());
  const slot = to + <usize>job.rank * sizeof<T>();
  if (job.hasBias) {
    store<T>(rate + biasAt * sizeof<T>(), load<T>(slot));
    store<T>(slot, 0);
  }
  store<T>(rate + scaleAt * sizeof<T>(), 1);
  store<T>(rate + normAt * sizeof<T>(), normOfRest<T>(to, <usize>job.stride * sizeof<T>()));
}

function close<T>(job: RowJob, x: usize, rate: usize): void {
  settle<T>(x, rate, <usize>job.stride * sizeof<T>());
  if (job.hasBias) store<T>(x + <usize>job.rank * sizeof<T>(), load<T>(rate + biasAt * sizeof<T>()));
}

/** Multiplies a row by its scale. */
function settle<T>(x: usize, rate: usize, bytes: usize): void {
  const scale = v128.splat<T>(load<T>(rate + scaleAt * sizeof<T>()));
  for (let o: usize = 0; o < bytes; o += 16) v128.store(x + o, v128.mul<T>(scale, v128.load(x + o)));
  store<T>(rate + scaleAt * sizeof<T>(), 1);
}

/** The rate of a lane without an entry stands in the scratch. */
function openNone<T>(job: RowJob): void {
  for (let i: usize = 0; i < rateSize; i++) store<T>(job.scratch + i * sizeof<T>(), i == 0 || i == scaleAt ? 1 : 0);
}

/** A row's steps over entries t … end−1. */
// @ts-ignore: decorator
@inline
function rowSteps<T>(isBounded: bool, job: RowJob, descent: Descent, u: usize, rate: usize, t: usize, end: usize): void {
  const lanes: usize = 16 / sizeof<T>();
  for (; t + lanes <= end; t += lanes) batch<T>(16 / sizeof<T>(), isBounded, job, descent, u, rate, t);
  const rest = end - t;
  if (rest == 1) batch<T>(1, isBounded, job, descent, u, rate, t);
  if (sizeof<T>() == 4) {
    if (rest == 2) batch<T>(2, isBounded, job, descent, u, rate, t);
    else if (rest == 3) batch<T>(3, isBounded, job, descent, u, rate, t);
  }
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
  const rates = descent.otherRates, none = job.scratch;
  const r0 = rates + j0 * rateBytes;
  const r1 = count > 1 ? rates + j1 * rateBytes : none;
  const r2 = count > 2 ? rates + j2 * rateBytes : none;
  const r3 = count > 3 ? rates + j3 * rateBytes : none;
  const dotted = dots<T>(count, u, v0, v1, v2, v3, bytes);

  // An entry a lane; a lane without one has weight 0. f64 has two lanes.
  let seen: v128, shares: v128, norms: v128, scales: v128;
  if (sizeof<T>() == 4) {
    const a = v128.load(r0), b = v128.load(r1), c = v128.load(r2), d = v128.load(r3);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    seen = v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
    shares = v128.shuffle<f32>(ab, cd, 2, 3, 6, 7);
    const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7), CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    norms = v128.shuffle<f32>(AB, CD, 0, 1, 4, 5);
    scales = v128.shuffle<f32>(AB, CD, 2, 3, 6, 7);
  } else {
    const a = v128.load(r0), b = v128.load(r1), A = v128.load(r0, 16), B = v128.load(r1, 16);
    seen = v128.shuffle<f64>(a, b, 0, 2);
    shares = v128.shuffle<f64>(a, b, 1, 3);
    norms = v128.shuffle<f64>(A, B, 0, 2);
    scales = v128.shuffle<f64>(A, B, 1, 3);
  }
  const ownScale = load<T>(rate + scaleAt * size);
  const products = v128.mul<T>(dotted, v128.mul<T>(scales, v128.splat<T>(ownScale)));
  const offset = <T>job.mean + (job.hasBias ? load<T>(rate + biasAt * size) : <T>0);
  let y = v128.sub<T>(listed<T>(count, value), v128.splat<T>(offset));
  let biases = v128.splat<T>(0);
  if (job.hasBias) {
    const at = biasAt * size;
    biases = lanesOf<T>(count, r0 + at, r1 + at, r2 + at, r3 + at);
    y = v128.sub<T>(y, biases);
  }
  let w = lanesWith<T>(count, <T>descent.scale);
  if (job.weights) {
    const W = listed<T>(count, weight);
    w = v128.mul<T>(w, v128.mul<T>(W, W));
  }
  const z = v128.mul<T>(w, v128.sub<T>(y, products));

  const share = load<T>(rate + shareAt * size), one = v128.splat<T>(1), each = v128.splat<T>(<T>1 / <T>job.rank);
  const u2 = v128.splat<T>(load<T>(rate + normAt * size));
  // The first column, and products behind it.
  const x = load<T>(u) * ownScale, X = v128.splat<T>(x);
  const Y = v128.mul<T>(lanesOf<T>(count, v0, v1, v2, v3), scales);
  const rest = v128.sub<T>(products, v128.mul<T>(X, Y));
  const lead = v128.splat<T>(<T>descent.lead), zX = v128.mul<T>(z, X), zY = v128.mul<T>(z, Y);
  const zz = v128.mul<T>(z, z), cross = v128.mul<T>(v128.add<T>(z, z), rest);
  const ofX = v128.sub<T>(lanesWith<T>(count, share * x), zY), ofY = v128.sub<T>(v128.mul<T>(shares, Y), zX);
  const ofU = squares<T>(lanesWith<T>(count, share), u2, cross, zz, norms);
  const mine = v128.mul<T>(each, madd<T>(v128.mul<T>(lead, ofX), ofX, ofU));
  const total = load<T>(rate) + sumLanes<T>(mine);
  const step = <T>descent.step / sqrt<T>(total);
  const shrink = <T>1 + <T>count * step * share;
  const b = v128.mul<T>(v128.mul<T>(z, scales), v128.splat<T>(step / ownScale));

  seen = madd<T>(each, madd<T>(v128.mul<T>(lead, ofY), ofY, squares<T>(shares, norms, cross, zz, u2)), seen);
  const steps = v128.div<T>(v128.splat<T>(<T>descent.step), v128.sqrt<T>(seen));
  const c = v128.div<T>(one, madd<T>(steps, shares, one));
  const pull = v128.mul<T>(steps, z);
  const d = v128.div<T>(v128.mul<T>(pull, v128.splat<T>(ownScale)), scales);
  // ‖c(v + pull u)‖²; what is brought back within bounds is measured.
  const moved = madd<T>(pull, madd<T>(pull, u2, v128.add<T>(rest, rest)), norms);
  norms = v128.mul<T>(v128.mul<T>(c, c), moved);
  scales = v128.mul<T>(scales, c);
  if (sizeof<T>() == 4) {
    const ab = v128.shuffle<f32>(seen, shares, 0, 4, 1, 5), cd = v128.shuffle<f32>(seen, shares, 2, 6, 3, 7);
    const AB = v128.shuffle<f32>(norms, scales, 0, 4, 1, 5), CD = v128.shuffle<f32>(norms, scales, 2, 6, 3, 7);
    v128.store(r0, v128.shuffle<f32>(ab, AB, 0, 1, 4, 5));
    if (count > 1) v128.store(r1, v128.shuffle<f32>(ab, AB, 2, 3, 6, 7));
    if (count > 2) v128.store(r2, v128.shuffle<f32>(cd, CD, 0, 1, 4, 5));
    if (count > 3) v128.store(r3, v128.shuffle<f32>(cd, CD, 2, 3, 6, 7));
  } else {
    v128.store(r0, v128.shuffle<f64>(seen, shares, 0, 2));
    v128.store(r0, v128.shuffle<f64>(norms, scales, 0, 2), 16);
    if (count > 1) {
      v128.store(r1, v128.shuffle<f64>(seen, shares, 1, 3));
      v128.store(r1, v128.shuffle<f64>(norms, scales, 1, 3), 16);
    }
  }
  const nextScale = ownScale / shrink;
  const leadStep = step * <T>descent.lead, leadSteps = v128.mul<T>(steps, lead);
  const nextX = (x + leadStep * sumLanes<T>(zY)) / ((<T>1 + <T>count * leadStep * share) * nextScale);
  const nextY = v128.div<T>(madd<T>(leadSteps, zX, Y), v128.mul<T>(madd<T>(leadSteps, shares, one), scales));
  const squared = move<T>(count, isBounded, descent, u, v0, v1, v2, v3, bytes, b, d, nextX, nextY, nextScale, scales);
  store<T>(rate, total);
  store<T>(rate + normAt * size, squared * nextScale * nextScale);
  store<T>(rate + scaleAt * size, nextScale);
  if (isBounded) {
    remeasure<T>(v0, r0, bytes);
    if (count > 1) remeasure<T>(v1, r1, bytes);
    if (count > 2) remeasure<T>(v2, r2, bytes);
    if (count > 3) remeasure<T>(v3, r3, bytes);
  }
  if (nextScale < <T>leastScale) settle<T>(u, rate, bytes);
  if (v128.any_true(v128.lt<T>(scales, v128.splat<T>(<T>leastScale)))) {
    settle<T>(v0, r0, bytes);
    if (count > 1) settle<T>(v1, r1, bytes);
    if (count > 2) settle<T>(v2, r2, bytes);
    if (count > 3) settle<T>(v3, r3, bytes);
  }
  if (!job.hasBias) return;
  if (job.ownBiasFree) moveOwnBias<T>(count, descent, rate, z);
  if (!descent.otherBiasFree) return;
  moveBias<T>(descent, r0, v128.extract_lane<T>(z, 0));
  if (count > 1) moveBias<T>(descent, r1, v128.extract_lane<T>(z, 1));
  if (sizeof<T>() == 4) {
    if (count > 2) moveBias<T>(descent, r2, v128.extract_lane<T>(z, 2));
    if (count > 3) moveBias<T>(descent, r3, v128.extract_lane<T>(z, 3));
  }
}

/** ‖λ̂x − z y‖² from λ̂, ‖x‖², 2z x·y, z² and ‖y‖². */
// @ts-ignore: decorator
@inline
function squares<T>(shares: v128, norms: v128, cross: v128, zz: v128, otherNorms: v128): v128 {
  const penalty = v128.mul<T>(shares, v128.sub<T>(v128.mul<T>(shares, norms), cross));
  return v128.pmax<T>(madd<T>(zz, otherNorms, penalty), v128.splat<T>(0));
}

function remeasure<T>(x: usize, rate: usize, bytes: usize): void {
  const scale = load<T>(rate + scaleAt * sizeof<T>());
  store<T>(rate + normAt * sizeof<T>(), scale * scale * normOfRest<T>(x, bytes));
}

function moveOwnBias<T>(count: i32, descent: Descent, rate: usize, z: v128): void {
  const b = load<T>(rate + biasAt * sizeof<T>()), share = load<T>(rate + biasShareAt * sizeof<T>());
  const g = v128.sub<T>(lanesWith<T>(count, share * b), z);
  const seen = load<T>(rate + biasSquaresAt * sizeof<T>()) + sumLanes<T>(v128.mul<T>(g, g));
  store<T>(rate + biasSquaresAt * sizeof<T>(), seen);
  const step = <T>descent.biasStep / sqrt<T>(seen);
  store<T>(rate + biasAt * sizeof<T>(), (b + step * sumLanes<T>(z)) / (<T>1 + <T>count * step * share));
}

function moveBias<T>(descent: Descent, rate: usize, z: T): void {
  const b = load<T>(rate + biasAt * sizeof<T>()), share = load<T>(rate + biasShareAt * sizeof<T>());
  const g = share * b - z;
  const seen = load<T>(rate + biasSquaresAt * sizeof<T>()) + g * g;
  store<T>(rate + biasSquaresAt * sizeof<T>(), seen);
  const step = <T>descent.biasStep / sqrt<T>(seen);
  store<T>(rate + biasAt * sizeof<T>(), (b + step * z) / (<T>1 + step * share));
}
