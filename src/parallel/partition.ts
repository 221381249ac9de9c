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

/** Cost of one exact half-sweep over the rows with these pointers. */
export function sideCost(pointers: Float64Array, rank: number): number {
  let cost = 0;
  for (let row = 0; row + 1 < pointers.length; row++)
    cost += rowCost((pointers[row + 1] as number) - (pointers[row] as number), rank);
  return cost;
}

/** Block b holds rows boundaries[b] … boundaries[b+1]−1. */
export function partition(pointers: Float64Array, rank: number): Uint32Array {
  const rows = pointers.length - 1;
  const target = Math.max(sideCost(pointers, rank) / largestNumberOfBlocks, smallestBlockCost);
  const boundaries = [0];
  let cost = 0;
  for (let row = 0; row < rows; row++) {
    cost += rowCost((pointers[row + 1] as number) - (pointers[row] as number), rank);
    if (cost >= target && row + 1 < rows) {
      boundaries.push(row + 1);
      cost = 0;
    }
  }
  boundaries.push(rows);
  return Uint32Array.from(boundaries);
}
