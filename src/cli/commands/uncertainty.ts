/** `hadamard uncertainty`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { columnsOption, denseOption, inGroup, outputOptions, type Settle, weightsOptions } from './shared.js';

export function uncertaintyCommand(settle: Settle): Command {
  const command = new Command('uncertainty')
    .argument('<model>')
    .argument('<A>')
    .summary('How certain the profiles of a non-negative model are.')
    .description(uncertaintyDescription)
    .usage('<model> <A> [--bootstrap|--disp|--bs-disp] [options]');
  for (const option of [
    inGroup('Uncertainty:', '--bootstrap [N]', 'Fit N resamples of blocks of consecutive rows. [100]'),
    inGroup('Uncertainty:', '--disp', 'Displace each profile element until Q has risen by dQmax.'),
    inGroup(
      'Uncertainty:',
      '--bs-disp [N]',
      'Displace within N resamples, those of --species alone where they are given. [50]',
    ),
    inGroup('Uncertainty:', '--block-rows <N>', 'Rows of a block. [the cube root of the number of rows]'),
    inGroup(
      'Uncertainty:',
      '--threshold <r>',
      'Correlation of contributions from which on a factor is one of the model. [0.6]',
    ),
    inGroup('Uncertainty:', '--dqmax <levels>', 'dQmax, rising. [4,8,15,25; with --bs-disp 0.5,1,2,4]'),
    inGroup('Uncertainty:', '--species <columns>', 'Columns to displace, by label. [all]'),
    inGroup('Uncertainty:', '--seed <S>', 'Seed of the resamples. [1]'),
    ...weightsOptions(),
    columnsOption(),
    denseOption(),
    inGroup(
      'Computation:',
      '--threads <T>',
      'Number of worker threads; the result is the same for every number. [all cores]',
    ),
    ...outputOptions(),
  ])
    command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(uncertaintyExamples))
    .action(async (model: string, path: string, flags) =>
      settle(await (await import('../uncertainty.js')).uncertainty(model, path, flags)),
    );
}

const uncertaintyDescription = `Bootstrap, displacement (DISP) and both together (BS-DISP) of a model with U, V
≥ 0, as US EPA PMF 5 has them. A and its weights are those of the fit, read as
they were then. What is found is printed and kept with the model: hadamard
report shows it as bars beside the profiles.

Profiles are at contributions of mean 1, in the units of A. The fits run on all
cores, each from the profiles of the model. Ctrl-C ends without a trace.`;

const uncertaintyExamples = [
  'hadamard uncertainty four conc.csv --table --weights unc.csv \\',
  '  --weights-are sigma --bootstrap 100 --block-rows 10',
  'hadamard uncertainty four conc.csv --table --weights unc.csv \\',
  '  --weights-are sigma --disp --species Benzene,Toluene',
];
