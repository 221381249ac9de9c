/** A receptor model: how well Q fits, what each source is made of, and when it was there. */
import type { Model } from '../model/model.js';
import { count } from './format.js';
import { type Html, html, plainName } from './html.js';
import type { Chart } from './page/chart.js';
import { bars, type Charts, figure, labelOf, numbers, percent, plot, short, table } from './parts.js';
import type { Section } from './shell.js';

const mostFactors = 12;
const shownAtOnce = 10;
const mostSpecies = 80;
const mostPoints = 600;

/** Of models of preset pmf: U are contributions of mean 1, V profiles in the units of A. */
export function profileSection(model: Model, charts: Charts): Section {
  const k = Math.min(model.rank, mostFactors);
  return {
    id: 'factors',
    title: 'Profiles and contributions',
    body: html`${qOf(model)}
<p>A profile is a column of V, in the units of A at a contribution of 1. The bars say how much of a species is of the factor, the amounts how much that is.</p>
<div class="cards">${Array.from({ length: k }, (_, c) => profile(model, c))}</div>
<h3>Contributions over the samples</h3>
${Array.from({ length: k }, (_, c) => contribution(model, c, charts))}`,
  };
}

function qOf({ fit: { q }, labels }: Model): Html | undefined {
  if (!q) return undefined;
  const rows = q.r2.map((value, j) => [plainName(labelOf(labels.columns, j)), value === null ? '–' : value.toFixed(3)]);
  return html`<p>Q(true) ${short(q.true)}, Q(robust) ${short(q.robust)}, Q(expected) ${count(q.expected)}: Q(true)/Q(expected) is ${short(q.true / q.expected)}. Far above 1 says that the model leaves more than the uncertainties allow, far below that they are too large.</p>
${numbers('r² of each species', table('Squared correlation of values and predictions', [{ title: 'species' }, { title: 'r²', isNumber: true }], rows))}`;
}

function profile({ V, shape: [, n], rank, labels }: Model, c: number): Html {
  const share = Float64Array.from({ length: n }, (_, j) => {
    let all = 0;
    for (let t = 0; t < rank; t++) all += V.get(j, t);
    return all > 0 ? V.get(j, c) / all : 0;
  });
  const rows = Array.from(share.keys())
    .sort((a, b) => (share[b] as number) - (share[a] as number) || a - b)
    .slice(0, mostSpecies)
    .map((j) => ({
      label: labelOf(labels.columns, j),
      share: share[j] as number,
      text: percent(share[j] as number),
      more: short(V.get(j, c)),
    }));
  const rest = rows.slice(shownAtOnce);
  const caption = 'species, its share that is of this factor, amount';
  return html`<div><h3>Factor ${c + 1}</h3>${bars(caption, rows.slice(0, shownAtOnce))}${
    rest.length > 0 && html`<details><summary>${rest.length} more</summary>${bars(caption, rest)}</details>`
  }</div>`;
}

function contribution({ U, shape: [m], labels }: Model, c: number, charts: Charts): Html {
  const width = Math.ceil(m / mostPoints);
  const y = Array.from({ length: Math.ceil(m / width) }, (_, bin) => {
    let sum = 0;
    const end = Math.min(m, (bin + 1) * width);
    for (let i = bin * width; i < end; i++) sum += U.get(i, c);
    return Number((sum / (end - bin * width)).toPrecision(4));
  });
  const x = y.map((_, bin) => Math.min(m - 1, bin * width + (width - 1) / 2));
  const high = Math.max(...y);
  const low = Math.min(0, ...y);
  const chart: Chart = {
    title: `Contribution of factor ${c + 1} over the samples`,
    height: 170,
    x: { label: 'sample, from 0', scale: 'linear', range: [0, Math.max(1, m - 1)], isWhole: true },
    y: { label: `factor ${c + 1}`, scale: 'linear', range: [low, 1.05 * high || 1] },
    marks: [
      { kind: 'line', x, y, tone: c % 2 === 0 ? 'first' : 'second' },
      { kind: 'rule', axis: 'y', at: 1, text: 'mean' },
    ],
  };
  const peak = y.indexOf(high);
  const peakRow = Math.round(x[peak] as number);
  return figure(
    plot(charts, `contribution-${c}`, chart),
    html`Factor ${c + 1}: highest at ${plainName(labelOf(labels.rows, peakRow))}, ${short(high)} times its mean${width > 1 && ` (means of ${width} samples)`}.`,
  );
}
