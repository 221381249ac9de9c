/** `hadamard fit`: its options and help. */
import { Command } from 'commander';
import { tableOptions } from '../flags.js';
import { afterHelp } from '../help.js';
import { dataOptions, objectiveOptions, receptorOptions } from './fitOptions.js';
import { inGroup, outputOptions, type Settle } from './shared.js';

export function fitCommand(settle: Settle): Command {
  const command = new Command('fit')
    .argument('[A]')
    .summary('Factorize a matrix and save the model.')
    .description(fitDescription)
    .usage('<A> --rank <k> [options]');
  const own = [
    inGroup(
      'Data:',
      '--sql <query>',
      'A is the result of this query, whose columns are row, column, value[, weight]. It runs in DuckDB, which reads .parquet, .csv and .json files: npm install @duckdb/node-api. Entries are taken in the order of their labels, whatever order the query gives, so that the same data give the same model.',
    ),
    inGroup(
      'Data:',
      '--warm-start <model>',
      'Begin where this model ends: rows and columns matched by label, new ones at random. Its rank may be another.',
    ),
    inGroup(
      'Data:',
      '--test <file>',
      'Held-out entries, matched to A as weights are: their RMSE is reported; they are never fitted.',
    ),
  ];
  const output = [
    inGroup(
      'Output:',
      '--canonical',
      'Save canonical/U.npy, d.npy and V.npy as well: UVᵀ = U·diag(d)·Vᵀ, orthonormal, signs fixed.',
    ),
    inGroup('Output:', '--out <dir>', 'Write the model to this folder; an older model there is replaced as a whole.'),
    inGroup('Output:', '--report <file>', 'Write a page about the model to this file: hadamard report has more.'),
    inGroup(
      'Output:',
      '--watch [port]',
      'Serve a page on 127.0.0.1 that shows the fit while it runs, then the report; its address stands on stderr. Without a port any that is free.',
    ),
    ...outputOptions(),
    inGroup('Output:', '--verbose', 'Say as well which method was taken and why, and where the data were.'),
  ];
  for (const option of [
    ...tableOptions('Objective:'),
    ...objectiveOptions(),
    ...dataOptions(),
    ...own,
    ...receptorOptions(),
    ...tableOptions('Data:'),
    ...tableOptions('Uncertainty:'),
    ...output,
  ])
    command.addOption(option);
  for (const option of [...tableOptions('Stopping:'), ...tableOptions('Computation:')]) command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(fitExamples))
    .action(async (path: string | undefined, flags) => settle(await (await import('../fit.js')).fit(path, flags)));
}

const fitDescription = `Finds U (m×k) and V (n×k) that minimise Σ W²(A − UVᵀ)² + regularization over the
observed entries of A, on all cores, and measures how near they are to a
stationary point.

A is one of the following, also packed (.gz, .zst). What is not listed is
unobserved, not zero:
  .csv .tsv .txt    row, column, value; rows and columns are labels of any kind
  .jsonl .ndjson    objects {"user": …, "item": …, "rating": …} or lists
  .parquet          columns row, column, value
  .arrow .feather   Arrow IPC: columns row, column, value
  .mtx              Matrix Market: coordinate or array
  .npz              scipy.sparse csr, csc or coo, or one dense array
  .npy              a dense array; NaN is unobserved
  --table           .csv, .parquet and .arrow are dense tables: column labels on
                    top, row labels first; empty, NA, null or NaN is unobserved
- is stdin, and 'ratings-*.parquet' all files of that pattern as one.`;

const fitExamples = [
  'hadamard fit ratings.csv --columns user,item,rating --rank 10 --biases \\',
  '  --lambda 0.1 --lambda-scale count --test held-out.csv --out model',
  'hadamard fit ratings.csv --rank 20 --biases --holdout 0.1 --patience 5 \\',
  '  --out model',
  'hadamard fit lab.csv --table --weights errors.csv --weights-are sigma --rank 4',
  'hadamard fit A.npy --rank 8 --time-limit 60 --json --quiet --out model',
  "hadamard fit 'plays-*.parquet' --columns user,item,plays --like implicit \\",
  '  --lambda 10 --rank 64 --out model',
  'hadamard fit --like implicit --lambda 10 --rank 64 --out model --sql \\',
  '  "select user, item, count(*) from \'plays.parquet\' group by 1, 2"',
];
