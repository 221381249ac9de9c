/** `hadamard export`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { oneLineOfJson, type Settle } from './shared.js';

export function exportCommand(settle: Settle): Command {
  return new Command('export')
    .argument('<model>')
    .summary('Write the vectors for a vector store, an index or Python.')
    .description(exportDescription)
    .requiredOption('--format <npy|safetensors|pgvector|json|csv>', 'What to write.')
    .requiredOption(
      '--out <path>',
      'A file for safetensors and for one side of pgvector, json and csv; a folder for the others.',
    )
    .option('--side <rows|columns|both>', 'Whose vectors. [both]')
    .option('--canonical', 'Vectors of the canonical form: U√d and V√d, whose inner products are the same.')
    .option(
      '--with-bias',
      "Append the biases, u' = [u, b, 1] and v' = [v, 1, c], so that inner products plus the mean are predictions.",
    )
    .option('--json', oneLineOfJson)
    .addHelpText('after', () => afterHelp(exportExamples))
    .action(async (model: string, flags) => settle(await (await import('../exportModel.js')).exportTo(model, flags)));
}

const exportDescription = `Formats, where an id is the label, or the index from 0:
  npy               rows.npy, columns.npy, labels in rows.jsonl, columns.jsonl
  safetensors       one file; labels as JSON in its metadata
  pgvector          id,embedding as CSV: "[0.1,0.2]"
  json              a line {"id", "vector", "bias"} for each
  csv               id, then a field for each latent column`;

const exportExamples = [
  'hadamard export model --format npy --out vectors',
  'hadamard export model --format pgvector --side columns --with-bias \\',
  '  --out items.csv',
  'hadamard export model --format safetensors --out model.safetensors',
];
