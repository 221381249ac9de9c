/** A row's loss and half the gradient of its smooth part, from its entries: no matrix is made up. */
import { ComposedSpace, penaltyFactor } from "./composedSpace";
import { RowJob } from "./job";
import { sumLanes } from "./lanes";
import { curvature, halfSlope, Loss } from "./losses";
import { nextDots } from "./residual";
import { backgroundOf, lossOf, ownBias, widen } from "./rowValue";
import { slopesOf, Sums } from "./squarePairs";
import { offsetOf, panelRows } from "./tangent";
import { Terms } from "./terms";
import { addSums } from "./wideSums";

/**
 * At x of the space: Gx − b of the tangent quadratic to `d`, and b.
 *
 * @returns the row's loss there, its part of the background included.
 */
export function slope<S>(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): f64 {
  const x = work.space.x;
  const rank = <usize>job.rank;
  const hasBackground = terms.gram != 0 && !terms.isFull;
  const r: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  const wide = widen(job, work, x);
  const bias = ownBias(job, x);
  memory.fill(work.d, 0, work.size << 3);
  memory.fill(work.b, 0, work.size << 3);
  const sums = changetype<Sums>(work.H);
  sums.loss = 0;
  sums.slope = 0;
  sums.right = 0;
  const addresses = work.space.addresses, scales = work.space.scales, rights = work.space.rights;
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  for (let t = <usize>load<u32>(job.pointers + (<usize>row << 2)); t < end; t += panelRows) {
    const count = min(panelRows, end - t);
    locate<S>(job, terms, work, sums, wide, job.mean + bias, r, t, count);
    addSums<S>(true, addresses, scales, rights, count, work.d, work.b, job.stride);
  }
  if (job.hasBias) {
    // In the bias's place has come along the other side's, where a 1 belongs.
    store<f64>(work.d + (rank << 3), sums.slope);
    store<f64>(work.b + (rank << 3), sums.right);
  }
  const loss = sums.loss;
  // Σ_j c_j (β − o_j − x·z_j)², from the products that the slope takes.
  let background = terms.constant;
  for (let c: usize = 0; c < work.n; c++) {
    const o = c << 3;
    const value = load<f64>(x + o);
    let s = load<f64>(work.d + o) + penaltyFactor(job, terms, row, c) * value;
    if (terms.gram) {
      const product = productOfRow(terms.gram + c * (work.size << 3), x, work.size);
      s += r * product;
      if (hasBackground) {
        const sum = load<f64>(terms.gramSum + o);
        background += value * (product - 2 * sum);
        s -= r * sum;
        store<f64>(work.b + o, load<f64>(work.b + o) + r * sum);
      }
    }
    store<f64>(work.d + o, s);
  }
  return hasBackground ? loss + r * background : loss;
}

/** Lists what multiplies z_t in the slope and in b, f64, and adds up the loss. */
function locate<S>(
  job: RowJob, terms: Terms, work: ComposedSpace, sums: Sums, wide: usize, offset: f64, r: f64, start: usize, count: usize,
): void {
  const space = work.space;
  const stride = job.stride, other = job.other, hasWeights = job.weights != 0, hasBias = job.hasBias;
  const bytes = <usize>stride * sizeof<S>();
  const kind = terms.loss, parameter = terms.lossParameter, isFull = terms.isFull, value = terms.value;
  const hasBackground = terms.gram != 0 && !isFull, otherWeights = terms.otherWeights;
  let index = job.indices + (start << 2), at = job.values + start * sizeof<S>();
  const toWeight = job.weights - job.values;
  let address = space.addresses, scale = space.scales, right = space.rights;
  const last = address + (count << 2);
  // A product stands where its scale will.
  for (let i: usize = 0; i < count; ) i += nextDots<S>(wide, other, index + (i << 2), count - i, stride, scale + (i << 3));
  if (kind == Loss.Quadratic && !hasBias && !isFull) {
    const taken = slopesOf<S>(job, terms, sums, r, start, count, address, scale, right);
    index += taken << 2;
    at += taken * sizeof<S>();
    address += taken << 2;
    scale += taken << 3;
    right += taken << 3;
  }
  let loss = sums.loss, slopes: f64 = 0, allRights: f64 = 0, squares: f64 = 0, weightedSquares: f64 = 0, observed: f64 = 0;
  for (; address != last; address += 4) {
    const j = <usize>load<u32>(index);
    const v = other + j * bytes;
    const a = <f64>load<S>(at);
    const w: f64 = hasWeights ? <f64>load<S>(at + toWeight) : 1;
    const p = load<f64>(scale) + offset;
    const own = hasBias ? offsetOf<S>(job, v) : job.mean;
    loss += lossOf(kind, w, a, p, parameter);
    const gap = p - a;
    weightedSquares += w * gap * (w * gap);
    if (w > 0) {
      squares += gap * gap;
      observed++;
    }
    let s: f64, b: f64;
    if (kind == Loss.Quadratic) {
      const squared = w * w;
      b = squared * (a - own);
      s = isFull ? -b : squared * (p - a);
    } else {
      s = halfSlope(kind, w, a, p, parameter);
      b = curvature(kind, w, a, p, parameter) * (p - own) - s;
    }
    if (hasBackground) {
      const rc = r * load<f64>(otherWeights + (j << 3));
      const isPoisson = kind == Loss.Poisson;
      loss -= backgroundOf(kind, rc, p, value);
      s -= isPoisson ? 0.5 * rc : rc * (p - value);
      b -= isPoisson ? -0.5 * rc : rc * (value - own);
    }
    store<u32>(address, <u32>v);
    store<f64>(scale, s);
    store<f64>(right, b);
    slopes += s;
    allRights += b;
    index += 4;
    at += sizeof<S>();
    scale += 8;
    right += 8;
  }
  sums.loss = loss;
  sums.slope += slopes;
  sums.right += allRights;
  job.squares += squares;
  job.weightedSquares += weightedSquares;
  job.observed += observed;
}

/** A row of a background's matrix, which has both halves, times x. */
export function productOfRow(row: usize, x: usize, size: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let o: usize = 0; o < size << 3; o += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(row + o), v128.load(x + o)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(row + o, 16), v128.load(x + o, 16)));
  }
  return sumLanes<f64>(f64x2.add(s0, s1));
}
