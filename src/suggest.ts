/** What a mistyped name was meant to be. */

/** More edits than this are another word. */
const mostEdits = 3;

/**
 * The candidate that the fewest edits (a letter more, less, other, or two exchanged) make of `word`; undefined where none
 * is near: at most three edits, and fewer than half its letters. Of several the first.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = mostEdits + 1;
  for (const candidate of candidates) {
    const count = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (count >= fewest || 2 * count >= Math.max(word.length, candidate.length)) continue;
    best = candidate;
    fewest = count;
  }
  return best;
}

/** "Did you mean …? ", or nothing. */
export function didYouMean(word: unknown, candidates: Iterable<string>): string {
  const meant = typeof word === 'string' ? closest(word, candidates) : undefined;
  return meant === undefined ? '' : `Did you mean ${meant}? `;
}

/** The optimal string alignment distance, by three rows of its table. */
function editsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > mostEdits) return mostEdits + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(substituted, (above[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] as number) + 1);
      row.push(edits);
    }
    [before, above] = [above, row];
  }
  return above[b.length] as number;
}
