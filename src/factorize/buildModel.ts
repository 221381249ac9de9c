/** Copies the factors out of the shared memory and writes down what the fit has to say. */
import type { FirstOrder } from '../certificate/firstOrder.js';
import type { GlobalCertificate } from '../certificate/globalBound.js';
import type { RealArray } from '../data/input.js';
import type { Listing } from '../data/listing.js';
import { entriesOf, type StoredOrientation } from '../data/storedRows.js';
import type { ValidationError } from '../engine/trace.js';
import { factorBuffer } from '../methods/rowPhases.js';
import { canonicalForm } from '../model/canonical.js';
import { digestOf } from '../model/digest.js';
import { explainedVariance } from '../model/explained.js';
import type { FitReport, StartsReport } from '../model/fitReport.js';
import { type Biases, Model, matrix } from '../model/model.js';
import type { CheckedOptions, ResolvedOptions } from '../options.js';
import type { Crew } from '../parallel/crew.js';
import { type Side, sides } from '../parallel/layout.js';
import { countOf, type FitContext } from '../parallel/phase.js';
import { version } from '../version.js';
import type { ObjectiveSpec, SeparableBackground } from './composition.js';
import type { Tracer } from './diagnostics.js';
import type { Certified } from './escape.js';
import type { FactorizeOptions } from './factorizeOptions.js';
import type { FitScales } from './layOut.js';
import type { WorkingPlan } from './plan.js';
import type { RankedStart } from './rankByRank.js';
import type { ReceptorReport } from './receptor.js';
import type { Reports } from './reports.js';
import type { Uncertainty } from './uncertainty.js';

/** A fit on its way, as its parts are handed around. */
export interface FitInHand {
  readonly options: FactorizeOptions;
  readonly checked: CheckedOptions;
  readonly plan: WorkingPlan;
  readonly crew: Crew;
  readonly tracer: Tracer;
  readonly reports: Reports;
  readonly fit: FitContext;
  readonly scales: FitScales;
  readonly objective: ObjectiveSpec;
  /** Entries the fit is watched by. */
  readonly held: Listing | undefined;
  readonly arithmetic: 'reproducible' | 'fast';
  /** A start made rank by rank: before the fit, or by the fit. */
  readonly ranked: RankedStart | undefined;
  readonly rankByRank?: (() => Promise<RankedStart>) | undefined;
  /** performance.now() when the call came, and when the data stood in the shared memory. */
  readonly began: number;
  readonly prepared: number;
}

export interface Measured {
  readonly method: FitReport['method'];
  readonly resolved: ResolvedOptions;
  /** Of a full certificate. */
  readonly bound?: GlobalCertificate;
  /** Of the held-out entries, at the factors of the model. */
  readonly validation?: ValidationError;
  /** Of more than one start. */
  readonly starts?: StartsReport;
  /** Whether all was done in the calling thread. */
  readonly isInline: boolean;
  /** Of option intervals. */
  readonly uncertainty?: Uncertainty;
  /** Of preset pmf. */
  readonly q?: ReceptorReport;
  /** Seconds that each worker was busy in the sweeps. */
  readonly busy: readonly number[];
  readonly seconds: FitReport['seconds'];
}

export function buildModel(inHand: FitInHand, certified: Certified, first: FirstOrder, measured: Measured): Model {
  const { outcome } = certified;
  const { plan, fit, scales, options, checked, objective } = inHand;
  const { resolved } = measured;
  const { squares, observed, weightedSquares } = first.errors;
  const U = unpad(fit, 'rows', outcome.point.rows);
  const V = unpad(fit, 'columns', outcome.point.columns);
  const biases: Biases = {
    kind: checked.biases,
    mean: scales.shift + fit.mean,
    ...(U.bias && { rows: U.bias }),
    ...(V.bias && { columns: V.bias }),
  };
  const factors = { U: matrix(U.factor, plan.rows, plan.rank), V: matrix(V.factor, plan.columns, plan.rank) };
  const report: FitReport = {
    status: outcome.status,
    reason: outcome.reason,
    objective: first.objective,
    loss: first.loss,
    regularization: first.regularization,
    sweeps: outcome.sweeps,
    method: measured.method,
    certificate: {
      relativeGradientNorm: first.relativeGradientNorm,
      gradientNorm: first.gradientNorm,
      objective: first.objective,
      monotone: outcome.isMonotone,
      tolerance: resolved.tolerance,
      ...(fit.terms && { kkt: largestResidual(fit) }),
      ...measured.bound,
      ...certified.curvature,
      ...(certified.escapes > 0 && { escapes: certified.escapes }),
    },
    trace: outcome.trace,
    seconds: measured.seconds,
    rmse: {
      train: Math.sqrt(squares / Math.max(observed, 1)),
      trainWeighted: Math.sqrt(weightedSquares / Math.max(scales.weightSum, Number.MIN_VALUE)),
    },
    ...(measured.validation &&
      inHand.held && {
        validation: { ...measured.validation, entries: inHand.held.values.length, sweep: outcome.keptSweep },
      }),
    ...(measured.q && { q: measured.q }),
    ...(checked.preset === 'pca' && {
      explained: explainedVariance(fit.observations.rows, canonicalForm(factors.U, factors.V), {
        mean: fit.mean,
        rows: U.bias,
        columns: V.bias,
      }),
    }),
    ...(measured.uncertainty && { uncertainty: measured.uncertainty.report }),
    rows: plan.rows,
    columns: plan.columns,
    observed,
    rank: plan.rank,
    threads: checked.threads,
    inline: measured.isInline,
    blocks: plan.blocks,
    resident: plan.resident,
    ...(checked.onDisk !== undefined && { onDisk: true }),
    dtype: fit.dtype,
    arithmetic: inHand.arithmetic,
    seed: checked.seed,
    ...(measured.starts && { starts: measured.starts }),
    options: resolved,
    utilization: measured.busy.map((busy) => Math.min(1, busy / Math.max(measured.seconds.fit, Number.MIN_VALUE))),
    memoryBytes: { planned: plan.bytes.total, peakRss: process.resourceUsage().maxRSS * 1024 },
    notes: [...notesOn(inHand), ...uncertaintyNotes(checked, measured.uncertainty)],
    digest: digestOf([U.factor, V.factor, U.bias, V.bias]),
    versions: { hadamard: version, node: process.versions.node },
  };
  return new Model({
    ...factors,
    biases,
    ...(options.labels && { labels: options.labels }),
    fit: report,
    ...(measured.uncertainty && { covariances: measured.uncertainty.covariances }),
    ...(resolved.background?.weight === 'separable' && {
      background: {
        rows: (objective.background as SeparableBackground).rows,
        columns: (objective.background as SeparableBackground).columns,
      },
    }),
  });
}

/** Of all rows of both sides, as the certificate's pass left them. */
function largestResidual(fit: FitContext): number {
  let largest = 0;
  for (const side of sides) {
    const address = fit.layout.sides[side].terms?.residuals;
    if (!address) continue;
    for (const residual of new Float64Array(fit.memory.buffer, address, countOf(fit, side)))
      largest = Math.max(largest, residual);
  }
  return largest;
}

/** A factor buffer without its padding: the factor, and the bias where it is fitted. */
export function unpad(fit: FitContext, side: Side, index: number): { factor: RealArray; bias: RealArray | undefined } {
  const padded = factorBuffer(fit, side, index);
  const rows = countOf(fit, side);
  const Real = fit.dtype === 'f32' ? Float32Array : Float64Array;
  const factor = new Real(rows * fit.rank);
  const bias = fit.isBiasFitted[side] ? new Real(rows) : undefined;
  for (let row = 0; row < rows; row++) {
    const start = row * fit.stride;
    factor.set(padded.subarray(start, start + fit.rank), row * fit.rank);
    if (bias) bias[row] = padded[start + fit.rank] as number;
  }
  return { factor, bias };
}

/** What intervals rest on, a sentence each. */
function uncertaintyNotes({ intervals }: CheckedOptions, measured: Uncertainty | undefined): string[] {
  if (intervals === undefined) return [];
  if (!measured)
    return [
      'There are no standard errors: as many unknowns are fitted as there are values, and no residual measures them.',
    ];
  const { report, covariances } = measured;
  const { noise, reducedChiSquare: chi } = report;
  const isLoose = covariances.rows.some(Number.isNaN) || covariances.columns.some(Number.isNaN);
  return [
    ...(report.isBiased
      ? ['Intervals are conditional, biased: λ shrinks predictions, and they are around the shrunk ones.']
      : []),
    ...(isLoose ? ['Some rows or columns are not determined by their entries: their intervals have no end.'] : []),
    ...(noise === 'weights' && chi !== null && chi > loudest
      ? [
          `Residuals are ${Math.sqrt(chi).toPrecision(2)} times as large as the weights say (reduced χ² ${chi.toPrecision(2)}), so intervals that take these at their word are too narrow, or the rank is too low. --noise residuals takes the spread of the residuals.`,
        ]
      : []),
  ];
}

/** Of a reduced χ² that still goes with the weights. */
const loudest = 2;

/** Advice, a sentence each. */
function notesOn({ plan, fit, checked, options, objective, scales }: FitInHand): string[] {
  const notes: string[] = [];
  const { rows, columns } = fit.observations;
  const isShort = ({ pointers }: typeof rows) =>
    pointers.some(
      (end, i) => i > 0 && end > (pointers[i - 1] as number) && end - (pointers[i - 1] as number) < plan.rank,
    );
  const isFree = checked.lambdaRows + checked.lambdaColumns === 0 && !objective.isComposed;
  if (isFree && (isShort(rows) || isShort(columns)))
    notes.push(
      'λ is 0 and some rows or columns have fewer observations than the rank: they are fitted exactly, so their predictions of other entries mean little. Try --lambda 0.05 --lambda-scale count.',
    );
  if (plan.precision.reason)
    notes.push(
      `f64 was chosen, because ${plan.precision.reason}; dtype f32 is faster where the smallest do not matter.`,
    );
  if (checked.preset === 'implicit' && !options.weights && hasAboveOne(rows))
    notes.push(
      'preset implicit fits values as they are, and some are above 1: where they are counts, like implicit fits whether there is an entry, the count its confidence.',
    );
  if (scales.loss.name === 'l1') {
    const epsilon = scales.loss.parameter;
    notes.push(
      `l1 is smoothed with ε = ${epsilon.toPrecision(4)}: the loss is below ΣW²|r| by at most ε·ΣW² = ${(epsilon * scales.weightSum).toPrecision(4)}.`,
    );
  }
  if (rows.pointers.at(-1) === 0) notes.push('Nothing is observed: every weight is zero, so every factor is zero.');
  return notes;
}

function hasAboveOne(stored: StoredOrientation): boolean {
  for (const { values } of entriesOf(stored)) if (values.some((value) => value > 1)) return true;
  return false;
}
