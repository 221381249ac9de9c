/** `hadamard recommend`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { columnsOption, denseOption, quietOption, type Settle } from './shared.js';

export function recommendCommand(settle: Settle): Command {
  return new Command('recommend')
    .argument('<model>')
    .summary('List the columns of highest prediction for rows.')
    .description(recommendDescription)
    .option(
      '--row <label>',
      'A row, by its label; by its index from 0 where the model has no labels. May be repeated.',
      (label: string, before: readonly string[] = []) => [...before, label],
    )
    .option('--rows <file>', 'The rows that a file names, one a line; .csv: by its first field; .jsonl: JSON strings.')
    .option('--all', 'All rows.')
    .option('--top <N>', 'How many columns a row. [10]')
    .option(
      '--exclude <A>',
      'Leave out the columns that this file lists for a row, such as the A of the fit. Where the model has no labels, names in .csv are indices from 0; .mtx counts from 1.',
    )
    .option('--only <file>', 'Recommend only the columns that this file names, in the form of --rows.')
    .option('--without <file>', 'Leave out the columns that this file names.')
    .addOption(columnsOption())
    .addOption(denseOption())
    .option('--threads <T>', 'Number of worker threads; the answers are the same for every number. [all cores]')
    .option(
      '--out <file>',
      'Write row, column, prediction, rank to this file: .csv, .tsv, .parquet or .arrow; a .jsonl gets an object a row. [-]',
    )
    .option('--json', 'Print a line of JSON a row on stdout, and an error as one line of JSON on stderr.')
    .addOption(quietOption())
    .addHelpText('after', () => afterHelp(recommendExamples))
    .action(async (model: string, flags) => settle(await (await import('../recommend.js')).recommend(model, flags)));
}

const recommendDescription = `Predicts every column for one row, some rows or all, and lists the highest, best
first, ties by column; exact, and as hadamard predict gives them. A table for
--row, CSV (row,column,prediction,rank) for --rows and --all. Rows and columns
are printed by label, or by index from 0 where the model has no labels. Where a
row has fewer columns than asked for, a line says why.`;

const recommendExamples = [
  'hadamard recommend model --row alice',
  'hadamard recommend model --row alice --top 5 --exclude ratings.csv --json',
  'hadamard recommend model --all --exclude ratings.csv --out top.csv',
];
