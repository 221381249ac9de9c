/**
 * Prepares the f32 copy of the factors that the scoring kernel reads, and bounds what it may be wrong by.
 *
 * Both factors are scaled by powers of two, which is exact, to entries of magnitude at most 1, so that no f32 overflows
 * whatever the model's precision. A column's bias is one latent column more.
 */
import type { RealArray } from '../data/input.js';
import { panelColumns, quadRows, scoreJobBytes, scoreStateBytes } from '../kernels/score.js';
import type { Factors } from '../model/objective.js';
import { alignUp } from '../parallel/layout.js';
import { blockRows, type ScoreKernel, type ScoreScratch } from './scoreContext.js';

/** Beyond it heaps and lists of a tile outgrow the caches, and listing is no gain over scoring everything. */
const largestTop = 1024;
/** Scales of factors beyond it are left to float64, where their products may leave its range too. */
const largestScale = 2 ** 400;

/** @returns undefined where the kernel has nothing to offer, or f32 no range. */
export function planKernel(
  factors: Factors,
  columns: Uint32Array,
  top: number,
  largestExcluded: number,
): Omit<ScoreKernel, 'panels' | 'columnNorm'> | undefined {
  const { U, V, biases } = factors;
  // A list of a few times `top`, and room for what comes before the threshold has risen.
  const capacity = 4 * top + 216;
  if (top > largestTop || 2 * capacity > columns.length) return undefined;
  const largestU = largestOf(U.data);
  const largestBias = biases.columns ? largestOf(biases.columns) : 0;
  const rowScale = scaleOf(largestU);
  // The bias's part of a row is as large as the row's largest entry.
  const biasPart = biases.columns ? 1 : 0;
  const columnScale = scaleOf(Math.max(largestOf(V.data), largestBias * rowScale));
  const scales = [rowScale, columnScale, rowScale * columnScale];
  if (scales.some((scale) => !(scale <= largestScale && scale >= 1 / largestScale))) return undefined;
  const size = (U.shape[1] as number) + biasPart;
  return {
    size,
    rowScale,
    biasPart,
    scoreScale: rowScale * columnScale,
    capacity,
    scratch: arrange(size, top, capacity, largestExcluded),
  };
}

export function panelBytes(columns: number, size: number): number {
  return Math.ceil(columns / panelColumns) * panelColumns * size * 4;
}

/** Writes V, and the biases, in panels of 8 columns. @returns the largest norm of a column. */
export function writePanels(
  { V, biases }: Factors,
  columns: Uint32Array,
  kernel: Pick<ScoreKernel, 'size' | 'rowScale' | 'scoreScale'>,
  panels: Float32Array,
): number {
  const { size, rowScale, scoreScale } = kernel;
  const rank = V.shape[1] as number;
  const columnScale = scoreScale / rowScale;
  let largest = 0;
  panels.fill(0);
  columns.forEach((column, position) => {
    const at = Math.floor(position / panelColumns) * panelColumns * size + (position % panelColumns);
    let squares = 0;
    for (let c = 0; c < size; c++) {
      const place = at + c * panelColumns;
      panels[place] =
        c < rank
          ? (V.data[column * rank + c] as number) * columnScale
          : (biases.columns?.[column] as number) * scoreScale;
      squares += (panels[place] as number) ** 2;
    }
    largest = Math.max(largest, squares);
  });
  return Math.sqrt(largest);
}

/**
 * Twice the bound of |scaled f32 score − scaled float64 prediction| over all columns, for a row whose f32 vector has this
 * norm: two scores further apart than this stand in the order of their predictions. `offset` is |mean| + |row bias|.
 *
 * With n products, û = u(1+δ) and v̂ alike: |Σfl(ûv̂) − Σuv| ≤ (n + 2)ε₃₂ Σ|uv| to first order, and Σ|uv| ≤ ‖u‖‖v‖ (Higham,
 * Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1); fused multiply-adds only round less often. The same of float64
 * for the prediction, whose sum has mean and row bias in it. What underflows adds less than 2⁻¹⁴⁰ a product.
 */
export function marginOf({ size, scoreScale, columnNorm }: ScoreKernel, rowNorm: number, offset: number): number {
  const product = rowNorm * columnNorm;
  const single = (size + 4) * 2 ** -24 * product;
  const double = (size + 8) * 2 ** -53 * (offset * scoreScale + product);
  // The norms, and this sum, are themselves rounded.
  return 2.02 * (single + double + size * 2 ** -140);
}

function arrange(size: number, top: number, capacity: number, largestExcluded: number): ScoreScratch {
  let next = alignUp(scoreJobBytes);
  const reserve = (bytes: number) => {
    const offset = next;
    next = alignUp(next + bytes);
    return offset;
  };
  return {
    lanes: reserve(32),
    factors: reserve(Math.ceil(blockRows / quadRows) * quadRows * size * 4),
    margins: reserve(blockRows * 8),
    pointers: reserve((blockRows + 1) * 4),
    excluded: reserve(largestExcluded * 4),
    states: reserve(blockRows * scoreStateBytes(top, capacity)),
    bytes: next,
  };
}

function largestOf(values: RealArray): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** The power of two that brings `largest` into ½ … 1; 1 for 0. */
function scaleOf(largest: number): number {
  if (!(largest > 0 && Number.isFinite(largest))) return 1;
  let scale = 1;
  while (largest * scale > 1) scale /= 2;
  while (largest * scale <= 0.5) scale *= 2;
  return scale;
}
