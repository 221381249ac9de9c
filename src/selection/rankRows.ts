/** Ranking metrics of a fold: each row's test entries among its candidates. */
import type { Listing } from '../data/listing.js';
import { type RankedList, rankedList, rankingMetric } from '../metrics/ranking.js';
import { bitsAt, streams } from '../starts/random.js';
import type { Predictor } from './baseline.js';
import type { Metric } from './metricNames.js';
import { role } from './splits.js';

export interface RankingOptions {
  readonly negatives: 'all' | number;
  readonly relevance: number | undefined;
  readonly gains: 'binary' | 'value';
  readonly seed: number;
}

/**
 * The mean of each metric over the rows that have a relevant test entry. A row's candidates are its test entries and, with
 * `negatives` all, every column that it has no other entry in; with a number so many columns drawn without repetition from those
 * that it has no entry in at all (all of them where there are no more), the same for every model.
 */
export function rankRows(
  { score }: Pick<Predictor, 'score'>,
  listing: Listing,
  roles: Uint8Array,
  metrics: readonly Extract<Metric, { k: number }>[],
  { negatives, relevance, gains, seed }: RankingOptions,
): { readonly rows: number; readonly metrics: Record<string, number> } {
  const n = listing.shape[1];
  const depth = Math.max(...metrics.map(({ k }) => k));
  const sums = metrics.map(() => 0);
  let rows = 0;
  /** What a column is to the row at work: nothing, an entry that is known, or one that is tested. */
  const isKnown = new Uint8Array(n);
  const add = (list: RankedList) => {
    rows++;
    metrics.forEach(({ kind, k }, index) => {
      sums[index] = (sums[index] as number) + rankingMetric(kind, k, list);
    });
  };
  for (let start = 0, end = 0; start < listing.rows.length; start = end) {
    const row = listing.rows[start] as number;
    while (end < listing.rows.length && listing.rows[end] === row) end++;
    isKnown.fill(0);
    const tested: number[] = [];
    for (let t = start; t < end; t++) {
      if (roles[t] === role.test) tested.push(t);
      isKnown[listing.columns[t] as number] = 1;
    }
    const relevant = tested.filter((t) => relevance === undefined || (listing.values[t] as number) >= relevance);
    if (relevant.length === 0) continue;
    const scoreOf = (column: number) => score(row, column);
    const strangers =
      negatives === 'all'
        ? everyOther(isKnown)
        : drawn(isKnown, negatives, (draw) => bitsAt(seed, streams.negatives, row, draw));
    const scores = new Float64Array(tested.length + strangers.length);
    tested.forEach((t, at) => {
      scores[at] = scoreOf(listing.columns[t] as number);
    });
    for (let at = 0; at < strangers.length; at++) scores[tested.length + at] = scoreOf(strangers[at] as number);
    const gainOf = (t: number) => (gains === 'value' ? Math.max(0, listing.values[t] as number) : 1);
    add(
      rankedList(
        scores,
        relevant.map((t) => ({ score: scoreOf(listing.columns[t] as number), gain: gainOf(t) })),
        depth,
      ),
    );
  }
  return {
    rows,
    metrics: Object.fromEntries(metrics.map(({ name }, index) => [name, (sums[index] as number) / rows])),
  };
}

function everyOther(isKnown: Uint8Array): number[] {
  const others: number[] = [];
  for (let column = 0; column < isKnown.length; column++) if (isKnown[column] === 0) others.push(column);
  return others;
}

/** Draws until there are enough; `isKnown` takes note of what is drawn. */
function drawn(isKnown: Uint8Array, wanted: number, bits: (draw: number) => number): number[] {
  const others = everyOther(isKnown);
  if (others.length <= wanted) return others;
  const columns: number[] = [];
  for (let draw = 0; columns.length < wanted; draw++) {
    const column = others[Math.floor((bits(draw) / 2 ** 32) * others.length)] as number;
    if (isKnown[column] !== 0) continue;
    isKnown[column] = 1;
    columns.push(column);
  }
  return columns;
}
