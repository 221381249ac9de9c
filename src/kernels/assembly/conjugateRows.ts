/**
 * A long row beside a background, by conjugate gradients where {@link solveShort} of basisRows.ts solves short ones: with ξ and B as
 * there, (I + BᵀB)ξ = ξ₀ + BᵀΩ^½y. What all rows share has become I, so that some steps from the row's present value are enough, of
 * 4nk operations each where the matrix alone takes nk² (M. R. Hestenes & E. Stiefel, J. Res. NBS 49 (1952); for unlisted entries, without
 * the basis: G. Takács, I. Pilászy & D. Tikk, RecSys 2011).
 */
import { lastOfBasis, locate, openBasis } from "./basisRows";
import { ComposedSpace } from "./composedSpace";
import { clear, dots } from "./entryLanes";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";
import { addRows } from "./rowSums";
import { Terms } from "./terms";

/**
 * Of the squared residual that a row begins with: three digits more with each sweep beside a background, two without, and the other side has
 * moved meanwhile. More bring no lower f by a sweep, fewer take more sweeps than they spare.
 */
const shareOfSweep: f32 = 1e-6, shareWithout: f32 = 1e-4;
/** Of ‖ξ‖²: what f32 leaves of a residual. */
const rounding: f32 = 1e-13;

/** Where weights and values leave f32 room for squares of products. */
const leastSquared: f32 = 1e-24, mostSquared: f32 = 1e24;

/**
 * Qᵀx to `x`, where the row's present value stands in that basis.
 *
 * @returns false where that takes so many steps that the matrix is cheaper, or f32 would not do.
 */
export function solveByGradients(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, x: usize): bool {
  return descend(true, job, terms, work, row, x);
}

/**
 * The same without a background: (D^−½ΔD^−½ + BᵀB)ξ = BᵀΩ^½y with Ω = W² and the row's own ridge Δ, the background only being like what the
 * entries weigh.
 */
export function solvePreconditioned(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, x: usize): bool {
  return descend(false, job, terms, work, row, x);
}

// @ts-ignore: decorator
@inline
function descend(isBackground: bool, job: RowJob, terms: Terms, work: ComposedSpace, row: i32, x: usize): bool {
  const stride = work.size, bytes = stride << 2;
  const r = <f32>load<f64>(terms.ownWeights + (<usize>row << 3));
  const root = work.lower, inverse = work.upper, origin = work.mu;
  if (!openBasis(terms, r, <f32>load<f64>(job.penalties + (<usize>row << 3)), stride, root, inverse, origin)) return false;

  const residual = work.residual, direction = work.d, scaled = work.next, product = work.free, gradient = work.H;
  // x is ξ until the end.
  if (isBackground) clear(product, bytes);
  else multiplyRidge(-1, job, terms, row, x, product, bytes);
  addEntries(true, isBackground, job, terms, work, row, r, x, product);
  for (let o: usize = 0; o < bytes; o += 16) {
    const s = v128.load(root + o), i = v128.load(inverse + o);
    const xi = f32x4.mul(s, v128.load(x + o));
    v128.store(x + o, xi);
    const rest = isBackground
      ? madd<f32>(i, v128.load(product + o), f32x4.sub(v128.load(origin + o), xi))
      : f32x4.mul(i, v128.load(product + o));
    v128.store(residual + o, rest);
    v128.store(direction + o, rest);
    v128.store(gradient + o, f32x4.mul(s, rest));
  }
  let squared = dot(residual, residual, bytes);
  if (!isBackground && !(squared > leastSquared && squared < mostSquared)) return false;
  const share: f32 = terms.isSettled ? 0 : (isBackground ? shareOfSweep : shareWithout) * squared;
  const enough: f32 = isBackground ? max(share, rounding * max(dot(x, x, bytes), dot(origin, origin, bytes))) : share;
  // More would take longer than the matrix.
  let left = job.rank >> (terms.isSettled ? 2 : 3);
  while (!(squared <= enough || (!isBackground && squared <= rounding * dot(x, x, bytes)))) {
    if (left-- == 0) return false;
    for (let o: usize = 0; o < bytes; o += 16) v128.store(scaled + o, f32x4.mul(v128.load(inverse + o), v128.load(direction + o)));
    if (isBackground) clear(product, bytes);
    else multiplyRidge(1, job, terms, row, scaled, product, bytes);
    addEntries(false, isBackground, job, terms, work, row, r, scaled, product);
    for (let o: usize = 0; o < bytes; o += 16) {
      const i = v128.load(inverse + o), p = v128.load(product + o);
      v128.store(product + o, isBackground ? madd<f32>(i, p, v128.load(direction + o)) : f32x4.mul(i, p));
    }
    const step = f32x4.splat(squared / dot(direction, product, bytes));
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(x + o, madd<f32>(step, v128.load(direction + o), v128.load(x + o)));
      v128.store(residual + o, f32x4.sub(v128.load(residual + o), f32x4.mul(step, v128.load(product + o))));
    }
    const next = dot(residual, residual, bytes);
    const turn = f32x4.splat(next / squared);
    for (let o: usize = 0; o < bytes; o += 16)
      v128.store(direction + o, madd<f32>(turn, v128.load(direction + o), v128.load(residual + o)));
    squared = next;
  }
  if (job.own) takeGradient(job, terms, gradient, stride);
  for (let o: usize = 0; o < bytes; o += 16) v128.store(x + o, f32x4.mul(v128.load(x + o), v128.load(inverse + o)));
  return true;
}

/** `sign`·Δp to `out`, both in the basis: Δ = λ + (β − λ)qqᵀ, where q is what an own bias is in it. */
// @ts-ignore: decorator
@inline
function multiplyRidge(sign: f32, job: RowJob, terms: Terms, row: i32, p: usize, out: usize, bytes: usize): void {
  const o = <usize>row << 3, q = lastOfBasis(terms, bytes);
  const lambda = load<f64>(job.penalties + o);
  const more = job.ownBiasFree ? <f32>(load<f64>(job.biasPenalties + o) - lambda) * dot(q, p, bytes) : 0;
  const l = f32x4.splat(sign * <f32>lambda), m = f32x4.splat(sign * more);
  for (let o: usize = 0; o < bytes; o += 16)
    v128.store(out + o, madd<f32>(l, v128.load(p + o), f32x4.mul(m, v128.load(q + o))));
}

/** Of −½ of the row's gradient, which stands in the basis; a bias has its own sum. */
function takeGradient(job: RowJob, terms: Terms, half: usize, stride: usize): void {
  const q = lastOfBasis(terms, stride << 2);
  let ofBias: f64 = 0;
  if (job.ownBiasFree) for (let o: usize = 0; o < stride << 2; o += 4) ofBias += <f64>load<f32>(half + o) * <f64>load<f32>(q + o);
  for (let o: usize = 0; o < stride << 2; o += 4) {
    const g = <f64>load<f32>(half + o) - ofBias * <f64>load<f32>(q + o);
    job.gradientSquared += 4 * g * g;
  }
  job.biasGradientSquared += 4 * ofBias * ofBias;
}

/** out += Σ_t s_t v_t over the row's entries: s_t = ω_t v_t·p, or with `isResidual` what is left of their targets at p. */
// @ts-ignore: decorator
@inline
function addEntries(
  isResidual: bool, isBackground: bool, job: RowJob, terms: Terms, work: ComposedSpace, row: i32, r: f32, p: usize, out: usize,
): void {
  const space = work.space;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2)), end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  // The room of a panel holds the lists of one: addresses, ω_t and targets.
  const stride = work.size;
  const most = (max(<usize>64, stride) * (stride << 1) / 3) & ~3;
  const addresses = space.P, omegas = addresses + (most << 2), targets = omegas + (most << 2);
  for (let t = start; t < end; t += most) {
    const count = min(most, end - t);
    // Of a row with one list they stand there from its first pass.
    if (isResidual || end - start > most) locate(false, isBackground, job, terms, r, t, count, addresses, omegas, targets);
    addListed(isResidual, addresses, omegas, targets, count, p, out, stride << 2);
  }
}

/** Of rows that are multiplied before they are added up: they are then still in the first cache. */
const nearBytes: usize = 1 << 14;

/** What the rows count, s_t, takes the place of the targets, which only the first pass needs. */
// @ts-ignore: decorator
@inline
function addListed(
  isResidual: bool, addresses: usize, omegas: usize, targets: usize, count: usize, p: usize, out: usize, bytes: usize,
): void {
  const most = max(8, nearBytes / bytes) & ~3;
  for (let t: usize = 0; t < count; t += most) {
    const some = min(most, count - t), o = t << 2;
    multiply(isResidual, addresses + o, omegas + o, targets + o, some, p, bytes);
    addRows(true, out, addresses + o, targets + o, some, bytes);
  }
}

/** Four products at a time: a vector of p is read once for all, and none waits for the sums. */
// @ts-ignore: decorator
@inline
function multiply(
  isResidual: bool, addresses: usize, omegas: usize, targets: usize, count: usize, p: usize, bytes: usize,
): void {
  const whole = (count & ~3) << 2, end = count << 2;
  let o: usize = 0;
  for (; o < whole; o += 16) {
    const list = addresses + o;
    const a = <usize>load<u32>(list), b = <usize>load<u32>(list, 4), c = <usize>load<u32>(list, 8), d = <usize>load<u32>(list, 12);
    const s = f32x4.mul(v128.load(omegas + o), dots<f32>(4, p, a, b, c, d, bytes));
    v128.store(targets + o, isResidual ? f32x4.sub(v128.load(targets + o), s) : s);
  }
  for (; o < end; o += 4) {
    const s = load<f32>(omegas + o) * dot(<usize>load<u32>(addresses + o), p, bytes);
    store<f32>(targets + o, isResidual ? load<f32>(targets + o) - s : s);
  }
}

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let o: usize = 0; o < bytes; o += 16) sum = madd<f32>(v128.load(a + o), v128.load(b + o), sum);
  return sumLanes<f32>(sum);
}
