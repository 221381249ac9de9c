/** A stable counting sort of an order by a key below `count`. */
export function sortedBy(order: Uint32Array, keys: Uint32Array, count: number): Uint32Array {
  const starts = new Float64Array(count + 1);
  for (let i = 0; i < order.length; i++) {
    const next = (keys[order[i] as number] as number) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let key = 0; key < count; key++) starts[key + 1] = (starts[key + 1] as number) + (starts[key] as number);
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
