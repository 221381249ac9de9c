/** The page of a fit that is still running: it listens to the server that it came from. */
import { courseFigure, courseOf } from './course.js';
import { html, name, plainName } from './html.js';
import { pageHtml } from './shell.js';

/** The elements whose texts the server sends. */
export type LiveText =
  | 'live-phase'
  | 'live-sweep'
  | 'live-objective'
  | 'live-gradient'
  | 'live-validation'
  | 'live-time'
  | 'live-left';

const figures: readonly (readonly [LiveText, string])[] = [
  ['live-sweep', 'sweep'],
  ['live-objective', 'objective'],
  ['live-gradient', 'relative gradient norm'],
  ['live-validation', 'RMSE held out'],
  ['live-time', 'time'],
  ['live-left', 'at most left'],
];

/**
 * @param tolerance the relative gradient norm that is asked for, where that is known.
 * @param isHeldOut whether there are held-out entries, whose error is shown.
 */
export function livePage(source: string, rank: number, tolerance: number | null, isHeldOut: boolean): string {
  const shown = figures.filter(([id]) => isHeldOut || id !== 'live-validation');
  const course = courseOf([], tolerance, isHeldOut);
  return pageHtml({
    title: `${plainName(source)}, rank ${rank}: fitting`,
    header: html`<h1>${name(source)}</h1>
<p class="lead">Rank ${rank}</p>
<p class="status" role="status"><span class="badge open" id="live-phase">starting</span></p>
<dl class="figures">${shown.map(([id, term]) => html`<div><dt>${term}</dt><dd id="${id}">–</dd></div>`)}</dl>
<progress value="0" max="1" aria-label="Share of the sweeps or the time allowed"></progress>`,
    sections: [
      {
        id: 'course',
        title: 'Convergence',
        body: courseFigure(course, html`The report takes the place of this page when the fit has ended.`),
      },
    ],
    footer: html`This page comes from the running fit and is gone with it.`,
    data: { course, charts: {}, isLive: true },
    isLive: true,
  });
}
