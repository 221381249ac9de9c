/** `hadamard update`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { inGroup, newRowsOptions, outputOptions, type Settle } from './shared.js';

export function updateCommand(settle: Settle): Command {
  const command = new Command('update')
    .argument('<model>')
    .argument('[rows]')
    .summary('Add, replace and remove rows of a model without a new fit.')
    .description(updateDescription)
    .usage('<model> [rows] --out <dir> [options]');
  for (const option of [
    ...newRowsOptions(),
    inGroup('Update:', '--remove <file>', 'Rows to take out: a label a line, as text or .jsonl.'),
    inGroup(
      'Update:',
      '--refresh <N>',
      'Then N sweeps of a fit from there, so that the columns follow; <rows> has all rows for that.',
    ),
    inGroup(
      'Output:',
      '--out <dir>',
      'Write the new model to this folder; it may be the old one.',
    ).makeOptionMandatory(),
    ...outputOptions(),
  ])
    command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(updateExamples))
    .action(async (model: string, path: string | undefined, flags) =>
      settle(await (await import('../update.js')).updateModel(model, path, flags)),
    );
}

const updateDescription = `Rows of <rows> that the model has are replaced, others are added: each solved
exactly for the columns as they are. All else stays as it is, bit for bit.

The drift that is printed says how far the columns are from stationary for
the rows given; where these are all rows, the relative gradient of the whole
is printed too. A model without labels gets the rows of .mtx and .npy at its
end; with --refresh they are all its rows, in order.`;

const updateExamples = [
  'hadamard update model today.csv --out model',
  'hadamard update model today.csv --remove closed-accounts.txt --out model2',
  'hadamard update model ratings.csv --refresh 3 --out model2',
];
