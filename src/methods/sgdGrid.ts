/**
 * The grid of blocks that stochastic gradient steps are taken in: P bands of rows by P bands of columns, which depend on the
 * data and the rank alone. Block (b, (b + s) mod P) of sub-epoch s shares no row and no column with the others of it.
 */

import { rateSize } from '../kernels/sgd.js';
import { alignUp, type PerSide } from '../parallel/layout.js';

export interface GridShape {
  readonly counts: PerSide<number>;
  readonly observed: number;
  readonly rank: number;
  readonly stride: number;
}

/** Numbers of V in a band at the most: half a megabyte in f32, so that it stays in a core's own cache. */
const bandNumbers = 131072;
/** Bands that a large problem has at the least, so that many threads find work, and at the most: each costs a table and a phase. */
const bands = { least: 8, most: 128 };
/** Numbers moved in a block at the least: about 0.1 ms. */
const blockNumbers = 100_000;

/** P. */
export function gridSize({ counts, observed, stride }: GridShape): number {
  const wanted = Math.min(Math.max(Math.ceil((counts.columns * stride) / bandNumbers), bands.least), bands.most);
  const worthwhile = Math.floor(Math.sqrt((observed * stride) / blockNumbers));
  return Math.max(1, Math.min(wanted, worthwhile, counts.rows, counts.columns));
}

/** Bands of about equally many entries: band b holds rows edges[b] … edges[b+1]−1. */
export function bandEdges(pointers: ArrayLike<number>, size: number): number[] {
  const rows = pointers.length - 1;
  const total = pointers[rows] as number;
  const edges = [0];
  for (let band = 1; band < size; band++) {
    const target = (total / size) * band;
    let low = edges[band - 1] as number;
    let high = rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pointers[middle] as number) < target) low = middle + 1;
      else high = middle;
    }
    edges.push(low);
  }
  edges.push(rows);
  return edges;
}

/** Copies of factors and rates: accepted, and two that an epoch goes to and fro between. */
export const copies = 3;

export interface GridSpace {
  /** P. */
  readonly size: number;
  /** u32, [band of columns][row]: the row's first entry in the band; a last list has its end. */
  readonly starts: number;
  /** u32, [band of columns][row]: the end of the row's entries in the band, where resident entries stand once more. */
  readonly ends: number;
  readonly rates: PerSide<readonly number[]>;
  readonly bytes: number;
}

/** Where table and rates stand, in bytes from the start of the method's work space. */
export function gridSpace(shape: GridShape, element: number): GridSpace {
  const { counts } = shape;
  const size = gridSize(shape);
  const ends = alignUp((size + 1) * counts.rows * 4);
  let next = alignUp(ends + size * counts.rows * 4);
  const reserve = (rows: number) =>
    Array.from({ length: copies }, () => {
      const address = next;
      next = alignUp(next + rows * rateSize * element);
      return address;
    });
  const rates = { rows: reserve(counts.rows), columns: reserve(counts.columns) };
  return { size, starts: 0, ends, rates, bytes: next };
}
