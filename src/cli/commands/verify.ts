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
again in plain float64, without the kernels, every claim that the two can
prove or refute: checksums of the files, entries, objective, loss,
regularization and errors, the gradient of each factor and the KKT residual,
the curvature (a saddle by a direction along which f falls, a minimum by the
smallest eigenvalue) and the lower bound of the global optimum, both also
where the fit did not; held-out error, explained variance, Q and R², degrees
of freedom, reduced chi-square and the covariances that intervals are made
of, and the best of many starts. Prints what was said, what was found, and
whether they agree as closely as the precision of the fit allows, with a
reason where nothing can be compared. Exits with 4 where a claim does not
hold.`;

const verifyExamples = [
  'hadamard verify model ratings.csv --columns user,item,rating',
  'hadamard verify model lab.csv --table --weights errors.csv --weights-are sigma',
  'hadamard verify model A.mtx --json',
];
