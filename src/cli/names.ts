/** Rows and columns as people name them, and predictions of those that a model has never seen. */
import { HadamardError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { Side } from '../parallel/layout.js';
import { didYouMean } from '../suggest.js';

/** Stands for a row or column that is not in the model. */
export const unknown = -1;

/** As `model.predict`; an unknown row or column adds nothing, so the mean and the other's bias remain. */
export function predictPairs(model: Model, rows: ArrayLike<number>, columns: ArrayLike<number>): Float64Array {
  const { mean, rows: rowBias, columns: columnBias } = model.biases;
  return Float64Array.from({ length: rows.length }, (_, t) => {
    const row = rows[t] as number;
    const column = columns[t] as number;
    if (row !== unknown && column !== unknown) return model.predict(row, column);
    return mean + (rowBias?.[row] ?? 0) + (columnBias?.[column] ?? 0);
  });
}

/** What {@link predictPairs} answers to an unknown row or column, in words. */
export function coldAnswer({ biases }: Model): string {
  if (biases.kind === 'none') return 'this model has no biases, so 0 is given.';
  const side = { rows: "the row's bias", columns: "the column's bias", both: "the other's bias" }[biases.kind];
  return `the mean is given, and ${side} where that is known.`;
}

/**
 * The row that a person names: by its label, or by its index from 0 where the model has no labels.
 *
 * @throws HadamardError `not-found`
 */
export function rowOf(model: Model, name: string): number {
  return indexOf(model, 'row', name);
}

/** The same of a column. @throws HadamardError `not-found` */
export function columnOf(model: Model, name: string): number {
  return indexOf(model, 'column', name);
}

function indexOf(model: Model, one: 'row' | 'column', name: string): number {
  const labels = model.labels[`${one}s`];
  const count = model.shape[one === 'row' ? 0 : 1];
  const index = finderOf(model, `${one}s`)(name);
  if (index !== undefined) return index;
  throw new HadamardError({
    code: 'not-found',
    what: `The model has no ${one} "${name}".`,
    position: { option: one },
    rule: labels
      ? `Its ${count} ${one}s have labels, such as "${labels[0]}".`
      : `Its ${one}s have no labels; they are 0…${count - 1}, counted from 0.`,
    remedy: `${didYouMean(name, labels ?? [])}Give --${one} one of these.`,
  });
}

/** The index that a text writes out, if it is one of 0…count − 1. */
export function indexNamed(text: string, count: number): number | undefined {
  return /^\d+$/.test(text) && Number(text) < count ? Number(text) : undefined;
}

/** How a name becomes an index of the model: by label, or as an index from 0 where it has no labels. */
export function finderOf(model: Model, side: Side): (name: string) => number | undefined {
  const count = model.shape[side === 'rows' ? 0 : 1];
  if (!model.labels[side]) return (name) => indexNamed(name, count);
  return (name) => (side === 'rows' ? model.rowIndex(name) : model.columnIndex(name));
}

/** Where each of the names stands in the model, {@link unknown} where it does not. */
export function placesIn(model: Model, side: Side, names: readonly string[]): Int32Array {
  const find = finderOf(model, side);
  return Int32Array.from(names, (name) => find(name) ?? unknown);
}
