/**
 * A short row beside a background, n×n in place of k×k: in the eigenbasis of the background's Gram matrix, VᵀCV = QΛQᵀ, what
 * all rows share is diagonal. With D = rΛ + λ and ξ = D^½Qᵀx the row is min ‖Bξ − Ω^½y‖² + ‖ξ − ξ₀‖², where B = Ω^½VQD^−½ has
 * its n listed rows, Ω = W² − rc what these weigh more than the background, and ξ₀ = D^−½Qᵀ(rVᵀCβ) the solution without them.
 * So ξ = ξ₀ + Bᵀα with (BBᵀ + I)α = Ω^½y − Bξ₀ (Woodbury).
 */
import { choleskySolve } from "./cholesky";
import { ComposedSpace } from "./composedSpace";
import { gram } from "./gram";
import { RowJob } from "./job";
import { epsilon, madd, sumLanes } from "./lanes";
import { transpose } from "./observationSpace";
import { addRows } from "./rowSums";
import { Terms } from "./terms";

/** A longer row takes about as long k×k, or step by step. The same rules are in backgroundBasis.ts. */
// @ts-ignore: decorator
@inline
export function isShort(count: usize, rank: usize): bool {
  return count << (isConjugate(rank) ? 2 : 1) <= rank;
}

/** From this rank on, steps are cheaper than the k×k matrix of a long row. */
// @ts-ignore: decorator
@inline
export function isConjugate(rank: usize): bool {
  return rank >= 48;
}

/** Entries of a row. */
// @ts-ignore: decorator
@inline
export function lengthOf(job: RowJob, row: i32): usize {
  const at = job.pointers + (<usize>row << 2);
  return <usize>load<u32>(at, 4) - <usize>load<u32>(at);
}

/** Below, rounding of the basis would be seen in D. */
const leastOfD: f32 = 1e-9;
/** Of W²: an entry that weighs hardly more than the background has its target too far away. */
const leastOfOmega: f32 = 0.0625;

/**
 * Qᵀx to `x`, where the row's present value stands in that basis if its gradient is wanted.
 *
 * @returns false where f32 would not do.
 */
export function solveShort(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, x: usize): bool {
  const space = work.space;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const count = <usize>load<u32>(job.pointers + (<usize>row << 2), 4) - start;
  const stride = work.size;
  const rank = <usize>job.rank;
  const bytes = stride << 2;
  const size = (count + 3) & ~3;
  const r = <f32>load<f64>(terms.ownWeights + (<usize>row << 3));
  // √D, its inverse and ξ₀.
  const root = work.lower, inverse = work.upper, origin = work.mu;
  if (!openBasis(terms, r, <f32>load<f64>(job.penalties + (<usize>row << 3)), stride, root, inverse, origin)) return false;

  // Of the panel's lists: addresses of rows, Ω^½, Ω^½y; then Ω^½y − Bξ₀ to y.
  if (!locate(true, true, job, terms, r, start, count, space.addresses, space.scales, space.rights)) return false;
  const B = space.G;
  scaledRows(B, space.addresses, space.scales, inverse, count, bytes);
  memory.fill(B + count * bytes, 0, (size - count) * bytes);
  memory.copy(space.y, space.rights, count << 2);
  memory.fill(space.y + (count << 2), 0, (size - count) << 2);
  // A background of value 0 has ξ₀ = 0.
  if (terms.value != 0) addProducts(-1, space.y, B, origin, count, bytes);
  const gradient = work.residual;
  if (job.own) halfGradient(work, x, count, root, origin, gradient);

  const K = work.H;
  if (count > 0) {
    transpose<f32>(space.P, B, size, stride);
    memory.fill(K, 0, size * (size << 2));
    for (let t: usize = 0; t < size; t++) store<f32>(K + t * ((size + 1) << 2), 1);
    gram<f32>(K, space.P, <i32>rank, size);
    let biggest: f32 = 0;
    for (let t: usize = 0; t < count; t++) biggest = max(biggest, load<f32>(K + t * ((size + 1) << 2)));
    if (!choleskySolve<f32>(K, size, count, <f32>(<f64>rank * epsilon<f32>()) * biggest, space.y)) return false;
  }
  memory.copy(x, origin, bytes);
  if (count > 0) addRows(false, x, B, space.y, count, bytes);
  if (job.own) for (let c: usize = 0; c < rank; c++) job.addGradient(<i32>c, 2 * <f64>load<f32>(gradient + (c << 2)));
  for (let o: usize = 0; o < bytes; o += 16) v128.store(x + o, f32x4.mul(v128.load(x + o), v128.load(inverse + o)));
  return true;
}

/** B: the rows at `addresses`, each times its scale, column by column times `inverse`. */
function scaledRows(B: usize, addresses: usize, scales: usize, inverse: usize, count: usize, bytes: usize): void {
  let column: usize = 0;
  for (; column + 64 <= bytes; column += 64) scaledColumns(4, B, addresses, scales, inverse, count, bytes, column);
  for (; column < bytes; column += 16) scaledColumns(1, B, addresses, scales, inverse, count, bytes, column);
}

/** `width` vectors of columns, 1 or 4. */
// @ts-ignore: decorator
@inline
function scaledColumns(
  width: i32, B: usize, addresses: usize, scales: usize, inverse: usize, count: usize, bytes: usize, column: usize,
): void {
  const i0 = v128.load(inverse + column);
  let i1 = i0, i2 = i0, i3 = i0;
  if (width > 1) {
    i1 = v128.load(inverse + column, 16);
    i2 = v128.load(inverse + column, 32);
    i3 = v128.load(inverse + column, 48);
  }
  let to = B + column;
  for (const end = addresses + (count << 2); addresses != end; addresses += 4, scales += 4, to += bytes) {
    const v = <usize>load<u32>(addresses) + column;
    const s = v128.load32_splat(scales);
    v128.store(to, f32x4.mul(f32x4.mul(s, v128.load(v)), i0));
    if (width == 1) continue;
    v128.store(to, f32x4.mul(f32x4.mul(s, v128.load(v, 16)), i1), 16);
    v128.store(to, f32x4.mul(f32x4.mul(s, v128.load(v, 32)), i2), 32);
    v128.store(to, f32x4.mul(f32x4.mul(s, v128.load(v, 48)), i3), 48);
  }
}

/** y ← y + sign·Bx */
function addProducts(sign: f32, y: usize, B: usize, x: usize, count: usize, bytes: usize): void {
  for (let t: usize = 0; t < count; t++, B += bytes) {
    let dot = f32x4.splat(0);
    for (let o: usize = 0; o < bytes; o += 16) dot = madd<f32>(v128.load(B + o), v128.load(x + o), dot);
    store<f32>(y + (t << 2), load<f32>(y + (t << 2)) + sign * sumLanes<f32>(dot));
  }
}

/** The last row of Q, behind Λ and Qᵀg. */
// @ts-ignore: decorator
@inline
export function lastOfBasis(terms: Terms, bytes: usize): usize {
  return terms.basis + 2 * bytes;
}

/** √D, 1/√D and ξ₀, which is 0 beyond the rank like the rows of B. @returns whether D is far enough from 0. */
export function openBasis(terms: Terms, r: f32, lambda: f32, stride: usize, root: usize, inverse: usize, origin: usize): bool {
  const bytes = stride << 2;
  const own = f32x4.splat(r), penalty = f32x4.splat(lambda), one = f32x4.splat(1);
  let biggest = f32x4.splat(0), smallest = f32x4.splat(f32.MAX_VALUE);
  for (let o: usize = 0; o < bytes; o += 16) {
    const d = f32x4.add(f32x4.mul(own, v128.load(terms.basis + o)), penalty);
    biggest = f32x4.max(biggest, d);
    smallest = f32x4.min(smallest, d);
    const s = f32x4.sqrt(d);
    const i = f32x4.div(one, s);
    v128.store(root + o, s);
    v128.store(inverse + o, i);
    v128.store(origin + o, f32x4.mul(i, f32x4.mul(own, v128.load(terms.basis + bytes + o))));
  }
  return leastLane(smallest) > leastOfD * -leastLane(f32x4.neg(biggest));
}

// @ts-ignore: decorator
@inline
function leastLane(x: v128): f32 {
  return min(
    min(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    min(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/**
 * Lists where the rows of entries stand in the basis, what these weigh more than the background, Ω, and Ωy; or with `isRooted` Ω^½ and
 * Ω^½y.
 *
 * @returns whether each weighs enough for a root.
 */
// @ts-ignore: decorator
@inline
export function locate(
  isRooted: bool, isBackground: bool, job: RowJob, terms: Terms, r: f32, start: usize, count: usize, addresses: usize, omegas: usize, targets: usize,
): bool {
  const bytes = <usize>job.stride << 2, weights = job.weights, otherWeights = terms.otherWeights, rotated = terms.rotated;
  const values = job.values, indices = job.indices, value = <f32>terms.value, mean = job.mean;
  const biases = !isBackground && job.hasBias ? job.other + (<usize>job.rank << 2) : 0;
  for (let t: usize = 0; t < count; t++) {
    const o = t << 2, entry = (start + t) << 2;
    const j = <usize>load<u32>(indices + entry);
    const w: f32 = weights ? load<f32>(weights + entry) : 1;
    const rc: f32 = isBackground ? r * <f32>load<f64>(otherWeights + (j << 3)) : 0;
    let a = load<f32>(values + entry);
    if (!isBackground && biases) a = <f32>(<f64>a - mean - <f64>load<f32>(biases + j * bytes));
    const omega = w * w - rc, target = w * w * a - rc * value;
    if (isRooted && !(omega > leastOfOmega * w * w)) return false;
    const root: f32 = isRooted ? sqrt(omega) : 1;
    store<u32>(addresses + o, <u32>(rotated + j * bytes));
    store<f32>(omegas + o, isRooted ? root : omega);
    store<f32>(targets + o, isRooted ? target / root : target);
  }
  return true;
}

/** D^½(ξ − ξ₀ + Bᵀ(Bξ − Ω^½y)) at the row's present value, which is Qᵀx, to `out`. */
function halfGradient(work: ComposedSpace, x: usize, count: usize, root: usize, origin: usize, out: usize): void {
  const space = work.space;
  const bytes = work.size << 2;
  const step = work.d;
  // ξ − ξ₀, of which Bξ − Ω^½y is B's product less what stands in y.
  for (let o: usize = 0; o < bytes; o += 16) {
    const moved = f32x4.sub(f32x4.mul(v128.load(x + o), v128.load(root + o)), v128.load(origin + o));
    v128.store(step + o, moved);
    v128.store(out + o, moved);
  }
  const residuals = space.rights;
  for (let t: usize = 0; t < count; t++) store<f32>(residuals + (t << 2), -load<f32>(space.y + (t << 2)));
  addProducts(1, residuals, space.G, step, count, bytes);
  addRows(false, out, space.G, residuals, count, bytes);
  for (let o: usize = 0; o < bytes; o += 16) v128.store(out + o, f32x4.mul(v128.load(root + o), v128.load(out + o)));
}
