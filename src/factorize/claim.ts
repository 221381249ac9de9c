/** What a model says of itself, beside what was found. */
import type { Model } from '../model/model.js';

export interface Claim {
  /** As it is named in `model.fit`, such as certificate.globalBound. */
  readonly claim: string;
  readonly said: number | string | null;
  /** null where it was not computed. */
  readonly found: number | string | null;
  /** null where nothing was compared; `note` says why. */
  readonly agrees: boolean | null;
  readonly note?: string;
}

/** What rounding may do to a prediction and its value, relative: a sum of k products and a few more terms, of numbers rounded before. */
export const roundingOf = ({ fit, rank }: Model): number =>
  (fit.dtype === 'f32' ? 2 ** -24 : 2 ** -53) * 4 * (rank + 8);

export function compared(claim: string, said: number, found: number, slack: number): Claim {
  // Sums of many terms are rounded too.
  const isNear = Math.abs(said - found) <= slack + 1e-11 * Math.abs(found);
  return { claim, said, found, agrees: said === found || (isNear && Number.isFinite(found)) };
}

/** Of counts and words. */
export function matched(claim: string, said: number | string, found: number | string): Claim {
  return { claim, said, found, agrees: said === found };
}

export function unchecked(claim: string, said: number | string | null, note: string): Claim {
  return { claim, said, found: null, agrees: null, note };
}

/**
 * Many numbers in a line: that which is furthest off, in units of what rounding may do. NaN is none, like null.
 *
 * @param slackOf ∞ where it cannot be told whether there is a number.
 */
export function furthest(
  claim: string,
  said: ArrayLike<number | null>,
  found: ArrayLike<number | null>,
  slackOf: (index: number) => number,
  nameOf: (index: number) => string,
): Claim {
  if (said.length !== found.length) return matched(claim, `${said.length} numbers`, `${found.length} numbers`);
  const numberAt = (list: ArrayLike<number | null>, index: number) => {
    const value = list[index] ?? null;
    return Number.isNaN(value) ? null : value;
  };
  let [worst, most] = [0, -1];
  for (let index = 0; index < said.length; index++) {
    const [a, b, slack] = [numberAt(said, index), numberAt(found, index), slackOf(index)];
    if (offBy(a, b, slack) > most) [worst, most] = [index, offBy(a, b, slack)];
  }
  const note = `${nameOf(worst)}, the furthest off`;
  return { claim, said: numberAt(said, worst), found: numberAt(found, worst), agrees: most <= 1, note };
}

/** In units of the slack. */
function offBy(said: number | null, found: number | null, slack: number): number {
  if (said === found || slack === Number.POSITIVE_INFINITY) return 0;
  if (said === null || found === null) return Number.POSITIVE_INFINITY;
  return Math.abs(said - found) / (slack + 1e-11 * Math.abs(found));
}
