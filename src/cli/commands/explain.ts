/** `hadamard explain`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { inGroup, modelDataOptions, type Settle } from './shared.js';

export function explainCommand(settle: Settle): Command {
  const command = new Command('explain')
    .argument('<model>')
    .argument('<A>')
    .summary('List the observations that made a prediction.')
    .description(explainDescription)
    .requiredOption('--row <label>', 'The row, as <A> names it; by its index from 0 where it has no names.')
    .requiredOption('--column <label>', 'The column, by its label; by its index from 0 where the model has no labels.')
    .option('--top <N>', 'How many observations to list. [10]');
  for (const option of [
    ...modelDataOptions(),
    inGroup(
      'Output:',
      '--json',
      'Print one line of JSON with all observations, and an error as one line of JSON on stderr.',
    ),
  ])
    command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(explainExamples))
    .action(async (model: string, path: string, flags) =>
      settle(await (await import('../explain.js')).explainPrediction(model, path, flags)),
    );
}

const explainDescription = `Takes a prediction apart: what each observation of the row contributes to it,
the largest first. base + contributions (+ background, + constraints) is the
prediction; effect is how much it rises when that value rises by 1.

<A> is the data of the fit, or any that has the row: a row that the model has
not seen is explained by its own observations.`;

const explainExamples = [
  'hadamard explain model ratings.csv --row alice --column "Blade Runner"',
  'hadamard explain model lab.csv --table --row 17 --column lead --top 5 --json',
];
