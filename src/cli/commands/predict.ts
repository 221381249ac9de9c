/** `hadamard predict`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import type { Settle } from './shared.js';

export function predictCommand(settle: Settle): Command {
  return new Command('predict')
    .argument('<model>')
    .argument('<pairs>')
    .summary('Predict the entries that a file lists.')
    .description(predictDescription)
    .option('--columns <names>', 'Header names of row and column, for example user,item, or their numbers from 1.')
    .option('--out <file>', 'Write the CSV to this file; - is stdout. [-]')
    .option(
      '--json',
      'Print a JSON object a line: row, column, prediction; and an error as one line of JSON on stderr.',
    )
    .addHelpText('after', () => afterHelp(predictExamples))
    .action(async (model: string, pairs: string, flags) =>
      settle(await (await import('../predict.js')).predict(model, pairs, flags)),
    );
}

const predictDescription = `Predicts the entries that <pairs> lists and prints row,column,prediction as CSV,
in the same order. Pairs are .csv, .tsv or .txt (row, column, anything) or .mtx.

Rows and columns are named by the model's labels, or counted from 0 where it has
none (from 1 in .mtx, always), and printed as the file names them. One that the
model has not seen adds nothing: the mean and the other's bias remain, or 0 in a
model without biases.`;

const predictExamples = [
  'hadamard predict model pairs.csv > predictions.csv',
  'hadamard predict model ratings.csv --columns user,item --out predictions.csv',
];
