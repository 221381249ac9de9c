/** `hadamard completion`: its help. */
import { Argument, Command } from 'commander';
import { afterHelp } from '../help.js';
import type { Settle } from './shared.js';

export function completionCommand(settle: Settle): Command {
  const command = new Command('completion');
  return command
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .summary('Print a script by which a shell completes commands.')
    .description(
      'Prints a script that makes a shell complete commands, options and their choices, and file names elsewhere. It is made from the commands themselves: make it again after an update.',
    )
    .addHelpText('after', () => afterHelp(completionExamples))
    .action(async (shell: 'bash' | 'zsh' | 'fish') =>
      settle((await import('../completion.js')).completion(shell, command.parent as Command)),
    );
}

const completionExamples = [
  'source <(hadamard completion bash)',
  'hadamard completion zsh > "$fpath[1]/_hadamard"',
  'hadamard completion fish > ~/.config/fish/completions/hadamard.fish',
];
