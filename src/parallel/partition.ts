/**
 * Cuts the rows of one side into blocks of about equal cost.
 *
 * The cuts depend on the data and the rank, never on the number of threads: sums are taken block by block in order, so
 * every number of threads gives the same bits (DESIGN rule 6).
 */

/** More blocks balance better, fewer cost less bookkeeping and staging memory. */
const largestNumberOfBlocks = 512;
/** About 0.2 ms of work, a hundred times what claiming a block costs. */
const smallestBlockCost = 2e6;

/** Floating-point operations of solving one row: Gram and right-hand side k(k+3) an observation, Cholesky k³/3, substitutions 2k². */
export function rowCost(count: number, rank: number): number {
  if (count >= rank) return count * rank * (rank + 7) + (rank * rank * rank) / 3 + 2 * rank * rank;
  return count * count * rank + (count * count * count) / 3 + 11 * count * rank + 2 * rank;
}

/**
 * Calls back with each run of equally long rows, in order: how long they are and how many. A side that is known by its size
 * alone is two runs, however many rows it has.
 */
export type Runs = (visit: (length: number, rows: number) => void) => void;

export function runsOf(counts: Uint32Array): Runs {
  return (visit) => {
    for (let start = 0, end = 0; start < counts.length; start = end) {
      while (end < counts.length && counts[end] === counts[start]) end++;
      visit(counts[start] as number, end - start);
    }
  };
}

/** `entries` spread over `rows` as evenly as whole numbers allow. */
export function evenRuns(rows: number, entries: number): Runs {
  const longer = entries % rows;
  const length = (entries - longer) / rows;
  return (visit) => {
    if (longer > 0) visit(length + 1, longer);
    visit(length, rows - longer);
  };
}

/** Cost of one exact half-sweep over the rows. */
export function sideCost(runs: Runs, rank: number): number {
  let cost = 0;
  runs((length, rows) => {
    cost += rows * rowCost(length, rank);
  });
  return cost;
}

export interface Partition {
  /** Block b holds rows boundaries[b] … boundaries[b+1]−1. */
  readonly boundaries: Uint32Array;
  /** The most rows, and the most entries, of any block. */
  readonly largest: { readonly rows: number; readonly entries: number };
}

export function partition(runs: Runs, rank: number): Partition {
  const target = Math.max(sideCost(runs, rank) / largestNumberOfBlocks, smallestBlockCost);
  return cutAt(runs, target, (length) => rowCost(length, rank));
}

/** A side that is held fixed is summed over in blocks of so many rows, */
const fixedBlockRows = 256;

/** whatever they hold, so that the sums do not depend on the data of the other side. */
export function evenPartition(runs: Runs): Partition {
  return cutAt(runs, fixedBlockRows, () => 1);
}

/** Cuts after the row with which a block's cost reaches the target. */
function cutAt(runs: Runs, target: number, costOf: (length: number) => number): Partition {
  const boundaries = [0];
  const largest = { rows: 0, entries: 0 };
  let row = 0;
  let cost = 0;
  let entries = 0;
  const cut = () => {
    largest.rows = Math.max(largest.rows, row - (boundaries.at(-1) as number));
    largest.entries = Math.max(largest.entries, entries);
    boundaries.push(row);
    cost = 0;
    entries = 0;
  };
  runs((length, rows) => {
    const each = costOf(length);
    for (let left = rows; left > 0; ) {
      const missing = Math.max(Math.ceil((target - cost) / each), 1);
      const taken = Math.min(missing, left);
      left -= taken;
      row += taken;
      cost += taken * each;
      entries += taken * length;
      if (taken === missing) cut();
    }
  });
  if (row > (boundaries.at(-1) as number)) cut();
  return { boundaries: Uint32Array.from(boundaries), largest };
}
