/** Entries sorted by kernels stand as those sorted without: the same bits, whatever the ranges. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Triples } from '../../dist/src/data/input.js';
import { type Orientation, place, type Sorter, survey } from '../../dist/src/data/observations.js';
import { kernelSorter } from '../../dist/src/parallel/sortEntries.js';
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

/** Storage in one memory, and the sorter for it. */
function within(of: Case, cuts?: SortingCuts): { storage: Orientation[]; sorter: Sorter } {
  const elementBytes = of.Real.BYTES_PER_ELEMENT;
  const rows = Math.max(of.m, of.n);
  const request = { observed: of.entries, rows, longest: of.entries, elementBytes, isWeighted: of.isWeighted };
  const space = sortingSpace(request, cuts);
  const bytes = space.bytes + 2 * of.entries * (4 + 2 * elementBytes) + 4 * (of.m + of.n) + 1024;
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  // What was there before is no matter.
  new Uint8Array(memory.buffer).fill(173);
  let next = 64 + Math.ceil(space.bytes / 64) * 64;
  const reserve = (bytes: number) => {
    const address = next;
    next += Math.ceil(bytes / 64) * 64;
    return address;
  };
  const addressesOf = (count: number) => ({
    pointers: reserve(4 * (count + 1)),
    indices: reserve(4 * of.entries),
    values: reserve(elementBytes * of.entries),
    weights: of.isWeighted ? reserve(elementBytes * of.entries) : 0,
  });
  const resident = { rows: addressesOf(of.m), columns: addressesOf(of.n) };
  const storage = [resident.rows, resident.columns].map(({ indices, values, weights }, side) => ({
    pointers: new Float64Array((side === 0 ? of.m : of.n) + 1),
    indices: new Uint32Array(memory.buffer, indices, of.entries),
    values: new of.Real(memory.buffer, values, of.entries),
    weights: weights ? new of.Real(memory.buffer, weights, of.entries) : undefined,
  }));
  const dtype = elementBytes === 4 ? 'f32' : 'f64';
  const sorter = kernelSorter({ memory, module, dtype, resident, address: 64, space });
  return { storage, sorter };
}

/** The bytes of all lists: to compare these is fast. */
function placed(of: Case, cuts?: SortingCuts | 'usual'): (string | undefined)[] {
  const { A, sqrtWeight } = listing(of);
  const weights = of.isWeighted ? { sqrtWeight } : undefined;
  const { storage, sorter } = cuts
    ? within(of, cuts === 'usual' ? undefined : cuts)
    : { storage: storageOf(of, (bytes) => new ArrayBuffer(bytes)), sorter: undefined };
  const [byRow, byColumn] = storage as [Orientation, Orientation];
  place(A, weights, survey(A, weights), { byRow, byColumn }, 'keep', 0.25, false, false, sorter);
  return storage.flatMap(({ pointers, indices, values, weights }) =>
    [pointers, indices, values, weights].map(
      (list) => list && Buffer.from(list.buffer, list.byteOffset, list.byteLength).toString('base64'),
    ),
  );
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
  });
  fc.assert(
    fc.property(cases, settings, (of, small) => {
      expect(placed(of, small)).toEqual(placed(of));
    }),
    { numRuns: 80 },
  );
});

test('in many bands', () => {
  const of: Case = { m: 70000, n: 40, entries: 200000, isWeighted: true, Real: Float32Array, seed: 3 };
  expect(placed(of, 'usual')).toEqual(placed(of));
});

test('entries that change after the survey are refused', () => {
  const of: Case = { m: 9, n: 9, entries: 50, isWeighted: false, Real: Float32Array, seed: 5 };
  const { A } = listing(of);
  const found = survey(A, undefined);
  for (const [list, changed] of [
    [A.rows, 8],
    [A.rows, 9],
    [A.columns, 9],
  ] as const) {
    const { storage, sorter } = within(of);
    const [byRow, byColumn] = storage as [Orientation, Orientation];
    const before = list[7] as number;
    list[7] = changed;
    expect(() => place(A, undefined, found, { byRow, byColumn }, 'keep', 0, false, false, sorter)).toThrow();
    list[7] = before;
  }
});
