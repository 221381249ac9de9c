/**
 * Rows, or columns, that are most like one of them.
 *
 * Factors are known only up to U→UM, V→VM⁻ᵀ, which changes the cosine of u_i and u_j but not what is predicted. So rows are
 * compared by their profiles, the rows of UVᵀ: u_i G u_j with G = VᵀV is the inner product of two of them, at the cost of k×k.
 */
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { Best, checkTop } from '../model/best.js';
import { checkModel } from '../model/checkModel.js';
import type { Model } from '../model/model.js';
import { didYouMean } from '../suggest.js';

export interface SimilarOptions {
  /** The row by its index, or the column: one of the two. */
  readonly row?: number | undefined;
  readonly column?: number | undefined;
  /** How many; default 10. */
  readonly top?: number | undefined;
  /** cosine (default) and dot: largest first. euclidean: the distance, smallest first. */
  readonly measure?: 'cosine' | 'dot' | 'euclidean' | undefined;
  /**
   * profile (default): rows of UVᵀ (columns of it, for columns), without mean and biases; does not depend on how the factors
   * were reached. factor: u_i and u_j as they are, for models whose latent columns have a meaning of their own.
   */
  readonly by?: 'profile' | 'factor' | undefined;
}

export interface Similar {
  readonly index: number;
  readonly label?: string;
  /** The cosine, the inner product or the distance. */
  readonly value: number;
}

export interface SimilarResult {
  /** Most alike first, ties by index; not the row itself, nor rows of factor 0, of which nothing is known. */
  readonly similar: readonly Similar[];
  /** Why there are fewer than `top`, where there are. */
  readonly missing?: string;
}

/**
 * The most similar rows (or columns), exact, in float64; O(mk²) by profile, O(mk) by factor.
 *
 * @throws HadamardError `invalid-option`, `index-out-of-range`, `invalid-input` for a label in place of an index.
 */
export function similar(model: Model, options: SimilarOptions): SimilarResult {
  const { side, index, top, measure, by } = check(model, options);
  const [own, other] = side === 'rows' ? [model.U, model.V] : [model.V, model.U];
  const count = own.shape[0] as number;
  const product = by === 'profile' ? weighted(gramOf(other.data, model.rank)) : dot;
  const vectorOf = (i: number) => Float64Array.from(own.data.subarray(i * model.rank, (i + 1) * model.rank));
  const x = vectorOf(index);
  const norm = Math.sqrt(product(x, x));
  const best = new Best(top);
  let left = 0;
  for (let i = 0; i < count && norm > 0; i++) {
    if (i === index) continue;
    const y = vectorOf(i);
    const other = Math.sqrt(product(y, y));
    if (!(other > 0)) continue;
    left++;
    if (measure === 'euclidean') best.offer(i, -distance(x, y, product));
    else if (measure === 'dot') best.offer(i, product(x, y));
    else best.offer(i, Math.max(-1, Math.min(1, product(x, y) / (norm * other))));
  }
  const labels = model.labels[side];
  const found: Similar[] = [];
  best.take((i, value) => {
    // −(−0) and the sign of a distance.
    found.push({
      index: i,
      ...(labels && { label: labels[i] as string }),
      value: measure === 'euclidean' ? -value + 0 : value,
    });
  });
  return { similar: found, ...(found.length < top && { missing: whyMissing(side, count, left, top, norm) }) };
}

type Product = (x: Float64Array, y: Float64Array) => number;

/** Of x − y, so that nothing cancels. */
function distance(x: Float64Array, y: Float64Array, product: Product): number {
  const difference = x.map((value, c) => value - (y[c] as number));
  return Math.sqrt(Math.max(0, product(difference, difference)));
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < x.length; c++) sum += (x[c] as number) * (y[c] as number);
  return sum;
}

/** xᵀGy */
function weighted(G: Float64Array): Product {
  return (x, y) => {
    let sum = 0;
    for (let a = 0; a < x.length; a++) {
      let part = 0;
      for (let b = 0; b < x.length; b++) part += (G[a * x.length + b] as number) * (y[b] as number);
      sum += (x[a] as number) * part;
    }
    // Rounding may leave a square below 0.
    return x === y ? Math.max(0, sum) : sum;
  };
}

/** XᵀX, k×k. */
function gramOf(X: RealArray, k: number): Float64Array {
  const G = new Float64Array(k * k);
  for (let at = 0; at < X.length; at += k)
    for (let a = 0; a < k; a++)
      for (let b = 0; b <= a; b++)
        G[a * k + b] = (G[a * k + b] as number) + (X[at + a] as number) * (X[at + b] as number);
  for (let a = 0; a < k; a++) for (let b = 0; b < a; b++) G[b * k + a] = G[a * k + b] as number;
  return G;
}

function check(model: Model, options: SimilarOptions) {
  checkModel(model);
  const { row, column, top = 10, measure = 'cosine', by = 'profile' } = options ?? {};
  checkTop(top);
  checkChoice('measure', measure, ['cosine', 'dot', 'euclidean']);
  checkChoice('by', by, ['profile', 'factor']);
  if ((row === undefined) === (column === undefined))
    throw new HadamardError({
      code: 'invalid-option',
      what: row === undefined ? 'Neither row nor column is given.' : 'Both row and column are given.',
      position: { option: 'row' },
      rule: 'similar takes one row or one column.',
      remedy: 'Give one of the two.',
    });
  const side: 'rows' | 'columns' = row === undefined ? 'columns' : 'rows';
  const option = row === undefined ? 'column' : 'row';
  const index = (row ?? column) as number;
  const count = model.shape[side === 'rows' ? 0 : 1];
  if (!(Number.isInteger(index) && index >= 0 && index < count))
    throw new HadamardError({
      code: typeof index === 'number' ? 'index-out-of-range' : 'invalid-input',
      what: `${option} is ${typeof index === 'string' ? `"${index}"` : String(index)}.`,
      position: { option },
      rule: `The ${side} are the integers 0…${count - 1}, counted from 0.`,
      remedy: 'Correct the index; model.rowIndex(label) and model.columnIndex(label) give those of labels.',
    });
  return { side, index, top, measure, by };
}

function checkChoice(option: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `${option} is "${String(value)}".`,
    position: { option },
    rule: `${option} is one of ${choices.join(', ')}.`,
    remedy: `${didYouMean(value, choices)}Give one of these, or leave ${option} out.`,
  });
}

function whyMissing(side: 'rows' | 'columns', count: number, left: number, top: number, norm: number): string {
  const one = side === 'rows' ? 'row' : 'column';
  if (!(norm > 0)) return `The ${one}'s factor is 0, as without observations: nothing is like it.`;
  const unknown = count - 1 - left;
  return `Only ${left} of the ${top} asked for: the model has ${count} ${count === 1 ? one : side}${unknown > 0 ? `, ${unknown} of them with factor 0, as without observations` : ''}.`;
}
