/** `hadamard report`: its options and help. */
import { Command } from 'commander';
import { afterHelp } from '../help.js';
import { columnsOption, denseOption, inGroup, oneLineOfJson, quietOption, type Settle } from './shared.js';

export function reportCommand(settle: Settle): Command {
  return new Command('report')
    .argument('<model>')
    .argument('[A]')
    .summary('Write a page about a model, to look at and to keep.')
    .description(reportDescription)
    .requiredOption('--out <file>', 'Write the page to this file.')
    .addOption(inGroup('Data:', '--weights <file>', 'Weights of the entries of A, as they were given to hadamard fit.'))
    .addOption(
      inGroup(
        'Data:',
        '--weights-are <weight|sqrt-weight|sigma>',
        'What the weights are. Without --weights they are the fourth column of A.',
      ),
    )
    .addOption(columnsOption())
    .addOption(denseOption())
    .option('--json', oneLineOfJson)
    .addOption(quietOption())
    .addHelpText('after', () => afterHelp(reportExamples))
    .action(async (model: string, path: string | undefined, flags) =>
      settle(await (await import('../report.js')).report(model, path, flags)),
    );
}

const reportDescription = `Writes one HTML file that loads nothing from anywhere: what was minimised, the
certificate in words, convergence, singular values, factors, a map of rows and
columns, time and memory, and the command to run again. With A, the data of the
fit in the same form, the residuals as well.

hadamard fit --report writes the same page with the model.`;

const reportExamples = [
  'hadamard report model --out report.html',
  'hadamard report model ratings.csv --columns user,item,rating --out report.html',
  'hadamard report model lab.csv --table --weights errors.csv \\',
  '  --weights-are sigma --out report.html',
];
