/** The start of a fit: given, or at random from the seed, within the bounds and with held entries at their values. */
import type { NdArray } from 'ndarray';
import type { RealArray } from '../data/input.js';
import { HadamardError } from '../errors.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { type PerSide, type Side, sides } from '../parallel/layout.js';
import { countOf, type FitContext } from '../parallel/phase.js';
import { bitsOfRow, normalAt, normalInRow } from '../starts/random.js';
import type { ObjectiveSpec } from './composition.js';
import type { Init } from './factorizeOptions.js';

/**
 * Buffer 0 of each side, and buffer 1 for solutions that begin at one. At random, V's entries have the variance at which
 * UVᵀ with a U like it would be as large as the data; U starts at 0 and is solved from V, unless only U was given.
 *
 * @throws HadamardError `shape-mismatch`, `invalid-value` (init)
 */
export function writeStart(
  fit: FitContext,
  counts: PerSide<number>,
  objective: ObjectiveSpec,
  init: Init | undefined,
  seed: number,
  rootMeanSquare: number,
): void {
  const scale = Math.sqrt((rootMeanSquare || 1) / Math.sqrt(fit.rank));
  const drawAt = init?.isPartial
    ? (side: Side, row: number, c: number) => scale * normalAt(seed, matrixOf[side], row, c)
    : undefined;
  if (init?.U) copyStart(fit, 'rows', init.U, counts.rows, drawAt);
  if (init?.V) copyStart(fit, 'columns', init.V, counts.columns, drawAt);
  for (const side of sides) copyBias(fit, side, init?.biases?.[side]);
  if (!init?.U && !init?.V) drawStart(fit, 'columns', counts.columns, scale, seed);
  // The logarithm of a rate of 0 has no tangent.
  if (!init?.U && objective.loss.name === 'poisson') drawStart(fit, 'rows', counts.rows, scale, seed);
  for (const side of sides) settleStart(fit, side, objective);
}

/** Brings the start in buffer 0 within what is allowed, and copies it to buffer 1. */
export function settleStart(fit: FitContext, side: Side, objective: ObjectiveSpec): void {
  if (!objective.background) clearEmptyRows(fit, side);
  if (objective.isComposed) keepWithin(fit, side, objective);
  factorBuffer(fit, side, 1).set(factorBuffer(fit, side, 0));
}

/** What the factors are called by the generator of random numbers. */
const matrixOf: PerSide<number> = { rows: 0, columns: 1 };

function drawStart(fit: FitContext, side: Side, rows: number, scale: number, seed: number): void {
  const buffer = factorBuffer(fit, side, 0);
  for (let row = 0; row < rows; row++) {
    const bits = bitsOfRow(seed, matrixOf[side], row);
    for (let c = 0; c < fit.rank; c++) buffer[row * fit.stride + c] = scale * normalInRow(bits, c);
  }
}

/** Mirrors what is below 0 where the factor may not be, clips to the other bounds, and puts held entries in. */
function keepWithin(fit: FitContext, side: Side, { bounds, hold }: ObjectiveSpec): void {
  const buffer = factorBuffer(fit, side, 0);
  const [lower, upper] = bounds[side];
  const held = hold[side];
  if (lower === Number.NEGATIVE_INFINITY && upper === Number.POSITIVE_INFINITY && !held) return;
  const rows = countOf(fit, side);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < fit.rank; c++) {
      const at = row * fit.stride + c;
      const x = buffer[at] as number;
      buffer[at] = Math.min(upper, Math.max(lower, lower >= 0 ? Math.abs(x) : x));
      const value = held?.get(row, c);
      if (value !== undefined && !Number.isNaN(value)) buffer[at] = value;
    }
}

/** A row without observations has factor 0 from the start: where λ = 0 nothing would ever move it. */
function clearEmptyRows(fit: FitContext, side: Side): void {
  const { pointers } = fit.observations[side];
  const buffer = factorBuffer(fit, side, 0);
  for (let row = 0; row + 1 < pointers.length; row++)
    if (pointers[row] === pointers[row + 1]) buffer.fill(0, row * fit.stride, (row + 1) * fit.stride);
}

function copyStart(
  fit: FitContext,
  side: Side,
  given: NdArray<RealArray>,
  rows: number,
  drawAt: ((side: Side, row: number, c: number) => number) | undefined,
): void {
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
      const start = given.get(row, c);
      const value = drawAt && Number.isNaN(start) ? drawAt(side, row, c) : start;
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

function copyBias(fit: FitContext, side: Side, given: RealArray | undefined): void {
  if (!given || !fit.isBiasFitted[side]) return;
  const buffer = factorBuffer(fit, side, 0);
  given.forEach((value, row) => {
    buffer[row * fit.stride + fit.rank] = value;
  });
}
