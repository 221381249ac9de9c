/**
 * Rows of an objective with more than weighted squares and a ridge: other losses, a background of unlisted entries, L1,
 * bounds, held entries. Computed in float64 whatever the storage S: corrections to the background's Gram matrix may be
 * negative, and bounds are met exactly.
 *
 * A row's losses are replaced by quadratics tangent at its present value (majorize–minimize: D. Hunter & K. Lange, Am.
 * Stat. 58 (2004)), which is exact for weighted squares; the quadratic problem is solved to its own optimality.
 */
import { measureLanes, mostUnknowns, openBoxLanes, raise, shareMatrix, solveLanes, takeMatrix, takeRow } from "./boxLanes";
import { boxSolve, leastSlope } from "./boxSolve";
import { choleskySolve } from "./cholesky";
import { bound, ComposedSpace, openComposed, penaltyFactor, takeOwn } from "./composedSpace";
import { copy } from "./entryLanes";
import { fullLoss, fullRows, rightSides } from "./fullRows";
import { RowJob } from "./job";
import { Loss } from "./losses";
import { backgroundAt, lossAt, penaltyAt, widen } from "./rowValue";
import { slope } from "./slope";
import { tangent } from "./tangent";
import { Terms } from "./terms";

/** A row is done when another tangent quadratic moves it by less, relative. */
const settled: f64 = 1e-13;
/** Or when so many have moved it by no less than one before, and all by little: what moves it then is rounding. */
const patience = 50;
const little: f64 = 1e-9;
/** Of a row whose entries leave some of it open: of its predictions, squared, when f does not fall any more. */
const landed: f64 = 1e-15;
const mostHalvings = 60;
/** A row's objective is not known better, of its size or that of what its background adds and takes away. */
const rounding: f64 = 1e-14;

export function composedSolve<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = openComposed(job);
  const isPlain = terms.isFull && !job.hasBias, isInLanes = areBoxed(job, terms, work);
  // All have the same bounds, if not the same penalties.
  if (isInLanes) bound(job, terms, work, first);
  for (let row = first; row < last; row++) {
    const place = (row - first) % fullRows;
    if (isPlain && place == 0) rightSides<S>(job, work, row, min(fullRows, last - row));
    if (isInLanes) {
      if (place % 2 == 0) solvePair<S>(job, terms, work, row, min(2, last - row), isPlain ? place : -1);
      continue;
    }
    if (isPlain) work.right = rightOf(work, place);
    solveRow<S>(job, terms, work, row);
  }
}

/** Of one of the rows whose sums were made together. */
// @ts-ignore: decorator
@inline
function rightOf(work: ComposedSpace, place: i32): usize {
  return work.space.P + <usize>place * (work.size << 3);
}

/** Whether rows are few unknowns of weighted squares within the same bounds each, where |x| of a penalty is x. */
function areBoxed(job: RowJob, terms: Terms, work: ComposedSpace): bool {
  const isBounded = terms.lower != -Infinity || terms.upper != Infinity;
  const isSmooth = terms.loss == Loss.Quadratic && (!terms.l1 || terms.lower >= 0);
  return isBounded && isSmooth && !terms.held && work.n <= mostUnknowns;
}

/** Rows row and row + 1, or the first alone, that are {@link areBoxed}; of a full matrix their right sides stand from `place` on (else −1). */
function solvePair<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32, count: i32, place: i32): void {
  const lanes = openBoxLanes(work.lanes, work.n, work.lower, work.upper);
  const isShared = place >= 0;
  if (isShared) {
    const weights = terms.ownWeights + (<usize>row << 3);
    shareMatrix(lanes, terms.gram, work.size, load<f64>(weights), load<f64>(weights + ((count - 1) << 3)));
  }
  for (let lane = 0; lane < 2; lane++) {
    // A lane that is left over has the same row once more.
    const taken = min(lane, count - 1);
    if (lane < count) takeOwn<S>(job, work, row + lane);
    if (isShared) {
      for (let c: usize = 0; c < work.n; c++) raise(lanes.G, lane, c * (mostUnknowns + 1), penaltyFactor(job, terms, row + taken, c));
    } else {
      if (lane < count) tangent<S, f64>(job, terms, work, row + lane);
      takeMatrix(lanes, lane, work.G, work.size);
    }
    takeRow(lanes, lane, isShared ? rightOf(work, place + taken) : work.b, work.space.x);
    if (!terms.l1) continue;
    bound(job, terms, work, row + taken);
    for (let c: usize = 0; c < work.n; c++) raise(lanes.b, lane, c, -0.5 * load<f64>(work.mu + (c << 3)));
  }
  measureLanes(lanes);
  for (let lane = 0; lane < count; lane++)
    for (let c: usize = 0; c < work.n; c++) {
      const o = (c << 4) + (lane << 3), bounds = c << 3;
      const slope = load<f64>(lanes.slope + o), x = load<f64>(lanes.x + o);
      job.addGradient(<i32>c, leastSlope(slope, x, 0, load<f64>(work.lower + bounds), load<f64>(work.upper + bounds)));
    }
  const solved = solveLanes(lanes);
  for (let lane = 0; lane < count; lane++) {
    if (isShared) work.right = rightOf(work, place + lane);
    if (terms.l1) bound(job, terms, work, row + lane);
    if ((solved >> lane) & 1)
      for (let c: usize = 0; c < work.n; c++) store<f64>(work.space.x + (c << 3), load<f64>(lanes.x + (c << 4) + (lane << 3)));
    else solveAlone<S>(job, terms, work, row + lane);
    keep<S>(job, terms, work, row + lane);
  }
}

/** A row that {@link solveLanes} has left. */
function solveAlone<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  tangent<S, f64>(job, terms, work, row);
  mirror(work);
  for (let c: usize = 0; c < work.n; c++)
    store<f64>(work.next + (c << 3), <f64>load<S>(job.own + (<usize>row * <usize>job.stride + c) * sizeof<S>()));
  boxSolve(work);
  copy(work.space.x, work.next, work.size << 3);
}

/** Loss, penalty and projected gradient at `own`; the gradient goes to `out` if it is wanted. */
export function composedMeasure<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = openComposed(job);
  const width = <usize>job.stride * sizeof<S>();
  for (let row = first; row < last; row++) {
    takeOwn<S>(job, work, row);
    bound(job, terms, work, row);
    job.loss += slope<S>(job, terms, work, row);
    measureSlope(job, terms, work, row);
    job.penalty += penaltyAt(job, terms, work, work.space.x, row);
    if (job.out == 0) continue;
    const out = job.out + <usize>row * width;
    for (let c: usize = 0; c < <usize>job.stride; c++)
      store<S>(out + c * sizeof<S>(), c < work.n ? <S>load<f64>(work.residual + (c << 3)) : <S>0);
  }
}

/** Loss and penalty alone. */
export function composedLoss<S>(job: RowJob, terms: Terms, first: i32, last: i32): void {
  const work = openComposed(job);
  for (let row = first; row < last; row++) {
    takeOwn<S>(job, work, row);
    bound(job, terms, work, row);
    job.loss += lossAt<S>(job, terms, work, work.space.x, row);
    job.penalty += penaltyAt(job, terms, work, work.space.x, row);
  }
}

function solveRow<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const stride = <usize>job.stride;
  const x = work.space.x;
  takeOwn<S>(job, work, row);
  const isConstrained = bound(job, terms, work, row);
  const steps = terms.loss == Loss.Quadratic ? 1 : terms.innerSteps;
  let least = Infinity;
  let idle = 0;
  for (let step = 0; step < steps; step++) {
    tangent<S, f64>(job, terms, work, row);
    mirror(work);
    if (step == 0) {
      slopeOf(work);
      measureSlope(job, terms, work, row);
    }
    copy(work.next, x, stride << 3);
    const isUnique = !isConstrained && solveFree(work);
    if (!isUnique) {
      const isKnown = step == 0 && isConstrained;
      if (isKnown) copy(work.residual, work.d, stride << 3);
      boxSolve(work, isKnown);
    }
    if (terms.loss == Loss.Poisson) backtrack<S>(job, terms, work, row);
    const moved = distance(work.next, x, work.n);
    const isThere = moved <= settled || (!isConstrained && !isUnique && hasLanded(work));
    copy(x, work.next, stride << 3);
    if (isThere) break;
    idle = moved < least ? 0 : idle + 1;
    if (idle >= patience && moved < little) break;
    least = min(least, moved);
  }
  keep<S>(job, terms, work, row);
}

/** x of the space to the row's place, rounded as it stands there, and what it costs. */
function keep<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const x = work.space.x, stride = work.size;
  store<u8>(job.status + row, 0);
  const out = job.out + <usize>row * stride * sizeof<S>();
  for (let c: usize = 0; c < stride; c++) {
    const rounded = c < work.n ? <S>load<f64>(x + (c << 3)) : <S>0;
    store<S>(out + c * sizeof<S>(), rounded);
    store<f64>(x + (c << 3), <f64>rounded);
  }
  if (job.isLossWanted)
    job.loss += work.right ? fullLoss<S>(job, widen(job, work, x), row) : lossAt<S>(job, terms, work, x, row);
  job.penalty += penaltyAt(job, terms, work, x, row);
}

/** Gx − b to `d`. */
function slopeOf(work: ComposedSpace): void {
  const n = work.n;
  for (let c: usize = 0; c < n; c++) {
    const row = work.G + c * (work.size << 3);
    let h = -load<f64>(work.b + (c << 3));
    for (let e: usize = 0; e < n; e++) h += load<f64>(row + (e << 3)) * load<f64>(work.space.x + (e << 3));
    store<f64>(work.d + (c << 3), h);
  }
}

/** Projected gradient from Gx − b in `d`, to `residual`; adds up its square and keeps the row's residual. */
function measureSlope(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): void {
  const n = work.n;
  let squared: f64 = 0, scale: f64 = 0;
  for (let c: usize = 0; c < n; c++) {
    const o = c << 3;
    const least = leastSlope(2 * load<f64>(work.d + o), load<f64>(work.space.x + o), load<f64>(work.mu + o), load<f64>(work.lower + o), load<f64>(work.upper + o));
    store<f64>(work.residual + o, least);
    squared += least * least;
    job.addGradient(<i32>c, least);
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

/** Whether the step from x to `next` moves predictions by no more than rounding does. */
function hasLanded(work: ComposedSpace): bool {
  let moved: f64 = 0, norm: f64 = 0;
  for (let c: usize = 0; c < work.n; c++) {
    const row = work.G + c * (work.size << 3);
    let ofStep: f64 = 0, ofNext: f64 = 0;
    for (let e: usize = 0; e < work.n; e++) {
      const g = load<f64>(row + (e << 3)), next = load<f64>(work.next + (e << 3));
      ofStep += g * (next - load<f64>(work.space.x + (e << 3)));
      ofNext += g * next;
    }
    moved += ofStep * (load<f64>(work.next + (c << 3)) - load<f64>(work.space.x + (c << 3)));
    norm += ofNext * load<f64>(work.next + (c << 3));
  }
  return moved <= landed * norm;
}

function distance(a: usize, b: usize, n: usize): f64 {
  let moved: f64 = 0, norm: f64 = 0;
  for (let c: usize = 0; c < n; c++) {
    moved = max(moved, abs(load<f64>(a + (c << 3)) - load<f64>(b + (c << 3))));
    norm = max(norm, abs(load<f64>(a + (c << 3))));
  }
  return moved / (norm + f64.MIN_VALUE);
}
