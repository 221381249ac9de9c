/** The objective that a fit minimised, written out: the parts that it had and no others. */
import type { ResolvedOptions } from '../options.js';

/**
 * Lines of plain text: f, then what p is, what the letters stand for, and what the factors were held to.
 *
 *     f = Σ W²(A − p)² + 0.05 Σ n_i ‖u_i‖² + 0.05 Σ n_j ‖v_j‖²
 *     p = mean + b_i + c_j + u_i·v_j
 */
export function equationOf(options: ResolvedOptions): string[] {
  const { background, biases, lambdaScale, nu } = options;
  const sums = [
    lossTerm(options.loss),
    background &&
      `Σ_unlisted ${background.weight === 'separable' ? 'r_i c_j ' : factor(background.weight as number)}${options.loss === 'poisson' ? 'p' : `(${background.value} − p)²`}`,
    ...penaltyTerms(options),
  ].filter(Boolean);
  const hasRows = biases === 'rows' || biases === 'both';
  const hasColumns = biases === 'columns' || biases === 'both';
  const prediction = [biases !== 'none' && 'mean', hasRows && 'b_i', hasColumns && 'c_j', 'u_i·v_j'].filter(Boolean);
  const isScaled = sums.some((sum) => /[ns]_[ij]/.test(String(sum)));
  const scale = lambdaScale === 'count' ? 'n_i, n_j: observations' : 's_i, s_j: ΣW²';
  const counted = background ? ', the background counted in' : '';
  return [
    `f = ${sums.join(' + ')}`,
    `p = ${prediction.join(' + ')}`,
    lossInWords(options.loss),
    isScaled && `${scale} of the row or column${counted}${nu === 1 ? '' : `, to the power ${nu}`}`,
    ...constraints(options),
  ].filter((line): line is string => typeof line === 'string');
}

function lossTerm(loss: string): string {
  if (loss === 'quadratic') return 'Σ W²(A − p)²';
  if (loss.startsWith('huber')) return loss.endsWith(':raw') ? 'Σ W² ρ(A − p)' : 'Σ ρ(W(A − p))';
  if (loss.startsWith('l1')) return 'Σ W²(√((A − p)² + ε²) − ε)';
  return loss === 'poisson' ? 'Σ W²(A log(A/p) − A + p)' : 'Σ W² log(1 + exp(−A p))';
}

function lossInWords(loss: string): string | undefined {
  const [name, parameter] = loss.split(':');
  if (name === 'huber') return `ρ(z) = z² up to |z| = δ, 2δ|z| − δ² beyond; δ = ${parameter}`;
  if (name === 'l1') return `ε = ${parameter}`;
  return name === 'logistic' ? 'A = ±1' : undefined;
}

function penaltyTerms(options: ResolvedOptions): string[] {
  const { lambdaRows, lambdaColumns, l1Rows, l1Columns, biasLambda, biases, lambdaScale, freeColumns } = options;
  const scale = (index: string) => (lambdaScale === 'row' ? '' : `${lambdaScale === 'count' ? 'n' : 's'}_${index} `);
  const term = (weight: number, index: string, what: string) =>
    weight > 0 ? [`${factor(weight)}Σ ${scale(index)}${what}`] : [];
  // The penalty begins behind the free columns.
  const penalised = freeColumns > 0 ? `_>${freeColumns}` : '';
  return [
    ...term(lambdaRows, 'i', `‖u_i${penalised}‖²`),
    ...term(lambdaColumns, 'j', `‖v_j${penalised}‖²`),
    ...term(l1Rows, 'i', `‖u_i${penalised}‖₁`),
    ...term(l1Columns, 'j', `‖v_j${penalised}‖₁`),
    ...(biases === 'rows' || biases === 'both' ? term(biasLambda, 'i', 'b_i²') : []),
    ...(biases === 'columns' || biases === 'both' ? term(biasLambda, 'j', 'c_j²') : []),
  ];
}

function factor(weight: number): string {
  return weight === 1 ? '' : `${weight} `;
}

function constraints({ bounds, hold, freeColumns }: ResolvedOptions): (string | false)[] {
  const within = (name: string, [lower, upper]: readonly (number | null)[]) => {
    const [isLow, isHigh] = [typeof lower === 'number', typeof upper === 'number'];
    if (isLow && isHigh) return `${lower} ≤ ${name} ≤ ${upper}`;
    return isLow ? `${name} ≥ ${lower}` : isHigh && `${name} ≤ ${upper}`;
  };
  const held = [hold?.U && 'U', hold?.V && 'V'].filter(Boolean);
  return [
    bounds !== undefined && within('U', bounds.rows),
    bounds !== undefined && within('V', bounds.columns),
    held.length > 0 && `known entries of ${held.join(' and ')} were held`,
    freeColumns > 0 &&
      `the first ${freeColumns} latent columns carry no penalty: _>${freeColumns} means those after them`,
  ];
}
