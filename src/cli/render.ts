/** Numbers, tables and CSV as people and programs read them. */
import { styleText } from 'node:util';

export { bytes, count, counted, duration, factorNames, printable, real } from '../report/format.js';

/** 12.3 → "13 s", 200 → "3:20", 14000 → "3:53:20" */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (number: number) => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** 12345678 → "12.3 M" */
export function rate(perSecond: number): string {
  const [scale, unit] = perSecond >= 1e9 ? [1e9, ' G'] : perSecond >= 1e6 ? [1e6, ' M'] : [1e3, ' k'];
  return `${(perSecond / scale).toPrecision(3)}${unit}`;
}

export function bold(text: string, stream: NodeJS.WriteStream): string {
  return styleText('bold', text, { stream });
}

/** Lines of `name  value`, names bold, values wrapped below themselves at the width of the stream (80 for files). */
export function facts(rows: readonly (readonly [name: string, value: string])[], stream: NodeJS.WriteStream): string {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 4;
  const width = Math.max(40, Math.min(stream.columns ?? 80, 100)) - indent;
  return rows
    .flatMap(([name, value]) =>
      wrap(value, width).map((line, index) =>
        index === 0
          ? `  ${bold(name, stream)}${' '.repeat(indent - 2 - name.length)}${line}`
          : ' '.repeat(indent) + line,
      ),
    )
    .join('\n');
}

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\p{Emoji_Presentation}]/u;
const mark = /\p{M}/u;

/** Places of a terminal that a text takes: wide letters two, marks on others none. A library for it takes 26 ms to load. */
function placesOf(text: string): number {
  let places = 0;
  for (const letter of text) places += wide.test(letter) ? 2 : mark.test(letter) ? 0 : 1;
  return places;
}

/** Columns of text under bold headings; numbers (cells that parse as such) are aligned to the right. Wide characters take two places. */
export function grid(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  stream: NodeJS.WriteStream,
): string {
  const widths = headings.map((heading, column) =>
    Math.max(placesOf(heading), ...rows.map((row) => placesOf(row[column] ?? ''))),
  );
  const isNumeric = headings.map((_, column) => rows.every((row) => Number.isFinite(Number(row[column]))));
  const padded = (cell: string, column: number) => {
    const room = ' '.repeat((widths[column] ?? 0) - placesOf(cell));
    return isNumeric[column] ? room + cell : cell + room;
  };
  const line = (cells: readonly string[]) => `  ${cells.map(padded).join('  ')}`.trimEnd();
  return [bold(line(headings), stream), ...rows.map(line)].join('\n');
}

/** Lines of at most `width` characters, broken at spaces and at the line breaks there are. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
