/**
 * Cuts entries into what is fitted and what is tested. Where an entry falls depends on the seed and its row and column (or its
 * time) alone: not on how entries are listed, and not on threads.
 */
import { type Listing, partsByKey } from '../data/listing.js';
import { HadamardError } from '../errors.js';
import { bitsAt, streams } from '../starts/random.js';
import { refused } from './refused.js';

/**
 * - `holdout` a share of the entries at random, once
 * - `k-fold` every entry is tested in one of `folds` folds, at random: the speckled folds of S. Wold, Technometrics 20 (1978)
 * - `blocks` rows and columns fall into `folds` groups each, and fold f tests the blocks on the f-th diagonal of these: the
 *   block folds of K. R. Gabriel (2002), each row and column keeping entries to be fitted by
 * - `leave-one-out` one entry of each row that has two: at random, or the last in time
 * - `rows`, `columns` each is left out as a whole in one of `folds` folds; then it is folded in from a share of its entries, and
 *   tested on the others
 * - `time` the latest share of the entries, once
 */
export const splits = ['holdout', 'k-fold', 'blocks', 'leave-one-out', 'rows', 'columns', 'time'] as const;

export type Split = (typeof splits)[number];

export interface SplitOptions {
  /** Default `k-fold`; `holdout` where that is given alone, and `time` where that is. */
  readonly split?: Split | undefined;
  /** Of k-fold, blocks, rows and columns; default 5. */
  readonly folds?: number | undefined;
  /** The share that is tested, of holdout and time; default 0.1. */
  readonly holdout?: number | undefined;
  /** Which entry leave-one-out takes; default `random`. */
  readonly leave?: 'random' | 'last' | undefined;
  /** The time of each listed value of A, in the same order, for time and for the last of each row. */
  readonly time?: ArrayLike<number> | undefined;
  /** The share of a held-out row's or column's entries that it is folded in from; default 0.8. */
  readonly given?: number | undefined;
}

/** What an entry is for in a fold. */
export const role = { train: 0, test: 1, given: 2, unused: 3 } as const;

export interface Fold {
  /** A {@link role} for each entry of the listing. */
  readonly roles: Uint8Array;
  /** Which side's left-out members are folded in from the entries given. */
  readonly foldIn?: 'rows' | 'columns';
}

/**
 * @throws HadamardError `invalid-option` for options out of range or a fold without test or training entries; `shape-mismatch`
 *   where time does not have one number for each value.
 */
export function splitEntries(listing: Listing, options: SplitOptions, seed: number): Fold[] {
  const split = splitOf(options);
  const { folds = 5, holdout = 0.1, leave = 'random', given = 0.8 } = options;
  check('split', split, splits.includes(split), `one of ${splits.join(', ')}`, splits);
  check('folds', folds, Number.isInteger(folds) && folds >= 2, 'an integer of at least 2');
  check('holdout', holdout, holdout > 0 && holdout < 1, 'a share above 0 and below 1');
  check('given', given, given > 0 && given < 1, 'a share above 0 and below 1');
  check('leave', leave, leave === 'random' || leave === 'last', 'random or last', ['random', 'last']);
  const isFolded = split === 'k-fold' || split === 'blocks' || split === 'rows' || split === 'columns';
  check(
    'folds',
    folds,
    !isFolded || folds <= listing.values.length,
    `at most ${listing.values.length}, the number of entries`,
  );
  const times =
    split === 'time' || (split === 'leave-one-out' && leave === 'last') ? timesOf(listing, options.time) : undefined;
  const cut = cutter(listing, seed);
  switch (split) {
    case 'holdout':
      return refuseEmpty([cut.byPart(cut.entries(streams.holdout, [holdout, 1]), 0)], 'holdout');
    case 'k-fold': {
      const parts = cut.entries(streams.folds, shares(folds));
      return refuseEmpty(
        eachOf(folds, (f) => cut.byPart(parts, f)),
        'folds',
      );
    }
    case 'blocks': {
      const rows = cut.members('rows', folds);
      const columns = cut.members('columns', folds);
      const parts = Uint32Array.from(
        listing.rows,
        (row, t) => ((rows[row] as number) + (columns[listing.columns[t] as number] as number)) % folds,
      );
      return refuseEmpty(
        eachOf(folds, (f) => cut.byPart(parts, f)),
        'folds',
      );
    }
    case 'leave-one-out':
      return refuseEmpty([cut.oneOfEachRow(times)], 'leave-one-out');
    case 'rows':
    case 'columns': {
      const parts = cut.members(split, folds);
      return refuseEmpty(
        eachOf(folds, (f) => cut.leftOut(split, (member) => parts[member] === f, given)),
        'folds',
      );
    }
    case 'time':
      return refuseEmpty([cut.latest(times as Float64Array, holdout)], 'time');
  }
}

/** The split that is meant, where it is not said. */
export function splitOf({ split, holdout, time }: SplitOptions): Split {
  return split ?? (time !== undefined ? 'time' : holdout !== undefined ? 'holdout' : 'k-fold');
}

function eachOf<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Ends of so many equal parts. */
const shares = (folds: number): number[] => eachOf(folds, (f) => (f + 1) / folds);

function cutter({ rows, columns, weights }: Listing, seed: number) {
  const length = rows.length;
  // What has no weight is listed for a background to leave out: it is told to every fit and never tested.
  const isTestable = (t: number) => weights?.[t] !== 0;
  const keyOf = (stream: number, t: number) => bitsAt(seed, stream, rows[t] as number, columns[t] as number);
  const fold = (roleOf: (t: number) => number): Fold => ({
    roles: Uint8Array.from({ length }, (_, t) => (isTestable(t) ? roleOf(t) : role.train)),
  });
  /** Entries of each row or column, in order. */
  const bySide = (side: 'rows' | 'columns') => {
    const indices = side === 'rows' ? rows : columns;
    const entries = new Map<number, number[]>();
    for (let t = 0; t < length; t++)
      if (isTestable(t)) {
        const list = entries.get(indices[t] as number);
        if (list) list.push(t);
        else entries.set(indices[t] as number, [t]);
      }
    return entries;
  };
  return {
    /** The part of each entry. */
    entries: (stream: number, ends: readonly number[]) =>
      partsByKey(
        Uint32Array.from({ length }, (_, t) => keyOf(stream, t)),
        ends,
      ),
    /** The part of each row or column that has entries. */
    members: (side: 'rows' | 'columns', folds: number): number[] => {
      const listed = [...bySide(side).keys()].sort((a, b) => a - b);
      const parts = partsByKey(
        Uint32Array.from(listed, (member) => bitsAt(seed, streams[side], member, 0)),
        shares(folds),
      );
      const of: number[] = [];
      listed.forEach((member, index) => {
        of[member] = parts[index] as number;
      });
      return of;
    },
    byPart: (parts: Uint32Array, tested: number) => fold((t) => (parts[t] === tested ? role.test : role.train)),
    oneOfEachRow: (times: Float64Array | undefined) => {
      const left = new Set<number>();
      for (const entries of bySide('rows').values()) {
        if (entries.length < 2) continue;
        const isBefore = (a: number, b: number) => {
          const [first, second] = times ? [times[a], times[b]] : [0, 0];
          return first === second
            ? keyOf(streams.holdout, a) < keyOf(streams.holdout, b)
            : (first as number) < (second as number);
        };
        left.add(entries.reduce((last, t) => (isBefore(last, t) ? t : last)));
      }
      return fold((t) => (left.has(t) ? role.test : role.train));
    },
    /** Of each member that is left out, the share given is what it is folded in from; where there is one entry alone it is unused. */
    leftOut: (side: 'rows' | 'columns', isOut: (member: number) => boolean, given: number): Fold => {
      const roles = new Uint8Array(length);
      /** What becomes of entries without weight: the fold-in is told of them as well. */
      const out = new Map<number, number>();
      for (const [member, entries] of bySide(side)) {
        if (!isOut(member)) continue;
        const keys = Uint32Array.from(entries, (t) => keyOf(streams.given, t));
        const tested = Math.max(1, Math.round((1 - given) * entries.length));
        const parts = partsByKey(keys, [tested / entries.length, 1]);
        const isTested = entries.length > 1 && parts.includes(1);
        entries.forEach((t, index) => {
          roles[t] = isTested ? (parts[index] === 0 ? role.test : role.given) : role.unused;
        });
        out.set(member, isTested ? role.given : role.unused);
      }
      const indices = side === 'rows' ? rows : columns;
      for (let t = 0; t < length; t++) if (!isTestable(t)) roles[t] = out.get(indices[t] as number) ?? role.train;
      return { roles, foldIn: side };
    },
    /** Entries of one time stand on one side, the earlier one where they straddle the cut. */
    latest: (times: Float64Array, share: number) => {
      const sorted = times.slice().sort();
      const cut = sorted[length - Math.round(share * length) - 1] ?? Number.NEGATIVE_INFINITY;
      return fold((t) => ((times[t] as number) > cut ? role.test : role.train));
    },
  };
}

function timesOf({ places, values }: Listing, time: ArrayLike<number> | undefined): Float64Array {
  const times = Float64Array.from(places, (place) => time?.[place] ?? Number.NaN);
  const missing = times.findIndex((each) => Number.isNaN(each));
  if (missing < 0 && values.length > 0) return times;
  throw new HadamardError({
    code: time === undefined ? 'invalid-option' : 'shape-mismatch',
    what: time === undefined ? 'No time is given.' : `There is no time for the value at ${places[missing]}.`,
    position: { option: 'time' },
    rule: 'A split by time, and leave-one-out of the last, needs a time for each listed value of A, in the same order.',
    remedy: 'Give time (a column of the CSV: --time name), or choose another split.',
  });
}

function check(option: string, value: unknown, isAllowed: boolean, rule: string, choices?: readonly string[]): void {
  if (!isAllowed) throw refused(option, value, rule, choices);
}

function refuseEmpty(folds: Fold[], option: string): Fold[] {
  folds.forEach(({ roles }, index) => {
    for (const part of ['test', 'train'] as const)
      if (!roles.includes(role[part]))
        throw new HadamardError({
          code: 'invalid-option',
          what: `${folds.length === 1 ? 'The split' : `Fold ${index + 1} of ${folds.length}`} has no ${part === 'test' ? 'entry to test' : 'entry to fit'}.`,
          position: { option },
          rule: 'Every fold has entries to fit and to test: at most as many folds as there are entries (rows, columns), and a share that holds one.',
          remedy: 'Give fewer folds, another share, or more data.',
        });
  });
  return folds;
}
