/** The grid of blocks of stochastic gradient steps: where entries of rows meet bands of columns, and resident entries in its order. */
import { RowJob } from "./job";

/** Field order is the contract with sgd.ts of the host. */
@unmanaged
export class Grid {
  /** u32, [band of columns][row]: the row's first entry in the band; a last list has its end. */
  table: usize;
  /** u32, [band of columns][row]: the end of the row's entries in the band, in the grid's order. */
  ends: usize;
  /** u32: band b holds columns edges[b] … edges[b+1]−1. */
  edges: usize;
  bands: usize;
  /** Of the whole side. */
  rows: usize;
  /** The number of the entry that the job's pointers count from. */
  start: u32;
  /** Where entries stand once more. */
  indices: usize;
  values: usize;
  weights: usize;
  /** What entries are on average. */
  average: f64;
}

/** Fills the table; the job's loss is Σ(W²r)², r the distance from the average. */
export function gridRows<T>(job: RowJob, grid: Grid, first: i32, last: i32): void {
  const bandBytes = grid.rows << 2;
  let sum: f64 = 0;
  for (let row = first; row < last; row++) {
    let at = grid.table + (<usize>row << 2);
    let t = load<u32>(job.pointers + (<usize>row << 2));
    const end = load<u32>(job.pointers + (<usize>row << 2), 4);
    for (let band: usize = 0; band <= grid.bands; band++, at += bandBytes) {
      const edge = load<u32>(grid.edges + (band << 2));
      for (; t < end && load<u32>(job.indices + (<usize>t << 2)) < edge; t++) {
        const r = <f64>load<T>(job.values + <usize>t * sizeof<T>()) - grid.average;
        const w = job.weights ? <f64>load<T>(job.weights + <usize>t * sizeof<T>()) : 1.0;
        const z = w * w * r;
        sum += z * z;
      }
      store<u32>(at, grid.start + t);
    }
  }
  job.loss = sum;
}

/** Copies the entries of a band of rows, from entry `at` on: bands of columns, then rows. */
export function placeRows<T>(job: RowJob, grid: Grid, first: i32, last: i32, at: u32): void {
  const bandBytes = grid.rows << 2;
  for (let band: usize = 0; band < grid.bands; band++) {
    const starts = grid.table + band * bandBytes, ends = grid.ends + band * bandBytes;
    for (let row = first; row < last; row++) {
      const skip = <usize>row << 2;
      const end = load<u32>(starts + bandBytes + skip);
      for (let t = load<u32>(starts + skip); t < end; t++, at++) {
        store<u32>(grid.indices + (<usize>at << 2), load<u32>(job.indices + (<usize>t << 2)));
        store<T>(grid.values + <usize>at * sizeof<T>(), load<T>(job.values + <usize>t * sizeof<T>()));
        if (job.weights) store<T>(grid.weights + <usize>at * sizeof<T>(), load<T>(job.weights + <usize>t * sizeof<T>()));
      }
      store<u32>(ends + skip, at);
    }
  }
}
