/** Which method an option names, or which one `auto` takes, and why. No choice depends on a clock or on the number of threads. */
import { als } from '../methods/als.js';
import { gradient } from '../methods/gradient.js';
import type { Method } from '../methods/method.js';
import { eliminatedSide, otherSide } from '../methods/reducedPhases.js';
import { varpro } from '../methods/varpro.js';
import type { CheckedOptions } from '../options.js';
import { type PerSide, strideOf } from '../parallel/layout.js';
import type { Runs } from '../parallel/partition.js';

/** What is known of the problem when its method is chosen. */
export interface MethodShape {
  readonly counts: PerSide<number>;
  readonly observed: number;
  readonly lengths: PerSide<Runs>;
  /** More than weighted squares, a ridge and biases. */
  readonly isComposed: boolean;
}

export interface ChosenMethod {
  readonly name: 'als' | 'gradient' | 'varpro';
  readonly reason: string;
}

/** The reduced matrix is worth its making up to so many unknowns, */
const mostUnknowns = 1500;
/** and so many floating-point operations a step. */
const mostOperations = 1e9;

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
  return unknowns <= mostUnknowns && operations <= mostOperations
    ? { name: 'varpro', reason: `small enough for second-order steps: ${size}` }
    : { name: 'als', reason: `too large for second-order steps: ${size}` };
}

export function methodOf(
  name: ChosenMethod['name'],
  options: CheckedOptions,
  { counts, observed }: Pick<MethodShape, 'counts' | 'observed'>,
): Method {
  if (name === 'als') return als(options.acceleration);
  if (name === 'gradient') return gradient;
  const { rank, biases, lambdaRows, lambdaColumns, biasLambda } = options;
  const isBiasFitted = {
    rows: biases === 'rows' || biases === 'both',
    columns: biases === 'columns' || biases === 'both',
  };
  // λ of one side alone has been refused.
  const gauge = lambdaRows > 0 && lambdaColumns > 0 ? 'none' : biasLambda > 0 ? 'latent' : 'all';
  return varpro({ counts, observed, rank, isBiasFitted }, gauge, strideOf(rank, biases !== 'none'));
}
