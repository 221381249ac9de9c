/** What a search from many starts has found, in words and as a section of the page. */
import type { StartsReport } from '../model/fitReport.js';
import type { Model } from '../model/model.js';
import { count, counted, duration, real } from './format.js';
import { html } from './html.js';
import { table } from './parts.js';
import type { Section } from './shell.js';

/** A line each: how the starts ended, the best optimum, and why the search did. */
export function startsInWords(starts: StartsReport): string[] {
  const { converged, abandoned, distinct, best, secondsToBest, secondsToSecondHit } = starts;
  if (converged === 0) return [`${counted(starts.count, 'start')}: none converged`, endings[starts.stopped]];
  const ended = [
    `${count(converged)} converged, to ${counted(distinct, 'optimum', 'optima')}`,
    ...(abandoned > 0 ? [`${count(abandoned)} given up above the best`] : []),
    ...(converged + abandoned < starts.count ? [`${count(starts.count - converged - abandoned)} not converged`] : []),
  ];
  const times = [
    secondsToBest !== null && `first after ${duration(secondsToBest)}`,
    secondsToSecondHit !== null && `again after ${duration(secondsToSecondHit)}`,
  ].filter(Boolean);
  return [
    `${counted(starts.count, 'start')}: ${ended.join(', ')}`,
    `the lowest, ${real(best.objective)}, was reached by ${count(best.hits)}: ${times.join(', ')}`,
    endings[starts.stopped],
  ];
}

const endings: Readonly<Record<StartsReport['stopped'], string>> = {
  count: 'as many as asked for',
  agreement: 'the optima seen are likely to be all',
  budget: 'out of the budget of starts before the optima seen are likely to be all',
  time: 'out of time',
  signal: 'cancelled',
};

/** Of a model of many starts. */
export function startsSection({ fit: { starts } }: Model): Section | undefined {
  if (!starts) return undefined;
  const rows = starts.optima.map(({ objective, rmse, hits }, place) => [
    String(place + 1),
    real(objective),
    real(rmse),
    count(hits),
  ]);
  return {
    id: 'starts',
    title: 'Starts',
    body: html`${startsInWords(starts).map((line) => html`<p>${line.charAt(0).toUpperCase()}${line.slice(1)}.</p>`)}
${
  rows.length > 0 &&
  html`<div class="narrow">${table(
    'Distinct optima, the best first; two are one where their objectives differ by less than a millionth',
    [
      { title: 'optimum' },
      { title: 'objective', isNumber: true },
      { title: 'RMSE', isNumber: true },
      { title: 'starts', isNumber: true },
    ],
    rows,
  )}</div>`
}
<p>The model is that of start ${count(starts.start)}, counted from 0; <code>--seed ${starts.seed}</code> alone gives it again. Starts that were given up are not counted as hits of anything. That no start ended lower does not prove that nothing lies lower.</p>`,
  };
}
