/** What sorting many entries takes beside the places that they go to. */
import { sortBytes } from '../kernels/sort.js';

/** Fewer are sorted as fast without kernels. */
export const leastSorted: number = 2 ** 18;
/** How entries are cut. */
export interface SortingCuts {
  /** Handed to the kernels at a time. */
  readonly chunkEntries: number;
  /** Of the columns, parted into bands at a time. */
  readonly mostOwned: number;
  /** Of a band: it stays in the second-level cache, unless there would be too many to write to in turn. */
  readonly bandEntries: number;
  readonly mostBands: number;
}

const usual: SortingCuts = { chunkEntries: 2 ** 12, mostOwned: 2 ** 22, bandEntries: 2 ** 15, mostBands: 1024 };
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
}

export interface SortingSpace {
  /** Offsets: the job, listed entries, and so on; weights 0: none are kept. */
  readonly at: Readonly<
    Record<
      | 'owners'
      | 'indices'
      | 'values'
      | 'weights'
      | 'bandOf'
      | 'cursor'
      | 'next'
      | 'bandOwners'
      | 'outIndices'
      | 'outValues'
      | 'outWeights'
      | 'orders'
      | 'digits',
      number
    >
  >;
  readonly chunkEntries: number;
  readonly mostOwned: number;
  readonly bandEntries: number;
  /** Rows of a band at the most. */
  readonly bandRows: number;
  /** Entries of the largest band. */
  readonly longest: number;
  readonly bytes: number;
}

export function sortingSpace(
  { observed, rows, longest, elementBytes, isWeighted }: SortingRequest,
  { chunkEntries, mostOwned, bandEntries, mostBands }: SortingCuts = usual,
): SortingSpace {
  const band = Math.max(bandEntries, Math.ceil(observed / mostBands));
  const bandRows = Math.max(bandEntries, Math.ceil(rows / mostBands));
  const most = Math.max(band, longest);
  let bytes = 0;
  const reserve = (wanted: number): number => {
    const offset = bytes;
    bytes = Math.ceil((bytes + wanted) / 64) * 64;
    return offset;
  };
  reserve(sortBytes);
  const at = {
    owners: reserve(4 * chunkEntries),
    indices: reserve(4 * chunkEntries),
    values: reserve(8 * chunkEntries),
    weights: reserve(8 * chunkEntries),
    bandOf: reserve(2 * rows),
    cursor: reserve(4 * rows),
    // Every other band may be small, before a long row.
    next: reserve(4 * (2 * Math.ceil(observed / band) + Math.ceil(rows / bandRows) + 1)),
    bandOwners: reserve(4 * Math.max(Math.min(observed, mostOwned), longest)),
    outIndices: reserve(4 * most),
    outValues: reserve(elementBytes * most),
    outWeights: isWeighted ? reserve(elementBytes * most) : 0,
    orders: reserve(2 * 4 * most),
    digits: reserve(4 * 2 ** mostDigitBits),
  };
  return { at, chunkEntries, mostOwned, bandEntries: band, bandRows, longest: most, bytes };
}
