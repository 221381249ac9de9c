/** `hadamard fit` */
import { HadamardError } from '../errors.js';
import { type ExitCode, exitCodeOf } from './exitCodes.js';
import { type InputFlags, inputOf, sourceOf, weightedSource } from './fitRequest.js';
import { fitOptionsOf } from './flags.js';
import { progressLine } from './progress.js';
import { facts } from './render.js';
import { runFit } from './runFit.js';
import { runRecord } from './runRecord.js';
import { choicesOf, resultAsJson, summaryOf } from './summary.js';

export interface FitCommandFlags extends InputFlags {
  readonly warmStart?: string;
  readonly canonical?: true;
  readonly out?: string;
  readonly report?: string;
  readonly watch?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

export async function fit(given: string | undefined, flags: FitCommandFlags): Promise<ExitCode> {
  const options = fitOptionsOf(flags);
  const path = sourceOf(given, flags);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true, timeLimit: options.timeLimit });
  const input = inputOf(path, flags);
  if (flags.biasLambda !== undefined && (flags.biases ?? 'none') === 'none')
    line.note('--bias-lambda does nothing without --biases.');
  const run = runRecord('fit', given === undefined ? [] : [given], flags, flags.out);
  const request = {
    ...input,
    options,
    run,
    warmStart: flags.warmStart,
    out: flags.out,
    isCanonical: flags.canonical === true,
    report: flags.report,
    watchPort: portOf(flags.watch),
  };
  const done = await runFit(request, line);
  if (flags.json) process.stdout.write(`${resultAsJson(done)}\n`);
  else if (!flags.quiet) {
    const lines = summaryOf(done, weightedSource(path, flags));
    if (flags.verbose) lines.push(...choicesOf(done.model.fit));
    process.stdout.write(`${facts(lines, process.stdout)}\n`);
  }
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
