/** What no list of labels holds: other things than text, and one label twice. */

/** A Set holds no more; of longer lists the labels beyond are not compared. */
const mostCompared = 2 ** 24 - 1;

const surrogate = /\p{Surrogate}/u;

/** Half of a pair of UTF-16 is no text: written as UTF-8 all halves would be one, U+FFFD. */
export function hasLoneSurrogate(text: string): boolean {
  return surrogate.test(text);
}

/** The first label that cannot stay, and why; undefined where all can. */
export function oddLabel(labels: readonly unknown[]): { readonly index: number; readonly why: string } | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (typeof label !== 'string') return { index, why: `is ${String(label)}` };
    if (hasLoneSurrogate(label)) return { index, why: 'holds a lone surrogate, which is no text' };
    if (seen.has(label)) return { index, why: `is "${label}", as is one before` };
    if (seen.size < mostCompared) seen.add(label);
  }
  return undefined;
}
