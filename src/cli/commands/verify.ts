/** `hadamard verify`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { dataOptions } from './fitOptions.js';
import { oneLineOfJson, type Settle } from './shared.js';

export function verifyCommand(settle: Settle): Command {
  const command = new Command('verify')
    .argument('<model>')
    .argument('<A>')
    .summary('Compute again, from the files alone, what a model claims.')
    .description(verifyDescription);
  for (const option of dataOptions()) command.addOption(option);
  return command
    .option('--json', oneLineOfJson)
    .addHelpText('after', () => afterHelp(verifyExamples))
    .action(async (model: string, path: string, flags) =>
      settle(await (await import('../verify.js')).verify(model, path, flags)),
    );
}

const verifyDescription = `Reads a model and A, the data it was fitted to in the same form, and computes
again in plain float64, without the kernels: checksums of the files, entries,
objective, loss and regularization, errors, the gradient of each factor, and the
lower bound of the global optimum, which it also computes where the fit did not.
Prints what was said, what was found, and whether they agree as closely as the
precision of the fit allows. Exits with 4 where a claim does not hold.`;

const verifyExamples = [
  'hadamard verify model ratings.csv --columns user,item,rating',
  'hadamard verify model lab.csv --table --weights errors.csv --weights-are sigma',
  'hadamard verify model A.mtx --json',
];
