/**
 * The exact solution of rows that `accumulateNarrow` is for, four at a time, a row in each lane: a Cholesky factorization so small
 * is a chain of roots and quotients that wait for each other. Each lane computes what `normalEquations` does, in its order: the
 * same bits.
 */
import { RowJob } from "./job";
import { epsilon, madd, nmadd } from "./lanes";
import { accumulateNarrow, narrowStride, narrowSums } from "./narrow";
import { lossOfRow, penaltyOfRow, widen } from "./residual";

/** Bytes of four rows' numbers, and of a row of G. */
const vector: usize = 16;
const line: usize = narrowStride * vector;
const sumBytes: usize = narrowSums * vector;

/** Addresses of numbers of four rows, one in each lane. */
@unmanaged
class Lanes {
  /** Upper half, `narrowStride` vectors a row; then U with the reciprocals of its diagonal. */
  G: usize;
  /** Then the solution. */
  b: usize;
  /** The rows at their old values, and the gradient there. */
  x: usize;
  g: usize;
  /** One vector. */
  lambda: usize;
  smallest: usize;
  /** Eight doubles of one row. */
  wide: usize;
  /** Each row's sums, one row after another. */
  sums: usize;
}

/** Behind the record of the space of other rows, in room that these use anew for each. */
function openLanes(job: RowJob): Lanes {
  const lanes = changetype<Lanes>(job.scratch + 64);
  lanes.G = job.scratch + 128;
  lanes.b = lanes.G + narrowStride * line;
  lanes.x = lanes.b + line;
  lanes.g = lanes.x + line;
  lanes.lambda = lanes.g + line;
  lanes.smallest = lanes.lambda + vector;
  lanes.wide = lanes.smallest + vector;
  lanes.sums = lanes.wide + 64;
  return lanes;
}

/** Rows first … first+count−1, one to four, of no fewer observations than unknowns. A row whose pivots vanish says so in its status. */
export function solveLanes(job: RowJob, first: i32, count: i32): void {
  const lanes = openLanes(job);
  const rank = job.rank;
  for (let lane = 0; lane < 4; lane++) {
    // Lanes that are left over have the last row once more.
    const row = first + min(lane, count - 1);
    const at = job.pointers + (<usize>row << 2);
    accumulateNarrow(job, lanes.sums + <usize>lane * sumBytes, <usize>load<u32>(at), <usize>load<u32>(at, 4));
    store<f32>(lanes.lambda + (<usize>lane << 2), <f32>load<f64>(job.penalties + (<usize>row << 3)));
  }
  gather(lanes, rank);
  penalise(lanes, rank);
  if (job.own) measureGradient(job, lanes, first, count);
  const solved = i32x4.bitmask(factor(lanes, rank));
  substitute(lanes, rank);
  for (let lane = 0; lane < count; lane++) finishRow(job, lanes, first + lane, lane, (solved & (1 << lane)) != 0);
}

/** The four rows' sums as G and b: see accumulateNarrow. */
function gather(lanes: Lanes, rank: i32): void {
  const G = lanes.G, b = lanes.b, sums = lanes.sums;
  turn(sums, G, G + line + vector, G + 2 * (line + vector), G + 3 * (line + vector));
  turn(sums + vector, G + vector, G + line + 2 * vector, G + 2 * line + 3 * vector, G + 3 * vector);
  turn(sums + 2 * vector, G + 2 * vector, G + line + 3 * vector, b, b);
  turn(sums + 3 * vector, b, b + vector, b + 2 * vector, b + 3 * vector);
  turn(sums + 4 * vector, b + 4 * vector, b + 5 * vector, b + 6 * vector, b + 7 * vector);
  for (let c: usize = 4; c < <usize>rank; c++) {
    const column = G + c * vector;
    turn(sums + (c + 1) * vector, column, column + line, column + 2 * line, column + 3 * line);
    const row = G + c * line + 4 * vector;
    turn(sums + (c + 5) * vector, row, row + vector, row + 2 * vector, row + 3 * vector);
  }
}

/** A vector of each row's sums to a vector for each of its lanes. */
// @ts-ignore: decorator
@inline
function turn(from: usize, to0: usize, to1: usize, to2: usize, to3: usize): void {
  const a = v128.load(from), b = v128.load(from + sumBytes), c = v128.load(from + 2 * sumBytes), d = v128.load(from + 3 * sumBytes);
  const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5), high = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const low2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), high2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to3, v128.shuffle<f32>(high, high2, 2, 3, 6, 7));
  v128.store(to2, v128.shuffle<f32>(high, high2, 0, 1, 4, 5));
  v128.store(to1, v128.shuffle<f32>(low, low2, 2, 3, 6, 7));
  v128.store(to0, v128.shuffle<f32>(low, low2, 0, 1, 4, 5));
}

/** G + λ, and the least that a pivot may be. */
function penalise(lanes: Lanes, rank: i32): void {
  const lambda = v128.load(lanes.lambda);
  let biggest = f32x4.splat(0);
  for (let c: usize = 0; c < <usize>rank; c++) {
    const diagonal = lanes.G + c * (line + vector);
    const value = f32x4.add(v128.load(diagonal), lambda);
    v128.store(diagonal, value);
    biggest = f32x4.max(biggest, value);
  }
  v128.store(lanes.smallest, biggest);
  for (let at = lanes.smallest; at < lanes.smallest + vector; at += 4)
    store<f32>(at, <f32>(<f64>rank * epsilon<f32>() * <f64>load<f32>(at)));
}

/** 2(Gx − b) of each row at its old value: as `addGradient` has it, a dot product and its mirror image a row of G. */
function measureGradient(job: RowJob, lanes: Lanes, first: i32, count: i32): void {
  const rank = <usize>job.rank, G = lanes.G, x = lanes.x, g = lanes.g;
  for (let lane = 0; lane < count; lane++) {
    const own = job.own + (<usize>(first + lane) << 5);
    for (let c: usize = 0; c < rank; c++) {
      const value = load<f32>(own + (c << 2));
      job.addOwn(<i32>c, <f64>value);
      store<f32>(x + c * vector + (<usize>lane << 2), value);
    }
  }
  for (let c: usize = 0; c < rank; c++) v128.store(g + c * vector, f32x4.neg(v128.load(lanes.b + c * vector)));
  for (let r: usize = 0; r < rank; r++) {
    const row = G + r * line;
    const own = v128.load(x + r * vector);
    let sum = f32x4.mul(v128.load(row + r * vector), own);
    const blockEnd = min<usize>(r < 4 ? 4 : narrowStride, rank);
    for (let c = r + 1; c < blockEnd; c++) {
      const o = c * vector;
      const entry = v128.load(row + o);
      sum = f32x4.add(sum, f32x4.mul(entry, v128.load(x + o)));
      v128.store(g + o, f32x4.add(v128.load(g + o), f32x4.mul(own, entry)));
    }
    let even = f32x4.splat(0), odd = even;
    for (let c = blockEnd; c < rank; c++) {
      const o = c * vector;
      const entry = v128.load(row + o);
      const product = f32x4.mul(entry, v128.load(x + o));
      // As sumLanes pairs them.
      if (c < 6) even = f32x4.add(even, product);
      else odd = f32x4.add(odd, product);
      v128.store(g + o, madd<f32>(own, entry, v128.load(g + o)));
    }
    const gr = g + r * vector;
    v128.store(gr, f32x4.add(f32x4.add(v128.load(gr), sum), f32x4.add(even, odd)));
  }
  for (let lane = 0; lane < count; lane++)
    for (let c: usize = 0; c < rank; c++)
      job.addGradient(<i32>c, 2 * <f64>load<f32>(g + c * vector + (<usize>lane << 2)));
}

/** G = UᵀU and y = U⁻ᵀb, row by row. @returns where all pivots are large enough. */
function factor(lanes: Lanes, rank: i32): v128 {
  const G = lanes.G, b = lanes.b, last = <usize>rank * vector;
  const smallest = v128.load(lanes.smallest);
  const one = f32x4.splat(1);
  let positive = i32x4.splat(-1);
  for (let r: usize = 0; r < last; r += vector) {
    const row = G + (r << 3);
    const pivot = downdated(G, row + r, r, r);
    positive = v128.and(positive, f32x4.gt(pivot, smallest));
    const reciprocal = f32x4.div(one, f32x4.sqrt(pivot));
    v128.store(row + r, reciprocal);
    for (let c = r + vector; c < last; c += vector) v128.store(row + c, f32x4.mul(downdated(G, row + c, r, c), reciprocal));
    v128.store(b + r, f32x4.mul(rightSide(G, b, r), reciprocal));
  }
  return positive;
}

const four: usize = 4 * vector;

/** What is left at `at` of G_rc once the rows of U above have been taken from it; the first four at once, as `accumulateRows` does. */
// @ts-ignore: decorator
@inline
function downdated(G: usize, at: usize, r: usize, c: usize): v128 {
  let left = v128.load(at);
  let s: usize = 0;
  if (r >= four) {
    left = nmadd<f32>(v128.load(G + r), v128.load(G + c), left);
    left = nmadd<f32>(v128.load(G + 2 * line + r), v128.load(G + 2 * line + c), left);
    const odd = nmadd<f32>(v128.load(G + line + r), v128.load(G + line + c), f32x4.splat(0));
    left = f32x4.add(left, nmadd<f32>(v128.load(G + 3 * line + r), v128.load(G + 3 * line + c), odd));
    s = four;
  }
  if (r < four && c >= four)
    for (; s < r; s += vector) left = nmadd<f32>(v128.load(G + (s << 3) + r), v128.load(G + (s << 3) + c), left);
  else
    for (; s < r; s += vector)
      left = f32x4.sub(left, f32x4.mul(v128.load(G + (s << 3) + r), v128.load(G + (s << 3) + c)));
  return left;
}

/** The same of b. */
// @ts-ignore: decorator
@inline
function rightSide(G: usize, b: usize, r: usize): v128 {
  let left = v128.load(b + r);
  let s: usize = 0;
  if (r >= four) for (; s < four; s += vector) left = nmadd<f32>(v128.load(b + s), v128.load(G + (s << 3) + r), left);
  for (; s < r; s += vector) left = f32x4.sub(left, f32x4.mul(v128.load(G + (s << 3) + r), v128.load(b + s)));
  return left;
}

/** x = U⁻¹y */
function substitute(lanes: Lanes, rank: i32): void {
  const b = lanes.b, last = <usize>rank * vector;
  for (let r = last; r != 0; ) {
    r -= vector;
    const row = lanes.G + (r << 3);
    let left = v128.load(b + r);
    let end = last;
    if (r < four) {
      let even = f32x4.splat(0), odd = even;
      for (let c = four; c < last; c += vector) {
        const product = f32x4.mul(v128.load(row + c), v128.load(b + c));
        if (c < 6 * vector) even = f32x4.add(even, product);
        else odd = f32x4.add(odd, product);
      }
      left = f32x4.sub(left, f32x4.add(even, odd));
      end = four;
    }
    for (let c = r + vector; c < end; c += vector)
      left = f32x4.sub(left, f32x4.mul(v128.load(row + c), v128.load(b + c)));
    v128.store(b + r, f32x4.mul(left, v128.load(row + r)));
  }
}

/** The row of one lane, its loss and its penalty. */
function finishRow(job: RowJob, lanes: Lanes, row: i32, lane: i32, isSolved: bool): void {
  store<u8>(job.status + row, isSolved ? 0 : 1);
  if (!isSolved) return;
  const out = job.out + (<usize>row << 5);
  for (let c: usize = 0; c < narrowStride; c++)
    store<f32>(out + (c << 2), c < <usize>job.rank ? load<f32>(lanes.b + c * vector + (<usize>lane << 2)) : 0);
  const bias = widen<f32>(job, out, lanes.wide);
  const at = job.pointers + (<usize>row << 2);
  if (job.isLossWanted) job.loss += lossOfRow<f32>(job, lanes.wide, bias, <usize>load<u32>(at), <usize>load<u32>(at, 4));
  job.penalty += penaltyOfRow(job, lanes.wide, bias, row);
}
