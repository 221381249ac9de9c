/** How objective, gradient and the error on held-out entries fell. */
import type { TraceEntry } from '../model/fitReport.js';
import type { Model } from '../model/model.js';
import { duration, real } from './format.js';
import { Html, html } from './html.js';
import { drawChart } from './page/chart.js';
import { type Course, courseCharts, type View } from './page/convergence.js';
import { numbers, table } from './parts.js';
import type { Section } from './shell.js';

/** A trace may hold millions of sweeps; a drawing needs no more points than this. */
const mostPoints = 500;
const mostLines = 40;

/** The trace for the script, thinned towards its end so that it stays even on a logarithmic axis. */
export function courseOf(trace: readonly TraceEntry[], tolerance: number | null): Course {
  const kept = thinned(trace, mostPoints);
  return {
    sweep: kept.map(({ sweep }) => sweep),
    seconds: kept.map(({ seconds }) => Number(seconds.toPrecision(5))),
    objective: kept.map(({ objective }) => Number(objective.toPrecision(15))),
    gradient: kept.map(({ relativeGradientNorm: norm }) => (norm === null ? null : Number(norm.toPrecision(4)))),
    ...(isValidated(trace) && {
      validation: kept.map(({ validation }) => (validation ? Number(validation.rmse.toPrecision(6)) : null)),
    }),
    tolerance,
  };
}

function isValidated(trace: readonly TraceEntry[]): boolean {
  return trace.some(({ validation }) => validation !== undefined);
}

export function courseSection({ trace, fit }: Model, course: Course): Section | undefined {
  if (trace.length === 0) return undefined;
  const lines = thinned(trace, mostLines).map((entry) => [
    String(entry.sweep),
    duration(entry.seconds),
    real(entry.objective),
    entry.relativeGradientNorm?.toExponential(2) ?? '–',
    ...(course.validation ? [entry.validation ? real(entry.validation.rmse) : '–'] : []),
    entry.step,
  ]);
  const columns = [
    { title: 'sweep', isNumber: true },
    { title: 'time', isNumber: true },
    { title: 'objective', isNumber: true },
    { title: 'gradient', isNumber: true },
    ...(course.validation ? [{ title: 'RMSE held out', isNumber: true }] : []),
    { title: 'step' },
  ];
  const rejected = trace.filter(({ step }) => step === 'rejected').length;
  return {
    id: 'course',
    title: 'Convergence',
    body: html`${courseFigure(
      course,
      html`The gradient of a sweep is that of the point it started from. ${
        rejected > 0 && `In ${rejected} of ${fit.sweeps} sweeps an extrapolation was tried and not kept.`
      }`,
    )}
${numbers('The numbers of these charts', table(lines.length < trace.length ? `${lines.length} of ${trace.length} sweeps` : 'Every sweep', columns, lines))}`,
  };
}

/** The charts with what turns and zooms them. */
export function courseFigure(course: Course, caption: Html, height: View['height'] = 'above'): Html {
  const charts = courseCharts(course, { across: 'sweep', height, isLog: false });
  const button = (group: string, value: string, label: string, isPressed: boolean) =>
    html`<button type="button" data-${new Html(group)}="${value}" aria-pressed="${String(isPressed)}">${label}</button>`;
  return html`<figure id="course-figure">
<div class="controls" hidden>
<div role="group" aria-label="Across">${button('across', 'sweep', 'sweeps', true)}${button('across', 'seconds', 'time', false)}</div>
<div role="group" aria-label="Up">${button('height', 'objective', 'f', height === 'objective')}${button('height', 'above', 'f − lowest', height === 'above')}</div>
<div role="group" aria-label="Axes">${button('log', 'log', 'log axes', false)}</div>
<div role="group" aria-label="Zoom"><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">−</button><button type="button" data-zoom="all">all</button></div>
</div>
<div class="plot" data-course="objective">${new Html(drawChart(charts.objective, 680))}</div>
<div class="plot" data-course="gradient">${new Html(drawChart(charts.gradient, 680))}</div>
${charts.validation && html`<div class="plot" data-course="validation">${new Html(drawChart(charts.validation, 680))}</div>`}
<output class="readout"></output>
<figcaption>${caption}</figcaption></figure>`;
}

/** At most so many entries, the first and the last among them, denser where the fit began. */
function thinned(trace: readonly TraceEntry[], most: number): TraceEntry[] {
  if (trace.length <= most) return [...trace];
  const places = new Set<number>();
  for (let t = 0; t < most; t++) {
    const share = t / (most - 1);
    // Half of the points by count, half by ratio.
    const at = t % 2 === 0 ? share * (trace.length - 1) : Math.expm1(share * Math.log(trace.length));
    places.add(Math.min(trace.length - 1, Math.floor(at)));
  }
  places.add(trace.length - 1);
  return [...places].sort((a, b) => a - b).map((place) => trace[place] as TraceEntry);
}
