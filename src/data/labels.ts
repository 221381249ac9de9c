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
  // Most are plain integers, which a list by value finds in a tenth of the time.
  let isSeen = new Uint8Array(1024);
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (typeof label !== 'string') return { index, why: `is ${String(label)}` };
    const integer = plainInteger(label);
    if (integer >= isSeen.length) {
      const wider = new Uint8Array(2 * integer);
      wider.set(isSeen);
      isSeen = wider;
    }
    if (integer < 0 && hasLoneSurrogate(label)) return { index, why: 'holds a lone surrogate, which is no text' };
    if (integer < 0 ? seen.has(label) : isSeen[integer] === 1) return { index, why: `is "${label}", as is one before` };
    if (integer >= 0) isSeen[integer] = 1;
    else if (seen.size < mostCompared) seen.add(label);
  }
  return undefined;
}

/** The value of up to 7 digits without a leading zero, so that label and value are one to one; else −1. */
function plainInteger(label: string): number {
  const { length } = label;
  if (length === 0 || length > 7 || (length > 1 && label.charCodeAt(0) === 48)) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = label.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
