/** Command-line options made from the option table: kebab-case names, its sentences, its constraints. */
import { Option } from 'commander';
import { checkOption, type FitOptions, flagOf, type OptionName, type OptionSpec, optionTable } from '../options.js';

/** Headings of the help, and the options under each; those that are not named here stand under `Computation:`. */
const groups: Readonly<Record<'Objective:' | 'Data:' | 'Stopping:', readonly OptionName[]>> = {
  'Objective:': ['rank', 'lambda', 'lambdaScale', 'biases', 'biasLambda'],
  'Data:': ['duplicates'],
  'Stopping:': ['maxSweeps', 'tolerance', 'timeLimit'],
};

export type FitFlags = { readonly [name in OptionName]?: number | string };

const namesOnCommandLine = (Object.keys(optionTable) as OptionName[]).filter(
  (name) => (optionTable[name] as OptionSpec).commandLine !== false,
);

/** The options of the table that stand under a heading, as commander takes them. */
export function tableOptions(heading: keyof typeof groups | 'Computation:'): Option[] {
  const named = Object.values(groups).flat();
  const names =
    heading === 'Computation:' ? namesOnCommandLine.filter((name) => !named.includes(name)) : groups[heading];
  return names.map((name) => tableOption(name).helpGroup(heading));
}

function tableOption(name: OptionName): Option {
  const spec: OptionSpec = optionTable[name];
  const placeholder = spec.kind === 'choice' ? spec.choices.join('|') : spec.placeholder;
  const isBareAllowed = spec.kind === 'choice' && spec.bare !== undefined;
  const shown = spec.defaultText ?? spec.default;
  const bare = isBareAllowed ? ` Without a value: ${spec.bare}.` : '';
  return new Option(
    `${flagOf(name)} ${isBareAllowed ? `[${placeholder}]` : `<${placeholder}>`}`,
    `${spec.sentence}${bare}${shown === undefined ? '' : ` [${shown}]`}`,
  ).argParser((text: string) => (spec.kind === 'choice' ? text : numberOf(text)));
}

/** The number a text stands for, or the text itself, so that the check can show what was given. */
function numberOf(text: string): number | string {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
}

/**
 * The fit options among the flags, each checked.
 *
 * @throws HadamardError `invalid-option`
 */
export function fitOptionsOf(flags: FitFlags): FitOptions {
  const options: Partial<Record<OptionName, unknown>> = {};
  for (const name of namesOnCommandLine) {
    const value = flags[name];
    if (value !== undefined || name === 'rank') checkOption(name, value);
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as FitOptions;
}

/** Gives bare flags their value. In `--biases ratings.csv` the flag is bare: only one of its choices belongs to it. */
export function settleBareFlags(argv: readonly string[]): string[] {
  return argv.map((argument, index) => {
    const name = namesOnCommandLine.find((name) => flagOf(name) === argument);
    const spec: OptionSpec | undefined = name && optionTable[name];
    if (spec?.kind !== 'choice' || spec.bare === undefined) return argument;
    return spec.choices.includes(argv[index + 1] ?? '') ? argument : `${argument}=${spec.bare}`;
  });
}

/** "user,item,rating" → its names. */
export function columnNames(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim());
}
