/** The objective of a fit as an equation, only the parts that it had. */
import { isWeighted } from '../model/isWeighted.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { real } from './format.js';
import { Html, html } from './html.js';
import { escapeText } from './page/chart.js';

/** A symbol and what it stands for. */
type Meaning = readonly [symbol: string, meaning: string];

/** Markup written here, never a user's text. */
const markup = (text: string): Html => new Html(text);
/** A power above an index. */
const both = (above: string, below: string) => `<span class="both"><sup>${above}</sup><sub>${below}</sub></span>`;
const W = '<b>W</b>';
const f = '<i>f</i>(<b>U</b>,<b>V</b>)';
const overListed = '∑<sub>listed</sub>';

export function equationOf(model: Model): Html {
  const terms = [lossTerm(model), backgroundTerm(model), ...penaltyTerms(model)].filter((term) => term !== undefined);
  const lines = [`${f} = ${terms.join(' + ')}`];
  const plain = lines.concat(predictionOf(model) ?? [], constraintsOf(model)).join('; ');
  const parts = terms.map((term, i) => `<span class="term">${i === 0 ? `${f} = ` : '+ '}${term}</span>`).join(' ');
  const further = [predictionOf(model), ...constraintsOf(model)].filter((line) => line !== undefined);
  return html`<div class="equation" role="img" aria-label="${spoken(plain)}">${markup(parts)}${further.map(
    (line) => html`<br><span class="term">${markup(line)}</span>`,
  )}</div>
<dl class="where">${meaningsOf(model).map(
    ([symbol, meaning]) => html`<div style="display:contents"><dt>${markup(symbol)}</dt><dd>${meaning}</dd></div>`,
  )}</dl>`;
}

function lossTerm(model: Model): string {
  const { biases, background, loss: text } = model.fit.options;
  const loss = lossOf(text);
  const isPlain = biases === 'none' && background === undefined;
  const isWeightedFit = isWeighted(model);
  if (loss.name === 'quadratic' && isPlain)
    return `‖${isWeightedFit ? `${W} ∘ (<b>A</b> − <b>UV</b><sup>⊤</sup>)` : '<b>A</b> − <b>UV</b><sup>⊤</sup>'}‖${both('2', 'F')}`;
  const squared = isWeightedFit ? `<i>W</i>${both('2', 'ij')} ` : '';
  const residual = '<i>A</i><sub>ij</sub> − <i>p</i><sub>ij</sub>';
  const a = '<i>A</i><sub>ij</sub>';
  const p = '<i>p</i><sub>ij</sub>';
  switch (loss.name) {
    case 'quadratic':
      return `${overListed} ${squared}(${residual})<sup>2</sup>`;
    case 'huber':
      return `${overListed} <i>ρ</i>(${isWeightedFit ? `<i>W</i><sub>ij</sub>(${residual})` : residual})`;
    case 'rawHuber':
      return `${overListed} ${squared}<i>ρ</i>(${residual})`;
    case 'l1':
      return `${overListed} ${squared}(√((${residual})<sup>2</sup> + <i>ε</i><sup>2</sup>) − <i>ε</i>)`;
    case 'poisson':
      return `${overListed} ${squared}(${a} log(${a}/${p}) − ${a} + ${p})`;
    case 'logistic':
      return `${overListed} ${squared}log(1 + <i>e</i><sup>−${a}${p}</sup>)`;
  }
}

function backgroundTerm({ fit: { options } }: Model): string | undefined {
  if (!options.background) return undefined;
  const weight = options.background.weight === 'separable' ? '<i>r</i><sub>i</sub><i>c</i><sub>j</sub>' : '<i>w</i>';
  const isPoisson = lossOf(options.loss).name === 'poisson';
  const cost = isPoisson ? '<i>p</i><sub>ij</sub>' : '(<i>β</i> − <i>p</i><sub>ij</sub>)<sup>2</sup>';
  return `∑<sub>unlisted</sub> ${weight} ${cost}`;
}

function penaltyTerms({ fit: { options } }: Model): string[] {
  const { lambdaRows, lambdaColumns, l1Rows, l1Columns, lambdaScale, freeColumns, biases, biasLambda, nu } = options;
  const scaled = (index: string) => (nu === 1 ? `<sub>${index}</sub>` : both('<i>ν</i>', index));
  const star = freeColumns > 0 ? '<sup>*</sup>' : '';
  const ridge = (lambda: number, symbol: string, matrix: string, row: string, index: string) => {
    if (lambda === 0) return [];
    if (lambdaScale === 'row') return [`${symbol}‖<b>${matrix}</b>${star}‖${both('2', 'F')}`];
    return [
      `${symbol} ∑<sub>${index}</sub> <i>s</i>${scaled(index)} ‖<b>${row}</b><sub>${index}</sub>${star}‖<sup>2</sup>`,
    ];
  };
  const absolute = (mu: number, symbol: string, matrix: string, row: string, index: string) => {
    if (mu === 0) return [];
    if (lambdaScale === 'row') return [`${symbol}‖<b>${matrix}</b>${star}‖<sub>1</sub>`];
    return [
      `${symbol} ∑<sub>${index}</sub> <i>s</i>${scaled(index)} ‖<b>${row}</b><sub>${index}</sub>${star}‖<sub>1</sub>`,
    ];
  };
  const isOne = lambdaRows === lambdaColumns;
  const isOneL1 = l1Rows === l1Columns;
  const bias = (symbol: string, index: string) => {
    const scale = lambdaScale === 'row' ? '' : `<i>s</i>${scaled(index)} `;
    return `<i>λ</i><sub>b</sub> ∑<sub>${index}</sub> ${scale}<i>${symbol}</i>${both('2', index)}`;
  };
  return [
    ...ridge(lambdaRows, isOne ? '<i>λ</i>' : '<i>λ</i><sub>U</sub>', 'U', 'u', 'i'),
    ...ridge(lambdaColumns, isOne ? '<i>λ</i>' : '<i>λ</i><sub>V</sub>', 'V', 'v', 'j'),
    ...absolute(l1Rows, isOneL1 ? '<i>μ</i>' : '<i>μ</i><sub>U</sub>', 'U', 'u', 'i'),
    ...absolute(l1Columns, isOneL1 ? '<i>μ</i>' : '<i>μ</i><sub>V</sub>', 'V', 'v', 'j'),
    ...(biasLambda > 0 && (biases === 'rows' || biases === 'both') ? [bias('b', 'i')] : []),
    ...(biasLambda > 0 && (biases === 'columns' || biases === 'both') ? [bias('c', 'j')] : []),
  ];
}

/** Where p stands in the equation. */
function predictionOf({ fit: { options } }: Model): string | undefined {
  const { biases, background, loss } = options;
  if (biases === 'none' && background === undefined && loss === 'quadratic') return undefined;
  const parts = [
    ...(biases === 'none' ? [] : ['<i>m</i>']),
    ...(biases === 'rows' || biases === 'both' ? ['<i>b</i><sub>i</sub>'] : []),
    ...(biases === 'columns' || biases === 'both' ? ['<i>c</i><sub>j</sub>'] : []),
    '<b>u</b><sub>i</sub>·<b>v</b><sub>j</sub>',
  ];
  return `<i>p</i><sub>ij</sub> = ${parts.join(' + ')}`;
}

function constraintsOf({ fit: { options } }: Model): string[] {
  const { bounds, hold } = options;
  const limits = (symbol: string, [lower = null, upper = null]: readonly (number | null)[] = []) => {
    // From a model's file, and as good as text until it is escaped.
    const [least, most] = [lower, upper].map((bound) => (bound === null ? '' : escapeText(real(bound))));
    if (lower === null && upper === null) return [];
    if (upper === null) return [`<b>${symbol}</b> ≥ ${least}`];
    if (lower === null) return [`<b>${symbol}</b> ≤ ${most}`];
    return [`${least} ≤ <b>${symbol}</b> ≤ ${most}`];
  };
  const all = [...limits('U', bounds?.rows), ...limits('V', bounds?.columns)];
  if (hold) all.push(`entries of ${[hold.U && '<b>U</b>', hold.V && '<b>V</b>'].filter(Boolean).join(' and ')} held`);
  return all.length === 0 ? [] : [`subject to ${all.join(', ')}`];
}

function meaningsOf(model: Model): Meaning[] {
  const { rows, columns, rank, options } = model.fit;
  const { lambdaRows, lambdaColumns, l1Rows, l1Columns, lambdaScale, nu, biases, biasLambda, background } = options;
  const loss = lossOf(options.loss);
  const sum = loss.name === 'quadratic' && biases === 'none' && !background;
  const scales = {
    row: '',
    count: 'the number of observations of the row or column',
    weight: 'ΣW² of the row or column',
  };
  const pair = (symbol: string, a: number, b: number): Meaning[] =>
    a === 0 && b === 0
      ? []
      : a === b
        ? [[`<i>${symbol}</i>`, real(a)]]
        : [
            ...(a > 0 ? [[`<i>${symbol}</i><sub>U</sub>`, real(a)] as Meaning] : []),
            ...(b > 0 ? [[`<i>${symbol}</i><sub>V</sub>`, real(b)] as Meaning] : []),
          ];
  const isPenalised = lambdaRows + lambdaColumns + l1Rows + l1Columns + (biases === 'none' ? 0 : biasLambda) > 0;
  return [
    ['<b>U</b>, <b>V</b>', `${rows}×${rank} and ${columns}×${rank}: the factors`],
    ...(isWeighted(model)
      ? [
          [
            sum ? W : '<i>W</i><sub>ij</sub>',
            'the weights: W is 1/σ, or the root of a weight; 0 where an entry is unobserved',
          ] as Meaning,
        ]
      : sum
        ? [['‖·‖', 'over the observed entries alone'] as Meaning]
        : []),
    ...(loss.name === 'huber' || loss.name === 'rawHuber'
      ? [['<i>ρ</i>(z)', `z² up to |z| = δ, 2δ|z| − δ² beyond; δ = ${real(loss.parameter)}`] as Meaning]
      : []),
    ...(loss.name === 'l1' ? [['<i>ε</i>', real(loss.parameter)] as Meaning] : []),
    ...(background
      ? [
          background.weight === 'separable'
            ? ([
                '<i>r</i><sub>i</sub>, <i>c</i><sub>j</sub>',
                'the weights of the rows and columns in the background',
              ] as Meaning)
            : (['<i>w</i>', real(background.weight)] as Meaning),
          ...(loss.name === 'poisson' ? [] : [['<i>β</i>', real(background.value)] as Meaning]),
        ]
      : []),
    ...(biases === 'none' ? [] : [['<i>m</i>', `${real(model.biases.mean)}, the weighted mean of A`] as Meaning]),
    ...pair('λ', lambdaRows, lambdaColumns),
    ...pair('μ', l1Rows, l1Columns),
    ...(biases !== 'none' && biasLambda > 0 ? [['<i>λ</i><sub>b</sub>', real(biasLambda)] as Meaning] : []),
    ...(lambdaScale !== 'row' && isPenalised
      ? [['<i>s</i>', `${scales[lambdaScale]}${background ? ', the background counted in' : ''}`] as Meaning]
      : []),
    ...(lambdaScale !== 'row' && isPenalised && nu !== 1 ? [['<i>ν</i>', real(nu)] as Meaning] : []),
    ...(options.freeColumns > 0
      ? [['*', `without the first ${options.freeColumns} latent columns, which carry no penalty`] as Meaning]
      : []),
  ];
}

/** The equation without markup. */
function spoken(markup: string): string {
  return markup
    .replace(/<sup>(.*?)<\/sup>/g, '^$1')
    .replace(/<sub>(.*?)<\/sub>/g, '_$1')
    .replace(/<[^>]*>/g, '');
}
