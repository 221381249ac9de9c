/** One fit from data to model: check, plan, lay out, iterate, certify. */
import { certifyCurvature } from '../certificate/curvature.js';
import { certifyFirstOrder } from '../certificate/firstOrder.js';
import { shapeOf } from '../data/entries.js';
import { freeEntries } from '../data/handOver.js';
import type { MatrixInput } from '../data/input.js';
import type { LoopOptions, Validation } from '../engine/iterate.js';
import type { TraceEntry } from '../engine/trace.js';
import { compileKernels } from '../kernels/load.js';
import { type Point, type Position, type Run, startOf } from '../methods/method.js';
import { factorBuffer } from '../methods/rowPhases.js';
import type { Model } from '../model/model.js';
import { lossText } from '../objective/losses.js';
import type { ResolvedOptions } from '../options.js';
import { abortError, refuseAborted } from '../parallel/abort.js';
import { Interrupted, requestStop, withdrawStop } from '../parallel/crew.js';
import { type Side, sides } from '../parallel/layout.js';
import { acquireMemory, allocate, asAllocation, releaseMemory } from '../parallel/memoryPool.js';
import type { FitContext } from '../parallel/phase.js';
import { normalAt, streams } from '../starts/random.js';
import { iterateAfterApproach } from './approach.js';
import { boundOfFit } from './boundOfFit.js';
import { buildModel, type FitInHand } from './buildModel.js';
import { checkInput } from './checkInput.js';
import { createRun, startSide } from './createRun.js';
import { type Tracer, traceFit } from './diagnostics.js';
import { leaveSaddles, mostEscapes } from './escape.js';
import { surveyWithin } from './extent.js';
import type { FactorizeOptions, Progress } from './factorizeOptions.js';
import { checkOnDisk, withFiles } from './fileObservations.js';
import { settleGauge } from './gauge.js';
import { type Hire, hireCrew } from './hireCrew.js';
import { layOut, placeTogether } from './layOut.js';
import { shiftOf } from './layOutTerms.js';
import { asTool } from './like.js';
import { openLanes, searchStarts } from './manyStarts.js';
import { describeParts, resolveObjective } from './objectiveSpec.js';
import { planFit, type WorkingPlan } from './plan.js';
import { withPreset } from './presets.js';
import { rankedInWords, startRankByRank } from './rankByRank.js';
import { receptorReport } from './receptor.js';
import { reportsTo } from './reports.js';
import { writeStart } from './start.js';
import { iterateAfterTrial } from './trial.js';
import { checkIntervals, measureUncertainty } from './uncertainty.js';
import { partValidation, validationMeasure } from './validation.js';
import { withStart } from './warmStart.js';

/**
 * Finds U (m×k) and V (n×k) that minimise
 *
 *     f(U,V) = Σ_listed ℓ(W_ij, A_ij, p_ij) + Σ_unlisted r_i c_j (β − p_ij)² + Σ_i s_i^ν (λ_U‖u_i‖² + μ_U‖u_i‖₁) + the same of V
 *
 * with p = mean + b_i + c_j + u_i·v_j and the biases' penalties, within bounds and with held entries; each part is optional
 * and by default there is ‖W∘(A − UVᵀ)‖²_F alone. docs/objectives.md has every loss, what is refused, and the sources.
 *
 * @param A an ndarray (NaN is unobserved), triples or CSR; never changed, nor detached but by option `handOver`.
 * @returns the model, also after `signal` was aborted or a budget ran out; `model.fit.status` says which.
 * @throws HadamardError with a `code` for bad input, options or too little memory; `AbortError` when `signal` was aborted
 *   before the first sweep.
 */
export function factorize(A: MatrixInput, options: FactorizeOptions): Promise<Model> {
  return factorizeWith(hireCrew, A, options);
}

/** {@link factorize} with workers from elsewhere: a session keeps its own from fit to fit. */
export function factorizeWith(hire: Hire, data: MatrixInput, given: FactorizeOptions): Promise<Model> {
  return traceFit(given, (tracer) => fitWith(hire, data, given, tracer));
}

async function fitWith(hire: Hire, data: MatrixInput, said: FactorizeOptions, tracer: Tracer): Promise<Model> {
  const given = withStart(said);
  const asGiven = checkInput(data, given);
  const { A, options: told } = asTool(data, withPreset(given));
  const checked = told === given ? asGiven : checkInput(A, told);
  refuseAborted(told.signal);
  const began = performance.now();
  const reports = reportsTo(told.onProgress);
  reports.report(progressOf('prepare', atRest, checked.maxSweeps, 0));
  const objective = resolveObjective(checked, told, shapeOf(A));
  checkIntervals(checked, objective);
  checkOnDisk(checked, objective);
  const { held, ...fitted } = partValidation(A, told, checked);
  if (told.handOver && fitted.A !== A) freeEntries(A, told.weights);
  const found = surveyWithin(fitted.A, fitted.weights, checked, objective.background !== undefined);
  const plan = planFit(found, checked, objective, undefined, held !== undefined);
  const rankByRank =
    plan.start === 'rank-by-rank' && !told.init
      ? () =>
          startRankByRank({
            ...fitted,
            checked,
            options: told,
            hire,
            fit: factorizeWith,
            report: (progress) => reports.report(progressOf('start', { ...atRest, ...progress }, checked.maxSweeps, 0)),
          })
      : undefined;
  // After the trial where there is one.
  const ranked = plan.trial
    ? undefined
    : await rankByRank?.().catch((error) => {
        throw error instanceof Interrupted ? abortError(told.signal) : error;
      });
  const options = ranked ? { ...told, init: ranked.init } : told;
  const shift = shiftOf(found, plan.request.hasBias, objective);
  const isZeroKept = objective.background !== undefined;
  // A start that is made later needs A.
  const handOver = told.handOver === true && !(plan.trial && rankByRank);
  const files = { ...fitted, found, checked, plan, shift, isZeroKept, isHandedOver: handOver, signal: told.signal };
  return withFiles(files, async (filed) => {
    // Before the crew: where there is no memory, no worker must be left behind.
    const memory = acquireMemory(plan.layout.pages);
    const { crew, release } = hire(plan, options);
    try {
      const compiled = compileKernels(checked.arithmetic, options.wasmUrl);
      const where = { plan, checked, memory, module: compiled.module };
      const listed = { ...fitted, found, shift, isZeroKept, isHandedOver: handOver };
      const observations =
        filed ??
        (await placeTogether(where, listed, crew).catch((error: unknown) => {
          throw asAllocation(plan.bytes.total, error);
        }));
      const { fit, scales } = allocate(plan.bytes.total, () => layOut(where, observations, options, objective, shift));
      const prepared = performance.now();
      tracer.phase('prepare');
      return await runFit({
        options,
        checked,
        plan,
        crew: tracer.crew(crew),
        tracer,
        reports,
        fit,
        scales,
        objective,
        held,
        arithmetic: compiled.arithmetic,
        ranked,
        ...(plan.trial && { rankByRank }),
        began,
        prepared,
      });
    } finally {
      await release();
      releaseMemory(memory);
    }
  });
}

/** How much a sweep may raise f, and what counts as a fall, relative to f. */
const rounding = { f32: { rise: 1e-6, fall: 1e-9 }, f64: { rise: 1e-12, fall: 1e-15 } } as const;
const defaultTolerance = { f32: 1e-5, f64: 1e-8 } as const;

async function runFit(inHand: FitInHand): Promise<Model> {
  const { options, checked, plan, crew, tracer, reports, fit, scales, ranked, rankByRank } = inHand;
  const tolerance = checked.tolerance ?? defaultTolerance[fit.dtype];
  const run = createRun(fit, crew, scales.centredNorm, startSide(options.init));
  const measureHeld = inHand.held && validationMeasure(fit, scales, inHand.held);
  const certify = (point: Point) => certifyFirstOrder(run.phase, point, scales.centredNorm);

  // An abort since the call was not heard by anyone yet.
  refuseAborted(options.signal);
  const lanes = checked.starts === 1 ? undefined : openLanes(inHand);
  const stops = watchStops(lanes?.all.map((lane) => lane.fit) ?? [fit], options.signal);
  try {
    const approach = options.init ? undefined : plan.approach;
    const start = lanes ? undefined : await startOf(approach?.method ?? plan.method, run);
    const firstSweep = performance.now();
    tracer.phase('start');
    // A session's crew has been at work before.
    const busyBefore = [...crew.busy];
    const { timeLimit } = checked;
    stops.startClock(timeLimit && Math.max(timeLimit - (ranked?.seconds ?? 0), 1e-3));
    const limits = { maxSweeps: checked.maxSweeps, tolerance, ...rounding[fit.dtype] };
    const search =
      lanes &&
      (await searchStarts(inHand, lanes, limits, stops, (entry, starts) =>
        reports.report({ ...progressOf('sweep', entry, checked.maxSweeps, plan.observed), starts }),
      ));
    const loop: LoopOptions = {
      ...limits,
      measure: async (point) => (await certify(point)).relativeGradientNorm,
      validation: measureHeld && { patience: checked.patience, measure: measureHeld, ...keeper(fit, plan) },
      onSweep: (entry) => {
        tracer.sweep(entry);
        reports.report(progressOf('sweep', entry, checked.maxSweeps, plan.observed));
      },
      interruption: stops.reason,
      resume: stops.dispose,
    };
    const { chosen: planned } = plan;
    const begun = ranked ? { ...planned, reason: `${planned.reason}; ${rankedInWords(ranked)}` } : planned;
    const restart =
      rankByRank &&
      (async () => {
        const made = await rankByRank();
        writeStart(fit, plan.request.counts, inHand.objective, made.init, checked.seed, scales.rootMeanSquare);
        return made;
      });
    const { outcome: reached, chosen } = search
      ? { outcome: search.outcome, chosen: search.report.start === 0 ? begun : planned }
      : approach
        ? await iterateAfterApproach(start as Point, run, { ...plan, approach, chosen: begun }, loop)
        : await iterateAfterTrial(start as Point, run, { ...plan, chosen: begun }, loop, restart);
    const look =
      plan.curvatureSteps > 0 ? (point: Point) => certifyCurvature(curvatureRequest(inHand, run, point)) : undefined;
    // What many starts have found is told, not left.
    const certified = await leaveSaddles(reached, run, plan.method.create, loop, look, search ? 0 : mostEscapes);
    const { outcome } = certified;
    stops.dispose();
    const fitted = performance.now();
    tracer.phase('fit');
    const busy =
      lanes && lanes.all.length > 1
        ? lanes.all.map((lane) => lane.busy)
        : crew.busy.map((seconds, slot) => seconds - (busyBefore[slot] as number));
    const last = {
      sweep: outcome.sweeps,
      seconds: (fitted - firstSweep) / 1000 - certified.seconds,
      objective: outcome.point.objective,
      relativeGradientNorm: outcome.trace.at(-1)?.relativeGradientNorm ?? null,
    };
    reports.report(progressOf('certify', last, checked.maxSweeps, plan.observed));
    settleGauge(fit, outcome.point, checked, inHand.objective);
    const first = await certify(outcome.point);
    const bound =
      checked.certificate === 'full'
        ? boundOfFit(fit, outcome.point, {
            objective: first.objective,
            spec: inHand.objective,
            seed: checked.seed,
            sweeps: outcome.sweeps,
          })
        : undefined;
    const uncertainty = await measureUncertainty(fit, run.phase, outcome.point, checked, first.errors, options.weights);
    const { preset, like, alpha, starts, holdout, patience, intervals, onDisk: _onDisk, ...plain } = checked;
    const resolved: ResolvedOptions = {
      ...plain,
      loss: lossText(scales.loss),
      ...describeParts(inHand.objective, options),
      dtype: fit.dtype,
      tolerance,
      ...(preset && { preset }),
      ...(like && { like }),
      ...(alpha !== undefined && { alpha }),
      ...(search && { starts }),
      ...(holdout !== undefined && { holdout }),
      ...(patience !== undefined && { patience }),
      ...(intervals !== undefined && { intervals }),
      timeLimit: checked.timeLimit ?? null,
      memoryLimit: plan.limit,
    };
    const model = buildModel(inHand, certified, first, {
      method: { name: chosen.name, reason: chosen.reason },
      resolved,
      ...(bound && { bound }),
      ...(search && { starts: search.report }),
      isInline: crew.isInline && plan.lanes === 1,
      ...(uncertainty && { uncertainty }),
      ...(measureHeld && { validation: await measureHeld(outcome.point) }),
      ...(checked.preset === 'pmf' && { q: receptorReport(fit, outcome.point, scales.loss) }),
      busy,
      seconds: {
        prepare: (inHand.prepared - inHand.began) / 1000,
        start: (firstSweep - inHand.prepared) / 1000,
        fit: (fitted - firstSweep) / 1000 - certified.seconds,
        certify: (performance.now() - fitted) / 1000 + certified.seconds,
      },
    });
    tracer.phase('certify');
    reports.check();
    return model;
  } catch (error) {
    if (error instanceof Interrupted && stops.reason() === 'signal') throw abortError(options.signal);
    throw error;
  } finally {
    stops.dispose();
    await lanes?.close();
  }
}

function curvatureRequest({ fit, checked, plan, scales }: FitInHand, run: Run, point: Point) {
  const { seed, lambdaRows, lambdaColumns, biasLambda } = checked;
  return {
    fit,
    run: run.phase,
    point,
    squares: scales.centredNorm,
    isPenalised: { latent: lambdaRows + lambdaColumns > 0, bias: biasLambda > 0 },
    steps: plan.curvatureSteps,
    draw: (side: Side, row: number, c: number) =>
      normalAt(seed, side === 'rows' ? streams.curvatureU : streams.curvatureV, row, c),
  };
}

/** Where the factors of the best sweep are kept: a buffer of each side behind those of the method. */
function keeper(fit: FitContext, { method }: WorkingPlan): Pick<Validation, 'keep' | 'restore'> {
  const copy = (from: Position, to: Position) => {
    for (const side of sides) factorBuffer(fit, side, to[side]).set(factorBuffer(fit, side, from[side]));
  };
  return { keep: (point) => copy(point, method.buffers), restore: (point) => copy(method.buffers, point) };
}

/**
 * Turns an abort signal and a time limit into the stop word that workers read before each block, until it is disposed of:
 * what follows the sweeps (the last half-sweep, the certificate) is not to be stopped.
 */
function watchStops(fits: readonly FitContext[], signal: AbortSignal | undefined) {
  let reason: 'time' | 'signal' = 'signal';
  let isRequested = false;
  let timer: NodeJS.Timeout | undefined;
  const stop = (why: 'time' | 'signal') => {
    reason = why;
    isRequested = true;
    for (const fit of fits) requestStop(fit);
  };
  const onAbort = () => stop('signal');
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    reason: () => reason,
    isRequested: () => isRequested,
    startClock: (timeLimit = Number.POSITIVE_INFINITY) => {
      // Node's timers hold 32-bit milliseconds; a longer limit is none.
      if (timeLimit * 1000 < 2 ** 31) timer = setTimeout(stop, timeLimit * 1000, 'time');
    },
    dispose: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const fit of fits) withdrawStop(fit);
    },
  };
}

type ProgressEntry = Omit<TraceEntry, 'step'>;

/** What there is to say before the first sweep. */
const atRest: ProgressEntry = { sweep: 0, seconds: 0, objective: Number.NaN, relativeGradientNorm: null };

function progressOf(
  phase: Progress['phase'],
  { sweep, seconds, objective, relativeGradientNorm, validation }: ProgressEntry,
  maxSweeps: number,
  observed: number,
): Progress {
  const observationsPerSecond = seconds > 0 ? (sweep * observed) / seconds : 0;
  return {
    phase,
    sweep,
    maxSweeps,
    objective,
    relativeGradientNorm,
    seconds,
    observationsPerSecond,
    ...(validation && { validation }),
  };
}
