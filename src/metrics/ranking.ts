/**
 * Ranking metrics of one ranked list, averaged over ties: candidates of equal score stand in every order equally often, and
 * each metric is its mean over these orders. So a constant score earns what chance would, and nothing depends on how the
 * candidates are numbered. F. McSherry & M. Najork, ECIR 2008; scikit-learn's `ndcg_score` does the same.
 *
 * With rel_i = 1 where position i (from 1) holds a relevant candidate, else 0, R relevant candidates in all, and gain g_i:
 *
 *     precision@k = Σ_{i≤k} rel_i / k                      recall@k = Σ_{i≤k} rel_i / R
 *     hr@k        = 1 where a relevant one stands in the first k, else 0
 *     mrr@k       = 1/i of the first relevant one, 0 where it stands beyond k
 *     map@k       = Σ_{i≤k} rel_i · (Σ_{j≤i} rel_j / i) / min(R, k)
 *     ndcg@k      = DCG / DCG of the best order,  DCG = Σ_{i≤k} g_i / log₂(i + 1)
 *
 * precision@k divides by k also where there are fewer than k candidates. Gains are 1 (binary) or given, linear and not 2^g − 1.
 */

export const rankingMetrics = ['precision', 'recall', 'hr', 'mrr', 'map', 'ndcg'] as const;

export type RankingMetric = (typeof rankingMetrics)[number];

/** Candidates of one score. */
interface Tie {
  readonly size: number;
  readonly relevant: number;
  readonly gain: number;
}

export interface RankedList {
  /** Tied groups, best first; those that begin beyond the largest k may be left out. */
  readonly ties: readonly Tie[];
  /** Gains of all relevant candidates, largest first. */
  readonly gains: readonly number[];
}

/**
 * A ranked list from scores.
 *
 * @param all scores of all candidates, the relevant ones among them.
 * @param relevant score and gain of each relevant candidate.
 * @param depth how many positions are asked about.
 */
export function rankedList(
  all: Float64Array,
  relevant: readonly { readonly score: number; readonly gain: number }[],
  depth: number,
): RankedList {
  const scores = leading(all, depth);
  const byScore = [...relevant].sort((a, b) => b.score - a.score);
  const ties: Tie[] = [];
  let at = 0;
  for (let end = scores.length; end > 0 && scores.length - end < depth; ) {
    const score = scores[end - 1] as number;
    let start = end;
    while (start > 0 && scores[start - 1] === score) start--;
    const first = at;
    let gain = 0;
    for (; byScore[at]?.score === score; at++) gain += (byScore[at] as { gain: number }).gain;
    ties.push({ size: end - start, relevant: at - first, gain });
    end = start;
  }
  return { ties, gains: relevant.map(({ gain }) => gain).sort((a, b) => b - a) };
}

/** The scores that may stand within the first `depth`, those that tie with the last of them included, ascending. */
function leading(scores: Float64Array, depth: number): Float64Array {
  if (scores.length <= depth) return scores.slice().sort();
  const best = scores.slice(0, depth).sort();
  for (let t = depth; t < scores.length; t++) {
    const score = scores[t] as number;
    if (score <= (best[0] as number)) continue;
    let place = 0;
    for (; place + 1 < depth && (best[place + 1] as number) < score; place++) best[place] = best[place + 1] as number;
    best[place] = score;
  }
  return scores.filter((score) => score >= (best[0] as number)).sort();
}

/** A metric of the first k positions; NaN where nothing is relevant. */
export function rankingMetric(name: RankingMetric, k: number, list: RankedList): number {
  if (list.gains.length === 0) return Number.NaN;
  switch (name) {
    case 'precision':
      return relevantWithin(k, list) / k;
    case 'recall':
      return relevantWithin(k, list) / list.gains.length;
    case 'hr':
      return firstRelevant(k, list, () => 1);
    case 'mrr':
      return firstRelevant(k, list, (position) => 1 / position);
    case 'map':
      return averagePrecision(k, list);
    case 'ndcg':
      return normalizedGain(k, list);
  }
}

function relevantWithin(k: number, { ties }: RankedList): number {
  let sum = 0;
  let before = 0;
  for (const { size, relevant } of ties) {
    sum += (relevant * Math.max(0, Math.min(size, k - before))) / size;
    before += size;
  }
  return sum;
}

/** The mean of `worth` of the first relevant position, 0 beyond k. */
function firstRelevant(k: number, { ties }: RankedList, worth: (position: number) => number): number {
  let before = 0;
  for (const { size, relevant } of ties) {
    if (relevant > 0) {
      let sum = 0;
      // The chance that the positions of this group so far hold none.
      let none = 1;
      for (let j = 1; j <= size - relevant + 1 && before + j <= k; j++) {
        const chance = relevant / (size - j + 1);
        sum += none * chance * worth(before + j);
        none *= 1 - chance;
      }
      return sum;
    }
    before += size;
  }
  return 0;
}

function averagePrecision(k: number, { ties, gains }: RankedList): number {
  let sum = 0;
  let before = 0;
  let found = 0;
  for (const { size, relevant } of ties) {
    for (let j = 1; relevant > 0 && j <= size && before + j <= k; j++) {
      // Given that position j of the group is relevant, each of the j − 1 before it is so with chance (relevant − 1)/(size − 1).
      const above = size > 1 ? ((j - 1) * (relevant - 1)) / (size - 1) : 0;
      sum += ((relevant / size) * (found + above + 1)) / (before + j);
    }
    before += size;
    found += relevant;
  }
  return sum / Math.min(gains.length, k);
}

function normalizedGain(k: number, { ties, gains }: RankedList): number {
  let sum = 0;
  let before = 0;
  for (const { size, gain } of ties) {
    for (let j = 1; gain > 0 && j <= size && before + j <= k; j++) sum += (gain / size) * discount(before + j);
    before += size;
  }
  let best = 0;
  gains.slice(0, k).forEach((gain, i) => {
    best += gain * discount(i + 1);
  });
  return best > 0 ? sum / best : 0;
}

function discount(position: number): number {
  return 1 / Math.log2(position + 1);
}
