/** `hadamard impute`: its options and help. */
import { Command } from 'commander';
import { tableOptions } from '../flags.js';
import { afterHelp } from '../help.js';
import { denseOption, inGroup, outputOptions, type Settle, weightsOptions } from './shared.js';

export function imputeCommand(settle: Settle): Command {
  const command = new Command('impute')
    .argument('<table>')
    .summary('Fill the empty cells of a dense table.')
    .description(imputeDescription)
    .usage('<table> --rank <k> | --model <dir> --out <file> [options]');
  for (const option of [
    inGroup('Imputation:', '--model <dir>', 'Use this model in place of a fit: the rows of the table are folded in.'),
    inGroup(
      'Imputation:',
      '--intervals <q>',
      'Bounds that cover the share q of missing values, such as 0.9, beside --out as .lower and .upper.',
    ),
    ...tableOptions('Uncertainty:', ['intervals']),
    inGroup(
      'Output:',
      '--out <file>',
      'Write the table to this .csv, .tsv, .parquet, .arrow or .npy.',
    ).makeOptionMandatory(),
    ...outputOptions(),
    ...weightsOptions(),
    denseOption(),
    ...tableOptions('Objective:'),
    ...tableOptions('Stopping:'),
    ...tableOptions('Computation:'),
  ])
    command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(imputeExamples))
    .action(async (path: string, flags) => settle(await (await import('../impute.js')).imputeTable(path, flags)));
}

const imputeDescription = `Fits a dense table (.csv with labels on top and at the left, .parquet or .arrow
with a column of row labels, or .npy) and writes it again with every empty cell
filled by its prediction. Cells that hold a value are kept, in text letter by
letter.

With --intervals q two more tables are written, completed.lower.csv and
completed.upper.csv, whose cells are filled where values were missing. They
assume independent normal errors of standard deviation s/W around a matrix of
the rank fitted; with --weights-are sigma s is 1, else estimated from residuals.`;

const imputeExamples = [
  'hadamard impute lab.csv --rank 4 --biases --lambda 0.1 --out completed.csv',
  'hadamard impute lab.csv --weights sigma.csv --weights-are sigma --rank 4 \\',
  '  --intervals 0.9 --out completed.csv',
  'hadamard impute today.csv --model model --out completed.csv',
];
