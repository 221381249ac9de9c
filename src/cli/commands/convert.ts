/** `hadamard convert`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { columnsOption, denseOption, formatOption, quietOption, type Settle } from './shared.js';

export function convertCommand(settle: Settle): Command {
  return new Command('convert')
    .argument('<in>')
    .argument('<out>')
    .summary('Convert a data file to another format.')
    .description(convertDescription)
    .addOption(columnsOption())
    .addOption(denseOption())
    .addOption(formatOption())
    .option('--json', 'Print an error as one line of JSON on stderr.')
    .addOption(quietOption())
    .addHelpText('after', () => afterHelp(convertExamples))
    .action(async (path: string, out: string, flags) =>
      settle(await (await import('../convert.js')).convert(path, out, flags)),
    );
}

const convertDescription = `Reads <in> as fit reads A and writes it as the ending of <out> says: .csv, .tsv,
.jsonl, .parquet, .arrow, .mtx, .npz (scipy.sparse csr) or .npy; text and .npy
also as .gz or .zst. - is stdin and stdout, as CSV.

A list of entries stays a list, a dense table stays a table in .csv, .parquet
and .arrow. Labels are kept: .mtx, .npz and .npy hold none, so these are written
beside them, to <out>.rows.jsonl and <out>.columns.jsonl. With four --columns
the fourth is a weight.`;

const convertExamples = [
  'hadamard convert ratings.csv ratings.parquet --columns user,item,rating',
  "hadamard convert 'plays-*.parquet' plays.npz",
  'hadamard convert lab.csv lab.feather --table',
];
