/** Puts the data and the start into the planned memory. */
import type { NdArray } from 'ndarray';
import type { MatrixInput, RealArray } from '../data/input.js';
import { place, type Survey } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { centredNorm, measureScales, writePenalties } from '../objective/scales.js';
import type { CheckedOptions } from '../options.js';
import { observationStorage, type PerSide, type Side, sides, writeResidentPointers } from '../parallel/layout.js';
import type { FitContext } from '../parallel/phase.js';
import { normalAt } from '../starts/random.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import type { WorkingPlan } from './plan.js';

let fits = 0;

export interface FitScales {
  /** ‖W∘(A − mean)‖² */
  readonly centredNorm: number;
  /** ΣW² */
  readonly weightSum: number;
  /** What was taken from the values before they were stored; the mean of the fit is that of what is left. */
  readonly shift: number;
}

/** @throws HadamardError `duplicate-entry`, `shape-mismatch` (init) */
export function layOut(
  A: MatrixInput,
  options: FactorizeOptions,
  checked: CheckedOptions,
  plan: WorkingPlan,
  found: Survey,
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
): { fit: FitContext; scales: FitScales } {
  const { layout, request } = plan;
  const storage = observationStorage(request, layout, memory);
  // Biases take up any constant: without it values keep their digits in f32. The middle of the range does not depend on the
  // order of the entries, as a mean would in its last bit.
  const [lowest, highest] = found.valueRange;
  const shift = request.hasBias && found.observed > 0 ? lowest / 2 + highest / 2 : 0;
  const observations = place(A, options.weights, found, storage, checked.duplicates, shift);
  writeResidentPointers(layout, memory, observations);
  const { weightSum, weightedMean } = measureScales(observations);
  const mean = request.hasBias ? weightedMean : 0;
  const norm = centredNorm(observations, mean);
  const fit: FitContext = {
    id: ++fits,
    memory,
    module,
    layout,
    dtype: request.dtype,
    rank: plan.rank,
    stride: request.stride,
    hasBias: request.hasBias,
    isBiasFitted: {
      rows: checked.biases === 'rows' || checked.biases === 'both',
      columns: checked.biases === 'columns' || checked.biases === 'both',
    },
    mean,
    blocks: plan.boundaries,
    observations: { rows: observations.byRow, columns: observations.byColumn },
  };
  new Int32Array(memory.buffer, 0, 16).fill(0);
  for (const side of sides) {
    const { penalties, biasPenalties } = layout.sides[side];
    const rows = request.counts[side];
    writePenalties(
      fit.observations[side],
      checked.lambda,
      checked.lambdaScale,
      new Float64Array(memory.buffer, penalties, rows),
    );
    if (request.hasBias)
      writePenalties(
        fit.observations[side],
        checked.biasLambda,
        checked.lambdaScale,
        new Float64Array(memory.buffer, biasPenalties, rows),
      );
    for (let buffer = 0; buffer < request.buffers[side]; buffer++) factorBuffer(fit, side, buffer).fill(0);
  }
  writeStart(fit, request.counts, options, checked, Math.sqrt(norm / Math.max(weightSum, Number.MIN_VALUE)));
  for (const side of sides) clearEmptyRows(fit, side);
  return { fit, scales: { centredNorm: norm, weightSum, shift } };
}

/**
 * Buffer 0 of each side. At random, V's entries have the variance at which UVᵀ with a U like it would be as large as the
 * data; U starts at 0 and is solved from V, unless only U was given.
 */
function writeStart(
  fit: FitContext,
  counts: PerSide<number>,
  { init }: FactorizeOptions,
  { seed }: CheckedOptions,
  rootMeanSquare: number,
): void {
  if (init?.U) copyStart(fit, 'rows', init.U, counts.rows);
  if (init?.V) copyStart(fit, 'columns', init.V, counts.columns);
  if (init?.V || init?.U) return;
  const V = factorBuffer(fit, 'columns', 0);
  const scale = Math.sqrt((rootMeanSquare || 1) / Math.sqrt(fit.rank));
  for (let row = 0; row < counts.columns; row++)
    for (let c = 0; c < fit.rank; c++) V[row * fit.stride + c] = scale * normalAt(seed, 1, row, c);
}

/** A row without observations has factor 0 from the start: where λ = 0 nothing would ever move it. */
function clearEmptyRows(fit: FitContext, side: Side): void {
  const { pointers } = fit.observations[side];
  const buffer = factorBuffer(fit, side, 0);
  for (let row = 0; row + 1 < pointers.length; row++)
    if (pointers[row] === pointers[row + 1]) buffer.fill(0, row * fit.stride, (row + 1) * fit.stride);
}

function copyStart(fit: FitContext, side: Side, given: NdArray<RealArray>, rows: number): void {
  const name = side === 'rows' ? 'U' : 'V';
  const [givenRows, givenRank] = given.shape;
  if (givenRows !== rows || givenRank !== fit.rank)
    throw new HadamardError({
      code: 'shape-mismatch',
      what: `init.${name} is ${String(given.shape.join('×'))}.`,
      position: { option: 'init' },
      rule: `init.${name} is ${rows}×${fit.rank}.`,
      remedy: 'Give a start of that shape, or change the rank.',
    });
  const buffer = factorBuffer(fit, side, 0);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < fit.rank; c++) {
      const value = given.get(row, c);
      if (!Number.isFinite(value))
        throw new HadamardError({
          code: 'invalid-value',
          what: `init.${name} holds ${value} at (${row}, ${c}).`,
          position: { option: 'init', row, column: c },
          rule: 'A start is finite.',
          remedy: `Correct it, or leave init.${name} out.`,
        });
      buffer[row * fit.stride + c] = value;
    }
}
