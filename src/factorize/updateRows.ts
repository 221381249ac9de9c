/** Which rows a model has after an update, and where each comes from. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { Labels } from '../model/parts.js';
import type { Side } from '../parallel/layout.js';

type Name = string | number;

export interface Arrangement {
  readonly side: Side;
  /** For each row of the result: t ≥ 0 is row t of the model, −1 − t row t of the data. */
  readonly sources: Int32Array;
  readonly counts: { readonly added: number; readonly replaced: number; readonly removed: number };
  readonly labels: Labels;
  /** Every row of the result is in the data. */
  readonly isWhole: boolean;
}

/**
 * Rows of the model keep their order, those replaced in their places; new ones follow in the order of the data.
 *
 * @throws HadamardError `invalid-option`, `not-found`, `index-out-of-range` for new indices that are not the next in order.
 */
export function arrangeRows(
  model: Model,
  side: Side,
  data: MatrixInput | undefined,
  names: readonly Name[] | undefined,
  remove: readonly Name[] = [],
): Arrangement {
  const count = model.shape[side === 'rows' ? 0 : 1];
  const given = data === undefined ? 0 : shapeOf(data)[side === 'rows' ? 0 : 1];
  const labels = model.labels[side];
  checkList('remove', remove, labels !== undefined);
  if (names !== undefined) checkList('names', names, labels !== undefined);
  if ((names?.length ?? given) !== given || (labels && names === undefined && given > 0))
    throw invalid(
      'names',
      names === undefined ? 'names are left out.' : `There are ${names.length} names of ${given} ${side}.`,
      `names has one ${labels ? 'label' : 'index'} for each of the ${side} of the data${labels ? ', since those of the model have labels' : ''}.`,
      'Give them all.',
    );
  const indexOf = (name: Name) =>
    labels
      ? side === 'rows'
        ? model.rowIndex(name as string)
        : model.columnIndex(name as string)
      : ownIndex(name, count);
  const sources: number[] = Array.from({ length: count }, (_, i) => i);
  const added: number[] = [];
  for (let t = 0; t < given; t++) {
    const at = names === undefined ? undefined : indexOf(names[t] as Name);
    if (at !== undefined) sources[at] = -1 - t;
    else {
      if (names !== undefined && !labels) checkNext(names[t] as number, count + added.length, t, side);
      added.push(t);
    }
  }
  const isRemoved = new Uint8Array(count);
  for (const name of remove) {
    const at = indexOf(name);
    if (at === undefined || (sources[at] as number) < 0) throw notRemoved(name, side, at !== undefined);
    isRemoved[at] = 1;
  }
  const kept = sources.map((_, i) => i).filter((i) => isRemoved[i] === 0);
  const all = Int32Array.from([...kept.map((i) => sources[i] as number), ...added.map((t) => -1 - t)]);
  if (all.length === 0)
    throw invalid('remove', `All ${side} are removed.`, `A model has at least one of its ${side}.`, 'Keep one.');
  return {
    side,
    sources: all,
    counts: { added: added.length, replaced: given - added.length, removed: remove.length },
    labels: {
      ...model.labels,
      ...(labels && { [side]: [...kept.map((i) => labels[i] as string), ...added.map((t) => names?.[t] as string)] }),
    },
    isWhole: all.every((source) => source < 0),
  };
}

/** An index of the model, or undefined for one beyond: such a row is added. */
function ownIndex(name: Name, count: number): number | undefined {
  return (name as number) < count ? (name as number) : undefined;
}

/** A row is added at the end, so that its index is the next: any other would not be the one under which it is found. */
function checkNext(index: number, next: number, t: number, side: Side): void {
  if (index === next) return;
  throw new HadamardError({
    code: 'index-out-of-range',
    what: `names[${t}] is ${index}, and the next of the ${side} is ${next}.`,
    position: { option: 'names', index: t },
    rule: `Without labels new ${side} take the next indices in the order of the data, counted from 0 and before any are removed.`,
    remedy: 'Correct the index, or fit with labels.',
  });
}

/** Labels where the model has labels, else indices, none twice. */
function checkList(option: 'names' | 'remove', list: readonly Name[], isLabelled: boolean): void {
  const kind = isLabelled ? 'labels of the model and new ones' : 'indices, counted from 0';
  if (!Array.isArray(list))
    throw invalid(option, `${option} is ${String(list)}.`, `${option} is a list of ${kind}.`, 'Give an array.');
  const isName = (name: unknown) =>
    isLabelled ? typeof name === 'string' : Number.isInteger(name) && (name as number) >= 0;
  const odd = list.findIndex((name) => !isName(name));
  if (odd >= 0)
    throw invalid(
      option,
      `${option}[${odd}] is ${JSON.stringify(list[odd])}.`,
      `${option} lists ${kind}.`,
      'Correct it.',
    );
  const seen = new Set<Name>();
  const twice = list.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw invalid(option, `${option} names ${JSON.stringify(twice)} twice.`, 'Each is named once.', 'Leave one out.');
}

function notRemoved(name: Name, side: Side, isGiven: boolean): HadamardError {
  return new HadamardError({
    code: isGiven ? 'invalid-option' : 'not-found',
    what: isGiven
      ? `${JSON.stringify(name)} is in the data and to be removed.`
      : `The model has no ${side} named ${JSON.stringify(name)}.`,
    position: { option: 'remove' },
    rule: `remove names ${side} of the model that are not in the data.`,
    remedy: 'Correct the name, or leave it out.',
  });
}

function invalid(option: string, what: string, rule: string, remedy: string): HadamardError {
  return new HadamardError({ code: 'invalid-option', what, position: { option }, rule, remedy });
}
