/** Q of US EPA PMF and the squared correlation of each column, in plain float64 from the model and the data. */
import { filledRows, type Orientation } from '../data/observations.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { roundingOf } from './claim.js';
import type { ReceptorReport } from './receptor.js';

export interface RecountedQ extends ReceptorReport {
  /** How far rounding in the arithmetic of the fit may have moved it; ∞ of a column that varies by no more than rounding. */
  readonly slack: { readonly true: number; readonly robust: number; readonly r2: readonly number[] };
}

/** δ of Q robust, where the loss is not huber. */
const standardDelta = 4;

/** @param rows that have entries. */
export function recountQ(model: Model, { pointers, indices, values, weights }: Orientation, rows: number): RecountedQ {
  const { fit, rank, shape } = model;
  const loss = lossOf(fit.options.loss);
  const delta = loss.name === 'huber' ? loss.parameter : standardDelta;
  const unit = roundingOf(model);
  const sums = { true: 0, robust: 0, observed: 0 };
  const slack = { true: 0, robust: 0, r2: [] as number[] };
  const r2: (number | null)[] = [];
  for (let j = 0; j < shape[1]; j++) {
    const seen: { a: number; p: number }[] = [];
    for (let t = pointers[j] as number; t < (pointers[j + 1] as number); t++) {
      const w = weights ? (weights[t] as number) : 1;
      if (w === 0) continue;
      const a = values[t] as number;
      const p = model.predict(indices[t] as number, j);
      seen.push({ a, p });
      const z = Math.abs(w * (a - p));
      const off = unit * w * (Math.abs(a) + Math.abs(p));
      sums.true += z * z;
      sums.robust += Math.min(z, delta) * z;
      slack.true += off * (2 * z + off);
      slack.robust += off * (2 * Math.min(z, delta) + off);
    }
    sums.observed += seen.length;
    const [found, loose] = correlation(seen, unit);
    r2.push(found);
    slack.r2.push(loose);
  }
  const columns = filledRows(pointers);
  return { true: sums.true, robust: sums.robust, expected: sums.observed - rank * (rows + columns), r2, slack };
}

/** The squared correlation around the means, and how far it is from what sums of squares in one pass can say. */
function correlation(
  seen: readonly { readonly a: number; readonly p: number }[],
  unit: number,
): [number | null, number] {
  const mean = (of: 'a' | 'p') => seen.reduce((sum, entry) => sum + entry[of], 0) / (seen.length || 1);
  const [a, p] = [mean('a'), mean('p')];
  let [aa, pp, ap, sizeA, sizeP] = [0, 0, 0, 0, 0];
  for (const entry of seen) {
    const [x, y] = [entry.a - a, entry.p - p];
    aa += x * x;
    pp += y * y;
    ap += x * y;
    sizeA += entry.a * entry.a;
    sizeP += entry.p * entry.p;
  }
  const [ofA, ofP] = [sizeA / aa, sizeP / pp];
  const cancelled = 2 ** -52 * (seen.length + 8) * (ofA + ofP);
  const loose = 8 * (unit * (Math.sqrt(ofA) + Math.sqrt(ofP)) + cancelled);
  const isFlat = !(aa > 0 && pp > 0);
  return [isFlat ? null : (ap * ap) / (aa * pp), isFlat || loose > 0.5 ? Number.POSITIVE_INFINITY : loose];
}
