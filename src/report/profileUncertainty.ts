/** How certain the profiles are: bars of bootstrap and displacement beside what the model says. */
import type { BootstrapReport, DisplacementReport, FactorUncertainty } from '../model/factorUncertainty.js';
import type { Model } from '../model/model.js';
import { count, factorNames } from './format.js';
import { type Html, html, plainName } from './html.js';
import type { Chart } from './page/chart.js';
import { type Charts, figure, labelOf, numbers, plot, short, table } from './parts.js';
import type { Section } from './shell.js';

const mostFactors = 12;
/** What is less than this part of a profile's largest element stands at the foot. */
const foot = 1e-4;

type Bounds = readonly (number | null)[];

/** An interval of each column of A, by column. */
interface Band {
  readonly name: string;
  readonly lower: Bounds;
  readonly upper: Bounds;
}

/** Of models that `hadamard uncertainty` has been at. */
export function profileUncertaintySection(model: Model, charts: Charts): Section | undefined {
  const { factorUncertainty: found, rank } = model;
  if (!found) return undefined;
  const k = Math.min(rank, mostFactors);
  return {
    id: 'uncertainty',
    title: 'Uncertainty of the profiles',
    body: html`${found.bootstrap && mappingOf(found.bootstrap)}${swapsOf('Displacement', found.displacement)}${swapsOf('Displacement within bootstrap runs', found.bootstrapDisplacement)}
${Array.from({ length: k }, (_, p) => factorFigure(model, found, p, charts))}`,
  };
}

function mappingOf({ runs, blockRows, mapping, unmapped, threshold }: BootstrapReport): Html {
  const titles = ['of a run', ...factorNames(mapping.length), 'unmapped'];
  const rows = mapping.map((counts, c) => [`factor ${c + 1}`, ...counts.map(String), String(unmapped[c])]);
  return html`<p>${count(runs)} bootstrap runs over blocks of ${count(blockRows)} rows: how often a factor of a run is which of the model's, by a correlation of contributions of at least ${String(threshold)}.</p>
${wideTable('Mapping of bootstrap factors', titles, rows)}`;
}

function swapsOf(
  title: string,
  report: FactorUncertainty['displacement'] | FactorUncertainty['bootstrapDisplacement'],
): Html | undefined {
  if (!report) return undefined;
  const { levels, swaps, largestFall } = report;
  const titles = ['dQmax', ...factorNames(swaps[0]?.length ?? 0)];
  const rows = levels.map((level, l) => [String(level), ...(swaps[l] as readonly number[]).map(String)]);
  return html`<p>${title}: Q fell by ${short(largestFall)} at the most${'accepted' in report && `; ${report.accepted} of ${report.runs} runs were displaced`}. Factors that changed places, by dQmax:</p>
${wideTable(`${title}: swaps`, titles, rows)}`;
}

function wideTable(caption: string, titles: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">${table(caption, namedFirst(titles), rows)}</div>`;
}

/** Names in the first column, numbers in the others. */
const namedFirst = (titles: readonly string[]) => titles.map((title, i) => ({ title, isNumber: i > 0 }));

function bandsOf(found: FactorUncertainty, p: number, n: number): Band[] {
  const spread = (report: Omit<DisplacementReport, 'objective'>, name: string) => {
    const full = (bounds: DisplacementReport['lower']) => {
      const list = new Array<number | null>(n).fill(null);
      report.columns.forEach((column, at) => {
        list[column] = bounds[0]?.[p]?.[at] ?? null;
      });
      return list;
    };
    return { name: `${name}, dQmax ${report.levels[0]}`, lower: full(report.lower), upper: full(report.upper) };
  };
  const { bootstrap, displacement, bootstrapDisplacement } = found;
  return [
    bootstrap && {
      name: 'bootstrap 5 … 95 %',
      lower: bootstrap.percentiles.p5[p] ?? [],
      upper: bootstrap.percentiles.p95[p] ?? [],
    },
    displacement && spread(displacement, 'displacement'),
    bootstrapDisplacement && spread(bootstrapDisplacement, 'BS-DISP'),
  ].filter((band) => band !== undefined);
}

function factorFigure(model: Model, found: FactorUncertainty, p: number, charts: Charts): Html {
  const n = model.shape[1];
  const profile = (found.bootstrap ?? found.displacement ?? found.bootstrapDisplacement)?.profiles[p] ?? [];
  const bands = bandsOf(found, p, n);
  const top = Math.max(...profile, ...bands.flatMap(({ upper }) => upper.map((x) => x ?? 0))) || 1;
  const least = top * foot;
  const y = (value: number | null | undefined) => Number(Math.max(value ?? top, least).toPrecision(4));
  const tones = ['first', 'second', 'quiet'] as const;
  const chart: Chart = {
    title: `Uncertainty of profile ${p + 1}`,
    height: 240,
    x: { label: 'column of A, from 0', scale: 'linear', range: [-0.7, n - 0.3], isWhole: true },
    y: { label: `factor ${p + 1}`, scale: 'log', range: [least, top * 1.3] },
    marks: [
      ...bands.map(({ lower, upper }, b) => {
        // A little beside each other; a gap after each interval.
        const at = (b - (bands.length - 1) / 2) * 0.25;
        const isThere = (j: number) => (lower[j] ?? null) !== null;
        const shown = profile.map((_, j) => j).filter(isThere);
        return {
          kind: 'line' as const,
          x: shown.flatMap((j) => [j + at, j + at, null]),
          y: shown.flatMap((j) => [y(lower[j]), y(upper[j]), null]),
          tone: tones[b] as 'first',
        };
      }),
      { kind: 'dots', x: profile.map((_, j) => j), y: profile.map((value) => y(value)), tone: 'quiet' },
    ],
  };
  const titles = ['column', 'model', ...bands.flatMap(({ name }) => [`${name}: from`, 'to'])];
  const rows = profile.map((value, j) => [
    plainName(labelOf(model.labels.columns, j)),
    short(value),
    ...bands.flatMap(({ lower, upper }) =>
      [lower[j], upper[j]].map((x) => (x === null || x === undefined ? '–' : short(x))),
    ),
  ]);
  return figure(
    plot(charts, `uncertainty-${p}`, chart),
    html`Factor ${p + 1}: dots are the model, lines ${bands.map(({ name }) => name).join(', then ')}. What is below a ten-thousandth of the largest stands at the foot.`,
    numbers('The numbers', table(`Factor ${p + 1}`, namedFirst(titles), rows)),
  );
}
