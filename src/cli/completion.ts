/** `hadamard completion`: scripts for shells, made from the declared commands. */
import type { Command, Option } from 'commander';
import type { ExitCode } from './exitCodes.js';
import { choicesOf, isPathOption } from './flags.js';

const writers = { bash, zsh, fish } as const;

export function completion(shell: keyof typeof writers, program: Command): ExitCode {
  process.stdout.write(writers[shell](program));
  return 0;
}

/** The options of a command, --help included. */
function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function longNames(command: Command): string[] {
  return optionsOf(command).flatMap(({ long }) => long ?? []);
}

/** What may stand in place of a positional argument; none where it is a file. */
function argumentChoices(command: Command): readonly string[] {
  return command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
}

/** The first sentence. */
function brief(description: string): string {
  return /^.*?[.:;](?=\s|$)/.exec(description)?.[0].slice(0, -1) ?? description;
}

function bash(program: Command): string {
  const names = program.commands.map((command) => command.name());
  const withChoices = program.commands.flatMap((command) =>
    optionsOf(command)
      .filter((option) => choicesOf(option).length > 0)
      .map((option) => `    '${command.name()} ${option.long}') words='${choicesOf(option).join(' ')}' ;;`),
  );
  const withValues = program.commands.flatMap((command) =>
    optionsOf(command)
      .filter((option) => option.required && choicesOf(option).length === 0)
      .map((option) => `'${command.name()} ${option.long}'`),
  );
  const perCommand = program.commands.flatMap((command) => [
    `      '${command.name()} -'*) words='${longNames(command).join(' ')}' ;;`,
    ...(argumentChoices(command).length > 0
      ? [`      '${command.name()} '*) words='${argumentChoices(command).join(' ')}' ;;`]
      : []),
  ]);
  return `# Completion of hadamard for bash: source <(hadamard completion bash)
_hadamard() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=
  # --option=value comes as three words.
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
  case "\${COMP_WORDS[1]} $prev" in
${withChoices.join('\n')}
    # Values of their own, or files.
    ${withValues.join('|')}) return ;;
    *) case "\${COMP_WORDS[1]} $cur" in
${perCommand.join('\n')}
      'help '*) words='${names.join(' ')}' ;;
    esac ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${[...names, 'help', '--help', '--version'].join(' ')}'; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _hadamard hadamard
`;
}

function zsh(program: Command): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
  const argument = (option: Option) => {
    const choices = choicesOf(option);
    const action = choices.length > 0 ? `(${escaped(choices.join(' '))})` : isPathOption(option) ? '_files' : ' ';
    const value = option.required ? `:value:${action}` : option.optional ? `::value:${action}` : '';
    return quoted(`${option.long}[${escaped(brief(option.description))}]${value}`);
  };
  const cases = program.commands.map((command) => {
    const choices = argumentChoices(command);
    const rest = quoted(choices.length > 0 ? `1:value:(${choices.join(' ')})` : '*:file:_files');
    return `    ${command.name()}) _arguments ${[...optionsOf(command).map(argument), rest].join(' \\\n      ')} ;;`;
  });
  const described = program.commands.map((command) => quoted(`${command.name()}:${escaped(command.summary())}`));
  return `#compdef hadamard
# Completion of hadamard for zsh: hadamard completion zsh > "$fpath[1]/_hadamard", or source it after compinit.
_hadamard() {
  local -a commands
  commands=(
    ${described.join('\n    ')}
    'help:Print the help of a command.'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
    help) _describe command commands ;;
  esac
}
if [ "$funcstack[1]" = _hadamard ]; then _hadamard "$@"; else compdef _hadamard hadamard; fi
`;
}

function fish(program: Command): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const optionOf = (option: Option) => {
    const choices = choicesOf(option);
    const value = choices.length > 0 ? `-a ${quoted(choices.join(' '))}` : isPathOption(option) ? '-F' : '';
    const takes = option.required ? (isPathOption(option) ? '-r' : '-x') : '';
    return [`-l ${option.long?.slice(2)}`, takes, value, `-d ${quoted(brief(option.description))}`]
      .filter(Boolean)
      .join(' ');
  };
  const lines = program.commands.flatMap((command) => {
    const within = `complete -c hadamard -n ${quoted(`__fish_seen_subcommand_from ${command.name()}`)}`;
    const choices = argumentChoices(command);
    return [
      `complete -c hadamard -n __fish_use_subcommand -f -a ${command.name()} -d ${quoted(command.summary())}`,
      ...(choices.length > 0 ? [`${within} -f -a ${quoted(choices.join(' '))}`] : []),
      ...optionsOf(command).map((option) => `${within} ${optionOf(option)}`),
    ];
  });
  return `# Completion of hadamard for fish: hadamard completion fish > ~/.config/fish/completions/hadamard.fish
${lines.join('\n')}
`;
}
