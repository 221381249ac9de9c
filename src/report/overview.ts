/** What was fitted, how it ended, and what that says. */
import type { Certificate } from '../model/fitReport.js';
import { isWeighted } from '../model/isWeighted.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { flagOf } from '../options.js';
import { curvatureInWords } from './curvatureInWords.js';
import { equationHtml } from './equation.js';
import { count, counted, duration, real, scientific } from './format.js';
import { type Html, html, name, plainName } from './html.js';
import { table } from './parts.js';
import type { Section } from './shell.js';

/** Other helpers of the fit may stop for reasons of their own; a page is made of older and newer models alike. */
type Ending = readonly [verdict: string, isGood: boolean, meaning: string];

export function titleOf(model: Model, source: string | undefined): string {
  const [m, n] = model.shape;
  return `${source === undefined ? 'A' : plainName(source)}, ${count(m)} × ${count(n)}, rank ${model.rank}`;
}

export function headerOf(
  model: Model,
  source: string | undefined,
  test: { readonly rmse: number; readonly entries: number } | undefined,
): Html {
  const { fit } = model;
  const { validation } = fit;
  const share = (100 * fit.observed) / (fit.rows * fit.columns);
  const [verdict, isGood] = endingOf(model);
  const total = fit.seconds.prepare + fit.seconds.start + fit.seconds.fit + fit.seconds.certify;
  const figures = [
    ['objective', grouped(fit.objective), fit.regularization > 0 ? `loss ${grouped(fit.loss)}` : undefined],
    [
      'RMSE of the fit',
      real(fit.rmse.train),
      isWeighted(model) ? `weighted ${real(fit.rmse.trainWeighted)}` : undefined,
    ],
    validation && [
      'RMSE held out',
      real(validation.rmse),
      `${entriesInWords(validation.entries)}, after sweep ${count(validation.sweep)}`,
    ],
    test && ['RMSE of the test', real(test.rmse), entriesInWords(test.entries)],
    fit.uncertainty && [
      'reduced χ²',
      fit.uncertainty.reducedChiSquare === null ? '–' : real(fit.uncertainty.reducedChiSquare),
      `${real(fit.uncertainty.residualDegrees)} degrees of freedom`,
    ],
    ['sweeps', count(fit.sweeps), `of at most ${count(fit.options.maxSweeps)}`],
    ['time', duration(total), threadsInWords(model)],
    ...(fit.q
      ? ([
          ['Q true / Q expected', real(fit.q.true / fit.q.expected), `robust ${real(fit.q.robust / fit.q.expected)}`],
        ] as [string, string, string][])
      : []),
  ].filter((figure) => figure !== undefined) as [string, string, string?][];
  return html`<h1>${source === undefined ? 'A ≈ UVᵀ' : name(source)}</h1>
<p class="lead">${count(fit.rows)} × ${count(fit.columns)}, ${entriesInWords(fit.observed)} observed (${share.toPrecision(3)} %), rank ${fit.rank}${
    fit.options.preset && `, preset ${fit.options.preset}`
  }</p>
<p class="status"><span class="badge ${isGood ? 'good' : 'open'}">${verdict}</span></p>
<dl class="figures">${figures.map(
    ([term, value, beside]) =>
      html`<div><dt>${term}</dt><dd>${value}${beside !== undefined && html`<small>${beside}</small>`}</dd></div>`,
  )}</dl>`;
}

const entriesInWords = (entries: number) => counted(entries, 'entry', 'entries');

export function objectiveSection(model: Model): Section {
  const rows = Object.entries(model.fit.options).map(([option, value]) => [
    html`<code>${flagOf(option)}</code>`,
    value === null ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return {
    id: 'objective',
    title: 'What was minimised',
    body: html`${equationHtml(model)}
<p>${methodInWords(model)}</p>
<details><summary>Every option of the fit</summary>${table('As the command line names them', [{ title: 'option' }, { title: 'value' }], rows)}</details>`,
  };
}

export function certificateSection(model: Model): Section {
  const { certificate, notes } = model.fit;
  const [verdict, isGood, meaning] = endingOf(model);
  const measures: [string, string][] = [
    [
      'relative gradient norm',
      `${scientific(certificate.relativeGradientNorm)} (tolerance ${scientific(certificate.tolerance)})`,
    ],
    ['‖∂f/∂U‖, ‖∂f/∂V‖', `${scientific(certificate.gradientNorm.U)}, ${scientific(certificate.gradientNorm.V)}`],
    ...(certificate.kkt === undefined
      ? []
      : ([['largest residual of a row', scientific(certificate.kkt)]] as [string, string][])),
    ...curvatureRows(certificate),
    ['objective, summed again', grouped(certificate.objective)],
    ...(certificate.globalBound === undefined
      ? []
      : ([['lower bound of every optimum', grouped(certificate.globalBound)]] as [string, string][])),
    [
      'on the way',
      certificate.monotone ? 'no sweep raised the objective' : 'a sweep raised the objective beyond rounding',
    ],
  ];
  return {
    id: 'certificate',
    title: 'Certificate',
    body: html`<p><span class="badge ${isGood ? 'good' : 'open'}">${verdict}.</span> ${meaning}</p>
<div class="narrow">${table(
      'Measured from the final factors by a pass of its own',
      [{ title: 'measure' }, { title: 'value' }],
      measures,
    )}</div>
${certificate.globalStatement !== undefined && html`<p>The global optimum: ${certificate.globalStatement}.</p>`}
<p>What it does not say: ${certificate.globalBound === undefined ? 'that no other start ends lower (the problem is not convex), ' : 'that no other start ends lower, but for what the bound leaves open, '}that the rank or λ is right, or that entries which were not seen are predicted well. Held-out entries tell that.</p>
${notes.length > 0 && html`<h3>Notes of the fit</h3><ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`,
  };
}

function curvatureRows(certificate: Certificate): [string, string][] {
  const words = curvatureInWords(certificate);
  return words === undefined ? [] : [['curvature', words]];
}

function endingOf({ fit }: Model): Ending {
  const { relativeGradientNorm, tolerance } = fit.certificate;
  const norm = scientific(relativeGradientNorm);
  const bound = scientific(tolerance);
  const isWithin = relativeGradientNorm <= tolerance;
  const gradient = isWithin
    ? `The gradient there, ${norm}, is within the tolerance ${bound} all the same.`
    : `The gradient there, ${norm}, is above the tolerance ${bound}: the objective can fall further.`;
  const sweeps = counted(fit.sweeps, 'sweep');
  switch (fit.status as typeof fit.status | 'validated') {
    case 'converged':
      return [
        'Converged',
        true,
        `An independent pass over the final factors found a relative gradient norm of ${norm}, within the tolerance ${bound}. To first order the factors are a stationary point: no small change of U and V lowers the objective noticeably.`,
      ];
    case 'stalled':
      return [
        'Stalled',
        isWithin,
        `The objective falls no further in ${fit.dtype} arithmetic. ${isWithin ? gradient : `The gradient there, ${norm}, is above the tolerance ${bound}${fit.dtype === 'f32' ? '; --dtype f64 can go on' : ''}.`}`,
      ];
    case 'budget':
      return [
        fit.reason === 'time' ? 'Out of time' : 'Stopped at its budget',
        isWithin,
        `The fit ended after ${sweeps}, as it was told to. ${gradient}`,
      ];
    case 'cancelled':
      return ['Cancelled', isWithin, `The fit was stopped after ${sweeps}; this is the model so far. ${gradient}`];
    case 'validated':
      return [
        'Validated',
        true,
        `The fit ended because held-out entries were predicted no better; the factors are those that predicted them best. That is no stationary point: the relative gradient norm is ${norm}.`,
      ];
  }
}

/** What each method does. */
const methods: Readonly<Record<string, string>> = {
  als: 'alternating least squares, one row at a time',
  gradient: 'gradient steps on U and V together',
  varpro: 'damped Newton steps on the smaller factor, the other eliminated exactly',
  lbfgs: 'quasi-Newton steps (L-BFGS) on U and V together',
  sgd: 'stochastic gradient steps, entry by entry, on U and V together',
};

function methodInWords({ fit }: Model): string {
  const { method, dtype, arithmetic, options } = fit;
  const how = methods[method.name] ?? method.name;
  const solved = lossOf(options.loss).name === 'quadratic' ? '' : ', by quadratics that touch the loss';
  const speed = [
    options.acceleration === 'anderson' && method.name.endsWith('als') && ', accelerated across sweeps',
    options.polish === 'newton' && method.name !== 'varpro' && ', finished by truncated Newton steps',
  ]
    .filter(Boolean)
    .join('');
  return `Method ${method.name} (${method.reason}): ${how}${solved}${speed}, in ${dtype}, ${arithmetic} arithmetic, seed ${fit.seed}. There is no ½ in front of anything.`;
}

function threadsInWords({ fit }: Model): string {
  return fit.inline ? 'in one thread' : `on ${counted(fit.threads, 'thread')}`;
}

/** 84973.6 → "84,973.6"; very large and small numbers as {@link real}. */
function grouped(value: number): string {
  const text = real(value);
  return /e/.test(text) ? text : Number(text).toLocaleString('en-US', { maximumFractionDigits: 10 });
}
