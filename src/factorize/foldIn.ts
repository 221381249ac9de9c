/** New rows or columns of a fitted model: solved exactly with the other side as it is. */
import type { NdArray } from 'ndarray';
import type { MatrixInput, RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { checkModel } from '../model/checkModel.js';
import { type Model, matrix } from '../model/model.js';
import { checkHandlers, checkNames } from '../options.js';
import type { Side } from '../parallel/layout.js';
import type { FitContext } from '../parallel/phase.js';
import { type Beside, type BesideOptions, orientationOf, solveBeside, unweightedNotes } from './beside.js';
import { unpad } from './buildModel.js';
import { computeOptions } from './modelProblem.js';

export type FoldInOptions = BesideOptions;

export interface FoldedIn {
  readonly side: Side;
  /** m'×k, or n'×k of new columns, in the precision of the model. */
  readonly factor: NdArray<RealArray>;
  /** m' or n' values; absent where the fit has no bias on that side. */
  readonly bias?: RealArray;
  /** Entries of positive weight of each row. */
  readonly observed: Uint32Array;
  /** ‖∂f/∂u_i‖ of each row, its bias beside, projected where there are bounds or L1; measured at the result by a pass of its own. */
  readonly gradientNorms: Float64Array;
  /** The part of f that belongs to these rows: loss + their own penalties. */
  readonly objective: number;
  readonly loss: number;
  readonly regularization: number;
  /** What there is to know, a sentence each. */
  readonly notes: readonly string[];
}

/** A row of more than this, ‖projected gradient‖ relative to ‖2b‖, has not settled. */
const unsettled = { f32: 1e-3, f64: 1e-7 } as const;

/**
 * The factors (and biases) of new rows that minimise the objective of the fit with the other side held fixed:
 *
 *     u_i = argmin Σ_j ℓ(W_ij, A_ij, mean + c_j + b_i + u·v_j) + s_i^ν(λ_U‖u‖² + μ_U‖u‖₁) + λ_b s_i^ν b²
 *
 * by the kernels of the fit: the same loss with its settled parameter, scale of λ, bounds, free columns and background.
 * Every model ends with U exact for its V, so a row of the training data comes back (to 1e-10 in f64, where its minimiser is
 * unique). A column comes back as far as V was stationary for the final U: to what the certificate says. A row depends on
 * itself alone: it has the same bits whatever rows it comes with, on any number of threads. Without observations it is 0, or
 * what a background says.
 *
 * @param data m'×n (`side` rows, the default) or m×n' (columns), in any form of `factorize`; with `like`, in that tool's values.
 * @throws HadamardError `invalid-input` for what is no model, `shape-mismatch`, `invalid-option`, and as `factorize` for the data; AbortError after an abort.
 */
export function foldIn(model: Model, data: MatrixInput, options: FoldInOptions = {}): Promise<FoldedIn> {
  return foldInAnd(model, data, options, async () => undefined).then(({ folded }) => folded);
}

/** {@link foldIn}, and what else is to be measured while the problem is in memory. */
export async function foldInAnd<T>(
  model: Model,
  data: MatrixInput,
  options: FoldInOptions,
  measure: (beside: Beside) => Promise<T>,
): Promise<{ folded: FoldedIn; measured: T }> {
  checkModel(model);
  checkBeside(options, true);
  return solveBeside(model, data, options, async (beside) => ({
    folded: await takeRows(beside, unweightedNotes(model, options.weights)),
    measured: await measure(beside),
  }));
}

const optionNames = ['weights', 'duplicates', 'signal', 'hold', 'backgroundWeights', ...computeOptions] as const;

/** @throws HadamardError `invalid-option` for a name or a side that there is not, or what is no handler. */
export function checkBeside(options: BesideOptions, isSided: boolean): void {
  checkNames(options, isSided ? ['side', ...optionNames] : optionNames, 'What was minimised is the model’s. ');
  checkHandlers(options ?? {});
  const side: unknown = options?.side;
  if (side === undefined || side === 'rows' || side === 'columns') return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `side is ${String(side)}.`,
    position: { option: 'side' },
    rule: 'side is rows or columns.',
    remedy: 'Give one of the two.',
  });
}

async function takeRows({ fit, side, observations, run }: Beside, notes: readonly string[]): Promise<FoldedIn> {
  // The start in buffer 1 is not needed any more.
  const { loss, penalty } = await run({ phase: 'gradient', side, own: 0, other: 0, out: 1 });
  const { pointers, weights } = orientationOf(observations, side);
  const rows = pointers.length - 1;
  const observed = new Uint32Array(rows);
  const gradientNorms = new Float64Array(rows);
  const gradient = factorBuffer(fit, side, 1);
  for (let row = 0; row < rows; row++) {
    for (let t = pointers[row] as number; t < (pointers[row + 1] as number); t++)
      if (weights?.[t] !== 0) observed[row] = (observed[row] as number) + 1;
    let squared = 0;
    for (let c = row * fit.stride; c < (row + 1) * fit.stride; c++) squared += (gradient[c] as number) ** 2;
    gradientNorms[row] = Math.sqrt(squared);
  }
  const { factor, bias } = unpad(fit, side, 0);
  return {
    side,
    factor: matrix(factor, rows, fit.rank),
    ...(bias && { bias }),
    observed,
    gradientNorms,
    objective: loss + penalty,
    loss,
    regularization: penalty,
    notes: [...notes, ...notesOn(fit, side, observed)],
  };
}

function notesOn(fit: FitContext, side: Side, observed: Uint32Array): string[] {
  const notes: string[] = [];
  const empty = observed.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0);
  const kind = side === 'rows' ? ['row has', 'rows have'] : ['column has', 'columns have'];
  const plural = (count: number) => `${count} ${kind[count === 1 ? 0 : 1]}`;
  if (empty > 0)
    notes.push(
      `${plural(empty)} no observation: ${fit.terms?.hasGram ? 'what is left is the background' : 'the factor is 0 and predictions are the mean and the other bias'}.`,
    );
  const address = fit.layout.sides[side].terms?.residuals;
  if (address) {
    const residuals = new Float64Array(fit.memory.buffer, address, observed.length);
    const late = residuals.reduce((sum, residual) => sum + (residual > unsettled[fit.dtype] ? 1 : 0), 0);
    if (late > 0) notes.push(`${plural(late)} not settled: see gradientNorms.`);
  }
  return notes;
}
