/** Pieces that several sections are made of. */
import { Html, html, name } from './html.js';
import { type Chart, drawChart } from './page/chart.js';

/** A chart as it is first, before a script draws it at the width that there is. */
export function drawn(chart: Chart): Html {
  return new Html(drawChart(chart, 680));
}

/** The charts of a page by name, for the script to draw again. */
export type Charts = Record<string, Chart>;

/** Draws a chart and leaves it to the script under a name. */
export function plot(charts: Charts, id: string, chart: Chart): Html {
  charts[id] = chart;
  return html`<div class="plot" data-chart="${id}">${drawn(chart)}</div>`;
}

export function figure(body: Html, caption: Html | string, alternative?: Html): Html {
  return html`<figure>${body}<figcaption>${caption}</figcaption>${alternative}</figure>`;
}

/** The numbers behind a chart. Several have one name on a page, so they are no landmarks. */
export function numbers(summary: string, table: Html): Html {
  return html`<details><summary>${summary}</summary><div class="scroll" tabindex="0" role="group" aria-label="${summary}">${table}</div></details>`;
}

export interface TableColumn {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** The first cell of each row is its heading. */
export function table(
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly (Html | string)[])[],
): Html {
  const cell = (content: Html | string, i: number) =>
    i === 0
      ? html`<th scope="row">${content}</th>`
      : html`<td${columns[i]?.isNumber ? new Html(' class="number"') : ''}>${content}</td>`;
  return html`<table><caption>${caption}</caption><thead><tr>${columns.map(
    ({ title, isNumber }) => html`<th scope="col"${isNumber ? new Html(' class="number"') : ''}>${title}</th>`,
  )}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table>`;
}

export interface BarRow {
  readonly label: string;
  /** −1…1 */
  readonly share: number;
  readonly text: string;
  /** A second number beside. */
  readonly more?: string;
}

/** Names, bars and numbers in one table, which is its own text alternative. Signed bars begin in the middle. */
export function bars(caption: string, rows: readonly BarRow[], isSigned = false): Html {
  const hasMore = rows.some(({ more }) => more !== undefined);
  return html`<table class="bars"><caption>${caption}</caption><tbody>${rows.map(
    ({ label, share, text, more }) =>
      html`<tr><th scope="row">${name(label)}</th><td class="bar${isSigned ? ' signed' : ''}"><i${
        share < 0 ? new Html(' class="negative"') : ''
      } style="--v:${Math.min(1, Math.abs(share)).toFixed(4)}"></i></td><td class="number">${text}</td>${
        hasMore && html`<td class="number">${more ?? ''}</td>`
      }</tr>`,
  )}</tbody></table>`;
}

/** The label of a row or column, or its index from 0. */
export function labelOf(labels: readonly string[] | undefined, index: number): string {
  return labels?.[index] ?? String(index);
}

/** Three significant digits. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 100 && magnitude < 1e6) return Math.round(value).toLocaleString('en-US').replace('-', '−');
  const text = magnitude >= 1e6 || magnitude < 1e-3 ? value.toExponential(2).replace('e+', 'e') : value.toPrecision(3);
  return text.replaceAll('-', '−');
}

/** 0.0312 → "3.1 %" */
export function percent(share: number): string {
  const value = 100 * share;
  return `${Math.abs(value) >= 99.95 || value === 0 ? value.toFixed(0) : value.toPrecision(2)} %`.replace('-', '−');
}
