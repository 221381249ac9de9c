/** `hadamard tune`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { foldFitOptions } from './fitOptions.js';
import { inGroup, type Settle } from './shared.js';

export function tuneCommand(settle: Settle): Command {
  const command = new Command('tune')
    .argument('<A>')
    .summary('Choose rank and λ by cross-validation.')
    .description(tuneDescription)
    .usage('<A> [options]');
  const own = [
    inGroup('Search:', '--ranks <list>', 'Ranks to try, with commas. [1,2,4,8,16,32]'),
    inGroup(
      'Search:',
      '--lambdas <list>',
      'λ to try, with commas. [25 values, five a decade, from the smallest at which every factor is zero]',
    ),
    inGroup('Search:', '--folds <N>', 'Folds. [5]'),
    inGroup('Search:', '--split <k-fold|blocks>', 'Test single entries, or blocks of rows × columns. [k-fold]'),
    inGroup(
      'Search:',
      '--metric <name>',
      'What is compared: one of the metrics of hadamard evaluate. [rmse; with weights weighted-rmse, with a background ndcg@10]',
    ),
    inGroup(
      'Search:',
      '--state <file>',
      'Keep what has been found in this file; the same command goes on from it, to the same result.',
    ),
  ];
  const chosen = ['rank', 'lambda', 'lambdaRows', 'lambdaColumns', 'holdColumns'];
  for (const option of [...own, ...foldFitOptions(chosen)]) command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(tuneExamples))
    .action(async (path: string, flags) => settle(await (await import('../tune.js')).tuneFile(path, flags)));
}

const tuneDescription = `Tries ranks, and for each a path of λ from large to small, on the same folds,
each fit starting from the one before it. A path ends where the error has
clearly risen, and that of a further rank begins near the best λ so far.
Recommends the simplest rank and λ within one standard error of the least
error, and says why.`;

const tuneExamples = [
  'hadamard tune ratings.csv --biases --lambda-scale count --ranks 5,10,20',
  'hadamard tune A.npy --ranks 1,2,3,4 --split blocks --state tune.json',
];
