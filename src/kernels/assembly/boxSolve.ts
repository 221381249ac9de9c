/**
 * min xᵀGx − 2bᵀx + Σ μ_c|x_c| over l ≤ x ≤ u, to its own optimality: sweeps of coordinate descent (J. Friedman et al.,
 * J. Stat. Softw. 33 (2010)) find which coordinates are free, a Newton step on those (D. Bertsekas, SIAM J. Control
 * Optim. 20 (1982), as a projected one) gives the rest of the digits. Both only descend, and a Newton step comes first.
 */
import { choleskySolve } from "./cholesky";
import { clear } from "./entryLanes";

/** Work space of a row problem of n unknowns; matrices are f64, n×n, `size` apart, `size` a multiple of 4. */
@unmanaged
export class BoxProblem {
  size: usize;
  n: usize;
  /** Symmetric, both halves. */
  G: usize;
  b: usize;
  /** The start, then the solution. */
  x: usize;
  lower: usize;
  upper: usize;
  mu: usize;
  /** Gx − b. */
  residual: usize;
  /** For the Newton step: a matrix, its right-hand side, and which coordinates are free. */
  H: usize;
  d: usize;
  free: usize;
}

const mostRounds = 200;
/** Of the projected gradient, relative to the gradient's largest part; rounding may keep a row from it. */
const tolerance: f64 = 1e-14;
/** Of the pivots that count as vanished. */
const leastRidge: f64 = 16;
/** Rounds without a smaller projected gradient after which rounding is believed to. */
const patience = 4;

// @ts-ignore: decorator
@inline
function at(vector: usize, c: usize): f64 {
  return load<f64>(vector + (c << 3));
}

/** @param isKnown whether `residual` is that of x, should x lie within its bounds. */
export function boxSolve(problem: BoxProblem, isKnown: bool = false): void {
  const n = problem.n;
  for (let c: usize = 0; c < n; c++) {
    const x = at(problem.x, c);
    const within = min(max(x, at(problem.lower, c)), at(problem.upper, c));
    isKnown = isKnown && within == x;
    store<f64>(problem.x + (c << 3), within);
  }
  if (!isKnown) refresh(problem);
  let scale: f64 = 0;
  for (let c: usize = 0; c < n; c++)
    scale = max(scale, max(at(problem.mu, c), 2 * max(abs(at(problem.b, c)), abs(at(problem.residual, c)))));
  // After a few sweeps of a fit a row's free coordinates are those that it comes with: then this is the solution.
  newton(problem);
  refresh(problem);
  if (projectedGradient(problem) <= tolerance * scale) return;
  let best = Infinity;
  let worse = 0;
  for (let round = 0; round < mostRounds && worse < patience; round++) {
    descend(problem);
    descend(problem);
    // A bound in the way is taken, and the step made anew without it: else the next sweep would only leave it again.
    let isStopped = true;
    while (isStopped) {
      isStopped = newton(problem);
      refresh(problem);
    }
    const slope = projectedGradient(problem);
    if (slope <= tolerance * scale) return;
    worse = slope < best ? 0 : worse + 1;
    best = min(best, slope);
  }
}

/** residual = Gx − b */
function refresh(problem: BoxProblem): void {
  const n = problem.n;
  for (let c: usize = 0; c < n; c++) {
    const row = problem.G + c * (problem.size << 3);
    let sum = -at(problem.b, c);
    for (let e: usize = 0; e < n; e++) sum += at(row, e) * at(problem.x, e);
    store<f64>(problem.residual + (c << 3), sum);
  }
}

/** The element of least magnitude of the subdifferential at one coordinate: slope `g` of the smooth part, |·| times `mu`, bounds. */
export function leastSlope(g: f64, x: f64, mu: f64, lower: f64, upper: f64): f64 {
  let low = g + (x > 0 ? mu : -mu);
  let high = g + (x < 0 ? -mu : mu);
  if (x <= lower) low = -Infinity;
  if (x >= upper) high = Infinity;
  // What is not a number must not pass for a slope of 0.
  return low > 0 ? low : high < 0 ? high : g - g;
}

/** The largest of its entries. */
function projectedGradient(problem: BoxProblem): f64 {
  let largest: f64 = 0;
  for (let c: usize = 0; c < problem.n; c++) largest = max(largest, abs(slopeAt(problem, c)));
  return largest;
}

// @ts-ignore: decorator
@inline
function slopeAt(problem: BoxProblem, c: usize): f64 {
  return leastSlope(2 * at(problem.residual, c), at(problem.x, c), at(problem.mu, c), at(problem.lower, c), at(problem.upper, c));
}

/** One sweep of exact minimisation, coordinate by coordinate. */
function descend(problem: BoxProblem): void {
  const n = problem.n;
  for (let c: usize = 0; c < n; c++) {
    const row = problem.G + c * (problem.size << 3);
    const before = at(problem.x, c);
    const u = lowest(at(row, c), before, at(problem.residual, c), 0.5 * at(problem.mu, c));
    const after = min(max(u, at(problem.lower, c)), at(problem.upper, c));
    const step = after - before;
    // Where f falls for ever along c (no curvature, no bound) it stays.
    if (step == 0 || !isFinite(step)) continue;
    store<f64>(problem.x + (c << 3), after);
    for (let e: usize = 0; e < n; e++) {
      const o = problem.residual + (e << 3);
      store<f64>(o, load<f64>(o) + step * at(row, e));
    }
  }
}

/** The minimum over one coordinate of curvature·x² + 2(slope − curvature·before)x + 2·half|x|. */
function lowest(curvature: f64, before: f64, slope: f64, half: f64): f64 {
  if (!(curvature > 0)) return slope > half ? -Infinity : slope < -half ? Infinity : half > 0 ? 0 : before;
  const u = before - slope / curvature;
  const room = half / curvature;
  return u > room ? u - room : u < -room ? u + room : 0;
}

/**
 * Exact minimisation over the coordinates strictly between their bounds and off the corner of |·|, as far as none leaves its piece.
 * @returns whether one would have: it stands at the end of its piece, and is not free any more.
 */
function newton(problem: BoxProblem): bool {
  let count: usize = 0;
  for (let c: usize = 0; c < problem.n; c++) {
    const x = at(problem.x, c);
    if (x <= at(problem.lower, c) || x >= at(problem.upper, c) || (x == 0 && at(problem.mu, c) > 0)) continue;
    store<u32>(problem.free + (count++ << 2), <u32>c);
  }
  if (count == 0) return false;
  const size = (count + 3) & ~3;
  const smallest = <f64>count * f64.EPSILON * assemble(problem, count, size, 0);
  if (!choleskySolve<f64>(problem.H, size, count, smallest, problem.d)) {
    // Directions without curvature stay about where they are beside a ridge that the others do not notice.
    assemble(problem, count, size, leastRidge * smallest);
    if (!choleskySolve<f64>(problem.H, size, count, 0, problem.d)) return false;
  }
  let fraction: f64 = 1;
  let stopper: usize = count;
  for (let f: usize = 0; f < count; f++) {
    const c = <usize>load<u32>(problem.free + (f << 2));
    const x = at(problem.x, c), d = at(problem.d, f);
    const room = roomOf(x, d, at(problem.mu, c), at(problem.lower, c), at(problem.upper, c));
    if (room < fraction) {
      fraction = room;
      stopper = f;
    }
  }
  for (let f: usize = 0; f < count; f++) {
    const c = <usize>load<u32>(problem.free + (f << 2));
    const x = at(problem.x, c), d = at(problem.d, f), mu = at(problem.mu, c);
    // The one that stops the step lands on its bound exactly.
    const to = f == stopper ? edgeOf(x, d, mu, at(problem.lower, c), at(problem.upper, c)) : x + fraction * d;
    store<f64>(problem.x + (c << 3), min(max(to, at(problem.lower, c)), at(problem.upper, c)));
  }
  return stopper < count;
}

/** The free coordinates' matrix, its diagonal raised by `ridge`, to H and their right-hand side to `d`. @returns the largest of its diagonal. */
function assemble(problem: BoxProblem, count: usize, size: usize, ridge: f64): f64 {
  clear(problem.H, size * (size << 3));
  let biggest: f64 = 0;
  for (let f: usize = 0; f < size; f++) {
    const row = problem.H + f * (size << 3);
    store<f64>(problem.d + (f << 3), 0);
    if (f >= count) {
      store<f64>(row + (f << 3), 1);
      continue;
    }
    const c = <usize>load<u32>(problem.free + (f << 2));
    const from = problem.G + c * (problem.size << 3);
    for (let e = f; e < count; e++) store<f64>(row + (e << 3), at(from, <usize>load<u32>(problem.free + (e << 2))));
    biggest = max(biggest, at(from, c));
    store<f64>(row + (f << 3), load<f64>(row + (f << 3)) + ridge);
    const x = at(problem.x, c);
    const sign: f64 = x > 0 ? 0.5 : -0.5;
    store<f64>(problem.d + (f << 3), -at(problem.residual, c) - sign * at(problem.mu, c));
  }
  return biggest;
}

/** Where x on its way along d leaves its smooth piece. */
function edgeOf(x: f64, d: f64, mu: f64, lower: f64, upper: f64): f64 {
  if (d > 0) return mu > 0 && x < 0 ? min(0, upper) : upper;
  return mu > 0 && x > 0 ? max(0, lower) : lower;
}

/** The fraction of d at which that happens. */
function roomOf(x: f64, d: f64, mu: f64, lower: f64, upper: f64): f64 {
  if (d == 0) return Infinity;
  return (edgeOf(x, d, mu, lower, upper) - x) / d;
}
