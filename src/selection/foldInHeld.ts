/**
 * Factors of rows (or columns) that a fit has not seen, from a few of their entries: the other side is held as the model has it
 * and theirs is fitted with the options of the model. What the model adds beside its factors, the mean and the other side's
 * bias, is taken from the values first; their own bias is fitted.
 */
import ndarray, { type NdArray } from 'ndarray';
import { visitEntries } from '../data/entries.js';
import type { RealArray } from '../data/input.js';
import { asInput, type Listing } from '../data/listing.js';
import type { Background, Bounds } from '../data/terms.js';
import { HadamardError } from '../errors.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { asTool } from '../factorize/like.js';
import { Model } from '../model/model.js';
import type { Fit } from './fits.js';

type Side = 'rows' | 'columns';

/** The model with the factors (and biases) of the members that `given` lists in the place of its own. */
export async function foldInHeld(
  fit: Fit,
  model: Model,
  side: Side,
  given: Listing,
  options: FactorizeOptions,
): Promise<Model> {
  const other = side === 'rows' ? 'columns' : 'rows';
  const told = asTool(asInput(given).A, { ...options, weights: asInput(given).weights });
  refuseComposed(model, side, told.options);
  const hasBias = model.biases.kind === side || model.biases.kind === 'both';
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  const weights: number[] = [];
  /** Left-out members are numbered anew, in order: nobody else is solved for. */
  const members = [...new Set(given[side])].sort((a, b) => a - b);
  const numbers = new Map(members.map((member, index) => [member, index]));
  let sum = 0;
  let total = 0;
  visitEntries(
    told.A,
    told.options.weights,
    (row, column, value, weight) => {
      const bias = side === 'rows' ? model.biases.columns?.[column] : model.biases.rows?.[row];
      const rest = value - model.biases.mean - (bias ?? 0);
      rows.push(side === 'rows' ? (numbers.get(row) as number) : row);
      columns.push(side === 'rows' ? column : (numbers.get(column) as number));
      values.push(rest);
      weights.push(weight);
      sum += weight * weight * rest;
      total += weight * weight;
    },
    told.options.background !== undefined,
  );
  const count = members.length + (hasBias ? 1 : 0);
  if (hasBias) {
    // The mean of a fit with biases is that of its values. One member more makes it 0, which is where the model's biases begin.
    rows.push(side === 'rows' ? members.length : 0);
    columns.push(side === 'rows' ? 0 : members.length);
    values.push(-sum / total);
    weights.push(Math.sqrt(total));
  }
  const held = model[side === 'rows' ? 'V' : 'U'];
  const [m, n] = model.shape;
  const folded = await fit(
    {
      rows: Uint32Array.from(rows),
      columns: Uint32Array.from(columns),
      values: Float64Array.from(values),
      shape: side === 'rows' ? [count, n] : [m, count],
    },
    {
      ...sameOptions(model),
      weights: { sqrtWeight: Float64Array.from(weights) },
      duplicates: 'keep',
      biases: hasBias ? side : 'none',
      hold: { [side === 'rows' ? 'V' : 'U']: ndarray(Float64Array.from(held.data), [...held.shape]) },
      ...(told.options.background !== undefined && {
        background: backgroundOf(told.options.background, side, members),
      }),
    },
  );
  const factor = model[side === 'rows' ? 'U' : 'V'];
  const fresh = folded[side === 'rows' ? 'U' : 'V'];
  const all = ndarray(Float64Array.from(factor.data), [...factor.shape]) as NdArray<RealArray>;
  const biases = hasBias ? Float64Array.from(model.biases[side] as RealArray) : undefined;
  members.forEach((member, index) => {
    for (let c = 0; c < model.rank; c++) all.set(member, c, fresh.get(index, c));
    if (biases) biases[member] = folded.biases[side]?.[index] as number;
  });
  return new Model({
    U: side === 'rows' ? all : model.U,
    V: side === 'rows' ? model.V : all,
    biases: {
      ...model.biases,
      ...(biases && { [side]: biases }),
      ...(model.biases[other] && { [other]: model.biases[other] }),
    },
    fit: model.fit,
  });
}

/** The options that a model was fitted with, as they are given; in f64, since this is little work. */
function sameOptions({ fit }: Model): FactorizeOptions {
  const {
    bounds,
    hold: _hold,
    background: _background,
    preset: _preset,
    like: _like,
    alpha: _alpha,
    ...rest
  } = fit.options;
  const { timeLimit: _timeLimit, memoryLimit: _memoryLimit, tolerance: _tolerance, threads: _threads, ...plain } = rest;
  const pair = ([lower, upper]: readonly (number | null)[]): [number, number] => [
    lower ?? Number.NEGATIVE_INFINITY,
    upper ?? Number.POSITIVE_INFINITY,
  ];
  return {
    ...plain,
    dtype: 'f64',
    method: 'als',
    ...(bounds && { bounds: { rows: pair(bounds.rows), columns: pair(bounds.columns) } satisfies Bounds }),
  };
}

function backgroundOf(background: Background | number, side: Side, members: readonly number[]): Background | number {
  if (typeof background === 'number' || typeof background.weight === 'number') return background;
  const { weight } = background;
  return {
    ...background,
    weight: { ...weight, [side]: Float64Array.from(members, (member) => weight[side][member] as number) },
  };
}

/** @throws HadamardError `incompatible-options` for what cannot be taken from the values, or is known of who is left out. */
function refuseComposed({ biases, fit }: Model, side: Side, { background, hold }: FactorizeOptions): void {
  const refuse = (what: string) => {
    throw new HadamardError({
      code: 'incompatible-options',
      what,
      position: { option: 'split' },
      rule: 'Rows or columns that are left out are folded in from values without the mean and the other side’s bias.',
      remedy: 'Choose another split, such as k-fold.',
    });
  };
  if (biases.kind !== 'none' && background !== undefined)
    refuse(`Split ${side} does not go with a background and biases.`);
  if (biases.kind !== 'none' && fit.options.loss === 'logistic')
    refuse(`Split ${side} does not go with loss logistic and biases.`);
  if (hold?.[side === 'rows' ? 'U' : 'V']) refuse(`Split ${side} does not go with held entries of these ${side}.`);
}
