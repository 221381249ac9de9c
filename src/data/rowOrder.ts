/** In what order entries stand row by row, and where each row begins. */

/** Writes the running sum of `counts` to `pointers`. */
export function startPointers(pointers: Float64Array, counts: Uint32Array): void {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    pointers[i] = sum;
    sum += counts[i] as number;
  }
  pointers[counts.length] = sum;
}

/** Entries of an order row by row, columns ascending; those of one place stay in their order. */
export function rowByRow(
  order: Uint32Array,
  rows: Uint32Array,
  columns: Uint32Array,
  [m, n]: readonly [number, number],
): Uint32Array {
  return sortedBy(sortedBy(order, columns, n), rows, m);
}

/** A stable counting sort of an order by a key below `count`. */
function sortedBy(order: Uint32Array, keys: Uint32Array, count: number): Uint32Array {
  const counts = new Uint32Array(count);
  for (let i = 0; i < order.length; i++) {
    const key = keys[order[i] as number] as number;
    counts[key] = (counts[key] as number) + 1;
  }
  const starts = new Float64Array(count + 1);
  startPointers(starts, counts);
  const sorted = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const t = order[i] as number;
    const key = keys[t] as number;
    const at = starts[key] as number;
    starts[key] = at + 1;
    sorted[at] = t;
  }
  return sorted;
}
