/**
 * min xᵀGx − 2bᵀx over l ≤ x ≤ u of two rows at a time, one in each lane: problems so small are chains of roots and quotients that
 * wait for each other. By principal pivoting (J. Júdice & F. Pires, Comput. Oper. Res. 21 (1994); J. Kim & H. Park, SIAM J. Sci.
 * Comput. 33 (2011)): what is taken to be free is solved for at once, then what left its bounds is bound and what is bound where f
 * falls inwards is free, until nothing changes. That may go round in circles: what takes long is left to {@link boxSolve}.
 */
import { madd, nmadd } from "./lanes";

/** Rows of more unknowns are solved one by one. */
export const mostUnknowns: usize = 32;
/** Exchanges after which a row is left; nearly all need one to three. */
const mostExchanges = 8;
/** Of the slopes, relative to the largest part of any: as boxSolve has it. */
const tolerance: f64 = 1e-14;

const vector: usize = 16;

/** Addresses of vectors, an unknown of each row in the lanes of each. */
@unmanaged
export class BoxLanes {
  n: usize;
  /** n numbers each, the same of both rows. */
  lower: usize;
  upper: usize;
  /** n×n, both halves, `mostUnknowns` vectors a row; and the factor, whose diagonal is its reciprocals. */
  G: usize;
  U: usize;
  b: usize;
  /** The start, then the solution, */
  x: usize;
  /** and 2(Gx − b) there. */
  slope: usize;
  /** All ones where x is free. */
  free: usize;
  /** The right-hand side, then what it comes to. */
  h: usize;
}

const line: usize = mostUnknowns * vector;

/** In room for 64 bytes and 2·mostUnknowns + 5 lines: see composedScratchBytes. */
export function openBoxLanes(at: usize, n: usize, lower: usize, upper: usize): BoxLanes {
  const lanes = changetype<BoxLanes>(at);
  lanes.n = n;
  lanes.lower = lower;
  lanes.upper = upper;
  lanes.G = at + 64;
  lanes.U = lanes.G + mostUnknowns * line;
  lanes.b = lanes.U + mostUnknowns * line;
  lanes.x = lanes.b + line;
  lanes.slope = lanes.x + line;
  lanes.free = lanes.slope + line;
  lanes.h = lanes.free + line;
  return lanes;
}

/** A row's b and x into its lane, 0 or 1. */
export function takeRow(lanes: BoxLanes, lane: usize, b: usize, x: usize): void {
  const n = lanes.n, o = lane << 3;
  for (let c: usize = 0; c < n; c++) {
    store<f64>(lanes.b + c * vector + o, load<f64>(b + (c << 3)));
    store<f64>(lanes.x + c * vector + o, load<f64>(x + (c << 3)));
  }
}

/** Its G, of which the upper half is given, rows of `size`. */
export function takeMatrix(lanes: BoxLanes, lane: usize, G: usize, size: usize): void {
  const n = lanes.n, o = lane << 3;
  for (let r: usize = 0; r < n; r++)
    for (let c = r; c < n; c++) {
      const value = load<f64>(G + ((r * size + c) << 3));
      store<f64>(lanes.G + r * line + c * vector + o, value);
      store<f64>(lanes.G + c * line + r * vector + o, value);
    }
}

/** The same matrix in both, times r0 and r1. */
export function shareMatrix(lanes: BoxLanes, G: usize, size: usize, r0: f64, r1: f64): void {
  const n = lanes.n, factors = f64x2.replace_lane(f64x2.splat(r0), 1, r1);
  for (let r: usize = 0; r < n; r++)
    for (let c = r; c < n; c++) {
      const value = f64x2.mul(factors, v128.load64_splat(G + ((r * size + c) << 3)));
      v128.store(lanes.G + r * line + c * vector, value);
      v128.store(lanes.G + c * line + r * vector, value);
    }
}

/** Adds to a row's number in the c-th vector from `at` on. */
export function raise(at: usize, lane: usize, c: usize, by: f64): void {
  const to = at + c * vector + (lane << 3);
  store<f64>(to, load<f64>(to) + by);
}

/** Slopes at x. */
export function measureLanes(lanes: BoxLanes): void {
  const end = lanes.n * vector, x = lanes.x;
  for (let r: usize = 0, row = lanes.G; r < end; r += vector, row += line) {
    let sum = f64x2.neg(v128.load(lanes.b + r));
    for (let c: usize = 0; c < end; c += vector) sum = madd<f64>(v128.load(row + c), v128.load(x + c), sum);
    v128.store(lanes.slope + r, f64x2.add(sum, sum));
  }
}

/** Bounds of the unknown whose vector is `c` bytes in. */
// @ts-ignore: decorator
@inline
function lowerAt(lanes: BoxLanes, c: usize): v128 {
  return v128.load64_splat(lanes.lower + (c >> 1));
}

// @ts-ignore: decorator
@inline
function upperAt(lanes: BoxLanes, c: usize): v128 {
  return v128.load64_splat(lanes.upper + (c >> 1));
}

/** Both rows' solutions to x. @returns bit 0 and 1: whether that of each lane is one. */
export function solveLanes(lanes: BoxLanes): i32 {
  const end = lanes.n * vector;
  let biggest = f64x2.splat(0);
  for (let c: usize = 0; c < end; c += vector) {
    const low = lowerAt(lanes, c), high = upperAt(lanes, c);
    const x = f64x2.min(f64x2.max(v128.load(lanes.x + c), low), high);
    v128.store(lanes.x + c, x);
    v128.store(lanes.free + c, v128.and(f64x2.gt(x, low), f64x2.lt(x, high)));
    biggest = f64x2.max(biggest, v128.load(lanes.G + c * mostUnknowns + c));
  }
  const smallest = f64x2.mul(biggest, f64x2.splat(<f64>lanes.n * f64.EPSILON));
  measureLanes(lanes);
  let scale = f64x2.splat(0);
  for (let c: usize = 0; c < end; c += vector) {
    const b = f64x2.abs(v128.load(lanes.b + c));
    scale = f64x2.max(scale, f64x2.max(f64x2.add(b, b), f64x2.abs(v128.load(lanes.slope + c))));
  }
  const limit = f64x2.mul(scale, f64x2.splat(tolerance));
  // A lane is left for good where a pivot vanishes: what comes of that is no number, or none to rely on.
  let sound = 3, changed = 3;
  for (let exchanges = 0; (sound & changed) != 0 && exchanges < mostExchanges; exchanges++) {
    target(lanes);
    sound &= factor(lanes, smallest);
    substitute(lanes);
    measureLanes(lanes);
    changed = exchange(lanes, limit);
  }
  return sound & ~changed & areFlat(lanes, limit);
}

/** What the free unknowns are to come to beside those that are bound, which are what they are. */
function target(lanes: BoxLanes): void {
  const end = lanes.n * vector;
  for (let r: usize = 0, row = lanes.G; r < end; r += vector, row += line) {
    let h = v128.load(lanes.b + r);
    for (let c: usize = 0; c < end; c += vector)
      h = nmadd<f64>(v128.load(row + c), v128.andnot(v128.load(lanes.x + c), v128.load(lanes.free + c)), h);
    v128.store(lanes.h + r, v128.bitselect(h, v128.load(lanes.x + r), v128.load(lanes.free + r)));
  }
}

/** UᵀU of the free part of G, 1 on the diagonal of the rest, and h ← U⁻ᵀh. @returns bit 0 and 1: whether all pivots of a lane are large enough. */
function factor(lanes: BoxLanes, smallest: v128): i32 {
  const end = lanes.n * vector, h = lanes.h;
  const one = f64x2.splat(1);
  let positive = i64x2.splat(-1);
  for (let r: usize = 0; r < end; r += vector) {
    const free = v128.load(lanes.free + r);
    const from = lanes.G + r * mostUnknowns, row = lanes.U + r * mostUnknowns;
    let pivot = v128.bitselect(v128.load(from + r), one, free);
    let left = v128.load(h + r);
    for (let s: usize = 0; s < r; s += vector) {
      const u = v128.load(lanes.U + s * mostUnknowns + r);
      pivot = nmadd<f64>(u, u, pivot);
      left = nmadd<f64>(u, v128.load(h + s), left);
    }
    positive = v128.and(positive, v128.or(v128.not(free), f64x2.gt(pivot, smallest)));
    const reciprocal = f64x2.div(one, f64x2.sqrt(pivot));
    v128.store(row + r, reciprocal);
    v128.store(h + r, f64x2.mul(left, reciprocal));
    for (let c = r + vector; c < end; c += vector) {
      let u = v128.and(v128.load(from + c), v128.and(free, v128.load(lanes.free + c)));
      for (let s: usize = 0; s < r; s += vector)
        u = nmadd<f64>(v128.load(lanes.U + s * mostUnknowns + r), v128.load(lanes.U + s * mostUnknowns + c), u);
      v128.store(row + c, f64x2.mul(u, reciprocal));
    }
  }
  return i64x2.bitmask(positive);
}

/** x = U⁻¹h */
function substitute(lanes: BoxLanes): void {
  const end = lanes.n * vector;
  for (let r = end; r != 0; ) {
    r -= vector;
    const row = lanes.U + r * mostUnknowns;
    let left = v128.load(lanes.h + r);
    for (let c = r + vector; c < end; c += vector) left = nmadd<f64>(v128.load(row + c), v128.load(lanes.x + c), left);
    v128.store(lanes.x + r, f64x2.mul(left, v128.load(row + r)));
  }
}

/** Binds what left its bounds, and frees what f falls from. @returns bit 0 and 1: whether anything changed in each lane. */
function exchange(lanes: BoxLanes, limit: v128): i32 {
  let changed = i64x2.splat(0);
  for (let c: usize = 0; c < lanes.n * vector; c += vector) {
    const x = v128.load(lanes.x + c), slope = v128.load(lanes.slope + c), free = v128.load(lanes.free + c);
    const low = lowerAt(lanes, c), high = upperAt(lanes, c);
    const below = v128.and(free, f64x2.lt(x, low)), above = v128.and(free, f64x2.gt(x, high));
    const rises = v128.and(f64x2.lt(slope, f64x2.neg(limit)), f64x2.lt(x, high));
    const falls = v128.and(f64x2.gt(slope, limit), f64x2.gt(x, low));
    const bound = v128.or(below, above), freed = v128.andnot(v128.or(rises, falls), free);
    changed = v128.or(changed, v128.or(bound, freed));
    v128.store(lanes.free + c, v128.or(v128.andnot(free, bound), freed));
    v128.store(lanes.x + c, v128.bitselect(low, v128.bitselect(high, x, above), below));
  }
  return i64x2.bitmask(changed);
}

/** Bit 0 and 1: whether the slopes of all that is free have vanished in a lane, and all are numbers. */
function areFlat(lanes: BoxLanes, limit: v128): i32 {
  const most = f64x2.splat(Infinity);
  let flat = f64x2.lt(limit, most);
  for (let c: usize = 0; c < lanes.n * vector; c += vector) {
    const allowed = v128.bitselect(limit, most, v128.load(lanes.free + c));
    flat = v128.and(flat, f64x2.le(f64x2.abs(v128.load(lanes.slope + c)), allowed));
  }
  return i64x2.bitmask(flat);
}
