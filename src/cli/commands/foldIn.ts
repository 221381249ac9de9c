/** `hadamard fold-in`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { inGroup, newRowsOptions, quietOption, type Settle } from './shared.js';

export function foldInCommand(settle: Settle): Command {
  const command = new Command('fold-in')
    .argument('<model>')
    .argument('<rows>')
    .summary('Factors of new rows or columns, the model as it is.')
    .description(foldInDescription);
  for (const option of [
    ...newRowsOptions(),
    inGroup('Output:', '--out <file>', 'Write the factors to this .csv, .tsv or .npy; - is CSV on stdout. [-]'),
    inGroup(
      'Output:',
      '--json',
      'Print a JSON object a row, or with --out one line about all; and an error as one line of JSON on stderr.',
    ),
    quietOption().helpGroup('Output:'),
  ])
    command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(foldInExamples))
    .action(async (model: string, path: string, flags) =>
      settle(await (await import('../foldIn.js')).foldInFile(model, path, flags)),
    );
}

const foldInDescription = `Solves the rows that <rows> lists for the columns of a saved model, exactly
as the fit solved its own: the same loss, penalties, bounds, biases and
background. A row of the training data gets the factor that it has in the
model.

Columns are matched by label, or by index from 0 where the model has no
labels, or by position in .mtx and .npy; those that the model does not have
are reported and left out. Weights are given as in hadamard fit.`;

const foldInExamples = [
  'hadamard fold-in model newcomers.csv --out factors.csv',
  'hadamard fold-in model new-items.csv --side columns --out V.npy',
];
