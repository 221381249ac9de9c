/** What sorting many entries takes beside the places that they go to. */
import { sortBytes } from '../kernels/sort.js';

/** Fewer are sorted as fast without kernels. */
export const leastSorted: number = 2 ** 18;
/** How entries are cut. */
export interface SortingCuts {
  /** Handed to the kernels at a time. */
  readonly chunkEntries: number;
  /** Of the columns, parted into bands at a time: by all that sort together. */
  readonly mostOwned: number;
  /** Of a band: it stays in the second-level cache, unless there would be too many to write to in turn. */
  readonly bandEntries: number;
  readonly mostBands: number;
  /** Fewer are sorted by one thread before the others have started. */
  readonly leastShared: number;
}

const usual: SortingCuts = {
  chunkEntries: 2 ** 12,
  mostOwned: 2 ** 25,
  bandEntries: 2 ** 15,
  mostBands: 1024,
  leastShared: 2 ** 21,
};
/** Of the columns, parted into bands at a time, where that is not all. */
const leastOwned = 2 ** 20;
/** As many counters stay in the first-level cache. */
export const mostDigitBits = 11;

export interface SortingRequest {
  readonly observed: number;
  /** Rows or columns, whichever are more. */
  readonly rows: number;
  /** Entries of the longest at the most. */
  readonly longest: number;
  readonly elementBytes: number;
  readonly isWeighted: boolean;
  readonly threads: number;
}

export interface SortingSpace {
  /** Offsets of what there is once: listed entries, and what is known of rows and bands. */
  readonly at: Offsets<'owners' | 'indices' | 'values' | 'weights' | 'bandOf' | 'cursor' | 'next' | 'edges' | 'ranges'>;
  /** Offsets of what each that sorts has of its own; it is the first of `sorters` such parts. Weights 0: none are kept. */
  readonly own: Offsets<'job' | 'bandOwners' | 'outIndices' | 'outValues' | 'outWeights' | 'orders' | 'digits'>;
  readonly ownBytes: number;
  /** As many as there are threads, or 1: of few entries, and where what they need would be much beside the entries. */
  readonly sorters: number;
  readonly chunkEntries: number;
  /** Of the columns, parted into bands by one at a time. */
  readonly mostOwned: number;
  readonly bandEntries: number;
  /** Rows of a band at the most. */
  readonly bandRows: number;
  /** Entries of the largest band. */
  readonly longest: number;
  readonly bytes: number;
}

type Offsets<Name extends string> = Readonly<Record<Name, number>>;

/** Bytes an entry that it may cost to have several sort. */
const bytesForSorters = 4;

export function sortingSpace(
  { observed, rows, longest, elementBytes, isWeighted, threads }: SortingRequest,
  { chunkEntries, mostOwned, bandEntries, mostBands, leastShared }: SortingCuts = usual,
): SortingSpace {
  const band = Math.max(bandEntries, Math.ceil(observed / mostBands));
  const bandRows = Math.max(bandEntries, Math.ceil(rows / mostBands));
  const most = Math.max(band, longest);
  const outBytes = (4 + elementBytes * (isWeighted ? 2 : 1) + 2 * 4) * most;
  const isShared = observed >= leastShared && threads * outBytes <= bytesForSorters * observed;
  const sorters = isShared ? threads : 1;
  // Two ranges each at the least, so that none waits long for the last.
  const shares = sorters === 1 ? 1 : 2 * sorters;
  // A byte an entry for one that sorts, half of that for several, which have memory of their own, unless that is little.
  const affordable = Math.max(leastOwned, observed / (sorters === 1 ? 4 : 8)) / sorters;
  const owned = Math.max(Math.ceil(Math.min(Math.min(observed, mostOwned) / shares, affordable)), 1);
  const ranges = 2 * Math.ceil(observed / owned) + 1;
  // Every other band may be small, before a long row.
  const bands = 2 * Math.ceil(observed / band) + Math.ceil(rows / bandRows) + 4 * ranges;
  let bytes = 0;
  const reserve = (wanted: number): number => {
    const offset = bytes;
    bytes = Math.ceil((bytes + wanted) / 64) * 64;
    return offset;
  };
  const at = {
    owners: reserve(4 * chunkEntries),
    indices: reserve(4 * chunkEntries),
    values: reserve(8 * chunkEntries),
    weights: reserve(8 * chunkEntries),
    bandOf: reserve(2 * rows),
    cursor: reserve(4 * rows),
    next: reserve(4 * bands),
    // Their number comes first.
    edges: reserve(4 * (bands + 2)),
    ranges: reserve(4 * (ranges + 2)),
  };
  const first = bytes;
  const own = {
    job: reserve(sortBytes),
    bandOwners: reserve(4 * Math.max(owned, longest)),
    outIndices: reserve(4 * most),
    outValues: reserve(elementBytes * most),
    outWeights: isWeighted ? reserve(elementBytes * most) : 0,
    orders: reserve(2 * 4 * most),
    digits: reserve(4 * 2 ** mostDigitBits),
  };
  const ownBytes = bytes - first;
  const cuts = { chunkEntries, mostOwned: owned, bandEntries: band, bandRows };
  return { at, own, ownBytes, sorters, ...cuts, longest: most, bytes: first + sorters * ownBytes };
}
