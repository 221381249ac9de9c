/** `hadamard inspect`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { oneLineOfJson, type Settle } from './shared.js';

export function inspectCommand(settle: Settle): Command {
  return new Command('inspect')
    .argument('<model>')
    .summary('Say what a model is, and check that it is sound.')
    .description(inspectDescription)
    .option('--top <N>', 'How many loadings of each latent column. [5]')
    .option('--json', oneLineOfJson)
    .addHelpText('after', () => afterHelp(['hadamard inspect model', 'hadamard inspect model --json']))
    .action(async (model: string, flags) => settle(await (await import('../inspect.js')).inspect(model, flags)));
}

const inspectDescription = `Prints shape, rank and precision, the equation that was minimised, the
certificate, norms and singular values, the largest loadings of each latent
column, rows and columns without observations, sizes on disk, versions and the
command that made it. Files whose digest has changed are an error.`;
