/** Command-line options made from the option table: kebab-case names, its sentences, its constraints. */
import { Option } from 'commander';
import { HadamardError } from '../errors.js';
import {
  checkOption,
  type FitOptions,
  flagOf,
  type NumberOption,
  type OptionName,
  type OptionSpec,
  optionTable,
  type PartsOption,
} from '../options.js';

/** Headings of the help, and the options under each; those that are not named here stand under `Computation:`. */
const groups: Readonly<Record<'Objective:' | 'Data:' | 'Stopping:' | 'Uncertainty:', readonly OptionName[]>> = {
  'Objective:': [
    'rank',
    'preset',
    'like',
    'alpha',
    'lambda',
    'lambdaRows',
    'lambdaColumns',
    'lambdaScale',
    'nu',
    'l1',
    'l1Rows',
    'l1Columns',
    'freeColumns',
    'nonnegative',
    'loss',
    'biases',
    'biasLambda',
  ],
  'Data:': ['duplicates'],
  'Stopping:': ['starts', 'maxSweeps', 'tolerance', 'timeLimit', 'holdout', 'patience'],
  'Uncertainty:': ['intervals', 'noise'],
};

export type FitFlags = { readonly [name in OptionName]?: number | string };

const namesOnCommandLine = (Object.keys(optionTable) as OptionName[]).filter(
  (name) => (optionTable[name] as OptionSpec).commandLine !== false,
);

/** The options of the table that stand under a heading, as commander takes them. */
export function tableOptions(
  heading: keyof typeof groups | 'Computation:',
  except: readonly OptionName[] = [],
): Option[] {
  const named = Object.values(groups).flat();
  const names =
    heading === 'Computation:' ? namesOnCommandLine.filter((name) => !named.includes(name)) : groups[heading];
  return names.filter((name) => !except.includes(name)).map((name) => tableOption(name).helpGroup(heading));
}

function tableOption(name: OptionName): Option {
  const spec = optionTable[name] as Exclude<OptionSpec, PartsOption>;
  const placeholder = spec.kind === 'choice' ? spec.choices.join('|') : spec.placeholder;
  const isBareAllowed = spec.kind === 'choice' && spec.bare !== undefined;
  const shown = spec.defaultText ?? spec.default;
  const bare = isBareAllowed ? ` Without a value: ${spec.bare}.` : '';
  return new Option(
    `${flagOf(name)} ${isBareAllowed ? `[${placeholder}]` : `<${placeholder}>`}`,
    `${spec.sentence}${bare}${isBytes(spec) ? ' Also as 2GB or 1.5GiB.' : ''}${shown === undefined ? '' : ` [${shown}]`}`,
  ).argParser((text: string) => (isNumber(spec) ? (isBytes(spec) ? bytesOf(text) : numberOf(text)) : text));
}

function isNumber(spec: OptionSpec): spec is NumberOption {
  return spec.kind === 'number' || spec.kind === 'integer';
}

function isBytes(spec: OptionSpec): boolean {
  return isNumber(spec) && spec.unit === 'bytes';
}

/** 2GB → 2e9, 1.5GiB → 1.5·2³⁰, in whole bytes; what is no size stays as it is, so that the check can show it. */
function bytesOf(text: string): number | string {
  const [, size, prefix = '', binary] = /^(\d+(?:\.\d+)?) ?([kmgt])(i?)b$/i.exec(text) ?? [];
  if (size === undefined) return numberOf(text);
  return Math.floor(Number(size) * (binary ? 1024 : 1000) ** ('kmgt'.indexOf(prefix.toLowerCase()) + 1));
}

/** The number a text stands for, or the text itself, so that the check can show what was given. */
function numberOf(text: string): number | string {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
}

/**
 * The fit options among the flags, each checked; `rank` is needed unless a command chooses it.
 *
 * @throws HadamardError `invalid-option`
 */
export function fitOptionsOf(flags: FitFlags, isRankNeeded = true): FitOptions {
  const options: Partial<Record<OptionName, unknown>> = {};
  for (const name of namesOnCommandLine) {
    const value = flags[name];
    if (value !== undefined || (name === 'rank' && isRankNeeded)) checkOption(name, value);
    if (value !== undefined) options[name] = value;
  }
  if (options.patience !== undefined && options.holdout === undefined)
    throw new HadamardError({
      code: 'invalid-option',
      what: '--patience is given and nothing is held out.',
      position: { option: 'patience' },
      rule: 'A fit is watched by a share of its entries that it keeps back (--holdout), and stopped by them with --patience.',
      remedy: 'Add --holdout 0.1.',
    });
  return options as unknown as FitOptions;
}

/** Gives bare flags their value. In `--biases ratings.csv` the flag is bare: only one of its choices belongs to it. */
export function settleBareFlags(argv: readonly string[]): string[] {
  return argv.map((argument, index) => {
    if (argument === '--watch' && !/^\d+$/.test(argv[index + 1] ?? '')) return '--watch=0';
    const name = namesOnCommandLine.find((name) => flagOf(name) === argument);
    const spec: OptionSpec | undefined = name && optionTable[name];
    if (spec?.kind !== 'choice' || spec.bare === undefined) return argument;
    return spec.choices.includes(argv[index + 1] ?? '') ? argument : `${argument}=${spec.bare}`;
  });
}

/** Placeholders that stand for a file or a folder. */
const pathPlaceholders: ReadonlySet<string> = new Set(['file', 'files', 'dir', 'folder', 'path', 'model', 'A']);

/** Whether the value of an option is a path, by its placeholder: --weights <file>, --out <dir>, --exclude <A>. */
export function isPathOption({ flags }: Option): boolean {
  return pathPlaceholders.has(placeholderOf(flags));
}

/**
 * The values among which an option chooses, by its placeholder: --dtype <f32|f64>; none where it takes others, as all|N. Of one
 * that takes forms, as --loss, some.
 */
export function choicesOf(option: Option): readonly string[] {
  if (option.argChoices) return option.argChoices;
  const spec: OptionSpec | undefined = optionTable[option.attributeName() as OptionName];
  if (spec?.kind === 'form') return spec.examples;
  const names = placeholderOf(option.flags).split('|');
  return names.length > 1 && !names.some((name) => /^[A-Z]$/.test(name)) ? names : [];
}

function placeholderOf(flags: string): string {
  return /[<[]([^\]>]+?)(?:\.\.\.)?[\]>]/.exec(flags)?.[1] ?? '';
}

/** "user,item,rating" → its names. */
export function columnNames(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim());
}

/**
 * An error of the library in the words of the command line: `duplicates: 'keep'` → --duplicates keep, memoryLimit →
 * --memory-limit. Its position keeps the library's names, as JSON does everywhere.
 */
export function inFlags(error: HadamardError): HadamardError {
  const { what, rule, remedy, ...rest } = error.toJSON();
  const option = error.code === 'invalid-option' ? error.position.option : undefined;
  const translate = (text: string) => {
    let told = text;
    for (const name of [...namesOnCommandLine, 'weightsAre']) {
      const flag = flagOf(name);
      told = told
        .replaceAll(`${name} (${flag})`, flag)
        .replaceAll(`\`${name}\``, flag)
        .replace(new RegExp(`\\b${name}:? '([\\w-]+)'`, 'g'), `${flag} $1`);
      // A name of two words is no English.
      if (/[A-Z]/.test(name)) told = told.replace(new RegExp(`(?<![\\w-])${name}\\b`, 'g'), flag);
    }
    return option === undefined ? told : told.replace(new RegExp(`^${option} is `), `${flagOf(option)} is `);
  };
  return new HadamardError(
    {
      ...rest,
      what: translate(what),
      rule: translate(rule),
      remedy: translate(remedy),
    },
    { cause: error },
  );
}
