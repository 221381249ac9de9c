/** What the model leaves unexplained, W ∘ (A − p). */
import { isWeighted } from '../model/isWeighted.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { count, counted } from './format.js';
import { type Html, html, name } from './html.js';
import type { Chart, Mark } from './page/chart.js';
import { type Charts, figure, labelOf, numbers, percent, plot, short, table } from './parts.js';
import { pngDataUrl } from './png.js';
import type { Heat, ResidualStatistics, SideSums } from './residualStatistics.js';
import type { Section } from './shell.js';

const worstShown = 8;

export function residualSection(model: Model, statistics: ResidualStatistics, charts: Charts): Section {
  const { observed, squares, mean, largest } = statistics;
  const z = residualSymbol(model);
  const spread = Math.sqrt(Math.max(0, squares / observed - mean * mean));
  const heldOut = model.fit.validation?.entries;
  return {
    id: 'residuals',
    title: 'Residuals',
    body: html`<p>z = ${z} of ${counted(observed, 'observed entry', 'observed entries')}${
      heldOut !== undefined &&
      observed === model.fit.observed + heldOut &&
      ` (the ${count(heldOut)} held out among them)`
    }: mean ${short(mean)}, standard deviation ${short(spread)}, the largest ${short(largest)}.${
      isWeighted(model) && ' Where W is 1/σ and the uncertainties are right, the standard deviation is about 1.'
    }</p>
<div class="pair">${distribution(statistics, charts)}${againstPredicted(statistics, charts)}</div>
<div class="pair">${worst('rows', model, statistics.rows, squares)}${worst('columns', model, statistics.columns, squares)}</div>
<div class="pair">${residualMap(model, statistics.heat)}${observed < model.shape[0] * model.shape[1] && observedMap(model, statistics.heat)}</div>`,
  };
}

function residualSymbol(model: Model): string {
  const { loss, biases } = model.fit.options;
  const p = lossOf(loss).name === 'logistic' ? 'tanh(p/2)' : biases === 'none' ? 'UVᵀ' : 'p';
  return isWeighted(model) ? `W∘(A − ${p})` : `A − ${p}`;
}

function distribution({ histogram, quantiles, observed }: ResidualStatistics, charts: Charts): Html {
  const { edges, counts, outside } = histogram;
  const width = (edges[1] as number) - (edges[0] as number);
  // 1.349 is the distance between the quartiles of a normal distribution of σ = 1.
  const sigma = (quantiles.q75 - quantiles.q25) / 1.349;
  const x = Array.from(
    { length: 121 },
    (_, i) => (edges[0] as number) + (i / 120) * ((edges.at(-1) as number) - (edges[0] as number)),
  );
  const normal = x.map(
    (at) =>
      ((observed * width) / (sigma * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * ((at - quantiles.q50) / sigma) ** 2),
  );
  const hasCurve = sigma > 0 && Math.max(...normal) < 4 * Math.max(...counts);
  const curve: Mark[] = hasCurve ? [{ kind: 'line', x, y: normal.map(rounded), tone: 'second' }] : [];
  const chart: Chart = {
    title: 'Distribution of the residuals',
    height: 290,
    x: { label: 'z', scale: 'linear', range: [edges[0] as number, edges.at(-1) as number] },
    y: {
      label: 'entries',
      scale: 'linear',
      range: [0, 1.06 * Math.max(...counts, ...(hasCurve ? normal : []))],
      isWhole: true,
    },
    marks: [{ kind: 'bars', x: edges.map(rounded), y: counts, tone: 'first' }, ...curve],
  };
  const rows = [
    ['1 %', quantiles.q01],
    ['25 %', quantiles.q25],
    ['50 %', quantiles.q50],
    ['75 %', quantiles.q75],
    ['99 %', quantiles.q99],
  ].map(([share, value]) => [String(share), short(value as number)]);
  return figure(
    plot(charts, 'distribution', chart),
    html`How the residuals are distributed${hasCurve && '; the line is the normal distribution with the same quartiles'}.${
      outside > 0 && ` ${counted(outside, 'entry lies', 'entries lie')} beyond.`
    }`,
    numbers(
      'Quantiles',
      table('Of an even sample', [{ title: 'of the entries, below' }, { title: 'z', isNumber: true }], rows),
    ),
  );
}

function againstPredicted({ grid }: ResidualStatistics, charts: Charts): Html {
  const centre = (i: number) => {
    const [a, b] = [grid.x[i] as number, grid.x[i + 1] as number];
    return grid.isLog ? Math.sqrt(a * b) : (a + b) / 2;
  };
  const means = Array.from(grid.sums, (sum, i) =>
    (grid.entries[i] as number) >= 5 ? rounded(sum / (grid.entries[i] as number)) : null,
  );
  const chart: Chart = {
    title: 'Residuals against predictions, with their mean',
    height: 290,
    x: {
      label: 'predicted',
      scale: grid.isLog ? 'log' : 'linear',
      range: [grid.x[0] as number, grid.x.at(-1) as number],
    },
    y: { label: 'z', scale: 'linear', range: [grid.y[0] as number, grid.y.at(-1) as number] },
    marks: [
      { kind: 'cells', x: grid.x.map(rounded), y: grid.y.map(rounded), counts: grid.counts },
      { kind: 'rule', axis: 'y', at: 0, text: '' },
      { kind: 'line', x: means.map((_, i) => rounded(centre(i))), y: means, tone: 'second' },
    ],
  };
  const groups = 8;
  const width = means.length / groups;
  const rows = Array.from({ length: groups }, (_, g) => {
    const part = (of: Float64Array) => of.subarray(g * width, (g + 1) * width).reduce((sum, x) => sum + x, 0);
    const entries = part(grid.entries);
    const from = grid.x[g * width] as number;
    const to = grid.x[(g + 1) * width] as number;
    return [`${short(from)} … ${short(to)}`, count(entries), entries > 0 ? short(part(grid.sums) / entries) : '–'];
  });
  return figure(
    plot(charts, 'against-predicted', chart),
    'Residuals against what was predicted, darker where there are more; the line is their mean. A line that leaves 0 says that the model is too low or too high there.',
    numbers(
      'The means',
      table(
        'Mean residual by prediction',
        [{ title: 'predicted' }, { title: 'entries', isNumber: true }, { title: 'mean z', isNumber: true }],
        rows,
      ),
    ),
  );
}

function worst(side: 'rows' | 'columns', model: Model, { squares, counts }: SideSums, total: number): Html {
  const order = Array.from(squares.keys())
    .filter((i) => (counts[i] as number) > 0)
    .sort((a, b) => (squares[b] as number) - (squares[a] as number) || a - b)
    .slice(0, worstShown);
  const lines = order.map((i) => [
    name(labelOf(model.labels[side], i)),
    count(counts[i] as number),
    short(Math.sqrt((squares[i] as number) / (counts[i] as number))),
    percent(total > 0 ? (squares[i] as number) / total : 0),
  ]);
  const columns = [
    { title: side === 'rows' ? 'row' : 'column' },
    { title: 'entries', isNumber: true },
    { title: '√mean z²', isNumber: true },
    { title: 'of Σz²', isNumber: true },
  ];
  return figure(table(`The ${side} that cost most${model.labels[side] ? '' : ', counted from 0'}`, columns, lines), '');
}

/** Blue and orange that stand out from light and dark paper alike; red, green and blue. */
const below = [201, 98, 32] as const;
const above = [58, 124, 184] as const;
const absent = [128, 128, 128] as const;

function residualMap(model: Model, { rows, columns, sums, counts }: Heat): Html {
  const means = Array.from(sums, (sum, cell) =>
    (counts[cell] as number) > 0 ? sum / (counts[cell] as number) : Number.NaN,
  );
  const sizes = means
    .filter((mean) => !Number.isNaN(mean))
    .map(Math.abs)
    .sort((a, b) => a - b);
  const limit = sizes[Math.floor(0.98 * (sizes.length - 1))] || 1;
  const pixels = new Uint8Array(4 * means.length);
  means.forEach((mean, cell) => {
    const isAbsent = Number.isNaN(mean);
    const share = Math.min(1, Math.abs(mean) / limit);
    pixels.set(isAbsent ? [...absent, 46] : [...(mean < 0 ? below : above), Math.round(255 * share)], 4 * cell);
  });
  const isBinned = rows < model.shape[0] || columns < model.shape[1];
  return figure(
    html`${picture(rows, columns, pixels, `Heat map of the residuals, ${placesInWords(model)}.`)}
<div class="scale" style="--low:${below.join(',')};--high:${above.join(',')}">−${short(limit)}<i class="signed"></i>${short(limit)}</div>`,
    `${isBinned ? 'Mean residual by place' : 'Residuals'}, ${placesInWords(model)}. Blue: above the model; orange: below${means.some(Number.isNaN) ? '; grey: nothing observed' : ''}.`,
  );
}

function observedMap(model: Model, { rows, columns, counts }: Heat): Html {
  const [m, n] = model.shape;
  const size = (place: number, parts: number, whole: number) =>
    Math.ceil(((place + 1) * whole) / parts) - Math.ceil((place * whole) / parts);
  const shares = Array.from(
    counts,
    (entries, cell) => entries / (size(Math.floor(cell / columns), rows, m) * size(cell % columns, columns, n)),
  );
  const largest = Math.min(1, Math.max(...shares)) || 1;
  const pixels = new Uint8Array(4 * shares.length);
  shares.forEach((share, cell) => {
    pixels.set([...above, Math.round(255 * Math.sqrt(Math.min(1, share / largest)))], 4 * cell);
  });
  return figure(
    html`${picture(rows, columns, pixels, `Map of what is observed, ${placesInWords(model)}.`)}
<div class="scale" style="--low:${above.join(',')}">0 %<i class="share"></i>${percent(largest)}</div>`,
    `What is observed, ${placesInWords(model)}.`,
  );
}

function placesInWords({ shape: [m, n] }: Model): string {
  return `${counted(m, 'row')} from top to bottom, ${counted(n, 'column')} from left to right`;
}

function picture(rows: number, columns: number, pixels: Uint8Array, alternative: string): Html {
  return html`<img class="map" alt="${alternative}" width="${columns}" height="${rows}" src="${pngDataUrl(columns, rows, pixels)}">`;
}

/** Fewer digits make a smaller page. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
