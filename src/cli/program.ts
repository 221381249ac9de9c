/** The command line as a whole: commands/ declares each command; what it does is loaded when it runs, so that help is instant. */
import { Command, CommanderError } from 'commander';
import { HadamardError, isHadamardError } from '../errors.js';
import { didYouMean } from '../suggest.js';
import { version } from '../version.js';
import { completionCommand } from './commands/completion.js';
import { convertCommand } from './commands/convert.js';
import { demoCommand } from './commands/demo.js';
import { evaluateCommand } from './commands/evaluate.js';
import { explainCommand } from './commands/explain.js';
import { exportCommand } from './commands/export.js';
import { fitCommand } from './commands/fit.js';
import { foldInCommand } from './commands/foldIn.js';
import { imputeCommand } from './commands/impute.js';
import { inspectCommand } from './commands/inspect.js';
import { predictCommand } from './commands/predict.js';
import { recommendCommand } from './commands/recommend.js';
import { reportCommand } from './commands/report.js';
import { similarCommand } from './commands/similar.js';
import { tuneCommand } from './commands/tune.js';
import { uncertaintyCommand } from './commands/uncertainty.js';
import { updateCommand } from './commands/update.js';
import { verifyCommand } from './commands/verify.js';
import { configOption, withConfig } from './config.js';
import { type ExitCode, exitCodeOfError, isAbort } from './exitCodes.js';
import { failureAsJson, failureAsText } from './failure.js';
import { inFlags, settleBareFlags } from './flags.js';
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
    // A config is told about by its own names, everything else by those of the command line.
    const settled = await withConfig(program, createProgram(), settleBareFlags(argv));
    await program.parseAsync(settled, { from: 'user' }).catch((error: unknown) => {
      throw isHadamardError(error) ? inFlags(error) : error;
    });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? misuse(thrown) : thrown;
    const isJson = argv.includes('--json') || program.commands.some((command) => command.opts().json === true);
    const told = isJson ? failureAsJson(error) : failureAsText(error, process.stderr);
    process.stderr.write(`${told}\n`);
    // Files may still be being read.
    if (isAbort(error)) process.exit(130);
    return exitCodeOfError(error);
  }
}

/** In the order of the help. */
const commands = [
  fitCommand,
  evaluateCommand,
  tuneCommand,
  predictCommand,
  recommendCommand,
  similarCommand,
  explainCommand,
  imputeCommand,
  foldInCommand,
  updateCommand,
  uncertaintyCommand,
  inspectCommand,
  verifyCommand,
  reportCommand,
  exportCommand,
  convertCommand,
  demoCommand,
  completionCommand,
];

/** Every command with its options; `settle` takes the exit code of the one that runs. */
export function createProgram(settle: (code: ExitCode) => void = () => undefined): Command {
  const program = new Command('hadamard')
    .description('Weighted low-rank matrix factorization: A ≈ UVᵀ, each entry as much as it is known.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help; hadamard <command> --help has more.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp(helpStyle)
    .addHelpText('after', () => afterHelp(overview))
    .hook('preAction', async (_, command) => (await import('./overInputs.js')).refuseOverInputs(command));
  for (const declare of commands) program.addCommand(declare(settle));
  for (const command of program.commands)
    command.copyInheritedSettings(program).addOption(configOption()).helpOption('-h, --help', 'Print this help.');
  return program;
}

const overview = [
  'hadamard demo',
  'hadamard fit ratings.csv --rank 10 --lambda 5 --biases --out model',
  'hadamard fit A.mtx --rank 4 --weights s.mtx --weights-are sigma --out model',
  'hadamard predict model pairs.csv > predictions.csv',
  'hadamard recommend model --row alice --top 5 --exclude ratings.csv',
  'hadamard inspect model',
  'hadamard export model --format npy --out vectors',
];

/** What commander says about a command line, as an error of ours. */
function misuse(error: CommanderError): HadamardError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const option = /'(?:-\w, )?--([\w-]+)/.exec(first)?.[1];
  const [, word, name, choices] =
    /'([^']*)' is invalid for argument '([^']*)'. Allowed choices are (.*)\.$/.exec(first) ?? [];
  if (name !== undefined)
    return new HadamardError({
      code: 'invalid-option',
      what: `${name} is "${word}".`,
      position: {},
      rule: `${name} is one of ${choices}.`,
      remedy: `${didYouMean(word, choices?.split(', ') ?? [])}Give one of these.`,
    });
  return new HadamardError({
    code: 'invalid-option',
    what: `${first[0]?.toUpperCase()}${first.slice(1)}${/[.!?]$/.test(first) ? '' : '.'}`,
    position: option === undefined ? {} : { option },
    rule: 'A command takes the arguments and options that its --help lists.',
    remedy: suggestion?.replace(/^\(|\)$/g, '') ?? 'hadamard --help and hadamard <command> --help list what there is.',
  });
}
