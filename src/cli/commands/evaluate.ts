/** `hadamard evaluate`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { foldFitOptions } from './fitOptions.js';
import { inGroup, type Settle } from './shared.js';

export function evaluateCommand(settle: Settle): Command {
  const command = new Command('evaluate')
    .argument('<A>')
    .summary('Measure how well a fit predicts entries it has not seen.')
    .description(evaluateDescription)
    .usage('<A> --rank <k> [options]');
  const own = [
    inGroup(
      'Split:',
      '--split <holdout|k-fold|blocks|leave-one-out|rows|columns|time>',
      'holdout: a share of the entries at random. k-fold: each entry is tested in one of the folds. blocks: blocks of rows × columns in place of single entries. leave-one-out: one entry of each row. rows, columns: whole ones are left out, folded in from a share of their entries and tested on the rest. time: the latest share. [k-fold]',
    ),
    inGroup('Split:', '--folds <N>', 'Folds of k-fold, blocks, rows and columns. [5]'),
    inGroup('Split:', '--holdout <share>', 'The share that is tested by holdout and time. [0.1]'),
    inGroup('Split:', '--leave <random|last>', 'Which entry of a row leave-one-out takes; last needs --time. [random]'),
    inGroup(
      'Split:',
      '--time <column>',
      'The column of the CSV, by name or number from 1, that says when: a number or a date.',
    ),
    inGroup('Split:', '--given <share>', "The share of a left-out row's entries that it is folded in from. [0.8]"),
    inGroup(
      'Metrics:',
      '--metrics <names>',
      'rmse, mae, weighted-rmse, and precision@k, recall@k, hr@k, mrr@k, map@k, ndcg@k, with commas. [rmse,mae; with a background ndcg@10,recall@20]',
    ),
    inGroup(
      'Metrics:',
      '--negatives <all|N>',
      "What a row's test entries are ranked among: all columns that it has no training entry in, or N drawn from those it has none in at all. [all]",
    ),
    inGroup('Metrics:', '--relevance <value>', 'Test entries are relevant from this value on. [all are]'),
    inGroup('Metrics:', '--gains <binary|value>', 'What a relevant entry is worth to ndcg. [binary]'),
  ];
  for (const option of [...own, ...foldFitOptions()]) command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(evaluateExamples))
    .action(async (path: string, flags) => settle(await (await import('../evaluate.js')).evaluateFile(path, flags)));
}

const evaluateDescription = `Fits the training entries of each fold with the options of hadamard fit, and
measures the entries that were left out. Means, biases and scales are those of
the training entries alone. Folds depend on --seed and on where an entry
stands, not on the order of the file.

Beside each metric stands what a prediction without a model has: the training
mean, or in ranking the columns with most training entries first. Columns that
score the same count in every order equally often.`;

const evaluateExamples = [
  'hadamard evaluate ratings.csv --rank 10 --biases --lambda 0.1 \\',
  '  --lambda-scale count',
  'hadamard evaluate plays.csv --preset implicit --rank 32 \\',
  '  --split leave-one-out --negatives 99 --metrics hr@10,ndcg@10',
  'hadamard evaluate ratings.csv --columns user,item,rating --time timestamp \\',
  '  --rank 10 --lambda 5 --holdout 0.2',
];
