/** Metrics by name: rmse, mae, weighted-rmse, and precision@k, recall@k, hr@k, mrr@k, map@k, ndcg@k. */
import { HadamardError } from '../errors.js';
import { type RankingMetric, rankingMetrics } from '../metrics/ranking.js';
import { closest } from '../suggest.js';

export const errorMetrics = ['rmse', 'mae', 'weighted-rmse'] as const;

export type Metric =
  | { readonly name: string; readonly kind: (typeof errorMetrics)[number] }
  | { readonly name: string; readonly kind: RankingMetric; readonly k: number };

export function isRanking(metric: Metric): metric is Extract<Metric, { k: number }> {
  return 'k' in metric;
}

/** @param option that names them. @throws HadamardError `invalid-option` */
export function parseMetrics(names: readonly string[], option: 'metrics' | 'metric' = 'metrics'): Metric[] {
  const refused = (what: string, meant = '') => refusedMetric(what, option, meant);
  if (!Array.isArray(names))
    throw refused(`metrics is ${typeof names === 'string' ? `"${names}"` : String(names)}, no list.`);
  const metrics = names.map((name): Metric => {
    if (typeof name !== 'string') throw refused(`There is no metric ${String(name)}.`);
    const [kind, k, ...rest] = name.split('@');
    const error = errorMetrics.find((each) => each === kind);
    if (error && k === undefined) return { name, kind: error };
    const ranking = rankingMetrics.find((each) => each === kind);
    if (ranking && k !== undefined && /^[1-9]\d{0,8}$/.test(k) && rest.length === 0)
      return { name, kind: ranking, k: Number(k) };
    throw refused(`There is no metric "${name}".`, meantBy(kind as string, k));
  });
  if (metrics.length === 0) throw refused('No metric is named.');
  return metrics;
}

/** What a name was meant to be, with the k that was given or the usual one. */
function meantBy(kind: string, k: string | undefined): string {
  const meant = closest(kind, k === undefined ? [...errorMetrics, ...rankingMetrics] : rankingMetrics);
  if (meant === undefined || (meant === kind && k !== undefined)) return '';
  const isError = errorMetrics.some((metric) => metric === meant);
  return `Did you mean ${isError ? meant : `${meant}@${k ?? 10}`}? `;
}

function refusedMetric(what: string, option: string, meant: string): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what,
    position: { option },
    rule: `Metrics are ${errorMetrics.join(', ')}, and ${rankingMetrics.map((name) => `${name}@k`).join(', ')} with k of at least 1.`,
    remedy: `${meant}${option === 'metrics' ? 'Name some of these, for example rmse, ndcg@10.' : 'Name one of these.'}`,
  });
}
