/** The commands, their options and their help. What a command does is loaded when it runs, so that help is instant. */
import { Command, CommanderError, Option } from 'commander';
import { HadamardError, isHadamardError } from '../errors.js';
import { version } from '../version.js';
import { type ExitCode, exitCodeOfError, isAbort } from './exitCodes.js';
import { failureAsJson, failureAsText } from './failure.js';
import { inFlags, settleBareFlags, tableOptions } from './flags.js';
import { afterHelp, helpStyle } from './help.js';

/** Runs the command line and returns its exit code; whatever goes wrong is told on stderr. */
export async function runCommand(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return 2;
  }
  try {
    await program.parseAsync(settleBareFlags(argv), { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error =
      thrown instanceof CommanderError ? misuse(thrown) : isHadamardError(thrown) ? inFlags(thrown) : thrown;
    const told = argv.includes('--json') ? failureAsJson(error) : failureAsText(error, process.stderr);
    process.stderr.write(`${told}\n`);
    // Files may still be being read.
    if (isAbort(error)) process.exit(130);
    return exitCodeOfError(error);
  }
}

function createProgram(settle: (code: ExitCode) => void): Command {
  const program = new Command('hadamard')
    .description('Weighted low-rank matrix factorization: A ≈ UVᵀ, each entry as much as it is known.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help; hadamard <command> --help has more.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp(helpStyle)
    .addHelpText('after', () => afterHelp(overview));
  program.addCommand(fitCommand(settle));
  program.addCommand(predictCommand(settle));
  program.addCommand(recommendCommand(settle));
  program.addCommand(demoCommand(settle));
  for (const command of program.commands)
    command.copyInheritedSettings(program).helpOption('-h, --help', 'Print this help.');
  return program;
}

type Settle = (code: ExitCode) => void;

function fitCommand(settle: Settle): Command {
  const command = new Command('fit')
    .argument('<A>')
    .summary('Factorize a matrix and save the model.')
    .description(fitDescription)
    .usage('<A> --rank <k> [options]');
  const own = [
    inGroup(
      'Data:',
      '--weights <file>',
      "Weights of the entries, in any of the formats of A, matched to A by label, or by position where neither file has labels. In .csv row, column, weight, or by the names of A's row and column where the header has them. Entries of A that are not listed are unobserved.",
    ),
    inGroup(
      'Data:',
      '--weights-are <weight|sqrt-weight|sigma>',
      'What the weights are: W² (weight), W (sqrt-weight, sqrt) or 1/W (sigma). Without --weights they are the fourth column of A.',
    ),
    columnsOption(),
    denseOption(),
    inGroup(
      'Data:',
      '--test <file>',
      'Held-out entries, matched to A as weights are: their RMSE is reported; they are never fitted.',
    ),
  ];
  const objective = [
    inGroup(
      'Objective:',
      '--background-weight <w>',
      'Entries that are not listed are observations too, of weight W² = w: implicit feedback. An entry listed with weight 0 is left out of it.',
    ),
    inGroup('Objective:', '--background-value <y>', 'The value of entries that are not listed. [0]'),
    inGroup(
      'Objective:',
      '--background-rows <file>',
      'Background weights r_i·c_j: r, a table (label, weight) or .npy. Without --background-columns all c_j are 1.',
    ),
    inGroup('Objective:', '--background-columns <file>', 'The same for c.'),
    inGroup(
      'Objective:',
      '--hold-columns <file>',
      'Known columns of V, such as source profiles: a table with a line for each column of A, or .npy. They are the first of the k latent columns and stay as they are; empty cells are free.',
    ),
  ];
  const receptor = [
    inGroup(
      'Uncertainties:',
      '--weak <columns>',
      'Columns whose uncertainties count three times, by label: Benzene,Toluene.',
    ),
    inGroup('Uncertainties:', '--bad <columns>', 'Columns that are left out of the fit.'),
    inGroup('Uncertainties:', '--total <column>', 'The total variable, whose uncertainties count three times.'),
    inGroup(
      'Uncertainties:',
      '--extra-uncertainty <share>',
      'Uncertainty of the model itself: σ² grows by (share·A)².',
    ),
  ];
  const output = [
    inGroup(
      'Output:',
      '--canonical',
      'Save canonical/U.npy, d.npy and V.npy as well: UVᵀ = U·diag(d)·Vᵀ, orthonormal, signs fixed.',
    ),
    inGroup('Output:', '--out <dir>', 'Write the model to this folder; an older model there is replaced as a whole.'),
    inGroup('Output:', '--json', 'Print one line of JSON on stdout, and an error as one line of JSON on stderr.'),
    inGroup('Output:', '--quiet', 'Print nothing but errors, warnings and the line of --json.'),
  ];
  for (const option of [
    ...tableOptions('Objective:'),
    ...objective,
    ...own,
    ...receptor,
    ...tableOptions('Data:'),
    ...output,
  ])
    command.addOption(option);
  for (const option of [...tableOptions('Stopping:'), ...tableOptions('Computation:')]) command.addOption(option);
  return command
    .addHelpText('after', () => afterHelp(fitExamples))
    .action(async (path: string, flags) => settle(await (await import('./fit.js')).fit(path, flags)));
}

function predictCommand(settle: Settle): Command {
  return new Command('predict')
    .argument('<model>')
    .argument('<pairs>')
    .summary('Predict the entries that a file lists.')
    .description(predictDescription)
    .option('--columns <names>', 'Header names of row and column, for example user,item, or their numbers from 1.')
    .option('--out <file>', 'Write the CSV to this file; - is stdout. [-]')
    .option(
      '--json',
      'Print a JSON object a line: row, column, prediction; and an error as one line of JSON on stderr.',
    )
    .addHelpText('after', () => afterHelp(predictExamples))
    .action(async (model: string, pairs: string, flags) =>
      settle(await (await import('./predict.js')).predict(model, pairs, flags)),
    );
}

function recommendCommand(settle: Settle): Command {
  return new Command('recommend')
    .argument('<model>')
    .summary('List the columns of highest prediction for a row.')
    .description(
      'Predicts every column for one row and prints the highest, best first. Columns are printed by label, or by index from 0 where the model has no labels.',
    )
    .requiredOption('--row <label>', 'The row, by its label; by its index from 0 where the model has no labels.')
    .option('--top <N>', 'How many columns. [10]')
    .option(
      '--exclude <A>',
      'Leave out the columns that this file lists for the row, such as the A of the fit. Where the model has no labels, names in .csv are indices from 0; .mtx counts from 1.',
    )
    .addOption(columnsOption())
    .addOption(denseOption())
    .option('--json', 'Print one line of JSON on stdout, and an error as one line of JSON on stderr.')
    .addHelpText('after', () => afterHelp(recommendExamples))
    .action(async (model: string, flags) => settle(await (await import('./recommend.js')).recommend(model, flags)));
}

function demoCommand(settle: Settle): Command {
  return new Command('demo')
    .summary('Fit the shipped sample; writes ./hadamard-demo/.')
    .description(
      'Fits the shipped sample at rank 4 and writes the model to ./hadamard-demo/: 307 air samples × 41 volatile species from Baton Rouge (US EPA), each value weighted by 1/σ of its measured uncertainty.',
    )
    .action(async () => settle(await (await import('./demo.js')).demo()));
}

const fitDescription = `Finds U (m×k) and V (n×k) that minimise Σ W²(A − UVᵀ)² + regularization over the
observed entries of A, on all cores, and measures how near they are to a
stationary point.

A is one of the following, also gzipped (.gz). What is not listed is unobserved,
not zero:
  .mtx              Matrix Market: coordinate or array
  .npy              a dense array; NaN is unobserved
  .csv .tsv .txt    row, column, value; rows and columns are labels of any kind
  .csv with --table column labels on top, row labels first; empty, NA or
                    NaN is unobserved`;

const predictDescription = `Predicts the entries that <pairs> lists and prints row,column,prediction as CSV,
in the same order. Pairs are .csv, .tsv or .txt (row, column, anything) or .mtx.

Rows and columns are named by the model's labels, or counted from 0 where it has
none (from 1 in .mtx, always), and printed as the file names them. One that the
model has not seen adds nothing: the mean and the other's bias remain, or 0 in a
model without biases.`;

const overview = [
  'hadamard demo',
  'hadamard fit ratings.csv --rank 10 --lambda 5 --biases --out model',
  'hadamard fit A.mtx --rank 4 --weights s.mtx --weights-are sigma --out model',
  'hadamard predict model pairs.csv > predictions.csv',
  'hadamard recommend model --row alice --top 5 --exclude ratings.csv',
];

const fitExamples = [
  'hadamard fit ratings.csv --columns user,item,rating --rank 10 --biases \\',
  '  --lambda 0.1 --lambda-scale count --test held-out.csv --out model',
  'hadamard fit lab.csv --table --weights errors.csv --weights-are sigma --rank 4',
  'hadamard fit A.npy --rank 8 --time-limit 60 --json --quiet --out model',
];

const predictExamples = [
  'hadamard predict model pairs.csv > predictions.csv',
  'hadamard predict model ratings.csv --columns user,item --out predictions.csv',
];

const recommendExamples = [
  'hadamard recommend model --row alice',
  'hadamard recommend model --row alice --top 5 --exclude ratings.csv --json',
];

function inGroup(group: string, flags: string, description: string): Option {
  return new Option(flags, description).helpGroup(group);
}

function columnsOption(): Option {
  return inGroup(
    'Data:',
    '--columns <names>',
    'Header names of row, column, value[, weight], for example user,item,rating, or their numbers from 1. Without it the first three are read (four with --weights-are), one more in a header is passed over, and a file with more is refused.',
  );
}

function denseOption(): Option {
  return inGroup(
    'Data:',
    '--table',
    'CSV files are dense tables, with labels on top and at the left; empty, NA and NaN cells are unobserved.',
  );
}

/** What commander says about a command line, as an error of ours. */
function misuse(error: CommanderError): HadamardError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const option = /'(?:-\w, )?--([\w-]+)/.exec(first)?.[1];
  return new HadamardError({
    code: 'invalid-option',
    what: `${first[0]?.toUpperCase()}${first.slice(1)}${/[.!?]$/.test(first) ? '' : '.'}`,
    position: option === undefined ? {} : { option },
    rule: 'A command takes the arguments and options that its --help lists.',
    remedy: suggestion?.replace(/^\(|\)$/g, '') ?? 'hadamard --help and hadamard <command> --help list what there is.',
  });
}
