/** Folds partition the entries, in every order of listing, and test what they say. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Listing, listEntries, partsByKey } from '../../dist/src/data/listing.js';
import { role, type SplitOptions, splitEntries } from '../../dist/src/selection/splits.js';
import { type Problem, problem, reordered, triples } from '../helpers/problem.js';
import { permutation } from '../helpers/random.js';

const listingOf = (of: Problem): Listing => listEntries(triples(of), undefined, 'refuse');
const of = problem({ m: 30, n: 20, density: 0.3, seed: 8 });
const listing = listingOf(of);
const tested = (roles: Uint8Array) => [...roles.keys()].filter((t) => roles[t] === role.test);
/** A time for each entry, by its place in the matrix. */
const timeOf = (row: number, column: number) => (row * 7 + column * 13) % 50;
const times = (each: Problem) => each.entries.map(({ row, column }) => timeOf(row, column));

const arbitraryProblem = fc
  .record({ m: fc.integer({ min: 8, max: 25 }), n: fc.integer({ min: 8, max: 25 }), seed: fc.nat(1e6) })
  .map(({ m, n, seed }) => problem({ m, n, density: 0.4, seed }));

describe('parts by key', () => {
  test('hold equal shares, and equal keys stand together', () => {
    fc.assert(
      fc.property(fc.uint32Array({ minLength: 1, max: 50 }), fc.integer({ min: 1, max: 7 }), (keys, folds) => {
        const parts = partsByKey(
          keys,
          Array.from({ length: folds }, (_, f) => (f + 1) / folds),
        );
        for (let a = 0; a < keys.length; a++)
          for (let b = 0; b < keys.length; b++) {
            if (keys[a] === keys[b]) expect(parts[a]).toBe(parts[b]);
            if ((keys[a] as number) < (keys[b] as number))
              expect(parts[a] as number).toBeLessThanOrEqual(parts[b] as number);
          }
        if (new Set(keys).size < keys.length) return;
        const sizes = Array.from({ length: folds }, (_, f) => parts.filter((part) => part === f).length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe.each(['k-fold', 'blocks'] as const)('%s', (split) => {
  test('tests every entry in exactly one fold, and fits the others', () => {
    fc.assert(
      fc.property(arbitraryProblem, fc.integer({ min: 2, max: 3 }), fc.nat(1e6), (each, folds, seed) => {
        const entries = listingOf(each);
        const all = splitEntries(entries, { split, folds }, seed);
        const times = new Uint8Array(entries.values.length);
        for (const { roles } of all) {
          for (const t of tested(roles)) times[t] = (times[t] as number) + 1;
          expect(roles.every((each) => each === role.train || each === role.test)).toBe(true);
        }
        expect(all).toHaveLength(folds);
        expect(times.every((count) => count === 1)).toBe(true);
      }),
    );
  });
});

test('blocks leaves out whole blocks: the groups of rows and columns, each once with each', () => {
  const all = splitEntries(listing, { split: 'blocks', folds: 3 }, 1);
  // Two entries of one row are tested together exactly where their columns are of one group, whatever the row.
  const foldOf = (t: number) => all.findIndex(({ roles }) => roles[t] === role.test);
  const apart = new Map<string, boolean>();
  listing.rows.forEach((row, a) => {
    listing.rows.forEach((other, b) => {
      if (row !== other || a >= b) return;
      const pair = `${listing.columns[a]},${listing.columns[b]}`;
      const isTogether = foldOf(a) === foldOf(b);
      expect(apart.get(pair) ?? isTogether).toBe(isTogether);
      apart.set(pair, isTogether);
    });
  });
  expect(new Set(apart.values()).size).toBe(2);
});

describe.each(['rows', 'columns'] as const)('%s', (split) => {
  test('leaves each out as a whole in one fold, and tests a part of it', () => {
    fc.assert(
      fc.property(arbitraryProblem, fc.nat(1e6), (each, seed) => {
        const entries = listingOf(each);
        const members = entries[split];
        const foldsOf = new Map<number, Set<number>>();
        splitEntries(entries, { split, folds: 2, given: 0.7 }, seed).forEach(({ roles, foldIn }, f) => {
          expect(foldIn).toBe(split);
          for (const member of new Set(members)) {
            const own = [...roles.keys()].filter((t) => members[t] === member).map((t) => roles[t] as number);
            const isOut = own[0] !== role.train;
            expect(own.every((each) => (each !== role.train) === isOut)).toBe(true);
            if (!isOut) continue;
            foldsOf.set(member, new Set([...(foldsOf.get(member) ?? []), f]));
            if (own.length === 1) expect(own).toEqual([role.unused]);
            else {
              const count = own.filter((each) => each === role.test).length;
              expect(count).toBe(Math.max(1, Math.round(0.3 * own.length)));
              expect(own.filter((each) => each === role.given)).toHaveLength(own.length - count);
            }
          }
        });
        for (const member of new Set(members)) expect(foldsOf.get(member)?.size).toBe(1);
      }),
    );
  });
});

describe('leave-one-out', () => {
  test('takes one entry of each row that has two', () => {
    const [{ roles } = { roles: new Uint8Array() }] = splitEntries(listing, { split: 'leave-one-out' }, 1);
    const left = tested(roles).map((t) => listing.rows[t]);
    const counts = Array.from({ length: 30 }, (_, row) => listing.rows.filter((each) => each === row).length);
    expect(left).toEqual([...counts.keys()].filter((row) => (counts[row] as number) >= 2));
  });

  test('takes the last in time', () => {
    const options = { split: 'leave-one-out', leave: 'last', time: times(of) } as const;
    const [{ roles } = { roles: new Uint8Array() }] = splitEntries(listing, options, 1);
    for (const t of tested(roles)) {
      const own = [...listing.rows.keys()].filter((each) => listing.rows[each] === listing.rows[t]);
      const latest = Math.max(
        ...own.map((each) => timeOf(listing.rows[each] as number, listing.columns[each] as number)),
      );
      expect(timeOf(listing.rows[t] as number, listing.columns[t] as number)).toBe(latest);
    }
  });
});

test('time tests the latest, never more than the share, and one time stands on one side', () => {
  const [{ roles } = { roles: new Uint8Array() }] = splitEntries(
    listing,
    { split: 'time', holdout: 0.3, time: times(of) },
    1,
  );
  const timesOf = (which: number) =>
    [...roles.keys()]
      .filter((t) => roles[t] === which)
      .map((t) => timeOf(listing.rows[t] as number, listing.columns[t] as number));
  expect(Math.max(...timesOf(role.train))).toBeLessThan(Math.min(...timesOf(role.test)));
  expect(timesOf(role.test).length).toBeLessThanOrEqual(Math.round(0.3 * roles.length));
  expect(timesOf(role.test).length).toBeGreaterThan(0.2 * roles.length);
});

test('holdout has its share', () => {
  const [{ roles } = { roles: new Uint8Array() }] = splitEntries(listing, { split: 'holdout', holdout: 0.25 }, 1);
  expect(tested(roles)).toHaveLength(Math.round(0.25 * roles.length));
});

test.each<[string, SplitOptions]>([
  ['k-fold', { split: 'k-fold' }],
  ['blocks', { split: 'blocks', folds: 3 }],
  ['rows', { split: 'rows', folds: 3 }],
  ['leave-one-out', { split: 'leave-one-out' }],
  ['time', { split: 'time', holdout: 0.3 }],
])('%s does not depend on the order of listing, and does on the seed', (_name, options) => {
  const rolesOf = (each: Problem, seed: number) =>
    splitEntries(listingOf(each), { ...options, time: times(each) }, seed).map(({ roles }) => [...roles]);
  expect(rolesOf(reordered(of, permutation(of.entries.length, 3)), 1)).toEqual(rolesOf(of, 1));
  if (options.split !== 'time') expect(rolesOf(of, 2)).not.toEqual(rolesOf(of, 1));
});

test('entries listed twice are on one side', () => {
  const twice = { ...of, entries: [...of.entries, ...of.entries] };
  const entries = listEntries(triples(twice), undefined, 'keep');
  for (const { roles } of splitEntries(entries, { folds: 4 }, 1))
    for (let t = 0; t < roles.length; t += 2) expect(roles[t]).toBe(roles[t + 1]);
});

describe('is refused', () => {
  const two = listEntries(
    { rows: Uint32Array.of(0, 1), columns: Uint32Array.of(0, 0), values: Float64Array.of(1, 2), shape: [2, 1] },
    undefined,
    'refuse',
  );
  test.each<[string, SplitOptions, string]>([
    ['more folds than entries', { folds: 3 }, 'folds'],
    ['one fold', { folds: 1 }, 'folds'],
    ['half a fold', { folds: 2.5 }, 'folds'],
    ['a share of 1', { split: 'holdout', holdout: 1 }, 'holdout'],
    ['a share that holds no entry', { split: 'holdout', holdout: 0.1 }, 'holdout'],
    ['a share that leaves none', { split: 'holdout', holdout: 0.9 }, 'holdout'],
    ['rows of one entry', { split: 'rows', folds: 2 }, 'folds'],
    ['no row of two', { split: 'leave-one-out' }, 'leave-one-out'],
    ['no time', { split: 'time' }, 'time'],
    ['a split that there is not', { split: 'thirds' as never }, 'split'],
    ['given of 0', { split: 'columns', given: 0 }, 'given'],
    ['leave of another kind', { leave: 'first' as never }, 'leave'],
    ['one time alone', { split: 'time', holdout: 0.5, time: [3, 3] }, 'time'],
  ])('%s', (_name, options, option) => {
    expect(() => splitEntries(two, options, 1)).toThrow(
      expect.objectContaining({ code: 'invalid-option', position: { option } }),
    );
  });

  test('too few times', () => {
    expect(() => splitEntries(two, { split: 'time', time: [1] }, 1)).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    );
  });
});
