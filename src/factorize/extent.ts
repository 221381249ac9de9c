/** How large a problem is: by its entries, each checked and counted, or by what is said of it. */
import { listedCount, shapeOf } from '../data/entries.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { machineLimit, mebibytes } from '../data/machineLimit.js';
import { type Survey, survey } from '../data/observations.js';
import { HadamardError } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import { memoryCeiling, type PerSide } from '../parallel/layout.js';
import { allocate } from '../parallel/memoryPool.js';
import { evenRuns, type Runs } from '../parallel/partition.js';
import { notEnoughMemory } from './notEnoughMemory.js';

/** A problem by its size alone. `observed` defaults to rows·columns. */
export interface ProblemShape {
  readonly shape: readonly [number, number];
  readonly observed?: number;
  readonly weighted?: boolean;
}

/** What is allocated before the plan is held against the limit. */
const alwaysThere = 2 ** 20;

/** Bytes a row or column for counting its entries and sorting them, until the observations stand in their places. */
export const countingBytes = 24;

/**
 * Counts the entries of A, once it is known that there is room for a model of its shape: counting takes memory too.
 *
 * @throws HadamardError `not-enough-memory`, and what checking A finds.
 */
export function surveyWithin(
  A: MatrixInput,
  weights: WeightsInput | undefined,
  options: CheckedOptions,
  isZeroKept = false,
): Survey {
  const [rows, columns] = shapeOf(A);
  const counting = (rows + columns) * countingBytes;
  // In f32, without a second buffer: no fit of this shape takes less.
  const factors = (rows + columns) * options.rank * 4;
  // To ask for the machine's limit is a look into files, which a small fit would feel twice.
  const limit = options.memoryLimit ?? (counting + factors > alwaysThere ? machineLimit() : Number.POSITIVE_INFINITY);
  const isBeyond = factors > memoryCeiling;
  if (isBeyond || counting + factors > limit) {
    const parts = `counts ${mebibytes(counting)}, factors ${mebibytes(factors)}`;
    throw notEnoughMemory(
      `A fit of ${rows}×${columns} needs at least ${mebibytes(counting + factors)}: ${parts}`,
      isBeyond ? memoryCeiling : limit,
    );
  }
  return allocate(counting, () => survey(A, weights, isZeroKept));
}

/** What a plan is made from: a survey of the data, or the size alone. */
export interface Extent extends Omit<Survey, 'rowCounts' | 'columnCounts' | 'isSorted'> {
  readonly lengths: PerSide<Runs>;
}

export function extentOf(problem: ProblemShape): Extent {
  const [rows, columns] = shapeOf(problem as MatrixInput);
  const observed = problem.observed ?? listedCount(problem as MatrixInput);
  if (!(Number.isSafeInteger(observed) && observed >= 0))
    throw new HadamardError({
      code: 'invalid-input',
      what: `observed is ${String(observed)}.`,
      rule: 'observed is the number of observed entries, an integer of at least 0 and below 2⁵³.',
      remedy: 'Give that number, or leave it out: then all are.',
    });
  return {
    rows,
    columns,
    observed,
    lengths: { rows: evenRuns(rows, observed), columns: evenRuns(columns, observed) },
    excluded: 0,
    weightRange: problem.weighted ? [0.5, 1] : [1, 1],
    valueRange: [0, 1],
  };
}
