/** What is said at the end of a fit: a few lines for a person, one line of JSON for a program. */
import type { UncertaintyReport } from '../model/covariances.js';
import type { FactorUncertainty } from '../model/factorUncertainty.js';
import type { FitReport } from '../model/fitReport.js';
import type { Model } from '../model/model.js';
import { optionTable } from '../optionTable.js';
import { curvatureInWords } from '../report/curvatureInWords.js';
import { startsInWords } from '../report/starts.js';
import { bytes, count, counted, duration, printable, real } from './render.js';
import type { FitDone } from './runFit.js';

/** The line of `--json`. Keys are only ever added. */
export function resultAsJson({ model, seconds, test, notes }: FitDone): string {
  const { fit } = model;
  return JSON.stringify({
    schema: 1,
    status: fit.status,
    reason: fit.reason,
    objective: fit.objective,
    loss: fit.loss,
    regularization: fit.regularization,
    sweeps: fit.sweeps,
    method: fit.method,
    certificate: fit.certificate,
    ...(fit.starts && { starts: fit.starts }),
    seconds: { read: seconds.read, ...fit.seconds, write: seconds.write },
    rmse: { ...fit.rmse, ...(test && { test: test.rmse, coldEntries: test.coldEntries }) },
    ...(fit.validation && { validation: fit.validation }),
    rows: fit.rows,
    columns: fit.columns,
    observed: fit.observed,
    rank: fit.rank,
    threads: fit.threads,
    inline: fit.inline,
    blocks: fit.blocks,
    dtype: fit.dtype,
    arithmetic: fit.arithmetic,
    seed: fit.seed,
    options: fit.options,
    ...(fit.options.preset && { preset: fit.options.preset }),
    ...(fit.explained && { explained: fit.explained }),
    ...(fit.uncertainty && { uncertainty: fit.uncertainty }),
    ...(fit.q && { q: { ...fit.q, ratio: fit.q.true / fit.q.expected } }),
    utilization: fit.utilization,
    memoryBytes: fit.memoryBytes,
    digest: fit.digest,
    notes: [...notes, ...fit.notes],
  });
}

/** Name and value of each line of the summary; `source` says what was read. */
export function summaryOf(done: FitDone, source: string): [name: string, value: string][] {
  const { fit } = done.model;
  const { seconds, out, report, test } = done;
  const share = (100 * fit.observed) / (fit.rows * fit.columns);
  const total = seconds.read + fit.seconds.prepare + fit.seconds.start + fit.seconds.fit + seconds.write;
  const parts = `read ${duration(seconds.read)}, fit ${duration(fit.seconds.prepare + fit.seconds.start + fit.seconds.fit)}${out === undefined ? '' : `, write ${duration(seconds.write)}`}`;
  return [
    [
      'read',
      `${printable(source)}\n${count(fit.rows)} × ${count(fit.columns)}, ${count(fit.observed)} observed (${share.toPrecision(3)} %)`,
    ],
    ['objective', objectiveInWords(fit)],
    ['RMSE', rmseInWords(fit, test)],
    ...claimsOf(done.model),
    ['time', `${duration(total)} (${parts}); ${sweepsInWords(fit)} at rank ${fit.rank}, ${computation(fit)}`],
    ...(out === undefined ? [] : [['model', printable(out)] as [string, string]]),
    ...(report === undefined ? [] : [['report', printable(report)] as [string, string]]),
  ];
}

/** How sure a model is of its optimum and of its numbers. */
export function claimsOf({ fit, factorUncertainty }: Model, before = ''): [name: string, value: string][] {
  return [
    ['certificate', `${before}${certificateInWords(fit)}`],
    ...(fit.starts ? [['starts', `${before}${startsInWords(fit.starts).join('\n')}`] as [string, string]] : []),
    ...(fit.uncertainty ? [['uncertainty', uncertaintyInWords(fit.uncertainty)] as [string, string]] : []),
    ...(factorUncertainty ? [['profiles', profilesInWords(factorUncertainty)] as [string, string]] : []),
  ];
}

/** What was chosen, and why: the lines of `--verbose`. */
export function choicesOf(fit: FitReport): [name: string, value: string][] {
  const { method, blocks, memoryBytes, seed } = fit;
  const where = fit.resident
    ? 'in the WebAssembly memory'
    : `${fit.onDisk ? 'read from disk' : 'copied in'} block by block`;
  return [
    ['method', `${method.name}: ${method.reason}`],
    ['layout', `${counted(blocks.rows, 'block')} of rows, ${count(blocks.columns)} of columns; observations ${where}`],
    ['memory', `${bytes(memoryBytes.planned)} planned, ${bytes(memoryBytes.peakRss)} at most in this process`],
    ['seed', String(seed)],
  ];
}

export function objectiveInWords({ objective, loss, regularization }: FitReport): string {
  if (regularization === 0) return `${real(objective)}, without regularization`;
  return `${real(objective)} = loss ${real(loss)} + regularization ${real(regularization)}`;
}

function rmseInWords({ rmse, validation, sweeps, options }: FitReport, test: FitDone['test']): string {
  const lines = [`${real(rmse.train)} on the entries fitted`];
  if (rmse.trainWeighted !== rmse.train) lines.push(`${real(rmse.trainWeighted)} weighted, √(ΣW²r²/ΣW²)`);
  if (validation) {
    const { entries, sweep } = validation;
    const kept = options.patience === undefined ? '' : `, least after sweep ${count(sweep)} of ${count(sweeps)}`;
    lines.push(`${real(validation.rmse)} on ${counted(entries, 'held-out entry', 'held-out entries')}${kept}`);
  }
  if (test) lines.push(testInWords(test));
  return lines.join('\n');
}

function testInWords({ rmse, entries, coldEntries }: NonNullable<FitDone['test']>): string {
  if (rmse === undefined) return 'no test entry has a positive weight';
  const cold =
    coldEntries === 0
      ? ''
      : `, ${coldEntries === entries ? 'all' : count(coldEntries)} of them cold: their row or column has no observation in the fit`;
  return `${real(rmse)} on ${counted(entries, 'test entry', 'test entries')}${cold}`;
}

export function certificateInWords({ status, reason, sweeps, certificate, options }: FitReport): string {
  const { relativeGradientNorm, tolerance, monotone, globalStatement } = certificate;
  const norm = relativeGradientNorm.toExponential(1);
  const bound = tolerance.toExponential(1).replace('.0e', 'e');
  const measured =
    relativeGradientNorm <= tolerance
      ? `${norm}, within the tolerance ${bound}`
      : `${norm}, above the tolerance ${bound}`;
  const isByDefault = reason === 'sweeps' && options.maxSweeps === optionTable.maxSweeps.default;
  const end = {
    converged: 'converged: a stationary point',
    validated: 'stopped by the held-out entries: the factors of their least error are kept',
    stalled: 'not converged: the objective falls no further at this precision',
    cancelled: `cancelled after ${sweepsInWords({ sweeps })}`,
    budget: `${reason === 'time' ? 'out of time' : 'stopped'} after ${sweepsInWords({ sweeps })}${isByDefault ? ', not converged: --max-sweeps allows more, --warm-start goes on from this model' : ''}`,
  }[status];
  const curvature = curvatureInWords(certificate);
  return [
    end,
    `relative gradient norm ${measured}`,
    ...(curvature === undefined ? [] : [`curvature: ${curvature}`]),
    monotone ? 'no sweep raised the objective' : 'a sweep raised the objective beyond rounding',
    ...(globalStatement === undefined ? [] : [globalStatement]),
  ].join('\n');
}

function uncertaintyInWords(report: UncertaintyReport): string {
  const { fittedDegrees, residualDegrees, reducedChiSquare, noise, spread, kind, isBiased } = report;
  const known = noise === 'weights' ? 'σ as the weights say' : `σ = ${real(spread)}/W, from the residuals`;
  const of = kind === 'full' ? 'the whole Gauss–Newton matrix' : 'the normal equations of each side, given the other';
  return [
    `reduced χ² ${reducedChiSquare === null ? '–' : real(reducedChiSquare)} on ${real(residualDegrees)} degrees of freedom; the fit takes ${real(fittedDegrees)}`,
    `standard errors kept: ${known}, from ${of}${isBiased ? '; conditional, biased: λ shrinks' : ''}`,
  ].join('\n');
}

/** What `hadamard inspect` says of it. */
function profilesInWords({ bootstrap, displacement, bootstrapDisplacement }: FactorUncertainty): string {
  const whole = (counts: readonly (readonly number[])[]) => counts.flat().reduce((sum, each) => sum + each, 0);
  return [
    bootstrap &&
      `bootstrap: ${count(bootstrap.runs)} runs, ${count(whole([bootstrap.unmapped]))} factors of them unmapped`,
    displacement &&
      `displacement: ${count(displacement.columns.length)} columns, ${count(whole(displacement.swaps))} swaps, largest fall of Q ${real(displacement.largestFall)}`,
    bootstrapDisplacement &&
      `BS-DISP: ${count(bootstrapDisplacement.accepted)} of ${count(bootstrapDisplacement.runs)} runs accepted, ${count(whole(bootstrapDisplacement.swaps))} swaps`,
  ]
    .filter(Boolean)
    .join('\n');
}

export function computation({ dtype, arithmetic, threads, inline }: FitReport): string {
  const where = inline ? 'in this thread' : `on ${counted(threads, 'thread')}`;
  return `${dtype}${arithmetic === 'fast' ? ' fast' : ''}, ${where}`;
}

function sweepsInWords({ sweeps }: Pick<FitReport, 'sweeps'>): string {
  return counted(sweeps, 'sweep');
}
