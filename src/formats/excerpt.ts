/** What a message shows of a file's text: a field may be a mebibyte long. */
const longest = 60;

/** At most 60 characters, with an ellipsis where there are more. */
export function excerpt(text: string): string {
  // Not half of a character that is written as two.
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The same of bytes, of which no more are decoded than are shown. */
export function excerptOf(bytes: Buffer, start: number, end: number): string {
  return excerpt(bytes.toString('utf8', start, Math.min(end, start + 4 * longest)));
}

/** The first few of a list, each in quotes. */
export function excerpts(texts: readonly string[]): string {
  const shown = texts.slice(0, 12).map((text) => `"${excerpt(text)}"`);
  return [...shown, ...(texts.length > shown.length ? [`… (${texts.length})`] : [])].join(', ');
}
