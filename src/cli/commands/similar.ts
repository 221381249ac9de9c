/** `hadamard similar`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { oneLineOfJson, type Settle } from './shared.js';

export function similarCommand(settle: Settle): Command {
  return new Command('similar')
    .argument('<model>')
    .summary('List the rows or columns that are most like one.')
    .description(similarDescription)
    .option('--row <label>', 'The row, by its label; by its index from 0 where the model has no labels.')
    .option('--column <label>', 'The column, likewise: columns like it are listed.')
    .option('--top <N>', 'How many. [10]')
    .option(
      '--measure <cosine|dot|euclidean>',
      'cosine and dot: largest first. euclidean: smallest distance first. [cosine]',
    )
    .option(
      '--by <profile|factor>',
      'profile: rows (or columns) of UVᵀ, whatever the factors it was reached by. factor: u and v as they are. [profile]',
    )
    .option('--json', oneLineOfJson)
    .addHelpText('after', () => afterHelp(similarExamples))
    .action(async (model: string, flags) => settle(await (await import('../similar.js')).findSimilar(model, flags)));
}

const similarDescription = `Compares what the model predicts for a row, less mean and biases, with what it
predicts for every other row. The cosine of u_i and u_j themselves would not do:
UM and VM⁻ᵀ predict the same as U and V, and have other cosines.`;

const similarExamples = [
  'hadamard similar model --row alice',
  'hadamard similar model --column "Toy Story" --top 5 --json',
];
