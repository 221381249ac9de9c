/** `hadamard tune` */
import { HadamardError } from '../errors.js';
import type { RunRecord } from '../model/model.js';
import { commandOf } from '../report/account.js';
import { type TuneOptions, type Tuning, tune } from '../selection/tune.js';
import { numberFlag } from './dataFlags.js';
import { type ExitCode, isAbort } from './exitCodes.js';
import { type InputFlags, inputOf } from './fitRequest.js';
import { columnNames, fitOptionsOf } from './flags.js';
import { asInFile } from './inFile.js';
import { progressLine } from './progress.js';
import { bold, count, duration, facts, grid, printable, real } from './render.js';
import { readInput } from './runFit.js';
import { runRecord } from './runRecord.js';
import { interruptible } from './signals.js';

export interface TuneFlags extends InputFlags {
  readonly ranks?: string;
  readonly lambdas?: string;
  readonly folds?: string;
  readonly split?: string;
  readonly metric?: string;
  readonly state?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function tuneFile(path: string, flags: TuneFlags): Promise<ExitCode> {
  const { rank: _rank, lambda: _lambda, ...options } = fitOptionsOf(flags, false);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  const own = {
    ranks: numbersOf('ranks', flags.ranks, 'integers from 1'),
    lambdas: numbersOf('lambdas', flags.lambdas, 'numbers of at least 0'),
    folds: numberFlag('folds', flags.folds),
    split: flags.split as TuneOptions['split'],
    metric: flags.metric,
  };
  let isSomethingFound = false;
  return interruptible(async (signal) => {
    // Nothing that belongs to one rank is among a search's flags.
    const { problem, weights, parts } = await readInput(inputOf(path, flags), 1, line, signal);
    const tuning = await tune(problem.A, {
      ...options,
      ...parts,
      ...own,
      weights,
      state: flags.state,
      signal,
      onProgress: ({ rank, lambda, fold, folds, error, fits }) => {
        // A fit is told of when it stands in the state.
        isSomethingFound = true;
        line.stage(`fit ${fits}  rank ${rank}  λ ${lambda}  fold ${fold + 1}/${folds}  ${real(error)}`);
      },
    }).catch((error: unknown) => {
      throw asInFile(error, path, problem);
    });
    line.end();
    if (flags.json)
      process.stdout.write(`${JSON.stringify({ schema: 1, ...tuning, options: { ...options, ...own } })}\n`);
    else if (!flags.quiet) process.stdout.write(`${asText(tuning, nextFit(tuning, path, flags))}\n`);
    return 0;
  })
    .catch((error: unknown) => {
      if (isAbort(error) && flags.state !== undefined && isSomethingFound)
        line.note(`What was found is in ${flags.state}: the same command goes on from there.`);
      throw error;
    })
    .finally(line.end);
}

/** Numbers by commas; whether they are in range the search says. @throws HadamardError `invalid-option` */
function numbersOf(option: string, text: string | undefined, kind: string): number[] | undefined {
  const words = columnNames(text);
  const wrong = words?.find((word) => word === '' || !Number.isFinite(Number(word)));
  if (wrong === undefined) return words?.map(Number);
  throw new HadamardError({
    code: 'invalid-option',
    what: `${option} is "${text}"${wrong === text ? '' : `, and "${wrong}" is no number`}.`,
    position: { option },
    rule: `${option} are ${kind}, with commas.`,
    remedy: `Give them so, for example --${option} ${option === 'ranks' ? '2,4,8' : '0.1,1,10'}.`,
  });
}

/** The fit that is recommended, with the flags that the search was given. */
function nextFit({ recommended }: Tuning, path: string, flags: TuneFlags): RunRecord {
  const {
    ranks: _ranks,
    lambdas: _lambdas,
    folds: _folds,
    split: _split,
    metric: _metric,
    state: _state,
    ...given
  } = flags;
  const run = runRecord('fit', [path], given, undefined);
  const { rank, lambda } = recommended;
  return { ...run, options: { rank, lambda, ...run.options, out: 'model' } };
}

function asText(
  { cells, best, recommended, reason, metric, folds, split, fits, seconds }: Tuning,
  next: RunRecord,
): string {
  const rows = cells.map((cell) => [
    String(cell.rank),
    String(cell.lambda),
    cell.mean.toPrecision(5),
    cell.standardError.toPrecision(2),
    cell.sweeps.toFixed(1),
    [cell === best && 'best', cell === recommended && 'recommended'].filter(Boolean).join(', '),
  ]);
  return [
    grid(['rank', 'λ', metric, '±', 'sweeps', ''], rows, process.stdout),
    '',
    facts(
      [
        ['recommended', reason],
        [
          'search',
          `${count(fits.made)} fits of the ${count(fits.ofGrid)} of a full grid, ${folds} folds (${split}), ${duration(seconds)}`,
        ],
      ],
      process.stdout,
    ),
    '',
    // In lines of its own, so that it can be copied.
    `  ${bold('next', process.stdout)}`,
    `  ${commandOf(next, printable).replaceAll('\n', '\n  ')}`,
  ].join('\n');
}
