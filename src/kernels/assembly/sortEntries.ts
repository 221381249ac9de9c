/**
 * A stable sort of entries into rows, a range of rows at a time. What is written straight to its place touches a page of memory
 * each; so entries go to bands of the range first, few enough to be written to in turn, and each band is sorted in the cache.
 */

/** Field order is the contract with kernels/sort.ts. */
@unmanaged
export class SortJob {
  /** Listed entries, `count` of them: u32 the row and the index of each, f64 values and weights (0: all 1). */
  owners: usize;
  indices: usize;
  values: usize;
  weights: usize;
  /** Or `count` rows in storage, that are to be the indices: u32 where each begins, and the last ends. */
  pointers: usize;
  count: u32;
  /** Rows first … first + size − 1 are sorted: u32 where each begins, and the last ends, and u16 the band of each. */
  first: u32;
  size: u32;
  starts: usize;
  bandOf: usize;
  /** u32 a row, and u32 a band: where the next entry goes. */
  cursor: usize;
  next: usize;
  /** The entries in bands, each at its number: u32 the row, counted from `first`, u32 the index, value and weight (0: none are kept). */
  bandOwners: usize;
  bandIndices: usize;
  bandValues: usize;
  bandWeights: usize;
  /** Where they are to stand. */
  toIndices: usize;
  toValues: usize;
  toWeights: usize;
  /** Room for a sorted band, and u32 for two orders of its entries and the counters of a digit. */
  outIndices: usize;
  outValues: usize;
  outWeights: usize;
  orders: usize;
  orderSize: u32;
  digits: usize;
  /** Indices are below. */
  indexCount: u32;
  /** Taken from listed values. */
  shift: f64;
}

/** Sends listed entries that belong to the range to their bands. False where one has an index too large, or there is no room. */
export function bandEntries<T extends number>(job: SortJob): bool {
  // In registers: what stands in memory is read again after every store.
  const first = job.first, size = job.size, indexCount = job.indexCount, shift = job.shift;
  const owners = job.owners, indices = job.indices, values = job.values, weights = job.weights;
  const bandOf = job.bandOf, next = job.next, limit = limitOf(job);
  const toOwners = job.bandOwners, toIndices = job.bandIndices, toValues = job.bandValues, toWeights = job.bandWeights;
  const count = <usize>job.count;
  for (let t: usize = 0; t < count; t++) {
    const row = load<u32>(owners + (t << 2)) - first;
    if (row >= size) continue;
    const index = load<u32>(indices + (t << 2));
    const at = placeOf(bandOf, next, row);
    if (index >= indexCount || at >= limit) return false;
    store<u32>(toOwners + (<usize>at << 2), row);
    store<u32>(toIndices + (<usize>at << 2), index);
    store<T>(toValues + <usize>at * sizeof<T>(), <T>(load<f64>(values + (t << 3)) - shift));
    if (toWeights) store<T>(toWeights + <usize>at * sizeof<T>(), weights ? <T>load<f64>(weights + (t << 3)) : <T>1);
  }
  return true;
}

/** Sends to their bands what sorted rows have in the range: there the rows are indices. False where there is no room. */
export function bandRows<T extends number>(job: SortJob): bool {
  const first = job.first, size = job.size;
  const pointers = job.pointers, indices = job.indices, values = job.values, weights = job.weights;
  const bandOf = job.bandOf, next = job.next, limit = limitOf(job);
  const toOwners = job.bandOwners, toIndices = job.bandIndices, toValues = job.bandValues, toWeights = job.bandWeights;
  const count = <usize>job.count;
  for (let i: usize = 0; i < count; i++) {
    const end = <usize>load<u32>(pointers + (i << 2), 4);
    let t = firstFrom(indices, <usize>load<u32>(pointers + (i << 2)), end, first);
    for (; t < end; t++) {
      const row = load<u32>(indices + (t << 2)) - first;
      if (row >= size) break;
      const at = placeOf(bandOf, next, row);
      if (at >= limit) return false;
      store<u32>(toOwners + (<usize>at << 2), row);
      store<u32>(toIndices + (<usize>at << 2), <u32>i);
      store<T>(toValues + <usize>at * sizeof<T>(), load<T>(values + t * sizeof<T>()));
      if (toWeights) store<T>(toWeights + <usize>at * sizeof<T>(), load<T>(weights + t * sizeof<T>()));
    }
  }
  return true;
}

/** Where the entries of the range end. */
// @ts-ignore: decorator
@inline
function limitOf(job: SortJob): u32 {
  return load<u32>(job.starts + (<usize>job.size << 2));
}

/** Where the next entry of the band of a row goes. */
// @ts-ignore: decorator
@inline
function placeOf(bandOf: usize, next: usize, row: u32): u32 {
  const band = next + (<usize>load<u16>(bandOf + (<usize>row << 1)) << 2);
  const at = load<u32>(band);
  store<u32>(band, at + 1);
  return at;
}

/** The first of the ascending numbers start … end − 1 of a list that is at least `least`. */
// @ts-ignore: decorator
@inline
function firstFrom(list: usize, start: usize, end: usize, least: u32): usize {
  if (least == 0) return start;
  let high = end;
  while (start < high) {
    const middle = (start + high) >> 1;
    if (load<u32>(list + (middle << 2)) < least) start = middle + 1;
    else high = middle;
  }
  return start;
}

/**
 * Sorts rows first … last − 1 of the range, a band, by index and row; `width` bits of an index are sorted by at a time, in `passes`
 * passes: 0 where they ascend. Returns −1 where the band has not the entries that its rows are to have; else how many entries follow
 * one of the same place, where indices have a limit.
 */
export function sortBand<T extends number>(job: SortJob, first: u32, last: u32, passes: u32, width: u32): i32 {
  const starts = job.starts, cursor = job.cursor;
  const begin = load<u32>(starts + (<usize>first << 2));
  const count = <usize>(load<u32>(starts + (<usize>last << 2)) - begin);
  const owners = job.bandOwners + (<usize>begin << 2);
  const indices = job.bandIndices + (<usize>begin << 2);
  const values = job.bandValues + <usize>begin * sizeof<T>();
  const weights = job.bandWeights + <usize>begin * sizeof<T>();
  const outIndices = job.outIndices, outValues = job.outValues, outWeights = job.outWeights;
  let order: usize = 0;
  for (let pass: u32 = 0; pass < passes; pass++) order = sortByDigit(job, order, indices, count, pass * width, width);
  memory.copy(cursor + (<usize>first << 2), starts + (<usize>first << 2), <usize>(last - first) << 2);
  for (let i: usize = 0; i < count; i++) {
    const t = order ? <usize>load<u32>(order + (i << 2)) : i;
    const row = load<u32>(owners + (t << 2));
    // Where a worker was lost a band may have been sorted over before.
    if (row - first >= last - first) return -1;
    const next = cursor + (<usize>row << 2);
    const place = load<u32>(next);
    store<u32>(next, place + 1);
    const at = <usize>(place - begin);
    if (at >= count) return -1;
    store<u32>(outIndices + (at << 2), load<u32>(indices + (t << 2)));
    store<T>(outValues + at * sizeof<T>(), load<T>(values + t * sizeof<T>()));
    if (outWeights) store<T>(outWeights + at * sizeof<T>(), load<T>(weights + t * sizeof<T>()));
  }
  let repeats = 0;
  const isCounted = job.indexCount != 0;
  for (let row = <usize>first; row < <usize>last; row++) {
    const end = load<u32>(starts + (row << 2), 4);
    if (load<u32>(cursor + (row << 2)) != end) return -1;
    if (!isCounted) continue;
    const stop = outIndices + (<usize>(end - begin) << 2);
    for (let at = outIndices + (<usize>(load<u32>(starts + (row << 2)) - begin) << 2) + 4; at < stop; at += 4)
      if (load<u32>(at - 4) == load<u32>(at)) repeats++;
  }
  const at = <usize>begin;
  memory.copy(job.toIndices + (at << 2), outIndices, count << 2);
  memory.copy(job.toValues + at * sizeof<T>(), outValues, count * sizeof<T>());
  if (outWeights) memory.copy(job.toWeights + at * sizeof<T>(), outWeights, count * sizeof<T>());
  return repeats;
}

/** A stable counting sort of an order (0: as listed) by `width` bits of a number; returns the other order. */
function sortByDigit(job: SortJob, order: usize, numbers: usize, count: usize, digit: u32, width: u32): usize {
  const counters = job.digits;
  const mask: u32 = (1 << width) - 1;
  memory.fill(counters, 0, <usize>4 << width);
  for (let t: usize = 0; t < count; t++) {
    const counter = counters + (<usize>((load<u32>(numbers + (t << 2)) >> digit) & mask) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let sum: u32 = 0;
  for (let key: u32 = 0; key <= mask; key++) {
    const counter = counters + (<usize>key << 2);
    const found = load<u32>(counter);
    store<u32>(counter, sum);
    sum += found;
  }
  const sorted = order == job.orders ? job.orders + (<usize>job.orderSize << 2) : job.orders;
  for (let i: usize = 0; i < count; i++) {
    const t = order ? <usize>load<u32>(order + (i << 2)) : i;
    const counter = counters + (<usize>((load<u32>(numbers + (t << 2)) >> digit) & mask) << 2);
    const at = load<u32>(counter);
    store<u32>(counter, at + 1);
    store<u32>(sorted + (<usize>at << 2), <u32>t);
  }
  return sorted;
}
