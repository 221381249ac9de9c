/** Receptor modelling's ways with uncertainties: species that are weak or bad, a total variable, an uncertainty of the model itself. */
import { HadamardError } from '../errors.js';
import { listedCount, shapeOf, visitEntries } from './entries.js';
import type { MatrixInput, WeightsInput } from './input.js';

/** Columns by their index, as US EPA PMF 5.0 (User Guide, 2014, 2.2) treats them. */
export interface UncertaintyRules {
  /** Uncertainties times 3. */
  readonly weak?: readonly number[] | undefined;
  /** Left out of the fit. */
  readonly bad?: readonly number[] | undefined;
  /** The total variable: its uncertainties times 3, so that it follows the others. */
  readonly total?: number | undefined;
  /** Extra modelling uncertainty as a share of the value: σ² grows by (share·A)². Default 0. */
  readonly extra?: number | undefined;
}

const weakening = 3;

/**
 * W = 1/σ′ of every listed entry, in A's order, with σ′² = (σ² + (extra·A)²)·9 for weak columns and the total, and 0 for bad
 * ones.
 *
 * @throws HadamardError `index-out-of-range` for a column, `invalid-option` for a share below 0, and as `factorize`.
 */
export function adjustUncertainties(
  A: MatrixInput,
  weights: WeightsInput,
  { weak = [], bad = [], total, extra = 0 }: UncertaintyRules,
): { sqrtWeight: Float64Array } {
  const [, n] = shapeOf(A);
  const weakened = new Set([...weak, ...(total === undefined ? [] : [total])]);
  const left = new Set(bad);
  for (const column of [...weakened, ...left])
    if (!(Number.isInteger(column) && column >= 0 && column < n))
      throw new HadamardError({
        code: 'index-out-of-range',
        what: `Column ${column} is named, and A has ${n}.`,
        position: { column },
        rule: `Columns are 0…${n - 1}, counted from 0.`,
        remedy: 'Name a column of A.',
      });
  if (!(Number.isFinite(extra) && extra >= 0))
    throw new HadamardError({
      code: 'invalid-option',
      what: `extra is ${extra}.`,
      position: { option: 'extra' },
      rule: 'The extra uncertainty is a share of the value, at least 0.',
      remedy: 'Give 0.1 for ten per cent.',
    });
  const sqrtWeight = new Float64Array(listedCount(A));
  visitEntries(A, weights, (_row, column, value, weight, index) => {
    if (left.has(column)) return;
    const sigma = Math.hypot(1 / weight, extra * value) * (weakened.has(column) ? weakening : 1);
    sqrtWeight[index] = 1 / sigma;
  });
  return { sqrtWeight };
}
