/** What a composed row problem works with: its space, its present value, its bounds and its penalties. */
import { BoxProblem } from "./boxSolve";
import { RowJob } from "./job";
import { endOfSpace, openSpace, Space } from "./space";
import { Terms } from "./terms";

@unmanaged
export class ComposedSpace extends BoxProblem {
  space: Space;
  /** The row as it will be, while `x` of the space is as it is. */
  next: usize;
  /** Of rows of few unknowns that are solved two at a time. */
  lanes: usize;
  /** Σ W²a·v_j of the row, where it is known beforehand; else 0. */
  right: usize;
  /** Rows that are solved together: f32, {@link batchRows}×k, twice. */
  batch: usize;
  rotatedBatch: usize;
  /** Their numbers, i32. */
  batchList: usize;
}

/** As many as read the basis together. */
export const batchRows: usize = 16;

export function openComposed(job: RowJob): ComposedSpace {
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
  composed.batchList = composed.free + vector;
  composed.batch = composed.batchList + (batchRows << 2);
  composed.rotatedBatch = composed.batch + batchRows * (size << 2);
  composed.lanes = composed.rotatedBatch + batchRows * (size << 2);
  composed.x = composed.next;
  composed.right = 0;
  return composed;
}

/** The row's present value, to x of the space. */
export function takeOwn<S>(job: RowJob, work: ComposedSpace, row: i32): void {
  const own = job.own + <usize>row * <usize>job.stride * sizeof<S>();
  for (let c: usize = 0; c < <usize>job.stride; c++) {
    const value = c < work.n ? <f64>load<S>(own + c * sizeof<S>()) : 0;
    job.addOwn(<i32>c, value);
    store<f64>(work.space.x + (c << 3), value);
  }
}

/** Bounds and L1 weights of the row. @returns whether there are any. */
export function bound(job: RowJob, terms: Terms, work: ComposedSpace, row: i32): bool {
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

/** λ of one unknown of a row. */
export function penaltyFactor(job: RowJob, terms: Terms, row: i32, c: usize): f64 {
  const o = <usize>row << 3;
  return c < <usize>job.rank ? load<f64>(job.penalties + o) * multipleOf(terms, c) : load<f64>(job.biasPenalties + o);
}
