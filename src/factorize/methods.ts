/** Which method an option names, or which one `auto` takes, and why. No choice depends on a clock or on the number of threads. */
import type { CurvatureShape } from '../certificate/curvature.js';
import { als } from '../methods/als.js';
import { gradient } from '../methods/gradient.js';
import { lbfgs } from '../methods/lbfgs.js';
import type { Method } from '../methods/method.js';
import { polished } from '../methods/polish.js';
import { eliminatedSide, reducedSpace } from '../methods/reducedPhases.js';
import type { ReducedProblemShape } from '../methods/reducedProblem.js';
import { truncatedNewton } from '../methods/truncatedNewton.js';
import { varpro } from '../methods/varpro.js';
import type { CheckedOptions } from '../options.js';
import { otherSide, type PerSide, strideOf } from '../parallel/layout.js';
import type { Runs } from '../parallel/partition.js';

/** What is known of the problem when its method is chosen. */
export interface MethodShape {
  readonly counts: PerSide<number>;
  readonly observed: number;
  readonly lengths: PerSide<Runs>;
  /** More than weighted squares, a ridge and biases. */
  readonly isComposed: boolean;
}

type Size = Pick<MethodShape, 'counts' | 'observed'>;

export interface ChosenMethod {
  readonly name: 'als' | 'gradient' | 'varpro' | 'lbfgs';
  readonly reason: string;
}

/** The reduced matrix is worth its making up to so many unknowns, */
const mostUnknownsOfAuto = 1500;
/** and so many floating-point operations a step. */
const mostOperationsOfAuto = 1e9;

export function chooseMethod(options: CheckedOptions, shape: MethodShape): ChosenMethod {
  if (options.method !== 'auto') return { name: options.method, reason: 'asked for' };
  const isPlain = options.dtype !== 'f32' && options.duplicates !== 'keep' && options.residency !== 'staged';
  if (shape.isComposed || !isPlain)
    return { name: 'als', reason: 'second-order steps need weighted squares with a ridge, in f64' };
  const eliminated = eliminatedSide(shape.counts);
  const unknowns = shape.counts[otherSide(eliminated)] * options.rank;
  let operations = (unknowns * unknowns * unknowns) / 3;
  shape.lengths[eliminated]((length, rows) => {
    operations += rows * length * length * options.rank * (options.rank + 1);
  });
  const size = `${unknowns} unknowns, ${operations.toPrecision(2)} operations a step`;
  return unknowns <= mostUnknownsOfAuto && operations <= mostOperationsOfAuto
    ? { name: 'varpro', reason: `small enough for second-order steps: ${size}` }
    : { name: 'als', reason: `too large for second-order steps: ${size}` };
}

/** The reduced Hessian is made and factored up to so many unknowns, and so many bytes; beyond, products with it serve. */
const mostUnknowns = 3000;
const mostBytes = 2 ** 31;

export function methodOf(name: ChosenMethod['name'], options: CheckedOptions, size: Size): Method {
  const shape = reducedProblemShape(options, size);
  if (name === 'varpro') return variableProjection(shape, options);
  const method = { als: als(options.acceleration), gradient, lbfgs }[name];
  return options.polish === 'newton' ? polished(method, shape) : method;
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
