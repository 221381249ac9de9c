/** The objective that the options ask for, resolved: its loss, background, bounds, penalties and held entries. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import type { Background, Bounds, Hold } from '../data/terms.js';
import { HadamardError } from '../errors.js';
import { type Loss, lossOf } from '../objective/losses.js';
import type { CheckedOptions, ResolvedParts } from '../options.js';
import { checkCombination } from './combinations.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';

/** The parts of an objective that are matrices, vectors or pairs of numbers. */
export interface ObjectiveOptions {
  /** Unlisted entries as observations of 0 with this weight, or more exactly said. */
  readonly background?: Background | number | undefined;
  /** Box constraints of the factors' entries. */
  readonly bounds?: Bounds | undefined;
  /** Entries of U or V that are known. */
  readonly hold?: Hold | undefined;
}

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/**
 * @throws HadamardError `invalid-option`, `shape-mismatch` for a background, bounds or held entries of the wrong form;
 *   `incompatible-options`, `scale-unbounded` for parts that do not go together.
 */
export function resolveObjective(
  checked: CheckedOptions,
  options: ObjectiveOptions,
  [rows, columns]: readonly [number, number],
): ObjectiveSpec {
  const loss = parseLoss(checked.loss);
  const background = resolveBackground(options.background, rows, columns);
  const bounds = {
    rows: boundsOf('rows', checked, loss, options.bounds),
    columns: boundsOf('columns', checked, loss, options.bounds),
  };
  const hold = {
    rows: heldOf('U', options.hold?.U, rows, checked.rank, bounds.rows),
    columns: heldOf('V', options.hold?.V, columns, checked.rank, bounds.columns),
  };
  const l1 = { rows: checked.l1Rows, columns: checked.l1Columns };
  const objective = compose({ loss, background, bounds, l1, freeColumns: checked.freeColumns, hold });
  checkCombination({
    objective,
    method: checked.method,
    polish: checked.polish,
    dtype: checked.dtype,
    biases: checked.biases,
    biasLambda: checked.biasLambda,
    lambda: { rows: checked.lambdaRows, columns: checked.lambdaColumns },
    rank: checked.rank,
    start: checked.start,
  });
  return objective;
}

/** Whether the parts are more than weighted squares and a ridge. */
export function compose(parts: Omit<ObjectiveSpec, 'isComposed'>): ObjectiveSpec {
  const { loss, background, bounds, l1, freeColumns, hold } = parts;
  const isComposed =
    loss.name !== 'quadratic' ||
    background !== undefined ||
    freeColumns > 0 ||
    [...bounds.rows, ...bounds.columns].some(Number.isFinite) ||
    l1.rows + l1.columns > 0 ||
    hold.rows !== undefined ||
    hold.columns !== undefined;
  return { ...parts, isComposed };
}

/** The text has passed the table's pattern. */
function parseLoss(text: string): Loss {
  const loss = lossOf(text);
  if (text.includes(':') && !(loss.parameter > 0))
    throw invalid('loss', `loss is "${text}".`, 'δ of huber and ε of l1 are above 0.', 'Give huber:1.5 for example.');
  return loss;
}

/** @throws HadamardError `invalid-option`, `shape-mismatch`, `invalid-weight` */
export function resolveBackground(
  given: Background | number | undefined,
  rows: number,
  columns: number,
): SeparableBackground | undefined {
  if (given === undefined) return undefined;
  const { weight, value = 0 } = typeof given === 'object' && given !== null ? given : { weight: given };
  if (!Number.isFinite(value))
    throw invalid('background', `The background's value is ${value}.`, 'It is a finite number.', 'Give a number.');
  if (!hasLists(weight) && typeof weight !== 'number')
    throw invalid(
      'background',
      `The background's weight is ${String(weight)}.`,
      'A background is a number, or { weight, value } with weight a number or { rows, columns }.',
      'Give background: 0.1 for example.',
    );
  return {
    rows: weightsOf('rows', hasLists(weight) ? weight.rows : new Float64Array(rows).fill(weight), rows),
    columns: weightsOf('columns', hasLists(weight) ? weight.columns : new Float64Array(columns).fill(1), columns),
    value,
  };
}

function hasLists(weight: unknown): weight is Exclude<Background['weight'], number> {
  return typeof weight === 'object' && weight !== null;
}

/** Background weights of one side, checked. @throws HadamardError `shape-mismatch`, `invalid-weight` */
export function weightsOf(side: 'rows' | 'columns', given: ArrayLike<number> | undefined, count: number): Float64Array {
  if (given?.length !== count)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `The background has ${given?.length ?? 'no'} weights of ${side}.`,
      position: { option: 'background' },
      rule: `A separable background { weight: { rows, columns } } has one weight for each of the ${count} ${side}.`,
      remedy: 'Give both lists in full, or one number for all.',
    });
  const weights = Float64Array.from(given);
  const odd = weights.findIndex((weight) => !(Number.isFinite(weight) && weight >= 0));
  if (odd >= 0)
    throw new HadamardError({
      code: 'invalid-weight',
      what: `The background's weight of ${side} ${odd} is ${weights[odd]}.`,
      position: { option: 'background', index: odd },
      rule: 'A weight is a finite number of at least 0.',
      remedy: 'Correct it.',
    });
  return weights;
}

function boundsOf(
  side: 'rows' | 'columns',
  { nonnegative }: CheckedOptions,
  loss: Loss,
  given: Bounds | undefined,
): readonly [number, number] {
  const pair: unknown = given?.[side] === undefined ? unbounded : given[side];
  const [lower, upper]: unknown[] = Array.isArray(pair) && pair.length === 2 ? pair : [];
  if (
    !(
      typeof lower === 'number' &&
      typeof upper === 'number' &&
      lower <= upper &&
      lower < Number.POSITIVE_INFINITY &&
      upper > Number.NEGATIVE_INFINITY
    )
  )
    throw invalid(
      'bounds',
      `bounds.${side} is ${Array.isArray(pair) ? `[${pair.join(', ')}]` : String(pair)}.`,
      'Bounds are arrays [lower, upper] with lower ≤ upper.',
      'Give two numbers; ±Infinity is no bound.',
    );
  // A Poisson rate is u·v of non-negative factors, said or not.
  const isNonnegative = nonnegative === side || nonnegative === 'both' || (loss.name === 'poisson' && !given?.[side]);
  const least = isNonnegative ? Math.max(0, lower) : lower;
  if (least > upper)
    throw invalid(
      'bounds',
      `bounds.${side} end at ${upper}, and the factor is non-negative.`,
      'A bound leaves room.',
      'Raise the upper bound, or leave nonnegative out.',
    );
  return [least, upper];
}

/** Held entries of one factor, checked. @throws HadamardError `shape-mismatch`, `invalid-value` */
export function heldOf(
  name: 'U' | 'V',
  given: NdArray<RealArray> | undefined,
  rows: number,
  rank: number,
  [lower, upper]: readonly [number, number],
): NdArray<RealArray> | undefined {
  if (given === undefined) return undefined;
  const [m, k] = given?.shape ?? [];
  if (m === rows && k === rank && typeof given.get === 'function') {
    for (let row = 0; row < rows; row++)
      for (let c = 0; c < rank; c++) {
        const value = given.get(row, c);
        if (!Number.isNaN(value) && !(Number.isFinite(value) && value >= lower && value <= upper))
          throw new HadamardError({
            code: 'invalid-value',
            what: `hold.${name} holds ${value} at (${row}, ${c}).`,
            position: { option: 'hold', row, column: c },
            rule: `A held entry is finite and within the factor's bounds [${lower}, ${upper}]; NaN is free.`,
            remedy: 'Correct it, or widen the bounds.',
          });
      }
    return given;
  }
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `hold.${name} is ${given?.shape === undefined ? String(given) : given.shape.join('×')}.`,
    position: { option: 'hold' },
    rule: `hold.${name} is an ndarray, ${rows}×${rank}, with NaN where the factor is free.`,
    remedy: 'Give it that shape.',
  });
}

function invalid(option: string, what: string, rule: string, remedy: string): HadamardError {
  return new HadamardError({ code: 'invalid-option', what, position: { option }, rule, remedy });
}

/** What the resolved options say of the parts that are too large to be repeated. */
export function describeParts(
  { background, bounds, hold }: ObjectiveSpec,
  { background: said }: ObjectiveOptions,
): ResolvedParts {
  const all = [...bounds.rows, ...bounds.columns];
  return {
    ...(background && {
      background: {
        // Lists are lists, be they all of one number: of new rows they may be others.
        weight: typeof said === 'object' && hasLists(said.weight) ? 'separable' : (background.rows[0] as number),
        value: background.value,
      },
    }),
    ...(all.some(Number.isFinite) && {
      bounds: { rows: bounds.rows.map(asJson), columns: bounds.columns.map(asJson) },
    }),
    ...((hold.rows || hold.columns) && { hold: { U: hold.rows !== undefined, V: hold.columns !== undefined } }),
  };
}

/** JSON has no infinity. */
const asJson = (bound: number) => (Number.isFinite(bound) ? bound : null);
