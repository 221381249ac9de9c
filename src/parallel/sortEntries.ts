/**
 * Sorts many entries by kernels into rows, and from there into columns, where they stand in a fit's memory. Until the columns are
 * there, their places hold the entries of the rows, band by band. One thread reads the listing into these bands; they are sorted,
 * and the columns made, by as many as there are. What comes out does not depend on how it is cut.
 */
import type { Sorter, Steps } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { type Dtype, instantiateKernels, type Kernels } from '../kernels/load.js';
import { writeSort } from '../kernels/sort.js';
import { openWorkbench } from './blocks.js';
import type { Crew } from './crew.js';
import type { EntryAddresses, Layout, PerSide, SideAddresses } from './layout.js';
import { type BlockContext, countOf, noTotals, type Phase, type PhaseCall, type Workbench } from './phase.js';
import { mostDigitBits, type SortingSpace } from './sortingSpace.js';

/** What of a fit there is before its entries have been sorted. */
export interface SortContext extends BlockContext {
  readonly dtype: Dtype;
  readonly layout: BlockContext['layout'] &
    Pick<Layout, 'sorting'> & { readonly sides: PerSide<Pick<SideAddresses, 'done' | 'results' | 'resident'>> };
}

/** Where everything stands for the one that sorts in a slot. */
interface Places {
  readonly rows: EntryAddresses;
  readonly columns: EntryAddresses;
  readonly space: SortingSpace;
  readonly at: SortingSpace['at'];
  readonly own: SortingSpace['own'];
}

function placesOf({ layout }: SortContext, slot: number): Places {
  const { rows, columns } = layout.sides;
  if (!layout.sorting || !rows.resident || !columns.resident) throw new Error('There is no space to sort in.');
  const { address, space } = layout.sorting;
  return {
    rows: rows.resident,
    columns: columns.resident,
    space,
    at: movedBy(address, space.at),
    own: movedBy(address + slot * space.ownBytes, space.own),
  };
}

function movedBy<Offsets extends Readonly<Record<string, number>>>(start: number, offsets: Offsets): Offsets {
  return Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, start + offset])) as Offsets;
}

/** What a job of either side has. */
function jobOf({ at, own, rows, space }: Places) {
  const { job: _, ...room } = own;
  return {
    ...at,
    ...room,
    outWeights: rows.weights === 0 ? 0 : own.outWeights,
    orderSize: space.longest,
    pointers: 0,
    count: 0,
    indexCount: 0,
    shift: 0,
  };
}

function rowJobOf(context: SortContext, places: Places) {
  const { rows, columns } = places;
  return {
    ...jobOf(places),
    ...bandsAt(columns),
    ...placesTo(rows),
    // A band's row numbers are read before its indices are written in their place.
    bandOwners: rows.indices,
    starts: rows.pointers,
    first: 0,
    size: countOf(context, 'rows'),
    indexCount: countOf(context, 'columns'),
  };
}

const bandsAt = ({ indices, values, weights }: EntryAddresses) => ({
  bandIndices: indices,
  bandValues: values,
  bandWeights: weights,
});

const placesTo = ({ indices, values, weights }: EntryAddresses) => ({
  toIndices: indices,
  toValues: values,
  toWeights: weights,
});

function kernelsOf(kernels: Kernels, dtype: Dtype) {
  const { bandEntries32, bandEntries64, bandRows32, bandRows64, sortBand32, sortBand64 } = kernels;
  return dtype === 'f32'
    ? { bandEntries: bandEntries32, bandRows: bandRows32, sortBand: sortBand32 }
    : { bandEntries: bandEntries64, bandRows: bandRows64, sortBand: sortBand64 };
}

/** What stands in `next` of a band that was begun: bands are sorted where they stand, and cannot be begun again. */
const begun = 0xffffffff;

/**
 * The bands of rows block, block + blocks, and so on; the sum is how many entries follow one of the same place, NaN where some are not
 * there or a band was lost with its worker.
 */
const sortRowsPhase: Phase<SortContext> = {
  name: 'sortRows',
  run({ fit, kernels, slot, view }, { side }, block) {
    const places = placesOf(fit, slot);
    const { job } = places.own;
    writeSort(view, job, rowJobOf(fit, places));
    const edges = listAt(fit.memory, places.at.edges);
    const indexCount = countOf(fit, 'columns');
    const bits = indexCount > 1 ? 32 - Math.clz32(indexCount - 1) : 0;
    const passes = Math.ceil(bits / mostDigitBits);
    const width = Math.ceil(bits / Math.max(passes, 1));
    const { sortBand } = kernelsOf(kernels, fit.dtype);
    const next = new Uint32Array(fit.memory.buffer, places.at.next, edges.length - 1);
    let repeats = 0;
    for (let band = block; band + 1 < edges.length; band += fit.blocks[side].length - 1) {
      if (next[band] === begun) return { ...noTotals, loss: Number.NaN };
      next[band] = begun;
      const found = sortBand(job, edges[band] as number, edges[band + 1] as number, passes, width);
      repeats += found < 0 ? Number.NaN : found;
    }
    return { ...noTotals, loss: repeats };
  },
};

/** The ranges of columns block, block + blocks, and so on, from sorted rows. */
const sortColumnsPhase: Phase<SortContext> = {
  name: 'sortColumns',
  run(workbench, { side }, block) {
    const { fit } = workbench;
    const places = placesOf(fit, workbench.slot);
    const ranges = listAt(fit.memory, places.at.ranges);
    for (let range = block; range + 1 < ranges.length; range += fit.blocks[side].length - 1)
      sortRange(workbench, places, ranges[range] as number, ranges[range + 1] as number);
    return noTotals;
  },
};

/** Bands firstBand … lastBand−1 of columns. */
function sortRange(
  { fit, kernels, view }: Workbench<SortContext>,
  places: Places,
  firstBand: number,
  lastBand: number,
) {
  const { at, own, rows, columns } = places;
  const { buffer } = fit.memory;
  const edges = listAt(fit.memory, at.edges);
  const [first, last] = [edges[firstBand] as number, edges[lastBand] as number];
  const starts = columns.pointers + 4 * first;
  const pointers = new Uint32Array(buffer, starts, last - first + 1);
  const bandOf = at.bandOf + 2 * first;
  const next = at.next + 4 * firstBand;
  const bands = new Uint16Array(buffer, bandOf, last - first);
  const begins = new Uint32Array(buffer, next, lastBand - firstBand);
  for (let band = firstBand; band < lastBand; band++) {
    const [begin, end] = [(edges[band] as number) - first, (edges[band + 1] as number) - first];
    bands.fill(band - firstBand, begin, end);
    begins[band - firstBand] = pointers[begin] as number;
  }
  writeSort(view, own.job, {
    ...jobOf(places),
    ...bandsAt(columns),
    ...placesTo(columns),
    pointers: rows.pointers,
    indices: rows.indices,
    values: rows.values,
    weights: rows.weights,
    count: countOf(fit, 'rows'),
    bandOwners: own.bandOwners - 4 * (pointers[0] as number),
    first,
    size: last - first,
    starts,
    bandOf,
    cursor: at.cursor + 4 * first,
    next,
  });
  const { bandRows, sortBand } = kernelsOf(kernels, fit.dtype);
  let isSame = bandRows(own.job) !== 0;
  for (let band = firstBand; band < lastBand && isSame; band++)
    isSame = sortBand(own.job, (edges[band] as number) - first, (edges[band + 1] as number) - first, 0, 0) >= 0;
  if (!isSame) throw new Error('The rows have other entries than the columns.');
}

export const sortPhases: readonly Phase<SortContext>[] = [sortRowsPhase, sortColumnsPhase];

/** Its steps are phases over the blocks of a side. */
export function kernelSorter(context: SortContext): Sorter<PhaseCall> {
  const { memory, module, dtype } = context;
  const { buffer } = memory;
  const places = placesOf(context, 0);
  const { at, own, rows, columns, space } = places;
  const { chunkEntries, mostOwned } = space;
  const bandsOf = (pointers: Float64Array, range: RowRange) =>
    parted(pointers, range, space.bandEntries, space.bandRows);
  const step = (phase: string, side: 'rows' | 'columns'): PhaseCall => ({
    phase,
    side,
    own: null,
    other: 0,
    out: null,
  });
  return {
    *rows({ each }, { pointers }, shift, afterReading) {
      const size = pointers.length - 1;
      new Uint32Array(buffer, rows.pointers, size + 1).set(pointers);
      const bands = bandsOf(pointers, { first: 0, last: size });
      const bandOf = new Uint16Array(buffer, at.bandOf, size);
      bands.forEach(({ first, last }, band) => {
        bandOf.fill(band, first, last);
      });
      new Uint32Array(buffer, at.next, bands.length).set(bands.map(({ first }) => pointers[first] as number));
      writeList(memory, at.edges, edgesOf(bands));
      const job = rowJobOf(context, places);
      const view = new DataView(buffer);
      const listed = {
        owners: new Uint32Array(buffer, at.owners, chunkEntries),
        indices: new Uint32Array(buffer, at.indices, chunkEntries),
        values: new Float64Array(buffer, at.values, chunkEntries),
        weights: new Float64Array(buffer, at.weights, chunkEntries),
      };
      const { bandEntries: take } = kernelsOf(instantiateKernels(module, memory), dtype);
      let isSame = true;
      each((chunk) => {
        for (let t = 0; t < chunk.values.length && isSame; t += chunkEntries) {
          const end = Math.min(t + chunkEntries, chunk.values.length);
          listed.owners.set(chunk.rows.subarray(t, end));
          listed.indices.set(chunk.columns.subarray(t, end));
          listed.values.set(chunk.values.subarray(t, end));
          if (chunk.weights) listed.weights.set(chunk.weights.subarray(t, end));
          writeSort(view, own.job, { ...job, weights: chunk.weights ? at.weights : 0, count: end - t, shift });
          isSame = take(own.job) !== 0;
        }
      });
      if (!isSame) return undefined;
      afterReading();
      const repeats = yield step('sortRows', 'rows');
      return Number.isNaN(repeats) ? undefined : repeats;
    },
    *columns(from, { pointers }) {
      new Uint32Array(buffer, rows.pointers, from.pointers.length).set(from.pointers);
      new Uint32Array(buffer, columns.pointers, pointers.length).set(pointers);
      const last = pointers.length - 1;
      const ranges = parted(pointers, { first: 0, last }, mostOwned, last).map((range) => bandsOf(pointers, range));
      writeList(memory, at.edges, edgesOf(ranges.flat()));
      let band = 0;
      writeList(memory, at.ranges, [0, ...ranges.map((bands) => (band += bands.length))]);
      yield step('sortColumns', 'columns');
    },
  };
}

/** Does all steps in this thread. */
export function sortHere<T>(context: SortContext, steps: Steps<PhaseCall, T>): T {
  let next = steps.next(0);
  while (next.done !== true) {
    const { value: call } = next;
    const phase = sortPhases.find(({ name }) => name === call.phase) as Phase<SortContext>;
    let found = 0;
    for (let block = 0; block < context.blocks[call.side].length - 1; block++)
      found += phase.run(openWorkbench(context, 0), call, block).loss;
    next = steps.next(found);
  }
  return next.value;
}

/** Does each step by a crew. @throws HadamardError `worker-died`, also of the first worker that is lost while rows are sorted */
export async function sortTogether<T>(
  context: SortContext,
  steps: Steps<PhaseCall, T>,
  crew: Crew<SortContext>,
): Promise<T> {
  let next = steps.next(0);
  while (next.done !== true) {
    const { loss: found } = await crew.run(context, next.value);
    if (Number.isNaN(found)) throw diedSorting();
    next = steps.next(found);
  }
  return next.value;
}

function diedSorting(): HadamardError {
  return new HadamardError({
    code: 'worker-died',
    what: 'A worker died while it sorted entries into rows.',
    position: {},
    rule: 'Entries are sorted where they stand, so that a part which was begun cannot be done again.',
    remedy: 'Look for memory limits or signals from outside, and fit again.',
  });
}

/** Rows first … last−1. */
interface RowRange {
  readonly first: number;
  readonly last: number;
}

/** Parts of so many entries and rows at the most, or of one row. */
function parted(pointers: Float64Array, { first, last }: RowRange, entries: number, rows: number): RowRange[] {
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

const edgesOf = (parts: readonly RowRange[]): number[] => [0, ...parts.map(({ last }) => last)];

/** A list of u32, its length before it. */
function writeList({ buffer }: WebAssembly.Memory, address: number, list: readonly number[]): void {
  new Uint32Array(buffer, address, list.length + 1).set([list.length, ...list]);
}

function listAt({ buffer }: WebAssembly.Memory, address: number): Uint32Array {
  return new Uint32Array(buffer, address + 4, new Uint32Array(buffer, address, 1)[0]);
}
