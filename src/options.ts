/** Options checked against the table, with their defaults. */
import { availableParallelism } from 'node:os';
import { isObject } from './data/forms.js';
import { HadamardError } from './errors.js';
import { type OptionSpec, optionTable, type PartsOption } from './optionTable.js';
import { didYouMean } from './suggest.js';

export type { ChoiceOption, FormOption, NumberOption, OptionSpec, PartsOption, PathOption } from './optionTable.js';
export { optionTable } from './optionTable.js';

export type OptionName = keyof typeof optionTable;

type Choice<Name extends OptionName> = (typeof optionTable)[Name] extends { choices: readonly (infer C)[] } ? C : never;

/** The plain values a caller may give; see {@link optionTable} for the meaning, range and default of each. */
export interface FitOptions {
  readonly rank: number;
  readonly preset?: Choice<'preset'> | undefined;
  readonly like?: Choice<'like'> | undefined;
  readonly alpha?: number | undefined;
  readonly lambda?: number | undefined;
  readonly lambdaRows?: number | undefined;
  readonly lambdaColumns?: number | undefined;
  readonly lambdaScale?: Choice<'lambdaScale'> | undefined;
  readonly nu?: number | undefined;
  readonly l1?: number | undefined;
  readonly l1Rows?: number | undefined;
  readonly l1Columns?: number | undefined;
  readonly freeColumns?: number | undefined;
  readonly nonnegative?: Choice<'nonnegative'> | undefined;
  readonly loss?: string | undefined;
  readonly biases?: Choice<'biases'> | undefined;
  readonly biasLambda?: number | undefined;
  readonly method?: Choice<'method'> | undefined;
  readonly polish?: Choice<'polish'> | undefined;
  readonly acceleration?: Choice<'acceleration'> | undefined;
  readonly dtype?: Choice<'dtype'> | undefined;
  readonly arithmetic?: Choice<'arithmetic'> | undefined;
  readonly threads?: number | undefined;
  readonly seed?: number | undefined;
  readonly start?: Choice<'start'> | undefined;
  readonly starts?: number | 'auto' | undefined;
  readonly maxSweeps?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly timeLimit?: number | undefined;
  readonly holdout?: number | undefined;
  readonly patience?: number | undefined;
  readonly intervals?: number | undefined;
  readonly noise?: Choice<'noise'> | undefined;
  readonly duplicates?: Choice<'duplicates'> | undefined;
  readonly inline?: Choice<'inline'> | undefined;
  readonly certificate?: Choice<'certificate'> | undefined;
  readonly residency?: Choice<'residency'> | undefined;
  readonly onDisk?: string | undefined;
  readonly memoryLimit?: number | undefined;
}

/** Every option with its value; `dtype` and `tolerance` are settled once the weights have been seen. */
export interface CheckedOptions {
  readonly rank: number;
  readonly preset: Choice<'preset'> | undefined;
  readonly like: Choice<'like'> | undefined;
  readonly alpha: number | undefined;
  readonly lambda: number;
  readonly lambdaRows: number;
  readonly lambdaColumns: number;
  readonly lambdaScale: Choice<'lambdaScale'>;
  readonly nu: number;
  readonly l1: number;
  readonly l1Rows: number;
  readonly l1Columns: number;
  readonly freeColumns: number;
  readonly nonnegative: Choice<'nonnegative'>;
  readonly loss: string;
  readonly biases: Choice<'biases'>;
  readonly biasLambda: number;
  readonly method: Choice<'method'>;
  readonly polish: Choice<'polish'>;
  readonly acceleration: Choice<'acceleration'>;
  readonly dtype: Choice<'dtype'> | undefined;
  readonly arithmetic: Choice<'arithmetic'>;
  readonly threads: number;
  readonly seed: number;
  readonly start: Choice<'start'>;
  readonly starts: number | 'auto';
  readonly maxSweeps: number;
  readonly tolerance: number | undefined;
  readonly timeLimit: number | undefined;
  readonly holdout: number | undefined;
  readonly patience: number | undefined;
  readonly intervals: number | undefined;
  readonly noise: Choice<'noise'>;
  readonly duplicates: Choice<'duplicates'>;
  readonly inline: Choice<'inline'>;
  readonly certificate: Choice<'certificate'>;
  readonly residency: Choice<'residency'>;
  readonly onDisk: string | undefined;
  readonly memoryLimit: number | undefined;
}

/** The parts of an objective that are given beside the table, where there are any; null is no bound. */
export interface ResolvedParts {
  readonly background?: { readonly weight: number | 'separable'; readonly value: number };
  readonly bounds?: { readonly rows: readonly (number | null)[]; readonly columns: readonly (number | null)[] };
  readonly hold?: { readonly U: boolean; readonly V: boolean };
}

/** What was used in the end; saved with the model. */
export interface ResolvedOptions
  extends Omit<
      CheckedOptions,
      | 'preset'
      | 'like'
      | 'alpha'
      | 'starts'
      | 'timeLimit'
      | 'holdout'
      | 'patience'
      | 'intervals'
      | 'onDisk'
      | 'memoryLimit'
    >,
    ResolvedParts {
  readonly preset?: Choice<'preset'>;
  readonly like?: Choice<'like'>;
  readonly alpha?: number;
  readonly starts?: number | 'auto';
  readonly holdout?: number;
  readonly patience?: number;
  readonly intervals?: number;
  readonly dtype: Choice<'dtype'>;
  readonly tolerance: number;
  readonly timeLimit: number | null;
  readonly memoryLimit: number;
}

export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The rule of an option in words, as errors and the help print it. */
export function ruleOf(name: OptionName): string {
  const spec: OptionSpec = optionTable[name];
  if (spec.kind === 'choice') return `${name} is one of ${spec.choices.join(', ')}.`;
  if (spec.kind === 'form') return `${name} is one of ${spec.forms}.`;
  if (spec.kind === 'parts') return `${name} is ${spec.forms}.`;
  if (spec.kind === 'path') return `${name} is the name of a ${spec.placeholder}.`;
  const noun = spec.kind === 'integer' ? 'an integer' : 'a finite number';
  const bounds = [
    spec.minimum !== undefined && (spec.exclusive ? `above ${spec.minimum}` : `at least ${spec.minimum}`),
    spec.maximum !== undefined && `at most ${spec.maximum}`,
  ].filter(Boolean);
  const or = spec.word === undefined ? '' : `, or ${spec.word}`;
  return `${name} is ${[noun, bounds.join(' and ')].filter(Boolean).join(' ')}${spec.unit ? ` (${spec.unit})` : ''}${or}.`;
}

/** Whether a value is within an option's range. */
export function isAllowed(spec: OptionSpec, value: unknown): boolean {
  if (spec.kind === 'parts') return true;
  if (spec.kind === 'path') return typeof value === 'string' && value !== '';
  if (spec.kind === 'choice') return typeof value === 'string' && spec.choices.includes(value);
  if (spec.kind === 'form') return typeof value === 'string' && spec.pattern.test(value);
  if (spec.word !== undefined && value === spec.word) return true;
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (spec.kind === 'integer' && !Number.isInteger(value)) return false;
  if (spec.minimum !== undefined && (spec.exclusive ? value <= spec.minimum : value < spec.minimum)) return false;
  return spec.maximum === undefined || value <= spec.maximum;
}

/** Throws `invalid-option` when `value` breaks the rule of option `name`. */
export function checkOption(name: OptionName, value: unknown): void {
  const spec: OptionSpec = optionTable[name];
  if (spec.kind === 'parts') checkParts(name, spec, value);
  if (isAllowed(spec, value)) return;
  const names = spec.kind === 'choice' ? spec.choices : spec.kind === 'form' ? spec.forms.split(', ') : [];
  const isBare = value === true && spec.kind === 'choice' && spec.bare !== undefined;
  throw new HadamardError({
    code: 'invalid-option',
    what:
      value === undefined
        ? `${name} is required.`
        : `${name} is ${typeof value === 'string' ? `"${value}"` : String(value)}.`,
    position: { option: name },
    rule: ruleOf(name),
    remedy: `${isBare ? `Did you mean "${spec.bare}"? ` : didYouMean(value, names)}${name === 'rank' ? 'Give rank (--rank) a small number such as 10; hadamard tune chooses one by what it predicts.' : `Give ${name} (${flagOf(name)}) an allowed value or leave it out.`}`,
  });
}

/** Whether it is an object of these parts: another kind, or a part of another name, would be passed over in silence. */
function checkParts(name: OptionName, { parts, mayBeNumber }: PartsOption, value: unknown): void {
  if (mayBeNumber && typeof value === 'number') return;
  const isKind = isObject(value) && !Array.isArray(value);
  const odd = isKind ? Object.keys(value).find((part) => !parts.includes(part)) : undefined;
  if (isKind && odd === undefined) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: odd === undefined ? `${name} is ${shown(value)}.` : `${name} has a part "${odd}".`,
    position: { option: name },
    rule: ruleOf(name),
    remedy: odd === undefined ? 'Give such an object, or leave it out.' : `${didYouMean(odd, parts)}Correct the name.`,
  });
}

/** Options that are not plain values; `factorize` checks them itself. */
export const otherOptions = [
  'weights',
  'init',
  'onProgress',
  'signal',
  'labels',
  'workerUrl',
  'wasmUrl',
  'handOver',
] as const;

/**
 * Checks every option against the table and fills in the defaults.
 *
 * @throws HadamardError `invalid-option` with the option's name, value, rule and remedy.
 */
export function checkOptions(options: FitOptions): CheckedOptions {
  checkNames(options, [...Object.keys(optionTable), ...otherOptions]);
  // Plain JavaScript may leave the options out.
  for (const [name, value] of Object.entries(options ?? {}))
    if (value !== undefined && Object.hasOwn(optionTable, name)) checkOption(name as OptionName, value);
  checkOption('rank', options?.rank);
  const table = optionTable;
  const lambda = options.lambda ?? table.lambda.default;
  const l1 = options.l1 ?? table.l1.default;
  return {
    rank: options.rank,
    preset: options.preset,
    like: options.like,
    alpha: options.alpha,
    lambda,
    lambdaRows: options.lambdaRows ?? lambda,
    lambdaColumns: options.lambdaColumns ?? lambda,
    lambdaScale: options.lambdaScale ?? table.lambdaScale.default,
    nu: options.nu ?? table.nu.default,
    l1,
    l1Rows: options.l1Rows ?? l1,
    l1Columns: options.l1Columns ?? l1,
    freeColumns: options.freeColumns ?? table.freeColumns.default,
    nonnegative: options.nonnegative ?? table.nonnegative.default,
    loss: options.loss ?? table.loss.default,
    biases: options.biases ?? table.biases.default,
    biasLambda: options.biasLambda ?? lambda,
    method: options.method ?? table.method.default,
    polish: options.polish ?? table.polish.default,
    acceleration: options.acceleration ?? table.acceleration.default,
    dtype: options.dtype,
    arithmetic: options.arithmetic ?? table.arithmetic.default,
    threads: options.threads ?? availableParallelism(),
    seed: options.seed ?? table.seed.default,
    start: options.start ?? table.start.default,
    starts: options.starts ?? table.starts.default,
    maxSweeps: options.maxSweeps ?? table.maxSweeps.default,
    tolerance: options.tolerance,
    timeLimit: options.timeLimit,
    holdout: options.holdout,
    patience: options.patience,
    intervals: options.intervals,
    noise: options.noise ?? table.noise.default,
    duplicates: options.duplicates ?? table.duplicates.default,
    inline: options.inline ?? table.inline.default,
    certificate: options.certificate ?? table.certificate.default,
    residency: options.onDisk === undefined ? (options.residency ?? table.residency.default) : 'staged',
    onDisk: options.onDisk,
    memoryLimit: options.memoryLimit,
  };
}

/** What a value that is no object is called. */
function shown(value: unknown): string {
  return Array.isArray(value) ? 'an array' : typeof value === 'string' ? `"${value}"` : String(value);
}

/** Options are an object, of other functions too. @throws HadamardError `invalid-option` */
export function checkObject(options: unknown): void {
  if (options === undefined || (isObject(options) && !Array.isArray(options))) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `The options are ${shown(options)}.`,
    rule: 'Options are an object, by their names.',
    remedy: 'Give such an object, or leave it out.',
  });
}

/** What other programs call an option. */
const namesElsewhere: Readonly<Record<string, string>> = {
  mask: 'weights',
  k: 'rank',
  factors: 'rank',
  components: 'rank',
  regularization: 'lambda',
  iterations: 'maxSweeps',
  maxIter: 'maxSweeps',
  epochs: 'maxSweeps',
};

/** An object without other names than these. @throws HadamardError `invalid-option` */
export function checkNames(options: unknown, names: readonly string[], hint = ''): void {
  checkObject(options);
  const odd = Object.keys(options ?? {}).find((name) => !names.includes(name));
  if (odd === undefined) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `There is no option "${odd}" here.`,
    position: { option: odd },
    rule: `The options are ${names.join(', ')}.`,
    remedy: `${didYouMean(namesElsewhere[odd] ?? odd, names)}${hint}Correct the name or leave it out.`,
  });
}

type Handlers = Partial<Record<'onProgress' | 'signal' | 'workerUrl' | 'wasmUrl' | 'handOver', unknown>>;

/** @throws HadamardError `invalid-option` */
export function checkHandlers({ onProgress, signal, workerUrl, wasmUrl, handOver }: Handlers): void {
  const rules = [
    ['onProgress', onProgress, typeof onProgress === 'function', 'a function'],
    ['signal', signal, isSignal(signal), 'an AbortSignal'],
    ['workerUrl', workerUrl, typeof workerUrl === 'string', 'a string'],
    ['wasmUrl', wasmUrl, typeof wasmUrl === 'string', 'a string'],
    ['handOver', handOver, typeof handOver === 'boolean', 'true or false'],
  ] as const;
  for (const [option, value, isRight, kind] of rules)
    if (value !== undefined && !isRight)
      throw new HadamardError({
        code: 'invalid-option',
        what: `${option} is ${String(value)}.`,
        position: { option },
        rule: `${option} is ${kind}.`,
        remedy: `Give ${kind}, or leave ${option} out.`,
      });
}

/** Of another realm or library too. */
function isSignal(signal: unknown): boolean {
  return (
    isObject(signal) &&
    typeof signal.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function'
  );
}
