/** Entries sorted by kernels stand as those sorted without: the same bits, whatever the ranges. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { type Orientation, type Placing, place, placeInSteps, survey } from '../../dist/src/data/observations.js';
import { pooledCrew } from '../../dist/src/parallel/crew.js';
import { type EntryAddresses, totalsPerBlock } from '../../dist/src/parallel/layout.js';
import { kernelSorter, type SortContext, sortHere, sortTogether } from '../../dist/src/parallel/sortEntries.js';
import { type SortingCuts, sortingSpace } from '../../dist/src/parallel/sortingSpace.js';
import { uniform } from '../helpers/random.js';

const module = new WebAssembly.Module(readFileSync(new URL('../../dist/src/kernels/strict.wasm', import.meta.url)));

interface Case {
  readonly m: number;
  readonly n: number;
  readonly entries: number;
  readonly isWeighted: boolean;
  readonly Real: Float32ArrayConstructor | Float64ArrayConstructor;
  readonly seed: number;
}

/** Entries in any order, many of them at the same places. */
function listing({ m, n, entries, seed }: Case): { A: Triples; sqrtWeight: Float64Array } {
  const next = uniform(seed);
  const below = (limit: number) => Math.floor(next() ** 2 * limit);
  const list = () => Float64Array.from({ length: entries }, () => next() - 0.5);
  return {
    A: {
      rows: Uint32Array.from({ length: entries }, () => below(m)),
      columns: Int32Array.from({ length: entries }, () => below(n)),
      values: list(),
      shape: [m, n],
    },
    sqrtWeight: Float64Array.from({ length: entries }, () => 1 + next()),
  };
}

const storageOf = (of: Case, list: (bytes: number) => ArrayBuffer): Orientation[] =>
  [of.m, of.n].map((rows) => ({
    pointers: new Float64Array(rows + 1),
    indices: new Uint32Array(list(4 * of.entries), 0, of.entries),
    values: new of.Real(list(8 * of.entries), 0, of.entries),
    weights: of.isWeighted ? new of.Real(list(8 * of.entries), 0, of.entries) : undefined,
  }));

/** Storage in one memory, and what sorts it, in blocks of so many rows and columns. */
function within(of: Case, threads: number, rowsOfBlock: number, cuts?: SortingCuts, longest = of.entries): Within {
  const elementBytes = of.Real.BYTES_PER_ELEMENT;
  const rows = Math.max(of.m, of.n);
  const request = { observed: of.entries, rows, longest, elementBytes, isWeighted: of.isWeighted, threads };
  const space = sortingSpace(request, cuts);
  const edgesOf = (count: number) => Uint32Array.of(...multiples(count, rowsOfBlock), count);
  const blocks = { rows: edgesOf(of.m), columns: edgesOf(of.n) };
  const bytes = space.bytes + 2 * of.entries * (4 + 2 * elementBytes) + 84 * (of.m + of.n + 40);
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  // What was there before is no matter.
  new Uint8Array(memory.buffer).fill(173);
  new Int32Array(memory.buffer, 0, 16).fill(0);
  let next = 64;
  const reserve = (bytes: number) => {
    const address = next;
    next += Math.ceil(bytes / 64) * 64;
    return address;
  };
  const address = reserve(space.bytes);
  const sideOf = (count: number, { length }: Uint32Array) => ({
    done: reserve(4 * length),
    results: reserve(8 * totalsPerBlock * length),
    resident: {
      pointers: reserve(4 * (count + 1)),
      indices: reserve(4 * of.entries),
      values: reserve(elementBytes * of.entries),
      weights: of.isWeighted ? reserve(elementBytes * of.entries) : 0,
    },
  });
  const sides = { rows: sideOf(of.m, blocks.rows), columns: sideOf(of.n, blocks.columns) };
  const viewOf = (count: number, { indices, values, weights }: EntryAddresses): Orientation => ({
    pointers: new Float64Array(count + 1),
    indices: new Uint32Array(memory.buffer, indices, of.entries),
    values: new of.Real(memory.buffer, values, of.entries),
    weights: weights ? new of.Real(memory.buffer, weights, of.entries) : undefined,
  });
  const layout = { scratch: 0, scratchStride: 0, sorting: { address, space }, sides };
  const dtype = elementBytes === 4 ? 'f32' : 'f64';
  return {
    storage: [viewOf(of.m, sides.rows.resident), viewOf(of.n, sides.columns.resident)],
    context: { memory, module, dtype, layout, blocks },
  };
}

interface Within {
  readonly storage: Orientation[];
  readonly context: SortContext;
}

function multiples(limit: number, step: number): number[] {
  return Array.from({ length: Math.ceil(limit / step) }, (_, i) => i * step);
}

function placingOf(of: Case, storage: readonly Orientation[]): Placing {
  const { A, sqrtWeight } = listing(of);
  const weights = of.isWeighted ? { sqrtWeight } : undefined;
  const [byRow, byColumn] = storage as [Orientation, Orientation];
  return { A, weights, found: survey(A, weights), storage: { byRow, byColumn }, duplicates: 'keep', shift: 0.25 };
}

/** The bytes of all lists: to compare these is fast. */
const bytesOf = (storage: readonly Orientation[]): (string | undefined)[] =>
  storage.flatMap(({ pointers, indices, values, weights }) =>
    [pointers, indices, values, weights].map(
      (list) => list && Buffer.from(list.buffer, list.byteOffset, list.byteLength).toString('base64'),
    ),
  );

function placedWithout(of: Case): (string | undefined)[] {
  const storage = storageOf(of, (bytes) => new ArrayBuffer(bytes));
  place(placingOf(of, storage));
  return bytesOf(storage);
}

function placedHere(of: Case, cuts?: SortingCuts, rowsOfBlock = 7): (string | undefined)[] {
  const { storage, context } = within(of, 1, rowsOfBlock, cuts);
  sortHere(context, placeInSteps(placingOf(of, storage), kernelSorter(context)));
  return bytesOf(storage);
}

test('in small ranges of rows and columns', () => {
  const cases = fc.record({
    m: fc.integer({ min: 1, max: 12 }),
    n: fc.integer({ min: 1, max: 5000 }),
    entries: fc.integer({ min: 0, max: 60 }),
    isWeighted: fc.boolean(),
    Real: fc.constantFrom<Case['Real']>(Float32Array, Float64Array),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  const settings = fc.record({
    chunkEntries: fc.integer({ min: 1, max: 50 }),
    mostOwned: fc.integer({ min: 1, max: 60 }),
    bandEntries: fc.integer({ min: 1, max: 60 }),
    mostBands: fc.integer({ min: 1, max: 60 }),
    leastShared: fc.constant(0),
  });
  fc.assert(
    fc.property(cases, settings, fc.integer({ min: 1, max: 5000 }), (of, small, rowsOfBlock) => {
      expect(placedHere(of, small, rowsOfBlock)).toEqual(placedWithout(of));
    }),
    { numRuns: 80 },
  );
});

const many: Case = { m: 70000, n: 40, entries: 200000, isWeighted: true, Real: Float32Array, seed: 3 };

test('in many bands', () => {
  expect(placedHere(many)).toEqual(placedWithout(many));
});

test('by several threads', async () => {
  const cuts = { chunkEntries: 1000, mostOwned: 20000, bandEntries: 500, mostBands: 400, leastShared: 0 };
  const of = { ...many, m: 3000, n: 3000, entries: 200000 };
  const expected = placedWithout(of);
  const crew = pooledCrew<SortContext>({
    workerUrl: new URL('../../dist/workers/rows.cjs', import.meta.url).href,
    threads: 3,
  });
  try {
    for (const rowsOfBlock of [10, 3000]) {
      const { storage, context } = within(of, 3, rowsOfBlock, cuts, 4000);
      expect(context.layout.sorting?.space.sorters).toBe(3);
      await sortTogether(context, placeInSteps(placingOf(of, storage), kernelSorter(context)), crew);
      expect(bytesOf(storage)).toEqual(expected);
    }
  } finally {
    await crew.close();
  }
});

test('what is listed twice is found', () => {
  const A = {
    rows: Uint32Array.of(1, 0, 1, 0, 1),
    columns: Uint32Array.of(2, 2, 0, 1, 2),
    values: Float64Array.of(1, 2, 3, 4, 5),
    shape: [2, 3] as const,
  };
  const of: Case = { m: 2, n: 3, entries: 5, isWeighted: false, Real: Float64Array, seed: 0 };
  const sorted = (listed: typeof A, duplicates: Placing['duplicates']) => {
    const { storage, context } = within({ ...of, entries: listed.values.length }, 1, 1);
    const [byRow, byColumn] = storage as [Orientation, Orientation];
    const placing = {
      A: listed,
      weights: undefined,
      found: survey(listed, undefined),
      storage: { byRow, byColumn },
      duplicates,
    };
    return sortHere(context, placeInSteps(placing, kernelSorter(context)));
  };
  expect(() => sorted(A, 'refuse')).toThrow(expect.objectContaining({ code: 'duplicate-entry' }));
  expect(sorted(A, 'keep').observed).toBe(5);
  const last = sorted(A, 'last');
  expect(last.observed).toBe(4);
  expect(Array.from(last.byColumn.values.subarray(0, 4))).toEqual([3, 4, 2, 5]);
  const once = { ...A, rows: A.rows.slice(1), columns: A.columns.slice(1), values: A.values.slice(1) };
  expect(sorted(once, 'refuse').observed).toBe(4);
});

test('entries that change after the survey are refused', () => {
  const of: Case = { m: 9, n: 9, entries: 50, isWeighted: false, Real: Float32Array, seed: 5 };
  for (const [list, changed] of [
    ['rows', 8],
    ['rows', 9],
    ['columns', 9],
  ] as const) {
    const { storage, context } = within(of, 1, 4);
    const placing = placingOf(of, storage);
    (placing.A as Triples)[list][7] = changed;
    expect(() => sortHere(context, placeInSteps(placing, kernelSorter(context)))).toThrow();
  }
});
