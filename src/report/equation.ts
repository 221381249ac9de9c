/** The objective of a fit, typeset: the lines of {@link equationOf}, and what the page alone knows of their letters. */
import { equationOf } from '../model/equation.js';
import { isWeighted } from '../model/isWeighted.js';
import type { Model } from '../model/model.js';
import { count, real } from './format.js';
import { Html, html } from './html.js';
import { escapeText } from './page/chart.js';

export function equationHtml(model: Model): Html {
  const { fit, biases } = model;
  const [objective = '', prediction = '', ...meanings] = equationOf(fit.options);
  // A line of the page may end before each sum.
  const terms = objective.split(/(?= \+ [\d.e+-]* ?Σ)/).map((term) => term.trim());
  const lines = [
    `U, V: ${count(fit.rows)}×${fit.rank} and ${count(fit.columns)}×${fit.rank}, the factors`,
    `W: ${isWeighted(model) ? 'the weights, 1/σ or the root of a weight' : '1'}; 0 where A is unobserved`,
    ...(fit.options.biases === 'none' ? [] : [`mean = ${real(biases.mean)}, the weighted mean of A`]),
    ...meanings,
  ];
  return html`<div class="equation" role="img" aria-label="${`${objective}; ${prediction}`}">${terms.map(
    (term) => html`<span class="term">${typeset(term)}</span> `,
  )}<br><span class="term">${typeset(prediction)}</span></div>
<ul class="where">${lines.map((line) => html`<li>${typeset(line)}</li>`)}</ul>`;
}

/** A letter with its indices, or one that stands alone. */
const symbol = /([A-Za-zΣ])((?:_(?:>\d+|[a-z]+))+)|(?<!\p{L})[AUVWfpz](?![\p{L}/])|[ρδε]/gu;

/** Factors and their rows bold, other letters in italics, indices below the line. */
function typeset(line: string): Html {
  let text = '';
  let from = 0;
  for (const { 0: whole, 1: letter = whole, 2: indices = '', index } of line.matchAll(symbol)) {
    const style = /[UVuv]/.test(letter) ? 'b' : 'i';
    const below = indices.split('_').join(' ').trim();
    text += escapeText(line.slice(from, index));
    text += letter === 'Σ' ? letter : `<${style}>${letter}</${style}>`;
    if (below !== '') text += `<sub>${escapeText(below)}</sub>`;
    from = index + whole.length;
  }
  return new Html(text + escapeText(line.slice(from)));
}
