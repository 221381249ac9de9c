/** The fields of a line where anybody parts it alike. */

const space = 32;
const quote = 34;

/** What csv-parse takes off the ends of a field beside spaces, or might. */
const oddEnds = /^[\s\ufeff]|[\s\ufeff]$/;

/**
 * The fields of a line as csv-parse has them, spaces and quotes around them taken off; undefined where that is for csv-parse to judge:
 * a quote that is not closed, or stands where none should, and white space of other kinds around a field.
 *
 * @param delimiter one character, and no space.
 */
export function plainFields(line: string, delimiter: string): string[] | undefined {
  const hasQuotes = line.includes('"');
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    while (line.charCodeAt(at) === space) at++;
    if (line.charCodeAt(at) === quote) {
      const field = quotedField(line, at);
      if (field === undefined) return undefined;
      fields.push(field.text);
      at = field.end;
      while (line.charCodeAt(at) === space) at++;
      if (at < line.length && line[at] !== delimiter) return undefined;
    } else {
      const found = line.indexOf(delimiter, at);
      const stop = found < 0 ? line.length : found;
      let end = stop;
      while (end > at && line.charCodeAt(end - 1) === space) end--;
      const text = line.slice(at, end);
      if ((hasQuotes && text.includes('"')) || oddEnds.test(text)) return undefined;
      fields.push(text);
      at = stop;
    }
    if (at >= line.length) return fields;
  }
}

/** What stands between the quote at `start` and the one that closes it, and where the next character is. */
function quotedField(line: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let isDoubled = false;
  let close = line.indexOf('"', start + 1);
  for (; close >= 0 && line.charCodeAt(close + 1) === quote; close = line.indexOf('"', close + 2)) isDoubled = true;
  if (close < 0) return undefined;
  const text = line.slice(start + 1, close);
  return { text: isDoubled ? text.replaceAll('""', '"') : text, end: close + 1 };
}
