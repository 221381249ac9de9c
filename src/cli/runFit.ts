/** One fit from files to a saved model: what `fit` and `demo` share. */

import { basename } from 'node:path';
import { shapeOf, visitEntries } from '../data/entries.js';
import type { WeightsInput } from '../data/input.js';
import { duplicateEntry } from '../data/observations.js';
import { HadamardError, isHadamardError } from '../errors.js';
import { factorize } from '../factorize/factorize.js';
import type { FactorizeOptions } from '../factorize/factorizeOptions.js';
import { targetsOf } from '../factorize/like.js';
import { replaceFile } from '../formats/replaceFile.js';
import { rmse } from '../metrics/errors.js';
import { checkOutput } from '../model/folder.js';
import { Model, type RunRecord } from '../model/model.js';
import type { FitOptions } from '../options.js';
import { asInFile } from './inFile.js';
import { predictPairs } from './names.js';
import { type ObjectiveRequest, readObjective } from './objectiveFiles.js';
import { checkOutputFile } from './output.js';
import { type DataRequest, type Problem, readProblem } from './problem.js';
import type { ProgressLine } from './progress.js';
import { type ReceptorRules, withReceptorRules } from './receptorRules.js';
import { onInterrupt, unlessAborted } from './signals.js';
import { readWarmStart } from './warmStart.js';

/** The files of a fit. */
export interface FitInput {
  readonly data: DataRequest;
  readonly objective?: ObjectiveRequest;
  readonly receptor?: ReceptorRules;
}

export interface FitRequest extends FitInput {
  readonly options: FitOptions;
  /** The folder of a model to begin with. */
  readonly warmStart?: string | undefined;
  /** Where the model goes; nothing is saved without. */
  readonly out: string | undefined;
  /** The command that this is, kept with the model. */
  readonly run?: RunRecord;
  /** Save the canonical form beside the factors. */
  readonly isCanonical?: boolean;
  /** Where a page about the model goes. */
  readonly report?: string | undefined;
  /** Where the fit may be watched as it runs. */
  readonly watchPort?: number | undefined;
}

export interface TestResult {
  /** √(Σr²/count) over entries of positive weight; undefined where there are none. */
  readonly rmse: number | undefined;
  readonly entries: number;
  /** Entries whose row or column has no observation in the fit: predicted by the mean and the known bias. */
  readonly coldEntries: number;
}

export interface FitDone {
  readonly model: Model;
  readonly seconds: { readonly read: number; readonly write: number };
  readonly out: string | undefined;
  /** Where the page about the model stands. */
  readonly report: string | undefined;
  readonly test: TestResult | undefined;
  /** What was said about the files; what is said about the fit stands in its report. */
  readonly notes: readonly string[];
}

/**
 * Checks the output folder, reads, fits and saves. The first Ctrl-C ends the fit, whose model so far is saved; while the
 * files are still being read it ends the command.
 *
 * @throws HadamardError for bad input or output; AbortError when it was cancelled before there was a model.
 */
export async function runFit(request: FitRequest, line: ProgressLine): Promise<FitDone> {
  const { data, options, warmStart, run, out, isCanonical, report, watchPort } = request;
  if (out !== undefined) await checkOutput(out);
  if (report !== undefined) await checkOutputFile(report, 'report');
  const { rank, tolerance, timeLimit, holdout } = options;
  const watch =
    watchPort === undefined
      ? undefined
      : await (await import('./watch.js')).openWatch({
          port: watchPort,
          source: basename(data.path),
          rank,
          tolerance,
          timeLimit,
          isHeldOut: holdout !== undefined,
        });
  // Asked for, so said with --quiet too.
  if (watch) line.warn(`Watch the fit at ${watch.url}`);
  const cancel = new AbortController();
  let isFitting = false;
  const release = onInterrupt(() => {
    if (isFitting)
      line.note(
        `Stopping${out === undefined ? '' : '; the model so far, if a sweep is done, will be saved'}. Ctrl-C again exits at once.`,
      );
    cancel.abort();
  });
  try {
    watch?.stage('reading');
    const [{ problem, weights, parts }, read] = await timed(() =>
      readInput(request, options.rank, line, cancel.signal),
    );
    const { A, labels } = problem;
    const start =
      warmStart === undefined
        ? undefined
        : await unlessAborted(readWarmStart(warmStart, problem, options.rank), cancel.signal);
    for (const note of start?.notes ?? []) line.note(note);
    isFitting = true;
    const refuse = async (error: unknown) => {
      throw asInFile(await placed(error, data, cancel.signal), data.path, problem);
    };
    const isCold = await coldness(problem).catch(refuse);
    const fitted = await factorize(A, {
      ...options,
      ...parts,
      ...(start && { init: start.init }),
      weights,
      // The page shows residuals, for which A is needed again.
      handOver: report === undefined && !watch,
      signal: cancel.signal,
      onProgress: (progress) => {
        line.update(progress);
        watch?.update(progress);
      },
    }).catch(refuse);
    // A reader makes labels when they are asked for: not beside the entries, which the fit gives up.
    const model = new Model({ ...fitted, ...(labels && { labels }), ...(run && { run }) });
    // Nothing was fitted: that is no model, and no reason to replace an older one.
    if (model.fit.status === 'cancelled' && model.fit.sweeps === 0) throw cancel.signal.reason;
    for (const note of model.fit.notes) line.note(note);
    const test = testOf(model, problem, isCold);
    if (test && test.entries > 0 && test.coldEntries === test.entries)
      line.warn(
        `${data.test}: every test entry is cold (its row or column has no observation in the fit), so the factors are not tested.`,
      );
    const [, write] =
      out === undefined ? [undefined, 0] : await timed(() => model.save(out, { canonical: isCanonical === true }));
    if (report !== undefined || watch) {
      line.stage('writing the report …');
      watch?.stage('writing the report');
      const { pageOf } = await import('./report.js');
      const tested = test?.rmse === undefined ? undefined : { rmse: test.rmse, entries: test.entries };
      const page = pageOf(model, { A, weights }, basename(data.path), tested);
      if (report !== undefined)
        await replaceFile(report, [page], 'report').catch((error: unknown) => throwBeside(error, out));
      await watch?.finish(page);
    }
    return {
      model,
      seconds: { read, write },
      out,
      report,
      test,
      notes: [...problem.notes, ...problem.warnings, ...(start?.notes ?? [])],
    };
  } finally {
    line.end();
    release();
    await watch?.close();
  }
}

/** A with everything that belongs to it, as the library takes it; what is to be said about the files is said. */
export async function readInput(
  { data, objective, receptor }: FitInput,
  rank: number,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<{
  readonly problem: Problem;
  readonly weights: WeightsInput | undefined;
  readonly parts: Pick<FactorizeOptions, 'background' | 'hold'>;
}> {
  line.stage('reading …');
  const problem = await unlessAborted(readProblem(data), signal);
  for (const note of problem.notes) line.note(note);
  for (const warning of problem.warnings) line.warn(warning);
  const weights = receptor ? withReceptorRules(problem, receptor) : problem.weights;
  const parts = objective ? await unlessAborted(readObjective(objective, problem, rank), signal) : {};
  return { problem, weights, parts };
}

/** Where entries clash that were given up to the fit, the file is read again to say in which lines, if it still says so. */
async function placed(error: unknown, { test: _, ...data }: DataRequest, signal: AbortSignal): Promise<unknown> {
  if (!isHadamardError(error) || error.code !== 'duplicate-entry') return error;
  const { row, column, index } = error.position;
  if (row === undefined || column === undefined || index !== undefined) return error;
  const read = await unlessAborted(readProblem(data), signal).catch(() => undefined);
  return read ? duplicateEntry(row, column, read.A, undefined) : error;
}

/** The model is there already when its page cannot be written. */
function throwBeside(error: unknown, out: string | undefined): never {
  if (out === undefined || !isHadamardError(error)) throw error;
  const { code, what, position, rule, remedy } = error;
  throw new HadamardError(
    { code, what: `${what} The model is written and sound: ${out}.`, position, rule, remedy },
    { cause: error },
  );
}

/** Which test entries are of a row or column without observation: seen before the fit, which A is handed over to. */
async function coldness({ A, weights, test }: Problem): Promise<(row: number, column: number) => boolean> {
  if (!test) return () => false;
  const [m, n] = shapeOf(A);
  const isRowSeen = new Uint8Array(m);
  const isColumnSeen = new Uint8Array(n);
  visitEntries(A, weights, (row, column) => {
    isRowSeen[row] = 1;
    isColumnSeen[column] = 1;
  });
  return (row, column) => isRowSeen[row] !== 1 || isColumnSeen[column] !== 1;
}

function testOf(model: Model, { test }: Problem, isCold: Awaited<ReturnType<typeof coldness>>): TestResult | undefined {
  if (!test) return undefined;
  let coldEntries = 0;
  for (let t = 0; t < test.values.length; t++)
    if (isCold(test.rows[t] as number, test.columns[t] as number)) coldEntries++;
  return {
    rmse:
      test.values.length === 0
        ? undefined
        : rmse(targetsOf(model.fit.options, test.values), predictPairs(model, test.rows, test.columns)),
    entries: test.values.length,
    coldEntries,
  };
}

async function timed<T>(action: () => Promise<T>): Promise<[result: T, seconds: number]> {
  const began = performance.now();
  const result = await action();
  return [result, (performance.now() - began) / 1000];
}
