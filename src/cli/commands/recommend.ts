/** `hadamard recommend`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { columnsOption, denseOption, type Settle } from './shared.js';

export function recommendCommand(settle: Settle): Command {
  return new Command('recommend')
    .argument('<model>')
    .summary('List the columns of highest prediction for a row.')
    .description(
      'Predicts every column for one row and prints the highest, best first. Columns are printed by label, or by index from 0 where the model has no labels.',
    )
    .requiredOption('--row <label>', 'The row, by its label; by its index from 0 where the model has no labels.')
    .option('--top <N>', 'How many columns. [10]')
    .option(
      '--exclude <A>',
      'Leave out the columns that this file lists for the row, such as the A of the fit. Where the model has no labels, names in .csv are indices from 0; .mtx counts from 1.',
    )
    .addOption(columnsOption())
    .addOption(denseOption())
    .option('--json', 'Print one line of JSON on stdout, and an error as one line of JSON on stderr.')
    .addHelpText('after', () => afterHelp(recommendExamples))
    .action(async (model: string, flags) => settle(await (await import('../recommend.js')).recommend(model, flags)));
}

const recommendExamples = [
  'hadamard recommend model --row alice',
  'hadamard recommend model --row alice --top 5 --exclude ratings.csv --json',
];
