/** The claims that only some fits make: held-out entries, presets pca and pmf, and many starts. */
import { filledRows } from '../data/observations.js';
import { canonicalForm } from '../model/canonical.js';
import { explainedVariance } from '../model/explained.js';
import type { Biases, Model } from '../model/model.js';
import { lossCurvature, lossOf, lossSlope, lossValue } from '../objective/losses.js';
import { type Claim, compared, furthest, matched, roundingOf, unchecked } from './claim.js';
import type { FittedData } from './fittedData.js';
import type { Recounted } from './recount.js';
import { recountQ } from './recountQ.js';

/** √(ΣW²r²/ΣW²) and Σℓ/ΣW² of the entries that were held out. */
export function claimsHeldOut(model: Model, { held }: FittedData): Claim[] {
  const { validation, options } = model.fit;
  if (!validation) return [];
  if (!held)
    return (['rmse', 'loss'] as const).map((name) =>
      unchecked(`validation.${name}`, validation[name], 'of entries that were given beside the data'),
    );
  const loss = lossOf(options.loss);
  const unit = roundingOf(model);
  let [squares, weight, sizes, costs, costSlack] = [0, 0, 0, 0, 0];
  for (let t = 0; t < held.values.length; t++) {
    const w = held.weights ? (held.weights[t] as number) : 1;
    const value = held.values[t] as number;
    const p = model.predict(held.rows[t] as number, held.columns[t] as number);
    const size = Math.abs(value) + Math.abs(p);
    squares += (w * (value - p)) ** 2;
    sizes += (w * size) ** 2;
    weight += w * w;
    costs += lossValue(loss, w, value, p);
    costSlack +=
      unit * size * (Math.abs(lossSlope(loss, w, value, p)) + lossCurvature(loss, w, value, p) * unit * size);
  }
  return [
    compared('validation.rmse', validation.rmse, Math.sqrt(squares / weight), unit * Math.sqrt(sizes / weight)),
    compared('validation.loss', validation.loss, costs / weight, costSlack / weight),
    matched('validation.entries', validation.entries, held.values.length),
  ];
}

/** Of preset pca. */
export function claimsOfExplained({ fit, U, V, biases }: Model, { byRow }: FittedData, found: Recounted): Claim[] {
  const said = fit.explained;
  if (!said) return [];
  const shares = explainedVariance(byRow, canonicalForm(U, V), biases);
  const around = explainedSquares(byRow, biases);
  const slack = (8 * found.slack.weightedResidual) / Math.sqrt(around || 1);
  return [
    furthest(
      'explained',
      said,
      shares,
      () => slack,
      (c) => `component ${c}`,
    ),
  ];
}

/** ΣW²(A − offsets)² */
function explainedSquares(
  { pointers, indices, values, weights }: FittedData['byRow'],
  { mean, rows, columns }: Biases,
) {
  let sum = 0;
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let t = pointers[i] as number; t < (pointers[i + 1] as number); t++) {
      const offset = mean + (rows?.[i] ?? 0) + (columns?.[indices[t] as number] ?? 0);
      sum += ((weights ? (weights[t] as number) : 1) * ((values[t] as number) - offset)) ** 2;
    }
  return sum;
}

/** Of preset pmf. */
export function claimsOfQ(model: Model, { byRow, byColumn }: FittedData): Claim[] {
  const { q } = model.fit;
  if (!q) return [];
  const found = recountQ(model, byColumn, filledRows(byRow.pointers));
  return [
    compared('q.true', q.true, found.true, found.slack.true),
    compared('q.robust', q.robust, found.robust, found.slack.robust),
    matched('q.expected', q.expected, found.expected),
    furthest(
      'q.r2',
      q.r2,
      found.r2,
      (j) => found.slack.r2[j] as number,
      (j) => `column ${j}`,
    ),
  ];
}

/** Of many starts: the model is the lowest of them, and the numbers of a search fit together. */
export function claimsOfStarts({ fit }: Model, found: Recounted): Claim[] {
  const { starts, status } = fit;
  if (!starts) return [];
  const { count, converged, abandoned, distinct, best, hitRate, optima } = starts;
  const objective = found.loss + found.regularization;
  const [first] = optima;
  const ended = optima.reduce((sum, { hits }) => sum + hits, 0);
  const lowest = (name: string, said: number): Claim => {
    // As the loop had it, in other sums.
    const claim = compared(`starts.${name}`, said, objective, 4 * (found.slack.loss + found.slack.regularization));
    // A start that has not converged may lie below the best that has.
    const isAbove = status !== 'converged' && best.hits > 0 && said > objective;
    return isAbove ? { ...claim, agrees: true } : claim;
  };
  return [
    lowest('best.objective', best.objective),
    ...(first ? [lowest('optima', first.objective), matched('starts.best.hits', best.hits, first.hits)] : []),
    matched('starts.distinct', distinct, optima.length),
    matched('starts.converged', converged, ended),
    ...(ended + abandoned > count ? [matched('starts.abandoned', abandoned, count - ended)] : []),
    compared('starts.hitRate', hitRate, best.hits / count, 0),
    unchecked('starts.count', count, 'the other starts leave nothing behind'),
  ];
}
