/** How objective, gradient and the error on held-out entries fell. */
import type { TraceEntry } from '../model/fitReport.js';
import type { Model } from '../model/model.js';
import { count, duration, real } from './format.js';
import { Html, html } from './html.js';
import { type Course, courseCharts, firstView } from './page/convergence.js';
import { drawn, numbers, table } from './parts.js';
import type { Section } from './shell.js';

/** A trace may hold millions of sweeps; a drawing needs no more points than this. */
const mostPoints = 500;
const mostLines = 40;

/** Sweeps as the script takes them, with no more digits than a drawing shows. */
export function courseOf(
  sweeps: readonly Pick<TraceEntry, 'sweep' | 'seconds' | 'objective' | 'relativeGradientNorm' | 'validation'>[],
  tolerance: number | null,
  isHeldOut: boolean,
): Course {
  return {
    sweep: sweeps.map(({ sweep }) => sweep),
    seconds: sweeps.map(({ seconds }) => Number(seconds.toPrecision(5))),
    objective: sweeps.map(({ objective }) => Number(objective.toPrecision(15))),
    gradient: sweeps.map(({ relativeGradientNorm: norm }) => (norm === null ? null : Number(norm.toPrecision(4)))),
    ...(isHeldOut && {
      validation: sweeps.map(({ validation }) => (validation ? Number(validation.rmse.toPrecision(6)) : null)),
    }),
    tolerance,
  };
}

/** The trace of a model, thinned towards its end so that it stays even on a logarithmic axis. */
export function courseOfModel({ trace, fit, certificate }: Model): Course {
  const sweep = fit.validation?.sweep;
  const kept = sweep === fit.sweeps ? undefined : trace.find((entry) => entry.sweep === sweep);
  return {
    ...courseOf(thinned(trace, mostPoints), certificate.tolerance, fit.validation !== undefined),
    ...(kept && { kept: { sweep: kept.sweep, seconds: kept.seconds } }),
  };
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
        course.kept &&
        `The model has the factors of sweep ${count(course.kept.sweep)}, which predicted the held-out entries best. `
      }${rejected > 0 && `In ${rejected} of ${fit.sweeps} sweeps an extrapolation was tried and not kept.`}`,
    )}
${numbers('The numbers of these charts', table(lines.length < trace.length ? `${lines.length} of ${trace.length} sweeps` : 'Every sweep', columns, lines))}`,
  };
}

/** The charts with what turns and zooms them. */
export function courseFigure(course: Course, caption: Html): Html {
  const view = firstView(course);
  const { height } = view;
  const button = (group: string, value: string, label: string, isPressed: boolean) =>
    html`<button type="button" data-${new Html(group)}="${value}" aria-pressed="${String(isPressed)}">${label}</button>`;
  return html`<figure id="course-figure">
<div class="controls" hidden>
<div role="group" aria-label="Across">${button('across', 'sweep', 'sweeps', true)}${button('across', 'seconds', 'time', false)}</div>
<div role="group" aria-label="Up">${button('height', 'objective', 'f', height === 'objective')}${button('height', 'above', 'f − lowest', height === 'above')}</div>
<div role="group" aria-label="Axes">${button('log', 'log', 'log axes', false)}</div>
<div role="group" aria-label="Zoom"><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">−</button><button type="button" data-zoom="all">all</button></div>
</div>
${Object.entries(courseCharts(course, view)).map(([part, chart]) => html`<div class="plot" data-course="${part}">${drawn(chart)}</div>`)}
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
