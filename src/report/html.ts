/** HTML text in which nothing stands unescaped by accident: only {@link Html} is taken as it is. */
import { excerpt } from '../formats/excerpt.js';
import { printable } from './format.js';
import { escapeText } from './page/chart.js';

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Insert = Html | string | number | false | undefined | readonly Insert[];

/** A template whose inserts are escaped unless they are Html; lists are joined, false and undefined are nothing. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  return new Html(parts.map((part, i) => part + textOf(inserts[i])).join(''));
}

function textOf(insert: Insert): string {
  if (insert === undefined || insert === false) return '';
  if (insert instanceof Html) return insert.text;
  if (typeof insert === 'object') return insert.map(textOf).join('');
  return escapeText(String(insert));
}

/** A label or a file's name: shortened, its control characters as escapes, its writing direction its own. */
export function name(text: string): Html {
  return html`<bdi>${plainName(text)}</bdi>`;
}

/** The same for places that take text alone. */
export function plainName(text: string): string {
  return printable(excerpt(text));
}

/** JSON for a script element: no character in it can end the element. */
export function json(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
