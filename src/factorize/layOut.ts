/** Puts the data and the start into the planned memory. */
import { type Observations, type Placing, placeInSteps } from '../data/observations.js';
import type { StoredObservations } from '../data/storedRows.js';
import { factorBuffer } from '../methods/rowPhases.js';
import type { Loss } from '../objective/losses.js';
import type { CheckedOptions } from '../options.js';
import { controlWords } from '../parallel/blocks.js';
import type { Crew } from '../parallel/crew.js';
import { observationStorage, type PerSide, sides, writeResidentPointers } from '../parallel/layout.js';
import type { FitContext } from '../parallel/phase.js';
import { kernelSorter, type SortContext, sortHere, sortTogether } from '../parallel/sortEntries.js';
import type { ObjectiveSpec } from './composition.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import {
  type Baseline,
  checkValues,
  fitTerms,
  measureBaseline,
  scaleOf,
  sharedWeights,
  writeExpectedWeights,
  writeTermLists,
} from './layOutTerms.js';
import type { WorkingPlan } from './plan.js';
import { writeStart } from './start.js';

export interface FitScales {
  /** ‖W∘(A − mean)‖², or what else the loss is at a constant: the measure of gradients. */
  readonly centredNorm: number;
  /** ΣW² of listed entries. */
  readonly weightSum: number;
  /** The loss with its parameters settled. */
  readonly loss: Loss;
  /** √ of that a weight: the size of the data, which starts at random are drawn to. */
  readonly rootMeanSquare: number;
  /** What was taken from the values before they were stored; the mean of the fit is that of what is left. */
  readonly shift: number;
}

/**
 * @param observations in their place, or on disk.
 * @param shift what has been taken from their values.
 * @throws HadamardError `invalid-value`, `shape-mismatch` (init)
 */
export function layOut(
  where: Place,
  observations: StoredObservations,
  options: FactorizeOptions,
  objective: ObjectiveSpec,
  shift: number,
): { fit: FitContext; scales: FitScales } {
  const { plan, checked } = where;
  const { request } = plan;
  checkValues(observations, objective.loss);
  const value = (objective.background?.value ?? 0) - shift;
  const { settled, mean, level, spread, ...baseline } = measureBaseline(
    observations,
    objective,
    value,
    request.hasBias,
  );
  const shared = objective.isComposed ? sharedWeights(observations, objective) : undefined;
  const fit = openContext(where, observations, { ...objective, loss: settled }, { mean, level, spread, value, shared });
  const rootMeanSquare = Math.sqrt(baseline.centredNorm / Math.max(baseline.allWeight, Number.MIN_VALUE));
  writeStart(fit, request.counts, objective, options.init, checked.seed, rootMeanSquare);
  return { fit, scales: { ...baseline, rootMeanSquare, shift, loss: settled } };
}

/** The same problem in a memory of its own, for another thread; views of observations stay as they are, since nobody writes them. */
export function copyContext(fit: FitContext, memory: WebAssembly.Memory): FitContext {
  const { memory: bytes } = fit.layout.bytes;
  new Uint8Array(memory.buffer, 0, bytes).set(new Uint8Array(fit.memory.buffer, 0, bytes));
  return { ...fit, memory };
}

/** Where a problem goes, and by which options. */
export interface Place {
  readonly plan: WorkingPlan;
  readonly checked: CheckedOptions;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

/** What is placed there. */
export type Listed = Pick<Placing, 'A' | 'weights' | 'found' | 'shift' | 'isZeroKept' | 'isHandedOver'>;

/** A − shift and W in both orientations, in their planned place. @throws HadamardError `duplicate-entry` */
export function placeWithin(where: Place, listed: Listed): Observations {
  const { context, steps } = openPlacing(where, listed);
  return placed(where, sortHere(context, steps));
}

/** {@link placeWithin} by a whole crew, where there is room for all. @throws HadamardError `duplicate-entry`, `worker-died` */
export async function placeTogether(where: Place, listed: Listed, crew: Crew): Promise<Observations> {
  const { sorting } = where.plan.layout;
  if (crew.isInline || !sorting || sorting.space.sorters < crew.threads) return placeWithin(where, listed);
  const { context, steps } = openPlacing(where, listed);
  return placed(where, await sortTogether(context, steps, crew));
}

function openPlacing({ plan, checked, memory, module }: Place, listed: Listed) {
  const { layout, request, boundaries } = plan;
  const storage = observationStorage(request, layout, memory);
  const context: SortContext = { memory, module, layout, dtype: request.dtype, blocks: boundaries };
  // A stop request of the last fit.
  controlWords(context).fill(0);
  const sorter = layout.sorting && kernelSorter(context);
  const steps = placeInSteps({ ...listed, storage, duplicates: checked.duplicates }, sorter);
  return { context, steps };
}

function placed({ plan, memory }: Place, observations: Observations): Observations {
  writeResidentPointers(plan.layout, memory, observations);
  return observations;
}

/** What is known once the observations have been seen, in the units they are stored in. */
export interface Settled extends Pick<Baseline, 'mean' | 'level' | 'spread'> {
  /** The background's value. */
  readonly value: number;
  /** r and c of a full matrix with weights r_i·c_j. */
  readonly shared: PerSide<Float64Array> | undefined;
}

/** The problem as the phases take it, its penalties and lists written, its factors all 0. The loss is settled. */
export function openContext(
  { plan, checked, memory, module }: Place,
  observations: StoredObservations,
  objective: ObjectiveSpec,
  { mean, level, spread, value, shared }: Settled,
): FitContext {
  const { layout, request } = plan;
  const fit: FitContext = {
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
    level,
    spread,
    blocks: plan.boundaries,
    terms: objective.isComposed
      ? fitTerms(objective, value, request.dtype, shared !== undefined, observations.weightRange[1])
      : undefined,
    observations: { rows: observations.byRow, columns: observations.byColumn },
    grid: observations.grid,
    capacity: request.observed,
  };
  controlWords(fit).fill(0);
  for (const side of sides) {
    const { penalties, biasPenalties } = layout.sides[side];
    const rows = request.counts[side];
    const scales = scaleOf(fit, side, checked, objective, observations.excluded > 0);
    const lambda = side === 'rows' ? checked.lambdaRows : checked.lambdaColumns;
    const write = (address: number, strength: number) =>
      new Float64Array(memory.buffer, address, rows).set(scales.map((scale) => strength * scale));
    write(penalties, lambda);
    if (request.hasBias) write(biasPenalties, checked.biasLambda);
    if (objective.isComposed) writeTermLists(fit, side, objective, scales, shared);
    else writeExpectedWeights(fit, side);
    for (let buffer = 0; buffer < request.buffers[side]; buffer++) factorBuffer(fit, side, buffer).fill(0);
  }
  return fit;
}
