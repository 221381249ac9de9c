/** What is sorted into files a range at a time is, bit for bit, what is sorted in memory; and the files leave nothing behind. */
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { closeEntryFile } from '../../dist/src/data/entryFile.js';
import type { Triples } from '../../dist/src/data/input.js';
import { type Duplicates, type Orientation, place, survey } from '../../dist/src/data/observations.js';
import { type FiledObservations, placeOnDisk } from '../../dist/src/data/placeOnDisk.js';
import { entriesOf, type StoredOrientation } from '../../dist/src/data/storedRows.js';
import { temporaryFolder } from '../cli/run.js';

const folder = temporaryFolder();
afterAll(folder.remove);

interface Case {
  readonly A: Triples;
  readonly W: Float64Array | undefined;
  readonly elementBytes: 4 | 8;
  readonly duplicates: Duplicates;
  readonly shift: number;
}

/** Entries in any order, some listed twice, some of weight 0; values and weights have few bits, so that f32 holds them. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    m: fc.integer({ min: 1, max: 12 }),
    n: fc.integer({ min: 1, max: 12 }),
    isWeighted: fc.boolean(),
    elementBytes: fc.constantFrom(4 as const, 8 as const),
    duplicates: fc.constantFrom('refuse' as const, 'keep' as const, 'last' as const, 'sum' as const),
    shift: fc.constantFrom(0, 0.3),
    seeds: fc.array(fc.nat(2 ** 20), { maxLength: 90, size: 'max' }),
  })
  .map(({ m, n, isWeighted, seeds, ...rest }) => ({
    ...rest,
    A: {
      rows: Uint32Array.from(seeds, (s) => s % m),
      columns: Uint32Array.from(seeds, (s) => (s >> 4) % n),
      values: Float64Array.from(seeds, (s) => (s % 1000) / 7),
      shape: [m, n] as const,
    },
    W: isWeighted ? Float64Array.from(seeds, (s) => (s % 5) / 4) : undefined,
  }));

const tiny = { sort: 300, waiting: 200 };

async function onDisk(
  { A, W, shift, duplicates, elementBytes }: Case,
  isZeroKept: boolean,
): Promise<FiledObservations> {
  const weights = W && { sqrtWeight: W };
  const form = {
    isHandedOver: false,
    folder: folder.path,
    elementBytes,
    isWeighted: W !== undefined,
    duplicates,
    shift,
    isZeroKept,
  };
  return placeOnDisk(A, weights, survey(A, weights, isZeroKept), { ...form, pause: async () => {} }, tiny);
}

function inMemory({ A, W, shift, duplicates, elementBytes }: Case, isZeroKept: boolean) {
  const weights = W && { sqrtWeight: W };
  const found = survey(A, weights, isZeroKept);
  const reals = () => (elementBytes === 4 ? new Float32Array(found.observed) : new Float64Array(found.observed));
  const room = (rows: number): Orientation => ({
    pointers: new Float64Array(rows + 1),
    indices: new Uint32Array(found.observed),
    values: reals(),
    weights: W && reals(),
  });
  const storage = { byRow: room(found.rows), byColumn: room(found.columns) };
  return place({ A, weights, found, storage, duplicates, shift, isZeroKept });
}

/** All that an orientation holds. */
function contentOf(stored: StoredOrientation) {
  const lists = [...entriesOf(stored)];
  return {
    pointers: Array.from(stored.pointers),
    indices: lists.flatMap(({ indices }) => Array.from(indices)),
    values: lists.flatMap(({ values }) => Array.from(values)),
    weights: lists.flatMap(({ weights }) => (weights ? Array.from(weights) : [])),
  };
}

async function outcome<T>(run: () => T | Promise<T>): Promise<T | { code: string; position: unknown }> {
  try {
    return await run();
  } catch (error) {
    const { code, position } = error as { code: string; position: unknown };
    return { code, position };
  }
}

test('files hold what memory does, whatever was listed twice', async () => {
  let several = 0;
  await fc.assert(
    fc.asyncProperty(cases, fc.boolean(), async (given, isZeroKept) => {
      const expected = await outcome(() => inMemory(given, isZeroKept));
      const filed = await outcome(() => onDisk(given, isZeroKept));
      expect(readdirSync(folder.path)).toEqual([]);
      if ('code' in expected || 'code' in filed) {
        expect(filed).toEqual(expected);
        return;
      }
      expect(filed.observed).toBe(expected.observed);
      expect(contentOf(filed.byRow)).toEqual(contentOf(expected.byRow));
      expect(contentOf(filed.byColumn)).toEqual(contentOf(expected.byColumn));
      if (filed.observed > 30) several++;
      closeEntryFile(filed.byRow.file);
      closeEntryFile(filed.byColumn.file);
    }),
    { numRuns: 400 },
  );
  // 300 bytes are at most 12 entries: these were sorted in several ranges.
  expect(several).toBeGreaterThan(20);
});
