/** `--config <file>`: flags from a JSON file, or those of the run that made a model. The command line comes before them. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { HadamardError } from '../errors.js';
import { findModel, modelFormat } from '../model/folder.js';
import type { RunRecord } from '../model/parts.js';
import { flagOf, type OptionName, type OptionSpec, optionTable, ruleOf } from '../options.js';
import { didYouMean } from '../suggest.js';
import { isPathOption, settleBareFlags } from './flags.js';
import { isOfOneRunAlone } from './runRecord.js';

/** No config is longer; who gives the data file by mistake learns it at once. */
const mostBytes = 64 * 2 ** 20;

export function configOption(): Option {
  return new Option(
    '--config <file>',
    'Take flags that are not given here from a JSON object, by their names in camelCase: {"inputs": ["A.csv"], "rank": 4}. Its relative paths start at its folder. Or run again what made a model: its folder, or its model.json.',
  );
}

interface Config {
  /** Positional arguments. */
  readonly inputs: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Where relative paths start. */
  readonly base: string;
}

/**
 * Gives a command of `program` the flags of the config that `argv` names, and returns `argv` with its inputs where the
 * command line has none.
 *
 * @param trial another program like it, for a first look at `argv`.
 * @throws HadamardError `not-found`, `unreadable-file`, `malformed-file` or `malformed-model` for the config;
 *   `invalid-option` for what it holds; CommanderError as for the flag.
 */
export async function withConfig(program: Command, trial: Command, argv: readonly string[]): Promise<string[]> {
  const [name, ...rest] = argv;
  const command = find(program, name);
  const first = find(trial, name);
  if (!name || !command || !first) return [...argv];
  const { operands } = first.parseOptions(rest);
  const path: unknown = first.getOptionValue('config');
  if (typeof path !== 'string') return [...argv];
  const { inputs, options, base } = await readConfig(path, command);
  const isGiven = (key: string) => first.getOptionValueSource(key) === 'cli';
  // A query is an A: a file or a query of the command line comes before either of the config.
  const isOtherA = operands.length > 0 || isGiven('sql');
  for (const [key, value] of Object.entries(options)) {
    const words = wordsOf(command, key, value, path, base);
    if (!isGiven(key) && !(key === 'sql' && isOtherA)) for (const word of words) command.parseOptions([word]);
  }
  if (isOtherA) return [...argv];
  const paths = inputs.map((input, i) => (isPathArgument(command, i) ? fromHere(input, base) : input));
  return [name, ...rest, '--', ...paths];
}

/** An argument that chooses among words, as the shell of `completion`, is no path. */
function isPathArgument(command: Command, place: number): boolean {
  return command.registeredArguments[place]?.argChoices === undefined;
}

function find(program: Command, name: string | undefined): Command | undefined {
  return program.commands.find((command) => command.name() === name);
}

async function readConfig(path: string, command: Command): Promise<Config> {
  const file = await fileOf(path);
  const bytes = await orRefused(path, () => readFile(file));
  const content = parse(path, bytes.toString('utf8'));
  if (content.format === modelFormat) {
    // As where a model is read: what an accident has changed in it is not run again.
    const { parseDescription } = await import('../model/description.js');
    const run: Partial<RunRecord> | undefined = parseDescription(bytes, file).run;
    if (!isRunRecord(run)) throw noRecord(path);
    if (run.command !== command.name()) throw otherCommand(path, run.command, command.name());
    // Nobody but the user says where to write: a model may come from anywhere.
    const foreign = Object.keys(run.options).find(isOfOneRunAlone);
    if (foreign !== undefined) throw foreignOption(path, foreign);
    return { ...run, base: join(dirname(file), run.directory ?? '') };
  }
  const { inputs = [], ...options } = content;
  if (!Array.isArray(inputs) || !inputs.every((input) => typeof input === 'string'))
    throw invalid(path, 'inputs', inputs, 'inputs is an array of paths, the arguments without a flag.');
  return { inputs, options, base: dirname(file) };
}

/** The file itself, or the model.json of a folder. */
async function fileOf(path: string): Promise<string> {
  const target = findModel(path);
  const status = await orRefused(path, () => stat(target));
  if (status.isDirectory()) {
    const file = join(target, 'model.json');
    if (existsSync(file)) return file;
    throw refused('not-found', path, `The folder ${path} holds no model.json.`);
  }
  if (status.size <= mostBytes) return target;
  throw new HadamardError({
    code: 'malformed-file',
    what: `${path} has ${status.size} bytes, which no config has.`,
    position: { option: 'config', file: path },
    rule: `A config is a JSON object of at most ${mostBytes / 2 ** 20} MiB.`,
    remedy: 'Give data as the argument, and flags in --config.',
  });
}

async function orRefused<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw isMissing
      ? refused('not-found', path, `There is no config at ${path}.`, error)
      : refused('unreadable-file', path, `${path} cannot be read: ${message}.`, error);
  }
}

function refused(code: 'not-found' | 'unreadable-file', path: string, what: string, cause?: unknown): HadamardError {
  return new HadamardError(
    {
      code,
      what,
      position: { option: 'config', file: path },
      rule: '--config takes a JSON file, or a model and its model.json.',
      remedy: 'Check the path.',
    },
    { cause },
  );
}

function parse(path: string, text: string): Record<string, unknown> {
  const refuse = (what: string, cause?: unknown) =>
    new HadamardError(
      {
        code: 'malformed-file',
        what: `${path} is no config: ${what}.`,
        position: { option: 'config', file: path },
        rule: 'A config is a JSON object of flags in camelCase, such as {"inputs": ["A.csv"], "rank": 4}.',
        remedy: 'Correct the file.',
      },
      { cause },
    );
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw refuse('it holds no JSON object');
  return content as Record<string, unknown>;
}

function isRunRecord(run: Partial<RunRecord> | undefined): run is RunRecord {
  return (
    typeof run?.command === 'string' &&
    Array.isArray(run.inputs) &&
    run.inputs.every((input) => typeof input === 'string') &&
    typeof run.options === 'object' &&
    run.options !== null &&
    (run.directory === undefined || typeof run.directory === 'string')
  );
}

/** A flag of the config as words of a command line: `--rank=10`; none for a switch that is off. */
function wordsOf(command: Command, key: string, value: unknown, path: string, base: string): string[] {
  const declared = command.options.filter((option) => option.attributeName() === key);
  const option = declared.find(({ negate }) => !negate) ?? declared[0];
  if (!option || key === 'config') throw unknownKey(command, key, path);
  const flag = option.long ?? flagOf(key);
  const takesValue = option.required || option.optional;
  if (value === false) {
    const off = declared.find(({ negate }) => negate);
    if (off) return [off.long as string];
    if (!takesValue) return [];
  }
  if (value === true && !option.required) return settleBareFlags([flag]);
  // A flag that takes a list takes it with commas; those of the option table take one value.
  const isList = Array.isArray(value) && !specOf(key);
  const values = isList ? (option.variadic ? value : [value.join(',')]) : [value];
  const types = kindsOf(key);
  if (!takesValue || !values.every((one) => types.includes(typeof one)))
    throw invalid(path, key, value, ruleOfOption(option, key));
  return values.map((one) => `${flag}=${isPathOption(option) ? fromHere(String(one), base) : one}`);
}

/** What the values of a flag are in JSON: those of the table as in the library, but that bytes may have a unit. */
function kindsOf(key: string): readonly string[] {
  const spec = specOf(key);
  if (spec?.kind !== 'number' && spec?.kind !== 'integer') return spec ? ['string'] : ['string', 'number'];
  return spec.unit === 'bytes' ? ['string', 'number'] : ['number'];
}

function specOf(key: string): OptionSpec | undefined {
  return Object.hasOwn(optionTable, key) ? optionTable[key as OptionName] : undefined;
}

function ruleOfOption(option: Option, key: string): string {
  if (specOf(key)) return ruleOf(key as OptionName);
  if (!option.required && !option.optional) return `${key} is true or false.`;
  return `${key} is a string or a number: ${option.flags}.`;
}

/** A path of the config as the working directory sees it; `-` is a stream. */
function fromHere(path: string, base: string): string {
  if (path === '-' || path === '' || isAbsolute(path)) return path;
  return relative(process.cwd(), resolve(base, path)) || '.';
}

function unknownKey(command: Command, key: string, path: string): HadamardError {
  const names = [...new Set(command.options.map((option) => option.attributeName()))].filter(
    (name) => name !== 'config',
  );
  const known = ['inputs (a list of its arguments)', ...names];
  return new HadamardError({
    code: 'invalid-option',
    what: `${path} gives "${key}", which hadamard ${command.name()} does not take.`,
    position: { option: key, file: path },
    rule: `A config of hadamard ${command.name()} may hold ${known.join(', ')}.`,
    remedy: `${didYouMean(key, ['inputs', ...names])}Correct the name or leave it out.`,
  });
}

function invalid(path: string, key: string, value: unknown, rule: string): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what: `${key} is ${JSON.stringify(value)} in ${path}.`,
    position: { option: key, file: path },
    rule,
    remedy: 'Correct the value or leave it out.',
  });
}

function noRecord(path: string): HadamardError {
  return new HadamardError({
    code: 'malformed-model',
    what: `${path} does not say how it was made.`,
    position: { option: 'config', file: path },
    rule: 'Models that hadamard fit has made hold its inputs and flags; those of the library do not, nor those that hadamard update has changed.',
    remedy: 'Write the flags to a JSON file, or give them on the command line.',
  });
}

function foreignOption(path: string, option: string): HadamardError {
  return new HadamardError({
    code: 'malformed-model',
    what: `The record of how ${path} was made gives "${option}", which hadamard does not write there.`,
    position: { option, file: path },
    rule: 'A model says what it was made of and how, not where and how results are shown.',
    remedy: 'Do not use a model that somebody has edited, or write the flags to a JSON file.',
  });
}

function otherCommand(path: string, made: string, asked: string): HadamardError {
  return new HadamardError({
    code: 'invalid-option',
    what: `${path} was made by hadamard ${made}, and this is hadamard ${asked}.`,
    position: { option: 'config', file: path },
    rule: 'A model runs again the command that made it.',
    remedy: `Use hadamard ${made} --config ${path}, or write the flags of hadamard ${asked} to a JSON file.`,
  });
}
