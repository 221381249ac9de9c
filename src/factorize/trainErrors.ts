/** Sums of squared residuals over the listed entries, whatever was minimised. */
import { entriesOf, isWeighted, type StoredOrientation, stretchesOf } from '../data/storedRows.js';
import { factorBuffer } from '../methods/rowPhases.js';
import type { Crew } from '../parallel/crew.js';
import type { FitContext } from '../parallel/phase.js';

export interface TrainErrors {
  /** Σr² over entries of positive weight, and how many they are. */
  readonly squares: number;
  readonly observed: number;
  /** ΣW²r² */
  readonly weightedSquares: number;
}

export async function measureTrainErrors(
  fit: FitContext,
  crew: Crew,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  certified: { readonly loss: number },
): Promise<TrainErrors> {
  const loss = { phase: 'loss', side: 'rows', own: rows, other: columns, out: null } as const;
  // Without terms the loss that was minimised is ΣW²r², and has just been summed.
  const weighted = fit.terms ? await crew.run(fit, loss) : certified;
  const { rows: stored } = fit.observations;
  const listed = stored.pointers.at(-1) as number;
  const excluded = fit.terms && isWeighted(stored) ? countZeros(stored) : 0;
  if (excluded > 0)
    return {
      squares: squaresOfPositive(fit, rows, columns),
      observed: listed - excluded,
      weightedSquares: weighted.loss,
    };
  const unweighted = isWeighted(stored) ? await crew.run(fit, { ...loss, isUnweighted: true }) : weighted;
  return { squares: unweighted.loss, observed: listed, weightedSquares: weighted.loss };
}

function countZeros(stored: StoredOrientation): number {
  let count = 0;
  for (const { weights } of entriesOf(stored)) {
    if (!weights) continue;
    for (let at = weights.indexOf(0); at >= 0; at = weights.indexOf(0, at + 1)) count++;
  }
  return count;
}

/** The kernels know weights or none; where some are 0 this slow pass leaves their entries out. */
function squaresOfPositive(fit: FitContext, rowBuffer: number, columnBuffer: number): number {
  const { pointers } = fit.observations.rows;
  const { stride, rank } = fit;
  const U = factorBuffer(fit, 'rows', rowBuffer);
  const V = factorBuffer(fit, 'columns', columnBuffer);
  let sum = 0;
  for (const { first, last, start, indices, values, weights } of stretchesOf(fit.observations.rows))
    for (let row = first, t = (pointers[row] as number) - start; row < last; row++)
      for (; t < (pointers[row + 1] as number) - start; t++) {
        if (weights?.[t] === 0) continue;
        const [a, b] = [row * stride, (indices[t] as number) * stride];
        let r = (values[t] as number) - fit.mean;
        if (fit.hasBias) r -= (U[a + rank] as number) + (V[b + rank] as number);
        for (let c = 0; c < rank; c++) r -= (U[a + c] as number) * (V[b + c] as number);
        sum += r * r;
      }
  return sum;
}
