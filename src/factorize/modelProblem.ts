/** The problem that a model was fitted to, for other rows or columns: its options, and its objective with one side fixed. */
import { availableParallelism } from 'node:os';
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import type { Model } from '../model/model.js';
import { lossOf } from '../objective/losses.js';
import { type CheckedOptions, checkOption } from '../options.js';
import { otherSide, type PerSide, type Side } from '../parallel/layout.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import { compose, heldOf, weightsOf } from './objectiveSpec.js';

/** How new rows are computed; none of these changes a bit of the result. */
export interface ComputeOptions {
  /** Worker threads; default all cores. */
  readonly threads?: number | undefined;
  readonly inline?: 'auto' | 'never' | undefined;
  readonly residency?: 'auto' | 'staged' | undefined;
  readonly memoryLimit?: number | undefined;
  /** As in `factorize`. */
  readonly workerUrl?: string | undefined;
  readonly wasmUrl?: string | undefined;
}

export const computeOptions = ['threads', 'inline', 'residency', 'memoryLimit', 'workerUrl', 'wasmUrl'] as const;

/** The options of the fit, with those of the computation at hand. @throws HadamardError `invalid-option` */
export function checkedOptionsOf(
  { fit }: Model,
  options: ComputeOptions & { readonly duplicates?: CheckedOptions['duplicates'] | undefined },
): CheckedOptions {
  for (const name of ['threads', 'inline', 'residency', 'memoryLimit', 'duplicates'] as const)
    if (options[name] !== undefined) checkOption(name, options[name]);
  const { background: _background, bounds: _bounds, hold: _hold, ...plain } = fit.options;
  return {
    ...plain,
    preset: undefined,
    like: undefined,
    alpha: undefined,
    dtype: fit.dtype,
    arithmetic: fit.arithmetic,
    method: 'als',
    acceleration: 'none',
    threads: options.threads ?? availableParallelism(),
    inline: options.inline ?? 'auto',
    residency: options.residency ?? 'auto',
    onDisk: undefined,
    memoryLimit: options.memoryLimit,
    starts: 1,
    timeLimit: undefined,
    holdout: undefined,
    patience: undefined,
    intervals: undefined,
    duplicates: options.duplicates ?? plain.duplicates,
  };
}

/** The options that `factorize` is given for the same objective on other data; held entries are the caller's to give. */
export function fitOptionsOf({ fit, background }: Model): FactorizeOptions {
  const {
    background: said,
    bounds,
    hold: _hold,
    preset: _preset,
    like: _like,
    alpha: _alpha,
    starts: _starts,
    timeLimit: _time,
    memoryLimit: _memory,
    holdout: _holdout,
    patience: _patience,
    ...plain
  } = fit.options;
  const sides = { rows: boundsOf(bounds?.rows), columns: boundsOf(bounds?.columns) };
  const weight = said?.weight === 'separable' ? background : said?.weight;
  return {
    ...plain,
    ...(bounds && { bounds: sides }),
    ...(said && weight !== undefined && { background: { weight, value: said.value } }),
  };
}

/** Held entries as given: U of m' rows and V of n, or the other way round; and the background weights of the new side. */
export interface NewParts {
  readonly hold?:
    | { readonly U?: NdArray<RealArray> | undefined; readonly V?: NdArray<RealArray> | undefined }
    | undefined;
  readonly backgroundWeights?: ArrayLike<number> | undefined;
}

/**
 * The objective of the fit on `count` new rows of a side, the other side as it is; its loss is settled.
 *
 * @throws HadamardError `shape-mismatch`, `invalid-value`, `invalid-weight`, `invalid-option`
 */
export function objectiveBeside(model: Model, side: Side, count: number, given: NewParts): ObjectiveSpec {
  const { options } = model.fit;
  const [m, n] = model.shape;
  const counts = side === 'rows' ? { rows: count, columns: n } : { rows: m, columns: count };
  const bounds = { rows: boundsOf(options.bounds?.rows), columns: boundsOf(options.bounds?.columns) };
  const { rank } = model;
  const objective = compose({
    loss: lossOf(options.loss),
    background: backgroundBeside(model, side, counts, given.backgroundWeights),
    bounds,
    l1: { rows: options.l1Rows, columns: options.l1Columns },
    freeColumns: options.freeColumns,
    hold: {
      rows: heldOf('U', given.hold?.U, counts.rows, rank, bounds.rows),
      columns: heldOf('V', given.hold?.V, counts.columns, rank, bounds.columns),
    },
  });
  // Where the fit held entries its rows were solved by the composed kernels, and so are these.
  return { ...objective, isComposed: objective.isComposed || options.hold !== undefined };
}

function boundsOf(saved: readonly (number | null)[] | undefined): readonly [number, number] {
  return [saved?.[0] ?? Number.NEGATIVE_INFINITY, saved?.[1] ?? Number.POSITIVE_INFINITY];
}

/** r and c of a separable background. @throws HadamardError `invalid-option` where the model does not hold them. */
export function separableLists(background: Model['background']): NonNullable<Model['background']> {
  if (background) return background;
  throw new HadamardError({
    code: 'invalid-option',
    what: 'The fit had a separable background, and the model does not hold its lists.',
    position: { option: 'background' },
    rule: 'Models saved by hadamard 0.1 hold no lists of background weights.',
    remedy: 'Fit and save the model again.',
  });
}

function backgroundBeside(
  { fit, background }: Model,
  side: Side,
  counts: PerSide<number>,
  given: ArrayLike<number> | undefined,
): SeparableBackground | undefined {
  const said = fit.options.background;
  if (given !== undefined && said?.weight !== 'separable')
    throw new HadamardError({
      code: 'invalid-option',
      what: `backgroundWeights are given, and the model has ${said ? 'one weight for all' : 'no background'}.`,
      position: { option: 'backgroundWeights' },
      rule: 'They are the r_i (of columns: c_j) of the new rows in the background weight r_i·c_j of the fit; default 1.',
      remedy: 'Leave them out.',
    });
  if (!said) return undefined;
  if (said.weight === 'separable') separableLists(background);
  const other = otherSide(side);
  // A scalar weight is r of the rows, as in the fit.
  const scalar = { rows: said.weight === 'separable' ? 1 : said.weight, columns: 1 };
  const own = given ?? new Float64Array(counts[side]).fill(scalar[side]);
  const lists = {
    [side]: weightsOf(side, own, counts[side]),
    [other]: background?.[other] ?? new Float64Array(counts[other]).fill(scalar[other]),
  } as unknown as PerSide<Float64Array>;
  return { ...lists, value: said.value };
}
