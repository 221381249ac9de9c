/** New rows beside a fixed factor: laid out and solved by the phases of a fit, so that a training row is what the fit made of it. */
import { shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import type { Duplicates, Observations, Orientation } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { compileKernels } from '../kernels/load.js';
import { composedRun } from '../methods/composedPhases.js';
import { stepsToSettle } from '../methods/method.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { isWeighted } from '../model/isWeighted.js';
import type { Model } from '../model/model.js';
import { abortError, refuseAborted } from '../parallel/abort.js';
import { Interrupted, requestStop, withdrawStop } from '../parallel/crew.js';
import { otherSide, type Side } from '../parallel/layout.js';
import { acquireMemory, allocate, releaseMemory } from '../parallel/memoryPool.js';
import type { FitContext, PhaseCall, Totals } from '../parallel/phase.js';
import type { ObjectiveSpec } from './composition.js';
import { surveyWithin } from './extent.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import { hireCrew } from './hireCrew.js';
import { openContext, placeWithin } from './layOut.js';
import { checkValues } from './layOutTerms.js';
import { asTool } from './like.js';
import { type ComputeOptions, checkedOptionsOf, type NewParts, objectiveBeside } from './modelProblem.js';
import { planFit } from './plan.js';
import { settleStart } from './start.js';

/** What is said of new rows or columns. */
export interface BesideOptions extends ComputeOptions, NewParts {
  /** Whether the data has new rows (m'×n, default) or new columns (m×n'). */
  readonly side?: Side | undefined;
  /** The weights of the data; every weight is 1 where absent. */
  readonly weights?: WeightsInput | undefined;
  /** What an entry listed twice means; default: as in the fit. */
  readonly duplicates?: Duplicates | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The problem in memory: buffer 0 of `side` is the solution, buffer 0 of the other side the model's factor. */
export interface Beside {
  readonly fit: FitContext;
  readonly side: Side;
  readonly other: Side;
  readonly objective: ObjectiveSpec;
  readonly observations: Observations;
  run(call: PhaseCall): Promise<Totals>;
}

/**
 * Lays new rows out with the model's other factor, biases and mean as they are, solves them and hands them to `use`.
 *
 * @throws HadamardError `shape-mismatch` where the data does not have the model's columns, and as `factorize` for the data;
 *   `AbortError` when `signal` was aborted.
 */
export async function solveBeside<T>(
  model: Model,
  data: MatrixInput,
  options: BesideOptions,
  use: (beside: Beside) => Promise<T>,
): Promise<T> {
  const side = options.side ?? 'rows';
  const other = otherSide(side);
  const { A, weights } = withMeaning(model, data, options);
  const checked = checkedOptionsOf(model, options);
  const objective = objectiveBeside(model, side, checkShape(model, A, side), options);
  refuseAborted(options.signal, 'work');
  const isZeroKept = objective.background !== undefined;
  const found = surveyWithin(A, weights, checked, isZeroKept);
  const plan = planFit(found, checked, objective, other);
  const memory = acquireMemory(plan.layout.pages);
  const { crew, release } = hireCrew(plan, options as FactorizeOptions);
  let onAbort: (() => void) | undefined;
  try {
    const { module } = compileKernels(checked.arithmetic, options.wasmUrl);
    // The model's mean takes the place of the shift: values keep their digits in f32, and the mean of what is stored is 0.
    const shift = model.biases.mean;
    const { fit, observations } = allocate(plan.bytes.total, () => {
      const where = { plan, checked, memory, module };
      const placed = placeWithin(where, { A, weights, found, shift, isZeroKept });
      checkValues(placed, objective.loss);
      const value = (objective.background?.value ?? 0) - shift;
      // No Gram matrix is shared by rows that are all full: a row does not depend on those it comes with.
      return {
        observations: placed,
        fit: openContext(where, placed, objective, { mean: 0, level: 0, spread: 0, value, shared: undefined }),
      };
    });
    writeFixed(fit, other, model);
    writeRowStart(fit, side, objective, observations);
    const run = composedRun(fit, (call) => crew.run(fit, call));
    onAbort = () => requestStop(fit);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    refuseAborted(options.signal, 'work');
    await run({
      phase: 'solve',
      side,
      own: null,
      other: 0,
      out: 0,
      start: 1,
      innerSteps: stepsToSettle,
      isLossUnwanted: true,
    });
    withdrawStop(fit);
    return await use({ fit, side, other, objective, observations, run });
  } catch (error) {
    if (error instanceof Interrupted) throw abortError(options.signal, 'work');
    throw error;
  } finally {
    if (onAbort) options.signal?.removeEventListener('abort', onAbort);
    await release();
    releaseMemory(memory);
  }
}

/** The observations of a side's rows. */
export function orientationOf({ byRow, byColumn }: Observations, side: Side): Orientation {
  return side === 'rows' ? byRow : byColumn;
}

/** Where the fit made weights and a background from the values of A, so does this. */
export function withMeaning(
  { fit, rank }: Model,
  data: MatrixInput,
  { weights }: Pick<BesideOptions, 'weights'>,
): { A: MatrixInput; weights: WeightsInput | undefined } {
  const { like, alpha } = fit.options;
  shapeOf(data);
  if (!like) return { A: data, weights };
  const { A, options } = asTool(data, { rank, like, alpha, weights });
  return { A, weights: options.weights };
}

/** How many rows (columns) the data has, when it has all of the model's columns (rows). */
function checkShape(model: Model, A: MatrixInput, side: Side): number {
  const [m, n] = model.shape;
  const [rows, columns] = shapeOf(A);
  if (side === 'rows' ? columns === n : rows === m) return side === 'rows' ? rows : columns;
  throw new HadamardError({
    code: 'shape-mismatch',
    what: `The data is ${rows}×${columns} and the model ${m}×${n}.`,
    rule: side === 'rows' ? `New rows have the model's ${n} columns.` : `New columns have the model's ${m} rows.`,
    remedy: 'Give the data that width; entries that are not known are left out or NaN.',
  });
}

function writeFixed(fit: FitContext, side: Side, { U, V, biases }: Model): void {
  const factor = side === 'rows' ? U : V;
  const bias = biases[side];
  const buffer = factorBuffer(fit, side, 0);
  const { rank, stride } = fit;
  for (let row = 0; row * stride < buffer.length; row++) {
    buffer.set(factor.data.subarray(row * rank, (row + 1) * rank), row * stride);
    if (bias) buffer[row * stride + rank] = bias[row] as number;
  }
}

/** Rows start at 0, as in a fit; those of poisson at rates that add up to their counts, since the logarithm of 0 has no tangent. */
function writeRowStart(fit: FitContext, side: Side, objective: ObjectiveSpec, observations: Observations): void {
  if (objective.loss.name === 'poisson') {
    const own = factorBuffer(fit, side, 0);
    const other = factorBuffer(fit, otherSide(side), 0);
    const { pointers, indices, values, weights } = orientationOf(observations, side);
    const { rank, stride } = fit;
    for (let row = 0; row * stride < own.length; row++) {
      let counts = 0;
      let rates = 0;
      for (let t = pointers[row] as number; t < (pointers[row + 1] as number); t++) {
        const squared = weights ? (weights[t] as number) * (weights[t] as number) : 1;
        const at = (indices[t] as number) * stride;
        counts += squared * (values[t] as number);
        for (let c = 0; c < rank; c++) rates += squared * (other[at + c] as number);
      }
      own.fill(rates > 0 && counts > 0 ? counts / rates : 1, row * stride, row * stride + rank);
    }
  }
  settleStart(fit, side, objective);
}

/** Weights that the fit had and new data has not; where a tool's meaning makes them of the values they are the same. */
export function unweightedNotes(
  model: Model,
  weights: WeightsInput | undefined,
  these = 'these rows are given none',
): string[] {
  if (weights !== undefined || model.fit.options.like !== undefined || !isWeighted(model)) return [];
  return [`The model was fitted with weights; ${these}, so each entry counts W = 1.`];
}
