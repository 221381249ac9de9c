/**
 * Sorts many entries by kernels into rows, and from there into columns, where they stand in a fit's memory. Until the columns are
 * there, their places hold the entries of the rows, band by band.
 */
import type { Orientation } from '../data/countingSort.js';
import type { Sorter } from '../data/observations.js';
import { type Dtype, instantiateKernels } from '../kernels/load.js';
import { type SortFields, writeSort } from '../kernels/sort.js';
import type { EntryAddresses, PerSide } from './layout.js';
import { mostDigitBits, type SortingSpace } from './sortingSpace.js';

/** Rows first … last−1. */
interface RowRange {
  readonly first: number;
  readonly last: number;
}

export interface SortingPlace {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly dtype: Dtype;
  readonly resident: PerSide<EntryAddresses>;
  /** Where the space is. */
  readonly address: number;
  readonly space: SortingSpace;
}

export function kernelSorter({ memory, module, dtype, resident, address, space }: SortingPlace): Sorter {
  const { buffer } = memory;
  const { chunkEntries, mostOwned } = space;
  const view = new DataView(buffer);
  const kernels = instantiateKernels(module, memory);
  const words = (at: number, length: number) => new Uint32Array(buffer, at, length);
  const at = Object.fromEntries(
    Object.entries(space.at).map(([name, offset]) => [name, address + offset]),
  ) as SortingSpace['at'];
  const isWeighted = resident.rows.weights !== 0;
  const common = {
    ...at,
    outWeights: isWeighted ? at.outWeights : 0,
    orderSize: space.longest,
    pointers: 0,
    count: 0,
    indexCount: 0,
    shift: 0,
  };
  /** Bands of a range, noted for the kernels. */
  const openBands = (pointers: Float64Array, range: RowRange): RowRange[] => {
    const bands = parted(pointers, range, space.bandEntries, space.bandRows);
    const bandOf = new Uint16Array(buffer, at.bandOf, range.last - range.first);
    bands.forEach(({ first, last }, band) => {
      bandOf.fill(band, first - range.first, last - range.first);
    });
    words(at.next, bands.length).set(bands.map(({ first }) => pointers[first] as number));
    return bands;
  };
  const sortBands = (bands: readonly RowRange[], first: number, indexCount: number): boolean => {
    const bits = indexCount > 1 ? 32 - Math.clz32(indexCount - 1) : 0;
    const passes = Math.ceil(bits / mostDigitBits);
    const width = Math.ceil(bits / Math.max(passes, 1));
    const sort = kernels[dtype === 'f32' ? 'sortBand32' : 'sortBand64'];
    return bands.every((band) => sort(address, band.first - first, band.last - first, passes, width) !== 0);
  };
  const placesOf = ({ indices, values, weights }: EntryAddresses) => ({
    toIndices: indices,
    toValues: values,
    toWeights: weights,
  });
  const bandsAt = ({ indices, values, weights }: EntryAddresses) => ({
    bandIndices: indices,
    bandValues: values,
    bandWeights: weights,
  });
  const write = (fields: SortFields) => writeSort(view, address, fields);

  return {
    rows({ each }, { pointers }, shift, columnCount, afterReading) {
      const { rows, columns } = resident;
      const size = pointers.length - 1;
      words(rows.pointers, size + 1).set(pointers);
      const bands = openBands(pointers, { first: 0, last: size });
      // A band's row numbers are read before its indices are written in their place.
      const job = {
        ...common,
        ...bandsAt(columns),
        ...placesOf(rows),
        bandOwners: rows.indices,
        starts: rows.pointers,
      };
      const listed = {
        owners: words(at.owners, chunkEntries),
        indices: words(at.indices, chunkEntries),
        values: new Float64Array(buffer, at.values, chunkEntries),
        weights: new Float64Array(buffer, at.weights, chunkEntries),
      };
      const take = kernels[dtype === 'f32' ? 'bandEntries32' : 'bandEntries64'];
      let isSame = true;
      each((chunk) => {
        for (let t = 0; t < chunk.values.length && isSame; t += chunkEntries) {
          const end = Math.min(t + chunkEntries, chunk.values.length);
          listed.owners.set(chunk.rows.subarray(t, end));
          listed.indices.set(chunk.columns.subarray(t, end));
          listed.values.set(chunk.values.subarray(t, end));
          if (chunk.weights) listed.weights.set(chunk.weights.subarray(t, end));
          const weights = chunk.weights ? at.weights : 0;
          write({ ...job, weights, count: end - t, first: 0, size, indexCount: columnCount, shift });
          isSame = take(address) !== 0;
        }
      });
      if (!isSame) return false;
      afterReading();
      return sortBands(bands, 0, columnCount);
    },
    columns(from, { pointers }) {
      const { rows, columns } = resident;
      words(rows.pointers, from.pointers.length).set(from.pointers);
      words(columns.pointers, pointers.length).set(pointers);
      const source = { pointers: rows.pointers, indices: rows.indices, values: rows.values, weights: rows.weights };
      const job = { ...common, ...source, ...bandsAt(columns), ...placesOf(columns), count: from.pointers.length - 1 };
      const take = kernels[dtype === 'f32' ? 'bandRows32' : 'bandRows64'];
      const all = { first: 0, last: pointers.length - 1 };
      for (const range of parted(pointers, all, mostOwned, all.last)) {
        const { first, last } = range;
        const bands = openBands(pointers, range);
        const bandOwners = at.bandOwners - 4 * (pointers[first] as number);
        write({ ...job, bandOwners, first, size: last - first, starts: columns.pointers + 4 * first });
        if (take(address) === 0 || !sortBands(bands, first, 0))
          throw new Error('The rows have other entries than the columns.');
      }
    },
  };
}

/** Parts of so many entries and rows at the most, or of one row. */
function parted(
  pointers: Orientation['pointers'],
  { first, last }: RowRange,
  entries: number,
  rows: number,
): RowRange[] {
  const parts: RowRange[] = [];
  for (let from = first; from < last; ) {
    const end = (pointers[from] as number) + entries;
    const limit = Math.min(last, from + rows);
    let to = from + 1;
    while (to < limit && (pointers[to + 1] as number) <= end) to++;
    parts.push({ first: from, last: to });
    from = to;
  }
  return parts;
}
