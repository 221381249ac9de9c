/** Which method an option names, or which one `auto` takes, and why. No choice depends on a clock or on the number of threads. */
import type { CurvatureShape } from '../certificate/curvatureSearch.js';
import { isConjugate, isShort } from '../kernels/backgroundBasis.js';
import type { Dtype } from '../kernels/load.js';
import { als } from '../methods/als.js';
import { blockAls } from '../methods/blockAls.js';
import { gradient } from '../methods/gradient.js';
import { lbfgs } from '../methods/lbfgs.js';
import type { Method } from '../methods/method.js';
import { polished } from '../methods/polish.js';
import { eliminatedSide, reducedSpace } from '../methods/reducedPhases.js';
import type { ReducedProblemShape } from '../methods/reducedProblem.js';
import { sgd } from '../methods/sgd.js';
import { truncatedNewton } from '../methods/truncatedNewton.js';
import { varpro } from '../methods/varpro.js';
import type { CheckedOptions } from '../options.js';
import {
  elementBytes,
  memoryCeiling,
  otherSide,
  type PerSide,
  type Side,
  sides,
  strideOf,
} from '../parallel/layout.js';
import { type Runs, sideCost } from '../parallel/partition.js';

/** Of a stochastic step: a product, two moves and its share of the loss. */
const operationsOfStep = (rank: number) => 10 * rank;

/** What is known of the problem when its method is chosen. */
export interface MethodShape {
  readonly counts: PerSide<number>;
  readonly observed: number;
  readonly lengths: PerSide<Runs>;
  /** More than weighted squares, a ridge and biases. */
  readonly isComposed: boolean;
  /** Composed, but of squares and unlisted entries alone. */
  readonly hasBackground: boolean;
  /** Whether steps on long rows may be conditioned by a basis that the objective does not bring along. */
  readonly mayPrecondition: boolean;
}

type Size = Pick<MethodShape, 'counts' | 'observed'>;
type MethodSize = Size & Pick<MethodShape, 'hasBackground'>;

export interface ChosenMethod {
  readonly name: 'als' | 'block-als' | 'gradient' | 'varpro' | 'lbfgs' | 'sgd';
  readonly reason: string;
  /** Sweeps of als that are tried before it, from the same start; see trial.ts. */
  readonly trialSweeps?: number;
}

export interface Trial {
  readonly method: Method;
  readonly sweeps: number;
}

/** What comes before a method's sweeps; see approach.ts. */
export interface Approach {
  readonly method: Method;
  /** The relative fall of f below which an epoch is not worth its operations. */
  readonly leastFall: number;
}

/** The reduced matrix is worth its making up to so many unknowns and floating-point operations a step. */
const mostOfAuto = { unknowns: 1500, operations: 1e9 };
/** Who asks for many starts takes the problem for a hard one, that als is not for. */
const mostOfStarts = { unknowns: 3000, operations: 4e9 };
/**
 * Of 56 fits of seven random problems als converged within so many in 44, to the optimum of second-order steps in all of these and
 * 3 to 75 times sooner; from where it stands after them second-order steps miss the best of dino-trimmed from 2 of 12 seeds.
 */
const trialSweeps = 30;

export function chooseMethod(options: CheckedOptions, shape: MethodShape): ChosenMethod {
  if (options.method !== 'auto') return { name: options.method, reason: 'asked for' };
  const alternation = (reason: string) => ({ name: 'als', reason }) as const;
  if (areBlocksWorthwhile(options, shape))
    return { name: 'block-als', reason: `whole rows of ${options.rank} coordinates would take far more operations` };
  if (shape.isComposed) return alternation('the objective is more than weighted squares with a ridge');
  if (options.dtype === 'f32') return alternation('second-order steps need f64');
  if (options.duplicates === 'keep' || options.residency === 'staged')
    return alternation('a dense second-order step needs each entry once, in memory');
  if (options.lambdaRows > 0) return alternation('a ridge keeps its sweeps well conditioned');
  if (options.patience !== undefined) return alternation('early stopping needs many small steps');
  if (options.maxSweeps <= trialSweeps)
    return alternation(`${options.maxSweeps} sweeps are too few for second-order steps`);
  const eliminated = eliminatedSide(shape.counts);
  const unknowns = shape.counts[otherSide(eliminated)] * options.rank;
  let operations = (unknowns * unknowns * unknowns) / 3;
  shape.lengths[eliminated]((length, rows) => {
    operations += rows * length * length * options.rank * (options.rank + 1);
  });
  const size = `${unknowns} unknowns, ${operations.toPrecision(2)} operations a step`;
  const isOneStart = options.starts === 1;
  const most = isOneStart ? mostOfAuto : mostOfStarts;
  if (unknowns > most.unknowns || operations > most.operations)
    return alternation(`too large for second-order steps: ${size}`);
  return { name: 'varpro', reason: `λ = 0, and small: ${size}`, ...(isOneStart && { trialSweeps }) };
}

/** The rank from which blocks of coordinates come sooner to what exact sweeps find: measured by bench/block.mjs. */
const blocksFrom = { plain: 256, background: 128 };

/** In a small problem sweeps are cheap, and exact ones converge in fewer. */
function areBlocksWorthwhile(options: CheckedOptions, shape: MethodShape): boolean {
  const { rank, lambdaRows, patience, dtype = 'f32' } = options;
  const isEnough = rank >= (shape.hasBackground ? blocksFrom.background : blocksFrom.plain);
  const isSquares = !shape.isComposed || shape.hasBackground;
  const isPlain = isSquares && lambdaRows > 0 && patience === undefined;
  if (!(isEnough && isPlain) || sweepCost(rank, shape) < leastOfLarge) return false;
  // In an eigenbasis that they share whole rows are cheaper yet.
  return !sides.some((side) => isBasisWorthwhile(options, shape, 'als', dtype, side));
}

/** A basis takes so many operations of k³ to find: about 9k³, but one after the other and in no kernel. */
const basisOperations = 100;

/**
 * Whether a side's Gram matrix is brought into its eigenbasis, for the sake of the other side's rows: beside a background short ones are
 * solved n×n there, and at large ranks longer ones step by step; without one these alone.
 */
export function isBasisWorthwhile(
  { rank, biases }: CheckedOptions,
  { counts, lengths, hasBackground, isComposed, mayPrecondition }: MethodShape,
  name: ChosenMethod['name'],
  dtype: Dtype,
  side: Side,
): boolean {
  const isPlain = !isComposed && mayPrecondition;
  const isBeside = hasBackground && biases === 'none';
  if (!(isPlain || isBeside) || dtype !== 'f32' || name !== 'als') return false;
  // Of k² operations.
  let spared = 0;
  lengths[otherSide(side)]((length, rows) => {
    if (isShort(length, rank)) spared += isPlain ? 0 : (rows * rank) / 3;
    else if (isConjugate(rank)) spared += (rows * length) / 2;
  });
  return spared > counts[side] + basisOperations * rank;
}

/**
 * Of exact rows. Where rows take steps a sweep has fewer operations, but sgd runs at a better rate than they do: of 8 million ratings (k = 64
 * and 128) the last epochs before sweeps bring 1 to 1.5 % of f a second, and the first sweeps after them 0.8 to 1.
 */
function sweepCost(rank: number, { lengths }: MethodShape): number {
  return sideCost(lengths.rows, rank) + sideCost(lengths.columns, rank);
}

/** Floating-point operations of a sweep, from which a problem is large. */
const leastOfLarge = 1e9;
/**
 * Epochs of sgd come first where a sweep takes so many times as many as an epoch: of 8 million ratings at k = 16 (4.6 times) three come
 * to a held-out error that sweeps do not reach.
 */
const leastMultiple = 3.5;
/** Of f, relative, by a sweep that is not yet near the end: epochs have to bring as much for as many operations. */
const fallOfSweep = 0.1;

/** What comes before the sweeps of a method that `auto` has taken, where they are dear. */
export function chooseApproach(
  options: CheckedOptions,
  shape: MethodShape,
  { name }: ChosenMethod,
  dtype: Dtype,
): Approach | undefined {
  const { method, rank, patience, polish, starts, maxSweeps } = options;
  const isPlain = !shape.isComposed && patience === undefined && polish === 'none' && starts === 1;
  if (method !== 'auto' || name === 'varpro' || !isPlain || maxSweeps === 0) return undefined;
  const sweep = sweepCost(rank, shape);
  const epoch = shape.observed * operationsOfStep(rank);
  if (sweep < leastOfLarge || sweep < leastMultiple * epoch) return undefined;
  return { method: methodOf('sgd', options, shape, dtype), leastFall: (fallOfSweep * epoch) / sweep };
}

/** Observed entries for each degree of freedom, below which random factors often lead nowhere. */
const fewObservations = 5;

/** In a small problem als has been tried from random factors before; in a large one the number of observations decides. */
export function chooseStart(
  options: CheckedOptions,
  shape: MethodShape,
  { name }: ChosenMethod,
): 'random' | 'rank-by-rank' {
  const { method, dtype, lambdaRows, patience, rank, maxSweeps } = options;
  if (options.start !== 'auto') return options.start;
  if (method !== 'auto' || rank === 1) return 'random';
  if (name === 'varpro') return 'rank-by-rank';
  const { rows, columns } = shape.counts;
  const isFew = shape.observed < fewObservations * rank * (rows + columns - rank);
  const isPlain = !shape.isComposed && lambdaRows === 0 && patience === undefined;
  return isPlain && dtype === 'f64' && maxSweeps > trialSweeps && isFew ? 'rank-by-rank' : 'random';
}

/** The reduced Hessian is made and factored up to so many unknowns, and so many bytes; beyond, products with it serve. */
const mostUnknowns = 3000;
const mostBytes = 2 ** 31;

export function methodOf(name: ChosenMethod['name'], options: CheckedOptions, size: MethodSize, dtype: Dtype): Method {
  const shape = reducedProblemShape(options, size);
  if (name === 'varpro') return variableProjection(shape, options);
  if (name === 'sgd') return sgd(shape, elementBytes(dtype));
  const factorBytes = factorBytesOf(shape, dtype);
  const room = roomForAcceleration(shape, dtype);
  const method = {
    als: alternation(options, shape, size.hasBackground, dtype),
    'block-als': blockAls(options.rank, shape.stride, options.acceleration, factorBytes, room),
    gradient,
    lbfgs,
  }[name];
  return options.polish === 'newton' ? polished(method, shape) : method;
}

function factorBytesOf(
  { counts, stride }: Pick<ReducedProblemShape, 'counts' | 'stride'>,
  dtype: Dtype,
): PerSide<number> {
  const bytes = stride * elementBytes(dtype);
  return { rows: counts.rows * bytes, columns: counts.columns * bytes };
}

/** For lists by row, scratch and what else a layout has. */
const otherBytes = 2 ** 28;

/**
 * What factors and entries leave of the shared memory: acceleration is not to push entries out of it, nor to be what a fit is refused for. By
 * size alone, so that every number of threads extrapolates alike.
 */
function roomForAcceleration(shape: ReducedProblemShape, dtype: Dtype): number {
  const { rows, columns } = factorBytesOf(shape, dtype);
  const beside = memoryCeiling - otherBytes - 3 * (rows + columns);
  const bytes = elementBytes(dtype);
  // In both orientations and a grid, or without that; where neither fits they are staged.
  const entries = [3 * (4 + bytes), 2 * (4 + bytes), 0].map((each) => each * shape.observed);
  return beside - (entries.find((each) => each <= beside) ?? 0);
}

function alternation(
  { acceleration }: CheckedOptions,
  shape: ReducedProblemShape,
  hasBackground: boolean,
  dtype: Dtype,
): Method {
  return als(acceleration, factorBytesOf(shape, dtype), hasBackground, roomForAcceleration(shape, dtype));
}

/** What is tried before the method chosen. */
export function trialOf(
  { trialSweeps }: ChosenMethod,
  options: CheckedOptions,
  size: MethodSize,
  dtype: Dtype,
): Trial | undefined {
  if (trialSweeps === undefined || options.start === 'rank-by-rank') return undefined;
  const shape = reducedProblemShape(options, size);
  return { method: alternation(options, shape, size.hasBackground, dtype), sweeps: trialSweeps };
}

export function curvatureShape(options: CheckedOptions, size: Size): CurvatureShape {
  const { lambdaRows, lambdaColumns, biasLambda } = options;
  const isPenalised = { latent: lambdaRows + lambdaColumns > 0, bias: biasLambda > 0 };
  return { ...reducedProblemShape(options, size), isPenalised };
}

function reducedProblemShape(options: CheckedOptions, { counts, observed }: Size): ReducedProblemShape {
  const { rank, biases, lambdaRows, lambdaColumns, biasLambda } = options;
  return {
    counts,
    observed,
    rank,
    isBiasFitted: {
      rows: biases === 'rows' || biases === 'both',
      columns: biases === 'columns' || biases === 'both',
    },
    stride: strideOf(rank, biases !== 'none'),
    // λ of one side alone has been refused.
    gauge: lambdaRows > 0 && lambdaColumns > 0 ? 'none' : biasLambda > 0 ? 'latent' : 'all',
  };
}

function variableProjection(
  shape: ReducedProblemShape,
  { memoryLimit = mostBytes, residency, duplicates }: CheckedOptions,
): Method {
  const { unknowns, bytes } = reducedSpace(shape);
  // The matrix takes all entries at hand, one a cell.
  const isPlain = residency === 'auto' && duplicates !== 'keep';
  const isDense = isPlain && unknowns <= mostUnknowns && bytes <= Math.min(mostBytes, memoryLimit / 2);
  return isDense ? varpro(shape) : truncatedNewton(shape);
}
