/** `hadamard uncertainty` */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HadamardError } from '../errors.js';
import type {
  BootstrapDisplacementReport,
  BootstrapReport,
  DisplacementReport,
  FactorUncertainty,
} from '../model/factorUncertainty.js';
import { checkOutput, findModel } from '../model/folder.js';
import { loadModel } from '../model/load.js';
import { Model } from '../model/model.js';
import { checkOption } from '../options.js';
import { bootstrap } from '../selection/bootstrap.js';
import { bootstrapDisplace, displace } from '../selection/displace.js';
import { type DataFlags, dataRequestOf, numberFlag } from './dataFlags.js';
import type { ExitCode } from './exitCodes.js';
import { readFitted } from './fittedData.js';
import { columnNames } from './flags.js';
import { asInFile } from './inFile.js';
import { columnOf } from './names.js';
import { progressLine } from './progress.js';
import { bold, count, factorNames, grid, printable, real } from './render.js';
import { interruptible, unlessAborted } from './signals.js';

export interface UncertaintyFlags extends DataFlags {
  readonly bootstrap?: string | true;
  readonly disp?: true;
  readonly bsDisp?: string | true;
  readonly blockRows?: string;
  readonly threshold?: string;
  readonly dqmax?: string;
  readonly species?: string;
  readonly seed?: string;
  readonly threads?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export async function uncertainty(directory: string, path: string, flags: UncertaintyFlags): Promise<ExitCode> {
  const { bootstrap: runs, disp, bsDisp } = flags;
  if (runs === undefined && !disp && bsDisp === undefined)
    throw new HadamardError({
      code: 'invalid-option',
      what: 'Nothing is asked for.',
      rule: 'The command takes --bootstrap, --disp, --bs-disp, or several of them.',
      remedy: 'hadamard uncertainty model A.csv --bootstrap 100',
    });
  await checkOutput(directory);
  const threads = numberFlag('threads', flags.threads);
  if (threads !== undefined) checkOption('threads', threads);
  const resampling = {
    blockRows: numberFlag('blockRows', flags.blockRows),
    seed: numberFlag('seed', flags.seed),
  };
  const threshold = numberFlag('threshold', flags.threshold);
  const levels = columnNames(flags.dqmax)?.map((each) => numberFlag('dqmax', each) as number);
  const line = progressLine(process.stderr, { quiet: flags.quiet === true });
  return interruptible(async (signal) => {
    line.stage('reading …');
    const model = await unlessAborted(loadModel(directory), signal);
    const { A, weights, problem } = await unlessAborted(readFitted(model, dataRequestOf(path, flags), line), signal);
    const columns = columnNames(flags.species)?.map((name) => columnOf(model, name));
    const began = performance.now();
    const shared = (what: string) => ({
      weights,
      threads,
      threshold,
      signal,
      onProgress: ({ done, of }: { done: number; of: number }) =>
        line.advance(`${what} ${done}/${of}`, (performance.now() - began) / 1000),
    });
    const found = await measure().catch((error: unknown) => {
      throw asInFile(error, path, problem);
    });
    async function measure(): Promise<FactorUncertainty> {
      const resamples = runsOf('bootstrap', runs, 100);
      const displacing = { columns, levels };
      return {
        ...(resamples !== undefined && {
          bootstrap: await bootstrap(A, model, { ...shared('bootstrap'), ...resampling, runs: resamples }),
        }),
        ...(disp && { displacement: await displace(A, model, { ...shared('displacement'), ...displacing }) }),
        ...(bsDisp !== undefined && {
          bootstrapDisplacement: await bootstrapDisplace(A, model, {
            ...shared('BS-DISP'),
            ...resampling,
            ...displacing,
            runs: runsOf('bsDisp', bsDisp, 50),
          }),
        }),
      };
    }
    line.end();
    const kept = new Model({ ...model, factorUncertainty: { ...model.factorUncertainty, ...found } });
    await kept.save(directory, { canonical: existsSync(join(findModel(directory), 'canonical')) });
    if (flags.json) process.stdout.write(`${JSON.stringify({ schema: 1, ...found })}\n`);
    else if (!flags.quiet) process.stdout.write(`${asText(kept, found)}\n`);
    return 0;
  }).finally(line.end);
}

function runsOf(option: string, given: string | true | undefined, standard: number): number | undefined {
  return given === true ? standard : numberFlag(option, given);
}

function asText(model: Model, { bootstrap, displacement, bootstrapDisplacement }: FactorUncertainty): string {
  return [
    bootstrap && bootstrapText(model, bootstrap),
    displacement && displacementText(model, displacement, 'Displacement'),
    bootstrapDisplacement && displacementText(model, bootstrapDisplacement, 'Displacement within bootstrap runs'),
  ]
    .filter((text) => text !== undefined)
    .join('\n\n');
}

function bootstrapText({ rank, labels }: Model, report: BootstrapReport): string {
  const { runs, mapping, unmapped, objective, blockRows, profiles, percentiles } = report;
  const mapped = mapping.map((counts, c) => [`run's ${c + 1}`, ...counts.map(String), String(unmapped[c])]);
  const rows = profiles.flatMap((profile, p) =>
    strongest(profile).map((j) => [
      String(p + 1),
      printable(labels.columns?.[j] ?? String(j)),
      ...[
        profile,
        percentiles.p5[p],
        percentiles.p25[p],
        percentiles.p50[p],
        percentiles.p75[p],
        percentiles.p95[p],
      ].map((values) => told(values?.[j])),
    ]),
  );
  return [
    bold(`Bootstrap: ${count(runs)} runs, blocks of ${count(blockRows)} rows`, process.stdout),
    grid(['', ...factorNames(rank), 'unmapped'], mapped, process.stdout),
    `  objective ${real(objective.lowest)} … ${real(objective.highest)}, median ${real(objective.median)}`,
    grid(['factor', 'column', 'model', '5 %', '25 %', '50 %', '75 %', '95 %'], rows, process.stdout),
  ].join('\n');
}

function displacementText(
  { rank, labels }: Model,
  report: DisplacementReport | BootstrapDisplacementReport,
  title: string,
): string {
  const { levels, swaps, profiles, lower, upper, columns, largestFall } = report;
  const accepted = 'accepted' in report ? `, ${report.accepted} of ${report.runs} runs accepted` : '';
  const rows = profiles.flatMap((profile, p) =>
    columns.map((column, j) => [
      String(p + 1),
      printable(labels.columns?.[column] ?? String(column)),
      told(profile[column]),
      ...levels.map((_, l) => `${told(lower[l]?.[p]?.[j])} … ${told(upper[l]?.[p]?.[j])}`),
    ]),
  );
  return [
    bold(`${title}: largest fall of Q ${real(largestFall)}${accepted}`, process.stdout),
    grid(
      ['swaps at dQmax', ...factorNames(rank)],
      levels.map((level, l) => [String(level), ...(swaps[l] as readonly number[]).map(String)]),
      process.stdout,
    ),
    grid(['factor', 'column', 'model', ...levels.map((level) => `dQmax ${level}`)], rows, process.stdout),
  ].join('\n');
}

/** The five columns that are most of a profile. */
function strongest(profile: readonly number[]): number[] {
  return Array.from(profile.keys())
    .sort((a, b) => (profile[b] as number) - (profile[a] as number) || a - b)
    .slice(0, 5);
}

function told(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : value.toPrecision(4);
}
