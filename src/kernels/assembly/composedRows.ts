/**
 * Rows of an objective with more than weighted squares and a ridge: other losses, a background of unlisted entries, L1,
 * bounds, held entries. Computed in float64 whatever the storage S: corrections to the background's Gram matrix may be
 * negative, and bounds are met exactly.
 *
 * A row's losses are replaced by quadratics tangent at its present value (majorize–minimize: D. Hunter & K. Lange, Am.
 * Stat. 58 (2004)), which is exact for weighted squares; the quadratic problem is solved to its own optimality.
 */
import { BoxProblem, boxSolve, leastSlope } from "./boxSolve";
import { choleskySolve } from "./cholesky";
import { downdate, gram } from "./gram";
import { RowJob } from "./job";
import { curvature, halfSlope, Loss, lossValue } from "./losses";
import { collect } from "./panel";
import { dotWide } from "./residual";
import { endOfSpace, openSpace, Space } from "./space";
import { Terms } from "./terms";

/** Observations of a panel. */
const panelRows: usize = 64;

/** A row is done when another tangent quadratic moves it by less, relative. */
const settled: f64 = 1e-13;
/** Or when so many have moved it by no less than one before, and all by little: what moves it then is rounding. */
const patience = 50;
const little: f64 = 1e-9;
const mostHalvings = 60;
/** A row's objective is not known better, of its size or that of what its background adds and takes away. */
const rounding: f64 = 1e-14;

@unmanaged
class ComposedSpace extends BoxProblem {
  space: Space;
  /** The row as it will be, while `x` of the space is as it is. */
  next: usize;
}

function open(job: RowJob): ComposedSpace {
  const space = openSpace<f64>(job);
  const size = <usize>job.stride;
  const vector = size << 3;
  const composed = changetype<ComposedSpace>(endOfSpace<f64>(job));
  composed.space = space;
  composed.size = size;
  composed.n = <usize>job.rank + <usize>job.ownBiasFree;
  composed.G = space.G;
  composed.b = space.b;
  composed.H = changetype<usize>(composed) + 128;
  composed.lower = composed.H + size * vector;
  composed.upper = composed.lower + vector;
  composed.mu = composed.upper + vector;
  composed.residual = composed.mu + vector;
  composed.d = composed.residual + vector;
  composed.next = composed.d + vector;
  composed.free = composed.next + vector;
  composed.x = composed.next;
  return composed;
}

export function composedSolve<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = open(job);
  for (let row = first; row < last; row++) solveRow<S>(job, terms, work, row);
}

/** Loss, penalty and projected gradient at `own`; the gradient goes to `out` if it is wanted. */
export function composedMeasure<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = open(job);
  const width = <usize>job.stride * sizeof<S>();
  for (let row = first; row < last; row++) {
    takeOwn<S>(job, work, row);
    bound(job, terms, work, row);
    tangent<S>(job, terms, work, row);
    measureSlope(job, terms, work, row);
    job.loss += lossAt<S>(job, terms, work, work.space.x, row);
    job.penalty += penaltyAt(job, terms, work, work.space.x, row);
    if (job.out == 0) continue;
    const out = job.out + <usize>row * width;
    for (let c: usize = 0; c < <usize>job.stride; c++)
      store<S>(out + c * sizeof<S>(), c < work.n ? <S>load<f64>(work.residual + (c << 3)) : <S>0);
  }
}

/** Loss and penalty alone. */
export function composedLoss<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = open(job);
  for (let row = first; row < last; row++) {
    takeOwn<S>(job, work, row);
    bound(job, terms, work, row);
    job.loss += lossAt<S>(job, terms, work, work.space.x, row);
    job.penalty += penaltyAt(job, terms, work, work.space.x, row);
  }
}

/**
 * Σ c_j z_j z_jᵀ, Σ c_j (β − o_j) z_j and Σ c_j (β − o_j)² over rows first … last−1 of the factor at `job.other`, to
 * `out`: size×size, size and 1 doubles. Poisson: no matrix, −½Σ c_j z_j and Σ c_j o_j.
 */
export function backgroundRows<S>(job: RowJob, terms: Terms, first: i32, last: i32, out: usize): void {
  const work = open(job);
  const space = work.space;
  const size = work.size;
  const width = size * sizeof<S>();
  const isPoisson = terms.loss == Loss.Poisson;
  memory.fill(work.G, 0, size * (size << 3));
  memory.fill(work.b, 0, size << 3);
  let constant: f64 = 0;
  for (let row = <usize>first; row < <usize>last; row += panelRows) {
    const count = min(panelRows, <usize>last - row);
    for (let t: usize = 0; t < count; t++) {
      const v = job.other + (row + t) * width;
      const c = load<f64>(terms.otherWeights + ((row + t) << 3));
      const offset = offsetOf<S>(job, v);
      const gap = terms.value - offset;
      store<u32>(space.addresses + (t << 2), <u32>v);
      store<f64>(space.scales + (t << 3), sqrt(c));
      store<f64>(space.rights + (t << 3), isPoisson ? -0.5 * c : c * gap);
      constant += isPoisson ? c * offset : c * gap * gap;
    }
    collect<S, f64>(job, space, count, space.P, true);
    if (!isPoisson) gram<f64>(work.G, space.P, <i32>count, size);
  }
  memory.copy(out, work.G, size * (size << 3));
  memory.copy(out + size * (size << 3), work.b, size << 3);
  store<f64>(out + size * (size << 3) + (size << 3), constant);
}

function solveRow<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const stride = <usize>job.stride;
  const x = work.space.x;
  store<u8>(job.status + row, 0);
  takeOwn<S>(job, work, row);
  const isConstrained = bound(job, terms, work, row);
  const steps = terms.loss == Loss.Quadratic ? 1 : terms.innerSteps;
  let least = Infinity;
  let idle = 0;
  for (let step = 0; step < steps; step++) {
    tangent<S>(job, terms, work, row);
    if (step == 0) measureSlope(job, terms, work, row);
    memory.copy(work.next, x, stride << 3);
    if (isConstrained || !solveFree(work)) {
      mirror(work);
      boxSolve(work);
    }
    if (terms.loss == Loss.Poisson) backtrack<S>(job, terms, work, row);
    const moved = distance(work.next, x, work.n);
    memory.copy(x, work.next, stride << 3);
    if (moved <= settled) break;
    idle = moved < least ? 0 : idle + 1;
    if (idle >= patience && moved < little) break;
    least = min(least, moved);
  }
  const out = job.out + <usize>row * stride * sizeof<S>();
  for (let c: usize = 0; c < stride; c++) {
    const rounded = c < work.n ? <S>load<f64>(x + (c << 3)) : <S>0;
    store<S>(out + c * sizeof<S>(), rounded);
    store<f64>(x + (c << 3), <f64>rounded);
  }
  if (job.isLossWanted) job.loss += lossAt<S>(job, terms, work, x, row);
  job.penalty += penaltyAt(job, terms, work, x, row);
}

/** The row's present value, to x of the space. */
function takeOwn<S>(job: RowJob, work: ComposedSpace, row: i32): void {
  const own = job.own + <usize>row * <usize>job.stride * sizeof<S>();
  for (let c: usize = 0; c < <usize>job.stride; c++) {
    const value = c < work.n ? <f64>load<S>(own + c * sizeof<S>()) : 0;
    job.addOwn(<i32>c, value);
    store<f64>(work.space.x + (c << 3), value);
  }
}

/** Bounds and L1 weights of the row. @returns whether there are any. */
function bound(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): bool {
  const mu = terms.l1 ? load<f64>(terms.l1 + (<usize>row << 3)) : 0;
  let isConstrained = false;
  for (let c: usize = 0; c < work.n; c++) {
    const o = c << 3;
    const isFactor = c < <usize>job.rank;
    const isHeld = terms.held != 0 && load<u8>(terms.held + <usize>row * work.size + c) != 0;
    const value = load<f64>(work.space.x + o);
    const lower = isHeld ? value : isFactor ? terms.lower : -Infinity;
    const upper = isHeld ? value : isFactor ? terms.upper : Infinity;
    const own = isFactor ? mu * multipleOf(terms, c) : 0;
    store<f64>(work.lower + o, lower);
    store<f64>(work.upper + o, upper);
    store<f64>(work.mu + o, own);
    isConstrained = isConstrained || lower != -Infinity || upper != Infinity || own > 0;
  }
  return isConstrained;
}

// @ts-ignore: decorator
@inline
function multipleOf(terms: Terms, c: usize): f64 {
  return terms.columnMultiples ? load<f64>(terms.columnMultiples + (c << 3)) : 1;
}

function penaltyFactor(job: RowJob, terms: Terms, row: i32, c: usize): f64 {
  const o = <usize>row << 3;
  return c < <usize>job.rank ? load<f64>(job.penalties + o) * multipleOf(terms, c) : load<f64>(job.biasPenalties + o);
}

/** mean + the other side's bias at `v`. */
// @ts-ignore: decorator
@inline
function offsetOf<S>(job: RowJob, v: usize): f64 {
  return job.hasBias ? job.mean + <f64>load<S>(v + <usize>job.rank * sizeof<S>()) : job.mean;
}

/** x as `dotWide` wants it: a 1 meets the other side's bias. */
function widen(job: RowJob, work: ComposedSpace, x: usize): usize {
  memory.copy(work.space.wide, x, work.size << 3);
  for (let c = <usize>job.rank; c < work.size; c++) store<f64>(work.space.wide + (c << 3), 0);
  if (job.hasBias) store<f64>(work.space.wide + (<usize>job.rank << 3), 1);
  return work.space.wide;
}

// @ts-ignore: decorator
@inline
function ownBias(job: RowJob, x: usize): f64 {
  return job.ownBiasFree ? load<f64>(x + (<usize>job.rank << 3)) : 0;
}

/** G (upper half) and b of the quadratic xᵀGx − 2bᵀx tangent to the row's smooth part at x of the space. */
function tangent<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
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

/** Projected gradient at x of the space, to `residual`; adds up its square and keeps the row's residual. */
function measureSlope(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const n = work.n;
  let squared: f64 = 0, scale: f64 = 0;
  for (let c: usize = 0; c < n; c++) {
    let h = -load<f64>(work.b + (c << 3));
    for (let e: usize = 0; e < n; e++) {
      const entry = c <= e ? (c * work.size + e) << 3 : (e * work.size + c) << 3;
      h += load<f64>(work.G + entry) * load<f64>(work.space.x + (e << 3));
    }
    const o = c << 3;
    const slope = leastSlope(2 * h, load<f64>(work.space.x + o), load<f64>(work.mu + o), load<f64>(work.lower + o), load<f64>(work.upper + o));
    store<f64>(work.residual + o, slope);
    squared += slope * slope;
    job.addGradient(<i32>c, slope);
    const b = 2 * load<f64>(work.b + o);
    scale += b * b;
  }
  if (terms.residuals) store<f64>(terms.residuals + (<usize>row << 3), scale > 0 ? sqrt(squared / scale) : sqrt(squared));
}

/** Without constraints: Cholesky, unless a pivot vanishes (then G and b are as they were). */
function solveFree(work: ComposedSpace): bool {
  const bytes = work.size * (work.size << 3);
  let biggest: f64 = 0;
  for (let c: usize = 0; c < work.n; c++) biggest = max(biggest, load<f64>(work.G + c * ((work.size + 1) << 3)));
  memory.copy(work.H, work.G, bytes);
  memory.copy(work.d, work.b, work.size << 3);
  if (!choleskySolve<f64>(work.H, work.size, work.n, <f64>work.n * f64.EPSILON * biggest, work.d)) return false;
  memory.copy(work.next, work.d, work.size << 3);
  return true;
}

/** Fills G's lower half. */
function mirror(work: ComposedSpace): void {
  for (let r: usize = 0; r < work.n; r++)
    for (let c = r + 1; c < work.n; c++)
      store<f64>(work.G + ((c * work.size + r) << 3), load<f64>(work.G + ((r * work.size + c) << 3)));
}

/** Halves the step from x to `next` until the row's objective falls (L. Armijo, Pac. J. Math. 16 (1966), without a slope: f is convex). */
function backtrack<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const x = work.space.x;
  const before = lossAt<S>(job, terms, work, x, row) + penaltyAt(job, terms, work, x, row);
  const background: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) * backgroundAt(terms, work, x) : 0;
  const limit = before + rounding * (abs(before) + background);
  for (let halving = 0; halving < mostHalvings; halving++) {
    const after = lossAt<S>(job, terms, work, work.next, row) + penaltyAt(job, terms, work, work.next, row);
    if (after <= limit) return;
    for (let c: usize = 0; c < work.n; c++) {
      const o = c << 3;
      const value = load<f64>(x + o);
      store<f64>(work.next + o, value + 0.5 * (load<f64>(work.next + o) - value));
    }
  }
  memory.copy(work.next, x, work.size << 3);
}

function distance(a: usize, b: usize, n: usize): f64 {
  let moved: f64 = 0, norm: f64 = 0;
  for (let c: usize = 0; c < n; c++) {
    moved = max(moved, abs(load<f64>(a + (c << 3)) - load<f64>(b + (c << 3))));
    norm = max(norm, abs(load<f64>(a + (c << 3))));
  }
  return moved / (norm + f64.MIN_VALUE);
}

/** Σ ℓ over listed entries, and the background's part over all others. */
function lossAt<S>(job: RowJob, terms: Terms, work: ComposedSpace, x: usize, row: i32): f64 {
  const bytes = <usize>job.stride * sizeof<S>();
  const wide = widen(job, work, x);
  const offset = job.mean + ownBias(job, x);
  const loss = terms.loss, d = terms.lossParameter;
  const hasBackground = terms.gram != 0 && !terms.isFull;
  const r: f64 = hasBackground ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  let sum = hasBackground ? r * backgroundAt(terms, work, x) : 0;
  for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t++) {
    const j = <usize>load<u32>(job.indices + (t << 2));
    const p = dotWide<S>(wide, job.other + j * bytes, job.stride) + offset;
    const w: f64 = job.weights ? <f64>load<S>(job.weights + t * sizeof<S>()) : 1;
    if (w > 0) sum += lossValue(loss, w, <f64>load<S>(job.values + t * sizeof<S>()), p, d);
    if (hasBackground) {
      const rc = r * load<f64>(terms.otherWeights + (j << 3));
      const gap = terms.value - p;
      sum -= loss == Loss.Poisson ? rc * p : rc * gap * gap;
    }
  }
  return sum;
}

/** Σ_j c_j (β − o_j − x·z_j)² from the sums over all j. */
function backgroundAt(terms: Terms, work: ComposedSpace, x: usize): f64 {
  let sum = terms.constant;
  for (let c: usize = 0; c < work.n; c++) {
    const row = terms.gram + c * (work.size << 3);
    const value = load<f64>(x + (c << 3));
    let half = 0.5 * load<f64>(row + (c << 3)) * value - load<f64>(terms.gramSum + (c << 3));
    for (let e = c + 1; e < work.n; e++) half += load<f64>(row + (e << 3)) * load<f64>(x + (e << 3));
    sum += 2 * value * half;
  }
  return sum;
}

function penaltyAt(job: RowJob, terms: Terms, work: ComposedSpace, x: usize, row: i32): f64 {
  let sum: f64 = 0;
  for (let c: usize = 0; c < work.n; c++) {
    const value = load<f64>(x + (c << 3));
    sum += penaltyFactor(job, terms, row, c) * value * value + load<f64>(work.mu + (c << 3)) * abs(value);
  }
  return sum;
}
