/** `hadamard evaluate` */
import { shapeOf } from '../data/entries.js';
import { type EvaluateOptions, type Evaluation, evaluate } from '../selection/evaluate.js';
import type { Split } from '../selection/splits.js';
import { numberFlag } from './dataFlags.js';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { type InputFlags, inputOf } from './fitRequest.js';
import { columnNames, fitOptionsOf } from './flags.js';
import { asInFile } from './inFile.js';
import { type ProgressLine, progressLine } from './progress.js';
import { count, duration, facts, grid, real } from './render.js';
import { readInput } from './runFit.js';
import { interruptible } from './signals.js';

export interface EvaluateFlags extends InputFlags {
  readonly split?: string;
  readonly folds?: string;
  readonly leave?: string;
  readonly given?: string;
  readonly metrics?: string;
  readonly negatives?: string;
  readonly relevance?: string;
  readonly gains?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function evaluateFile(path: string, flags: EvaluateFlags): Promise<ExitCode> {
  const { holdout, ...given } = flags as EvaluateFlags & { readonly holdout?: string };
  const options = fitOptionsOf(given);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  const own = {
    split: flags.split as Split | undefined,
    folds: numberFlag('folds', flags.folds),
    holdout: numberFlag('holdout', holdout),
    leave: flags.leave as EvaluateOptions['leave'],
    given: numberFlag('given', flags.given),
    metrics: columnNames(flags.metrics),
    negatives: flags.negatives === 'all' ? 'all' : numberFlag('negatives', flags.negatives),
    relevance: numberFlag('relevance', flags.relevance),
    gains: flags.gains as EvaluateOptions['gains'],
  } as const;
  return interruptible(async (signal) => {
    const { problem, weights, parts } = await readInput(inputOf(path, given), options.rank, line, signal);
    const evaluation = await evaluate(problem.A, {
      ...options,
      ...parts,
      ...own,
      weights,
      time: problem.extra,
      signal,
      onProgress: ({ done, folds }) => line.stage(`fold ${done} of ${folds} done …`),
    }).catch((error: unknown) => {
      throw asInFile(error, path, problem);
    });
    sayDoubts(evaluation, new Set(Object.keys(flags)), line);
    sayAllHits(evaluation, own.negatives ?? 'all', shapeOf(problem.A)[1], line);
    line.end();
    if (flags.json)
      process.stdout.write(`${JSON.stringify({ schema: 1, ...evaluation, options: { ...options, ...own } })}\n`);
    else if (!flags.quiet) process.stdout.write(`${asText(evaluation)}\n`);
    return 0;
  }).finally(line.end);
}

/** What keeps the numbers from meaning what they seem to; a number of sweeps that was asked for does not. */
function sayDoubts({ folds }: Evaluation, given: ReadonlySet<string>, line: ProgressLine): void {
  const short = folds.filter(({ status }) => exitCodeOf({ status, reason: 'sweeps' }, given) !== 0).length;
  if (short > 0)
    line.note(`${short} of ${folds.length} fits did not converge: --max-sweeps and --tolerance say when they end.`);
  const cold = folds.reduce((sum, fold) => sum + fold.coldEntries, 0);
  const tested = folds.reduce((sum, fold) => sum + fold.tested, 0);
  if (cold > 0)
    line.note(
      `${count(cold)} of ${count(tested)} test entries are cold: their row or column has no entry that was fitted.`,
    );
}

/** Where k leaves out no candidate, a list has every hit whatever the model says. */
function sayAllHits({ metrics }: Evaluation, negatives: 'all' | number, columns: number, line: ProgressLine): void {
  // One test entry and its negatives.
  const candidates = negatives === 'all' ? columns : Math.min(negatives + 1, columns);
  const empty = Object.keys(metrics).filter((name) => Number(name.split('@')[1] ?? 0) >= candidates);
  if (empty.length > 0)
    line.warn(
      `${empty.join(', ')}: a test entry is ranked among ${candidates} columns, so every list holds it and this measures little. ${negatives === 'all' ? 'Ask for fewer.' : 'Ask for more --negatives, 99 for example.'}`,
    );
}

function asText({ split, folds, metrics, baseline, seconds }: Evaluation): string {
  const names = Object.keys(metrics);
  const told = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : value.toPrecision(5));
  const rows = folds.map(({ metrics: own, trained, tested, sweeps }, f) => [
    String(f + 1),
    String(trained),
    String(tested),
    String(sweeps),
    ...names.map((name) => told(own[name])),
  ]);
  const summed = (of: Evaluation['metrics'], name: string) => {
    const { mean, standardError } = of[name] as Evaluation['metrics'][string];
    return `${Number.isNaN(mean) ? '–' : real(mean)}${standardError === null ? '' : ` ± ${standardError.toPrecision(2)}`}`;
  };
  const summary = names.map((name): [string, string] => {
    const trivial = name.includes('@') ? 'by popularity' : 'by the training mean';
    return [name, `${summed(metrics, name)}; ${summed(baseline, name)} ${trivial}`];
  });
  const folded = folds.length === 1 ? 'one split' : `mean ± standard error of ${folds.length} folds`;
  return [
    grid(['fold', 'trained', 'tested', 'sweeps', ...names], rows, process.stdout),
    '',
    facts([['split', `${split}, ${folded}`], ...summary, ['time', duration(seconds)]], process.stdout),
  ].join('\n');
}
