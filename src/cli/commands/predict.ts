/** `hadamard predict`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { formatOption, quietOption, type Settle } from './shared.js';

export function predictCommand(settle: Settle): Command {
  return new Command('predict')
    .argument('<model>')
    .argument('<pairs>')
    .summary('Predict the entries that a file lists.')
    .description(predictDescription)
    .option(
      '--columns <names>',
      'Names of the columns of row and column, for example user,item, or their numbers from 1.',
    )
    .addOption(formatOption())
    .option(
      '--intervals <q>',
      'Add standard error, lower and upper bound, which cover the share q, such as 0.9; the model is one of hadamard fit --intervals.',
    )
    .option('--of <mean|observation>', 'What intervals cover: the matrix under the noise, or a new observation. [mean]')
    .option(
      '--out <file>',
      'Write to this file, as its ending says: .csv, .tsv, .jsonl (also .gz, .zst), .parquet or .arrow; .npy holds the predictions alone. - is CSV on stdout. [-]',
    )
    .option(
      '--json',
      'Print a JSON object a line: row, column, prediction …; and an error as one line of JSON on stderr.',
    )
    .addOption(quietOption())
    .addHelpText('after', () => afterHelp(predictExamples))
    .action(async (model: string, pairs: string, flags) =>
      settle(await (await import('../predict.js')).predict(model, pairs, flags)),
    );
}

const predictDescription = `Predicts the entries that <pairs> lists and prints row,column,prediction as CSV,
in the same order. Pairs are .csv, .tsv, .txt, .jsonl, .parquet or .arrow (row,
column, anything), or .mtx or .npz; - is stdin.

Rows and columns are named by the model's labels, or counted from 0 where it
has none (in .npz always from 0, in .mtx from 1), and printed as the file names
them. One that the model has not seen adds nothing: the mean and the other's
bias remain, or 0 in a model without biases.`;

const predictExamples = [
  'hadamard predict model pairs.csv > predictions.csv',
  'hadamard predict model pairs.parquet --columns user,item --out p.parquet',
  'hadamard predict model pairs.csv --intervals 0.9 --of observation',
];
