/**
 * The one option table. The validator, its messages, `--help`, the docs and the invalid-value tests are made from it.
 *
 * A knob has one name everywhere: camelCase in the library and in JSON, kebab-case on the command line.
 */
import { availableParallelism } from 'node:os';
import { HadamardError } from './errors.js';

interface OptionBase {
  /** One sentence: what it does and when to change it. */
  readonly sentence: string;
  /** The default as the help prints it, where it is not a plain value. */
  readonly defaultText?: string;
  /** False for options that make sense in the library alone. */
  readonly commandLine?: false;
}
export interface NumberOption extends OptionBase {
  readonly kind: 'number' | 'integer';
  readonly minimum?: number;
  /** The minimum itself is not allowed. */
  readonly exclusive?: true;
  readonly maximum?: number;
  readonly unit?: string;
  readonly placeholder: string;
  readonly default?: number;
}
export interface ChoiceOption extends OptionBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
  /** What the bare flag means on the command line. */
  readonly bare?: string;
}
export type OptionSpec = NumberOption | ChoiceOption;

/** The options of a fit. The objective they speak of is f(U,V) = ‖W ∘ (A − UVᵀ)‖²_F + regularization, without a ½. */
export const optionTable = {
  rank: {
    kind: 'integer',
    minimum: 1,
    maximum: 4096,
    placeholder: 'k',
    sentence: 'Number of latent columns k of U (m×k) and V (n×k). Required.',
  },
  lambda: {
    kind: 'number',
    minimum: 0,
    placeholder: 'λ',
    default: 0,
    sentence: 'Ridge penalty: each row adds λ·scale·‖u_i‖² to the objective, each column λ·scale·‖v_j‖².',
  },
  lambdaScale: {
    kind: 'choice',
    choices: ['row', 'count', 'weight'],
    default: 'row',
    sentence:
      'What λ is multiplied by in each row: 1 (row), the number of its observations (count: ALS-WR, LIBMF), or the sum of its W² (weight).',
  },
  biases: {
    kind: 'choice',
    choices: ['none', 'rows', 'columns', 'both'],
    default: 'none',
    bare: 'both',
    sentence: 'Fit a bias per row and/or column jointly with the factors, around the fixed weighted mean of A.',
  },
  biasLambda: {
    kind: 'number',
    minimum: 0,
    placeholder: 'λ',
    defaultText: 'lambda',
    sentence: 'Ridge penalty of the biases, scaled like lambda; 0 leaves them unpenalised.',
  },
  method: {
    kind: 'choice',
    choices: ['als', 'gradient'],
    default: 'als',
    sentence:
      'als: exact weighted least squares, one row at a time. gradient: spectral (Barzilai–Borwein) gradient steps on U and V together.',
  },
  acceleration: {
    kind: 'choice',
    choices: ['anderson', 'none'],
    default: 'anderson',
    sentence: 'Extrapolate across ALS sweeps; an extrapolated point is kept only when the objective falls.',
  },
  dtype: {
    kind: 'choice',
    choices: ['f32', 'f64'],
    defaultText: 'f32; f64 where W² spans more than 1e6',
    sentence: 'Precision of factors and data. Objectives and certificates are summed in f64 either way.',
  },
  arithmetic: {
    kind: 'choice',
    choices: ['reproducible', 'fast'],
    default: 'reproducible',
    sentence:
      'reproducible: the same bits on every machine and Node version. fast: fused multiply-add where the engine has it, the same bits on one machine and Node.',
  },
  threads: {
    kind: 'integer',
    minimum: 1,
    maximum: 1024,
    placeholder: 'T',
    defaultText: 'all cores',
    sentence: 'Number of worker threads; the result has the same bits for every number.',
  },
  seed: {
    kind: 'integer',
    minimum: 0,
    maximum: 4294967295,
    placeholder: 'S',
    default: 1,
    sentence: 'Seed of the random start.',
  },
  maxSweeps: {
    kind: 'integer',
    minimum: 1,
    placeholder: 'N',
    default: 500,
    sentence: 'Stop after N sweeps (a sweep updates all of V and all of U once).',
  },
  tolerance: {
    kind: 'number',
    minimum: 0,
    placeholder: 'G',
    defaultText: '1e-5 (f32), 1e-8 (f64)',
    sentence:
      'Converged when (‖∂f/∂U‖·‖U‖ + ‖∂f/∂V‖·‖V‖) / (2‖W∘A‖²) is at most G, as measured by an independent pass.',
  },
  timeLimit: {
    kind: 'number',
    minimum: 0,
    exclusive: true,
    placeholder: 'seconds',
    unit: 'seconds',
    defaultText: 'none',
    sentence: 'Stop after so many seconds of fitting and keep the model reached.',
  },
  duplicates: {
    kind: 'choice',
    choices: ['refuse', 'keep', 'sum', 'last'],
    default: 'refuse',
    sentence:
      'An entry listed twice: refuse it, keep both as separate observations, sum the values (their weights must be equal, and the sum has that weight), or take the last one with its weight.',
  },
  inline: {
    kind: 'choice',
    choices: ['auto', 'never'],
    default: 'auto',
    commandLine: false,
    sentence: 'auto: small problems run in the calling thread. never: always use the worker threads.',
  },
  residency: {
    kind: 'choice',
    choices: ['auto', 'staged'],
    default: 'auto',
    commandLine: false,
    sentence:
      'auto: observations live in the WebAssembly memory where they fit. staged: always copied in block by block.',
  },
  memoryLimit: {
    kind: 'integer',
    minimum: 1,
    placeholder: 'bytes',
    unit: 'bytes',
    defaultText: "the container's or the machine's memory",
    sentence: 'A plan that needs more than this is refused before anything is allocated.',
  },
} as const;

export type OptionName = keyof typeof optionTable;

type Choice<Name extends OptionName> = (typeof optionTable)[Name] extends { choices: readonly (infer C)[] } ? C : never;

/** The plain values a caller may give; see {@link optionTable} for the meaning, range and default of each. */
export interface FitOptions {
  readonly rank: number;
  readonly lambda?: number | undefined;
  readonly lambdaScale?: Choice<'lambdaScale'> | undefined;
  readonly biases?: Choice<'biases'> | undefined;
  readonly biasLambda?: number | undefined;
  readonly method?: Choice<'method'> | undefined;
  readonly acceleration?: Choice<'acceleration'> | undefined;
  readonly dtype?: Choice<'dtype'> | undefined;
  readonly arithmetic?: Choice<'arithmetic'> | undefined;
  readonly threads?: number | undefined;
  readonly seed?: number | undefined;
  readonly maxSweeps?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly timeLimit?: number | undefined;
  readonly duplicates?: Choice<'duplicates'> | undefined;
  readonly inline?: Choice<'inline'> | undefined;
  readonly residency?: Choice<'residency'> | undefined;
  readonly memoryLimit?: number | undefined;
}

/** Every option with its value; `dtype` and `tolerance` are settled once the weights have been seen. */
export interface CheckedOptions {
  readonly rank: number;
  readonly lambda: number;
  readonly lambdaScale: Choice<'lambdaScale'>;
  readonly biases: Choice<'biases'>;
  readonly biasLambda: number;
  readonly method: Choice<'method'>;
  readonly acceleration: Choice<'acceleration'>;
  readonly dtype: Choice<'dtype'> | undefined;
  readonly arithmetic: Choice<'arithmetic'>;
  readonly threads: number;
  readonly seed: number;
  readonly maxSweeps: number;
  readonly tolerance: number | undefined;
  readonly timeLimit: number | undefined;
  readonly duplicates: Choice<'duplicates'>;
  readonly inline: Choice<'inline'>;
  readonly residency: Choice<'residency'>;
  readonly memoryLimit: number | undefined;
}

/** What was used in the end; saved with the model. */
export interface ResolvedOptions extends Omit<CheckedOptions, 'timeLimit' | 'memoryLimit'> {
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
  const noun = spec.kind === 'integer' ? 'an integer' : 'a finite number';
  const bounds = [
    spec.minimum !== undefined && (spec.exclusive ? `above ${spec.minimum}` : `at least ${spec.minimum}`),
    spec.maximum !== undefined && `at most ${spec.maximum}`,
  ].filter(Boolean);
  return `${name} is ${[noun, bounds.join(' and ')].filter(Boolean).join(' ')}${spec.unit ? ` (${spec.unit})` : ''}.`;
}

function isAllowed(spec: OptionSpec, value: unknown): boolean {
  if (spec.kind === 'choice') return typeof value === 'string' && spec.choices.includes(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (spec.kind === 'integer' && !Number.isInteger(value)) return false;
  if (spec.minimum !== undefined && (spec.exclusive ? value <= spec.minimum : value < spec.minimum)) return false;
  return spec.maximum === undefined || value <= spec.maximum;
}

/** Throws `invalid-option` when `value` breaks the rule of option `name`. */
export function checkOption(name: OptionName, value: unknown): void {
  if (isAllowed(optionTable[name], value)) return;
  throw new HadamardError({
    code: 'invalid-option',
    what: `${name} is ${typeof value === 'string' ? `"${value}"` : String(value)}.`,
    position: { option: name },
    rule: ruleOf(name),
    remedy: `Give ${name} (${flagOf(name)}) an allowed value${name === 'rank' ? '.' : ' or leave it out.'}`,
  });
}

/** Options that are not plain values; `factorize` checks them itself. */
export const otherOptions = ['weights', 'init', 'onProgress', 'signal', 'labels', 'workerUrl', 'wasmUrl'] as const;

/**
 * Checks every option against the table and fills in the defaults.
 *
 * @throws HadamardError `invalid-option` with the option's name, value, rule and remedy.
 */
export function checkOptions(options: FitOptions): CheckedOptions {
  // Plain JavaScript may leave the options out.
  for (const [name, value] of Object.entries(options ?? {})) {
    if (Object.hasOwn(optionTable, name)) {
      if (value !== undefined) checkOption(name as OptionName, value);
    } else if (!(otherOptions as readonly string[]).includes(name)) {
      throw new HadamardError({
        code: 'invalid-option',
        what: `There is no option "${name}".`,
        position: { option: name },
        rule: `The options are ${Object.keys(optionTable).join(', ')}.`,
        remedy: 'Correct the name or leave it out.',
      });
    }
  }
  checkOption('rank', options?.rank);
  const table = optionTable;
  return {
    rank: options.rank,
    lambda: options.lambda ?? table.lambda.default,
    lambdaScale: options.lambdaScale ?? table.lambdaScale.default,
    biases: options.biases ?? table.biases.default,
    biasLambda: options.biasLambda ?? options.lambda ?? table.lambda.default,
    method: options.method ?? table.method.default,
    acceleration: options.acceleration ?? table.acceleration.default,
    dtype: options.dtype,
    arithmetic: options.arithmetic ?? table.arithmetic.default,
    threads: options.threads ?? availableParallelism(),
    seed: options.seed ?? table.seed.default,
    maxSweeps: options.maxSweeps ?? table.maxSweeps.default,
    tolerance: options.tolerance,
    timeLimit: options.timeLimit,
    duplicates: options.duplicates ?? table.duplicates.default,
    inline: options.inline ?? table.inline.default,
    residency: options.residency ?? table.residency.default,
    memoryLimit: options.memoryLimit,
  };
}
