/** `hadamard fit` */
import { queryName } from '../formats/sql.js';
import { HadamardError } from '../index.js';
import { type DataFlags, dataRequestOf, numberFlag } from './dataFlags.js';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { columnNames, type FitFlags, fitOptionsOf } from './flags.js';
import { progressLine } from './progress.js';
import { runFit } from './runFit.js';
import { runRecord } from './runRecord.js';
import { resultAsJson, summaryAsText } from './summary.js';

export interface FitCommandFlags extends FitFlags, DataFlags {
  readonly test?: string;
  readonly warmStart?: string;
  readonly backgroundWeight?: number | string;
  readonly backgroundValue?: number | string;
  readonly backgroundRows?: string;
  readonly backgroundColumns?: string;
  readonly holdColumns?: string;
  readonly weak?: string;
  readonly bad?: string;
  readonly total?: string;
  readonly extraUncertainty?: number | string;
  readonly canonical?: true;
  readonly out?: string;
  readonly report?: string;
  readonly watch?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function fit(given: string | undefined, flags: FitCommandFlags): Promise<ExitCode> {
  const options = fitOptionsOf(flags);
  const path = sourceOf(given, flags);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true, timeLimit: options.timeLimit });
  const data = { ...dataRequestOf(path, flags), test: flags.test };
  if (flags.biasLambda !== undefined && (flags.biases ?? 'none') === 'none')
    line.note('--bias-lambda does nothing without --biases.');
  const objective = {
    backgroundWeight: numberFlag('backgroundWeight', flags.backgroundWeight, 0),
    backgroundValue: numberFlag('backgroundValue', flags.backgroundValue),
    backgroundRows: flags.backgroundRows,
    backgroundColumns: flags.backgroundColumns,
    holdColumns: flags.holdColumns,
  };
  const receptor = {
    weak: columnNames(flags.weak) ?? [],
    bad: columnNames(flags.bad) ?? [],
    total: flags.total,
    extra: numberFlag('extraUncertainty', flags.extraUncertainty, 0),
  };
  const run = runRecord('fit', [path], flags, flags.out);
  const request = {
    data,
    options,
    objective,
    receptor,
    run,
    warmStart: flags.warmStart,
    out: flags.out,
    isCanonical: flags.canonical === true,
    report: flags.report,
    watchPort: portOf(flags.watch),
  };
  const done = await runFit(request, line);
  if (flags.json) process.stdout.write(`${resultAsJson(done)}\n`);
  else if (!flags.quiet) process.stdout.write(`${summaryAsText(done, weightedSource(path, flags), process.stdout)}\n`);
  if (flags.out === undefined) line.note('Nothing was saved: --out <dir> keeps the model.');
  return exitCodeOf(done.model.fit, new Set(Object.keys(flags)));
}

function portOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = Number(given);
  if (/^\d+$/.test(given) && port < 2 ** 16) return port;
  throw new HadamardError({
    code: 'invalid-option',
    what: `watch is "${given}".`,
    position: { option: 'watch' },
    rule: 'watch is a port, an integer of at most 65535; 0 is any that is free.',
    remedy: 'Give such a port, or --watch alone.',
  });
}

/** @throws HadamardError `invalid-option` where there is no A, or two. */
function sourceOf(path: string | undefined, { sql }: FitCommandFlags): string {
  if (path !== undefined && sql === undefined) return path;
  if (path === undefined && sql !== undefined) return queryName;
  throw new HadamardError({
    code: 'invalid-option',
    what: path === undefined ? "Missing required argument 'A'." : `A is ${path}, and --sql gives another.`,
    position: path === undefined ? {} : { option: 'sql' },
    rule: 'A is a file, or the result of the query of --sql.',
    remedy: 'Give one of the two: hadamard fit <A> --rank <k>.',
  });
}

function weightedSource(path: string, { weights, weightsAre }: FitCommandFlags): string {
  if (weightsAre === undefined) return path;
  return `${path}, weighted by ${weights ?? 'its fourth column'} (${weightsAre})`;
}
