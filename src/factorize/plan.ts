/** What a fit will take, said before anything is allocated. */
import { curvatureBuffers } from '../certificate/curvature.js';
import { curvatureSteps } from '../certificate/curvatureSearch.js';
import { shapeOf } from '../data/entries.js';
import { isCompressed, isTriples } from '../data/forms.js';
import type { MatrixInput, WeightsInput } from '../data/input.js';
import { listingBytes } from '../data/listing.js';
import { machineLimit } from '../data/machineLimit.js';
import type { Survey } from '../data/observations.js';
import { diskBytesOf, placingBytes } from '../data/placeOnDisk.js';
import { basisBytes, isSettledBySteps } from '../kernels/backgroundBasis.js';
import { backgroundLength, composedScratchBytes } from '../kernels/composed.js';
import { tangentScratchBytes } from '../kernels/hessian.js';
import { type Dtype, scratchBytes } from '../kernels/load.js';
import type { Method } from '../methods/method.js';
import { factorSpace } from '../methods/newtonPhases.js';
import { type CheckedOptions, checkOptions, type FitOptions } from '../options.js';
import {
  elementBytes,
  type Layout,
  type LayoutRequest,
  memoryCeiling,
  type PerSide,
  planLayout,
  type Side,
  sides,
  strideOf,
} from '../parallel/layout.js';
import { evenPartition, partition, type Runs, runsOf, sideCost } from '../parallel/partition.js';
import { autoBudget, roundSize } from '../starts/rounds.js';
import type { ObjectiveSpec } from './composition.js';
import { countingBytes, type Extent, extentOf, type ProblemShape, surveyWithin } from './extent.js';
import {
  type Approach,
  type ChosenMethod,
  chooseApproach,
  chooseMethod,
  chooseStart,
  curvatureShape,
  isBasisWorthwhile,
  methodOf,
  type Trial,
  trialOf,
} from './methods.js';
import { planTooLarge } from './notEnoughMemory.js';
import { compose, type ObjectiveOptions, resolveObjective } from './objectiveSpec.js';
import { choosePrecision, type Precision } from './precision.js';
import { withPreset } from './presets.js';
import { covarianceBytes } from './uncertainty.js';

export interface Plan {
  readonly rows: number;
  readonly columns: number;
  readonly observed: number;
  readonly rank: number;
  readonly dtype: Dtype;
  /** Threads that will work: 1 where the problem runs inline. */
  readonly threads: number;
  readonly inline: boolean;
  readonly blocks: PerSide<number>;
  /** Observations live in the WebAssembly memory, or are staged into it block by block. */
  readonly resident: boolean;
  /** Bytes by purpose; `total` is what the fit allocates above the caller's own arrays. */
  readonly bytes: {
    readonly total: number;
    readonly factors: number;
    readonly observations: number;
    readonly scratch: number;
    readonly method: number;
    readonly model: number;
    /** Of files in folder `onDisk`, while they are made; not in the total. */
    readonly disk: number;
    /** Covariances of option `intervals`; in the total twice, while they are computed and kept. */
    readonly covariances: number;
  };
  /** Bytes that the plan may use. */
  readonly limit: number;
}

/** The plan with what the fit itself needs of it. */
export interface WorkingPlan extends Plan {
  readonly method: Method;
  readonly chosen: ChosenMethod;
  readonly trial: Trial | undefined;
  readonly approach: Approach | undefined;
  readonly start: 'random' | 'rank-by-rank';
  readonly precision: Precision;
  /** Of the curvature certificate; 0 where it is not looked at. */
  readonly curvatureSteps: number;
  readonly request: LayoutRequest;
  /** Starts that run at the same time, each in a memory and a thread of its own; 1: one after the other. */
  readonly lanes: number;
  readonly layout: Layout;
  readonly boundaries: PerSide<Uint32Array>;
}

/** Below this many floating-point operations a sweep takes a few milliseconds, and threads would cost more than they save. */
const inlineCost = 5e7;
/** And below this many in all sweeps together, to start threads would: about 40 ms. */
const inlineTotal = 6e8;

/**
 * Bytes, blocks and threads of a fit, without allocating them.
 *
 * @param problem A itself, or its shape and number of observations (rows then count as equally long).
 * @throws HadamardError `invalid-option`, `invalid-input`, `not-enough-memory`, and what checking A finds.
 */
export function plan(
  problem: MatrixInput | ProblemShape,
  given: FitOptions & ObjectiveOptions & { readonly weights?: WeightsInput | undefined },
): Plan {
  const options = withPreset(given);
  const checked = checkOptions(options);
  const objective = resolveObjective(checked, options, shapeOf(problem as MatrixInput));
  const isZeroKept = objective.background !== undefined;
  const planned =
    'data' in problem || isTriples(problem) || isCompressed(problem)
      ? planFit(surveyWithin(problem as MatrixInput, options.weights, checked, isZeroKept), checked, objective)
      : planExtent(extentOf(problem as ProblemShape), checked, objective);
  const {
    method: _method,
    chosen: _chosen,
    trial: _trial,
    approach: _approach,
    start: _start,
    precision: _precision,
    curvatureSteps: _curvatureSteps,
    request: _request,
    lanes: _lanes,
    layout: _layout,
    boundaries: _boundaries,
    ...said
  } = planned;
  return said;
}

/**
 * @param fixed the side that is not solved for, if one is not: its blocks then depend on its length alone.
 * @param isWatched whether entries are held out to watch the fit by; by default as options say.
 * @throws HadamardError `not-enough-memory`
 */
export function planFit(
  found: Survey,
  options: CheckedOptions,
  objective?: ObjectiveSpec,
  fixed?: Side,
  isWatched?: boolean,
): WorkingPlan {
  const lengths = { rows: runsOf(found.rowCounts), columns: runsOf(found.columnCounts) };
  return planExtent({ ...found, lengths }, options, objective, fixed, sparedOf(options, fixed, isWatched));
}

/** Second-order methods compute in f64. */
function dtypeOf({ dtype, polish }: CheckedOptions, { name }: ChosenMethod): Dtype | undefined {
  return dtype ?? (name === 'varpro' || name === 'lbfgs' || polish !== 'none' ? 'f64' : undefined);
}

/** What a plan does without. */
interface Spared {
  /** What comes before the sweeps. */
  readonly approach: boolean;
  /** The basis in which steps on long rows are conditioned. */
  readonly basis: boolean;
}

/** Who watches a held-out error has rows settled after every sweep: steps spare nothing where that takes their matrices. */
function sparedOf(
  { rank, holdout, patience }: CheckedOptions,
  fixed: Side | undefined,
  isWatched: boolean = holdout !== undefined || patience !== undefined,
): Spared {
  return { approach: fixed !== undefined, basis: isWatched && !isSettledBySteps(rank) };
}

/** @param spared what there is no room for, or no use. */
function planExtent(
  found: Extent,
  options: CheckedOptions,
  objective?: ObjectiveSpec,
  fixed?: Side,
  spared: Spared = sparedOf(options, fixed),
): WorkingPlan {
  const [smallest, largest] = found.weightRange;
  const counts = { rows: found.rows, columns: found.columns };
  const { lengths } = found;
  const shape = {
    counts,
    observed: found.observed,
    lengths,
    isComposed: objective?.isComposed ?? false,
    hasBackground: objective?.background !== undefined && !compose({ ...objective, background: undefined }).isComposed,
    mayPrecondition: !spared.basis,
  };
  // Rows beside a fixed factor are solved exactly, one by one.
  const chosen = chooseMethod(fixed === undefined ? options : { ...options, method: 'als' }, shape);
  const precision = choosePrecision(found, dtypeOf(options, chosen));
  const { dtype } = precision;
  const hasBias = options.biases !== 'none';
  const stride = strideOf(options.rank, hasBias);
  const method = methodOf(chosen.name, options, shape, dtype);
  const trial = trialOf(chosen, options, shape, dtype);
  const approach = spared.approach ? undefined : chooseApproach(options, shape, chosen, dtype);
  const before = approach?.method ?? trial?.method;
  const start = chooseStart(options, shape, chosen);
  const covariances = covariancesOf(options, counts);
  const isLookedAt = options.certificate === 'full' && dtype === 'f64' && !shape.isComposed && fixed === undefined;
  const lookShape = curvatureShape(options, shape);
  const steps = isLookedAt ? curvatureSteps(lookShape) : 0;
  // The search for negative curvature works in buffers that the method has left.
  const least = steps > 0 ? curvatureBuffers : 0;
  const partsOf = (side: Side) =>
    side === fixed ? evenPartition(lengths[side]) : partition(lengths[side], options.rank);
  const parts = { rows: partsOf('rows'), columns: partsOf('columns') };
  const boundaries = { rows: parts.rows.boundaries, columns: parts.columns.boundaries };
  const cost = sideCost(lengths.rows, options.rank) + sideCost(lengths.columns, options.rank);
  const starts = options.starts === 'auto' ? autoBudget : options.starts;
  // Beside a fixed factor there is half a sweep.
  const sweeps = fixed === undefined ? options.maxSweeps : 1;
  const isShort = chosen.name === 'als' && starts === 1 && cost * sweeps <= inlineTotal;
  const inline = options.inline === 'auto' && (options.threads === 1 || cost <= inlineCost || isShort);
  const threads = inline ? 1 : options.threads;
  const blocks = { rows: boundaries.rows.length - 1, columns: boundaries.columns.length - 1 };
  // Early stopping and many starts keep the best factors beside those that the method works on.
  const kept = options.patience === undefined && starts === 1 ? 0 : 1;
  // A full matrix, and that is known once what is listed twice is settled, may be solved with one Gram matrix for all rows.
  const mayBeFull = found.observed >= found.rows * found.columns;
  const areSumsShared = objective?.isComposed && (objective.background !== undefined || mayBeFull);
  // Beside a fixed factor no row is to depend on those it comes with, nor on how many these are.
  const basisOf = (side: Side) =>
    fixed === undefined && isBasisWorthwhile(options, shape, chosen.name, dtype, side) ? basisBytes(stride) : 0;
  const basis = { rows: basisOf('rows'), columns: basisOf('columns') };
  const hasGram = areSumsShared || basis.rows + basis.columns > 0;
  const request: LayoutRequest = {
    dtype,
    stride,
    hasBias,
    isWeighted: smallest !== 1 || largest !== 1 || found.excluded > 0,
    observed: found.observed,
    counts,
    blocks,
    buffers: {
      rows: Math.max(method.buffers.rows + kept, before?.buffers.rows ?? 0, least),
      columns: Math.max(method.buffers.columns + kept, before?.buffers.columns ?? 0, least),
    },
    threads,
    kernelScratch: Math.max(
      objective?.isComposed || hasGram ? composedScratchBytes(stride) : scratchBytes(stride),
      method.scratch?.(longestOf(lengths)) ?? 0,
      steps > 0 ? tangentScratchBytes(stride) : 0,
    ),
    workspace: Math.max(
      method.workspace?.bytes ?? 0,
      before?.workspace?.bytes ?? 0,
      steps > 0 ? factorSpace(lookShape).bytes : 0,
    ),
    hasGrid: (approach?.method ?? method).hasGrid ?? false,
    covariances: Math.max(covariances.rows, covariances.columns),
    largestBlock: {
      rows: Math.max(parts.rows.largest.rows, parts.columns.largest.rows),
      entries: Math.max(parts.rows.largest.entries, parts.columns.largest.entries),
    },
    residency: options.residency,
    isOnDisk: options.onDisk !== undefined,
    terms: objective?.isComposed
      ? {
          hasL1: objective.l1.rows + objective.l1.columns > 0,
          isHeld: { rows: objective.hold.rows !== undefined, columns: objective.hold.columns !== undefined },
        }
      : undefined,
    gram: hasGram ? { length: backgroundLength(stride), basis } : undefined,
  };
  const layout = planLayout(request);
  const element = elementBytes(dtype);
  const modelBytes = (found.rows + found.columns) * (options.rank + (hasBias ? 1 : 0)) * element;
  const methodBytes = method.ownBytes ?? 0;
  const counting = (found.rows + found.columns) * countingBytes;
  // The lists that a share is held out of.
  const listing = options.holdout === undefined ? 0 : (found.observed * listingBytes) / (1 - options.holdout);
  // Sorting into files takes memory that is given back before the fit begins, and so does counting.
  const form = options.onDisk === undefined ? undefined : { elementBytes: element, isWeighted: request.isWeighted };
  const placing = form
    ? placingBytes({ ...form, observed: found.observed, longest: longestOf(lengths), rows: found.rows + found.columns })
    : 0;
  const stored = modelBytes + covariances.rows + covariances.columns;
  const base =
    layout.bytes.memory + layout.bytes.outside + methodBytes + stored + counting + placing + Math.ceil(listing);
  const limit = options.memoryLimit ?? machineLimit();
  // What is too small to share among threads gives each a start of its own, as far as there is memory.
  const wanted = inline ? Math.min(options.threads, roundSize, starts) : 1;
  const lanes = Math.max(1, Math.min(wanted, 1 + Math.floor((limit - base) / layout.bytes.memory)));
  const said: Plan = {
    rows: found.rows,
    columns: found.columns,
    observed: found.observed,
    rank: options.rank,
    dtype,
    threads,
    inline,
    blocks,
    resident: layout.isResident,
    bytes: {
      total: base + (lanes - 1) * layout.bytes.memory,
      factors: layout.bytes.factors,
      observations: form ? layout.bytes.outside : layout.bytes.observations,
      scratch: layout.bytes.scratch,
      disk: form ? diskBytesOf(form, found.observed, request.hasGrid) : 0,
      method: methodBytes + request.workspace,
      model: modelBytes,
      covariances: covariances.rows + covariances.columns,
    },
    limit,
  };
  // Neither is worth the residency of observations.
  const isTooMuch = said.bytes.total > said.limit || layout.bytes.memory > memoryCeiling;
  const isBasisSparable = request.gram !== undefined && request.terms === undefined;
  const isRelief = (less: Spared) =>
    (approach !== undefined || !less.approach) &&
    (isBasisSparable || !less.basis) &&
    (isTooMuch || (!layout.isResident && isResidentWithout(request, less)));
  const relief = reliefs.find(isRelief);
  if (relief) {
    const both = { approach: spared.approach || relief.approach, basis: spared.basis || relief.basis };
    return planExtent(found, options, objective, fixed, both);
  }
  if (said.bytes.total > said.limit) throw planTooLarge(said, said.limit);
  if (layout.bytes.memory > memoryCeiling || (method.workspace?.isResident && !layout.isResident))
    throw planTooLarge(said, memoryCeiling);
  return {
    ...said,
    method,
    chosen,
    trial,
    approach,
    start,
    precision,
    curvatureSteps: steps,
    request,
    lanes,
    layout,
    boundaries,
  };
}

/** What is done without where there is no room, the first that helps. */
const reliefs: readonly Spared[] = [
  { approach: true, basis: false },
  { approach: false, basis: true },
  { approach: true, basis: true },
];

function isResidentWithout(request: LayoutRequest, { approach, basis }: Spared): boolean {
  const less = { ...(approach && { hasGrid: false }), ...(basis && { gram: undefined }) };
  return planLayout({ ...request, ...less }).isResident;
}

/** Entries of the longest row or column. */
function longestOf(lengths: PerSide<Runs>): number {
  let longest = 0;
  for (const side of sides)
    lengths[side]((length) => {
      longest = Math.max(longest, length);
    });
  return longest;
}

function covariancesOf({ intervals, rank, biases }: CheckedOptions, counts: PerSide<number>): PerSide<number> {
  if (intervals === undefined) return { rows: 0, columns: 0 };
  const has = (side: Side) => biases === side || biases === 'both';
  return {
    rows: covarianceBytes(counts.rows, rank + (has('rows') ? 1 : 0)),
    columns: covarianceBytes(counts.columns, rank + (has('columns') ? 1 : 0)),
  };
}
