/**
 * The observed entries of A as plain lists in row-major order, whatever form and order they came in: what is cut into training
 * and test entries. Entries listed twice are settled here, so that both are on one side of every cut.
 */
import { HadamardError } from '../errors.js';
import { listedCount, shapeOf, visitEntries } from './entries.js';
import type { MatrixInput, Triples, WeightsInput } from './input.js';
import { type Duplicates, duplicateEntry, unequalWeights } from './observations.js';
import { rowByRow } from './rowOrder.js';

/** Entry t is (rows[t], columns[t]) with values[t]; rows ascend, and columns within a row. */
export interface Listing {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float64Array;
  /** W, where weights were given. */
  readonly weights: Float64Array | undefined;
  /** Where the entry stands in the caller's listing. */
  readonly places: Float64Array;
  readonly shape: readonly [number, number];
}

/** Bytes that a listing takes an entry, while it is sorted. */
export const listingBytes = 2 * (4 + 4 + 8 + 8 + 8);

/**
 * @param isZeroKept entries of weight 0 are listed as well, for a background to leave out.
 * @throws HadamardError `duplicate-entry`, and as `visitEntries`.
 */
export function listEntries(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  duplicates: Duplicates,
  isZeroKept = false,
): Listing {
  const shape = shapeOf(A);
  const most = listedCount(A);
  const found = {
    rows: new Uint32Array(most),
    columns: new Uint32Array(most),
    values: new Float64Array(most),
    weights: new Float64Array(most),
    places: new Float64Array(most),
  };
  let length = 0;
  let isSorted = true;
  visitEntries(
    A,
    weights,
    (row, column, value, weight, index) => {
      const t = length++;
      found.rows[t] = row;
      found.columns[t] = column;
      found.values[t] = value;
      found.weights[t] = weight;
      found.places[t] = index;
      const last = t - 1;
      if (
        t > 0 &&
        (row < (found.rows[last] as number) || (row === found.rows[last] && column < (found.columns[last] as number)))
      )
        isSorted = false;
    },
    isZeroKept,
  );
  const order = picked(length, () => true);
  const sorted = isSorted ? order : rowByRow(order, found.rows, found.columns, shape);
  const listing = gathered({ ...found, weights: weights && found.weights, shape }, sorted);
  return duplicates === 'keep' ? listing : settle(listing, duplicates, A, weights);
}

/** The entries that a test picks. */
export function listingOf(listing: Listing, isIn: (t: number) => boolean): Listing {
  return gathered(listing, picked(listing.values.length, isIn));
}

/** Those of the numbers 0 … length − 1 that a test picks. */
export function picked(length: number, isIn: (t: number) => boolean): Uint32Array {
  const all = new Uint32Array(length);
  let count = 0;
  for (let t = 0; t < length; t++) if (isIn(t)) all[count++] = t;
  return all.slice(0, count);
}

/** A listing as `factorize` takes it. */
export function asInput(listing: Listing): { readonly A: Triples; readonly weights: WeightsInput | undefined } {
  const { rows, columns, values, weights, shape } = listing;
  return { A: { rows, columns, values, shape }, weights: weights && { sqrtWeight: weights } };
}

/**
 * Cuts what has keys into parts: the part of each. Parts hold equal shares of the keys' order, as near as it goes, and equal
 * keys stand in one part, so that which part something falls in depends on its key and on no order of listing.
 *
 * @param ends of the parts, as shares of all, ascending; the last is 1.
 */
export function partsByKey(keys: Uint32Array | Float64Array, ends: readonly number[]): Uint32Array {
  const sorted = keys.slice().sort();
  const limits = ends.slice(0, -1).map((end) => sorted[Math.round(end * keys.length)] ?? Number.POSITIVE_INFINITY);
  const parts = new Uint32Array(keys.length);
  for (let t = 0; t < keys.length; t++) {
    let part = 0;
    while (part < limits.length && (keys[t] as number) >= (limits[part] as number)) part++;
    parts[t] = part;
  }
  return parts;
}

/** Applies the rule for entries that are listed twice. */
function settle(
  listing: Listing,
  duplicates: Exclude<Duplicates, 'keep'>,
  A: MatrixInput,
  weights: WeightsInput | undefined,
): Listing {
  const { rows, columns, values, weights: own } = listing;
  const isKept = new Uint8Array(values.length);
  let count = 0;
  const sums = new Map<number, number>();
  for (let t = 0, next = 0; t < values.length; t = next) {
    do next++;
    while (next < values.length && rows[next] === rows[t] && columns[next] === columns[t]);
    isKept[next - 1] = 1;
    count++;
    if (next - t === 1) continue;
    const place = [rows[t] as number, columns[t] as number] as const;
    if (duplicates === 'refuse') throw duplicateEntry(...place, A, weights);
    if (duplicates === 'last') continue;
    if (own?.subarray(t, next).some((weight) => weight !== own[t])) throw unequalWeights(...place, A, weights);
    // Sorted first, so that the last bit does not depend on the order in which they were listed.
    sums.set(
      next - 1,
      values
        .slice(t, next)
        .sort()
        .reduce((sum, value) => sum + value, 0),
    );
  }
  if (count === values.length) return listing;
  const settled = values.slice();
  for (const [t, sum] of sums) settled[t] = sum;
  return listingOf({ ...listing, values: settled }, (t) => isKept[t] === 1);
}

/** Entry t of the result is entry order[t]. */
export function gathered({ rows, columns, values, weights, places, shape }: Listing, order: Uint32Array): Listing {
  const wholes = () => new Uint32Array(order.length);
  const reals = () => new Float64Array(order.length);
  return {
    rows: gather(rows, order, wholes()),
    columns: gather(columns, order, wholes()),
    values: gather(values, order, reals()),
    weights: weights && gather(weights, order, reals()),
    places: gather(places, order, reals()),
    shape,
  };
}

/** A loop of its own: `from` and `map` take ten times as long for a call an entry. */
function gather<List extends Uint32Array | Float64Array>(from: List, order: Uint32Array, to: List): List {
  for (let t = 0; t < order.length; t++) to[t] = from[order[t] as number] as number;
  return to;
}

/** @throws HadamardError `invalid-input` where a part of a cut holds nothing. */
export function refuseEmpty(entries: number, what: string, option: string): void {
  if (entries > 0) return;
  throw new HadamardError({
    code: 'invalid-input',
    what: `${what} would hold no entry.`,
    position: { option },
    rule: 'Entries that are listed twice stay together, and every part of a cut holds one entry at least.',
    remedy: 'Give more data, fewer folds or another share.',
  });
}
