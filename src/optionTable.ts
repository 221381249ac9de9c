/**
 * The one option table. The validator, its messages, `--help`, the docs and the invalid-value tests are made from it.
 *
 * A knob has one name everywhere: camelCase in the library and in JSON, kebab-case on the command line.
 */

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
  /** What may stand in place of a number. */
  readonly word?: string;
}
export interface ChoiceOption extends OptionBase {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
  /** What the bare flag means on the command line. */
  readonly bare?: string;
}
/** A name with parameters, such as huber:1.5. */
export interface FormOption extends OptionBase {
  readonly kind: 'form';
  readonly pattern: RegExp;
  /** The forms in words. */
  readonly forms: string;
  /** Values that a shell completes. */
  readonly examples: readonly string[];
  readonly placeholder: string;
  readonly default: string;
}
/** Matrices, lists or pairs of numbers: checked with the data they belong to. */
export interface PartsOption extends OptionBase {
  readonly kind: 'parts';
  /** What it may be, in words. */
  readonly forms: string;
  /** Of the object that it is. */
  readonly parts: readonly string[];
  readonly mayBeNumber?: true;
  /** The flags that stand for it on the command line. */
  readonly flags?: string;
  readonly commandLine: false;
}
/** A folder or file. */
export interface PathOption extends OptionBase {
  readonly kind: 'path';
  readonly placeholder: string;
  readonly default?: undefined;
}
export type OptionSpec = NumberOption | ChoiceOption | FormOption | PartsOption | PathOption;

/** The options of a fit. The objective they speak of is f(U,V) = ‖W ∘ (A − UVᵀ)‖²_F + regularization, without a ½. */
export const optionTable = {
  rank: {
    kind: 'integer',
    minimum: 1,
    maximum: 4096,
    placeholder: 'k',
    sentence: 'Number of latent columns k of U (m×k) and V (n×k). Required.',
  },
  preset: {
    kind: 'choice',
    choices: ['pca', 'nmf', 'pmf', 'implicit', 'explicit', 'robust', 'softimpute'],
    defaultText: 'none',
    sentence:
      'Options that belong together; what is given beside comes before them. pca: unpenalised column means. nmf: both factors non-negative. pmf: nmf in f64 for W = 1/σ, with Q as US EPA PMF reports it. implicit: a background of weight 1, λ 0.01 by count. explicit: biases, λ 0.08 by count. robust: loss huber:1.345. softimpute: λ 1, f64.',
  },
  like: {
    kind: 'choice',
    choices: ['implicit', 'rsparse', 'irspack', 'spark', 'libmf', 'cmfrec', 'softimpute'],
    defaultText: 'none',
    sentence:
      'Minimise what that tool minimises, its knobs by our names: rank, lambda, alpha, nu. docs/objectives.md says what each is in ours. implicit, rsparse and irspack make weights and a background from the values of A.',
  },
  alpha: {
    kind: 'number',
    minimum: 0,
    placeholder: 'α',
    defaultText: '1',
    sentence:
      'The confidence of a listed value with like implicit (α|r|), the weight of all entries with like irspack (α₀).',
  },
  lambda: {
    kind: 'number',
    minimum: 0,
    placeholder: 'λ',
    default: 0,
    sentence: 'Ridge penalty: each row adds λ·scale·‖u_i‖² to the objective, each column λ·scale·‖v_j‖².',
  },
  lambdaRows: {
    kind: 'number',
    minimum: 0,
    placeholder: 'λ',
    defaultText: 'lambda',
    sentence: 'λ of the rows of U, where it is not that of V.',
  },
  lambdaColumns: {
    kind: 'number',
    minimum: 0,
    placeholder: 'λ',
    defaultText: 'lambda',
    sentence: 'λ of the rows of V, where it is not that of U.',
  },
  lambdaScale: {
    kind: 'choice',
    choices: ['row', 'count', 'weight'],
    default: 'row',
    sentence:
      'What λ is multiplied by in each row: 1 (row), the number of its observations (count: ALS-WR, LIBMF), or the sum of its W² (weight). A background adds its own: n_i + weight·(rows of the other side).',
  },
  nu: {
    kind: 'number',
    minimum: 0,
    placeholder: 'ν',
    default: 1,
    sentence: 'The power ν that a count or a weight is raised to before it scales λ: 1 is ALS-WR, 0 is row.',
  },
  l1: {
    kind: 'number',
    minimum: 0,
    placeholder: 'μ',
    default: 0,
    sentence:
      'L1 penalty: each row adds μ·scale·‖u_i‖₁, each column μ·scale·‖v_j‖₁, scaled like lambda. With lambda it is the elastic net.',
  },
  l1Rows: {
    kind: 'number',
    minimum: 0,
    placeholder: 'μ',
    defaultText: 'l1',
    sentence: 'L1 penalty of the rows of U, where it is not that of V.',
  },
  l1Columns: {
    kind: 'number',
    minimum: 0,
    placeholder: 'μ',
    defaultText: 'l1',
    sentence: 'L1 penalty of the rows of V, where it is not that of U.',
  },
  freeColumns: {
    kind: 'integer',
    minimum: 0,
    placeholder: 'N',
    default: 0,
    sentence: 'The first N latent columns of U and V carry no penalty.',
  },
  nonnegative: {
    kind: 'choice',
    choices: ['none', 'rows', 'columns', 'both'],
    default: 'none',
    bare: 'both',
    sentence: 'Keep U (rows), V (columns) or both at 0 and above; each row is solved to its own optimum, not clipped.',
  },
  loss: {
    kind: 'form',
    pattern:
      /^(quadratic|huber:(\d+\.?\d*|\.\d+)(e[+-]?\d+)?(:raw)?|l1(:(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)?|poisson|logistic)$/,
    forms: 'quadratic, huber:δ, huber:δ:raw, l1, l1:ε, poisson, logistic',
    examples: ['quadratic', 'huber:1.345', 'l1', 'poisson', 'logistic'],
    placeholder: 'loss',
    default: 'quadratic',
    sentence:
      'What a residual r costs. quadratic: W²r². huber:δ: ρ(Wr), ρ(z) = z² up to |z| = δ and 2δ|z| − δ² beyond (huber:δ:raw: W²ρ(r)). l1: W²(√(r² + ε²) − ε), ε a thousandth of the values’ median distance from their median unless given. poisson: W²(a log(a/p) − a + p), all non-negative. logistic: W² log(1 + e^(−ap)), a = ±1.',
  },
  background: {
    kind: 'parts',
    forms: 'a number, or { weight, value } with weight a number or { rows, columns }',
    parts: ['weight', 'value'],
    mayBeNumber: true,
    flags: '--background-weight, --background-value, --background-rows, --background-columns',
    commandLine: false,
    defaultText: 'none',
    sentence:
      'Unlisted entries are observations of value (0) with weight W² = weight, or r_i·c_j; one listed with weight 0 is left out.',
  },
  bounds: {
    kind: 'parts',
    forms: '{ rows: [lower, upper], columns: [lower, upper] }, either left out or ±Infinity where there is none',
    parts: ['rows', 'columns'],
    commandLine: false,
    defaultText: 'none',
    sentence: 'Keep the entries of U (rows) and V (columns) within bounds.',
  },
  hold: {
    kind: 'parts',
    forms: '{ U: m×k, V: n×k }, ndarrays with NaN where the factor is free',
    parts: ['U', 'V'],
    flags: '--hold-columns',
    commandLine: false,
    defaultText: 'none',
    sentence: 'Entries of U or V that are known and stay as they are, such as profiles or a column of ones.',
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
    choices: ['auto', 'als', 'block-als', 'gradient', 'varpro', 'lbfgs', 'sgd'],
    default: 'auto',
    sentence:
      'auto: als; where λ = 0 and the problem is small, varpro if als does not converge soon, and from many starts. als: exact weighted least squares, one row at a time. block-als: the same by blocks of a row’s coordinates, for ranks of 128 and above. gradient: spectral (Barzilai–Borwein) gradient steps on U and V together. varpro: variable projection, Newton steps on V with U eliminated exactly (f64). lbfgs: limited-memory BFGS on U and V together (f64 unless asked). sgd: stochastic gradient steps; 5 to 20 cheap epochs, as many as it may sweep, come near a large problem’s solution.',
  },
  polish: {
    kind: 'choice',
    choices: ['none', 'newton'],
    default: 'none',
    bare: 'newton',
    sentence:
      'newton: where sweeps bring little, finish by truncated Newton steps on V with U eliminated (f64): to gradients of 1e-10 where als crawls. Of weighted squares with ridge and biases.',
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
    defaultText: 'f32; f64 by varpro, by lbfgs, with polish, and where W² spans more than 1e6',
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
  start: {
    kind: 'choice',
    choices: ['auto', 'random', 'rank-by-rank'],
    default: 'auto',
    sentence:
      'How the factors begin where no start is given; of many starts, the first. random: from the seed. rank-by-rank: one column after the other, each under a ridge of its own that falls (λ = 0); finds what few observations determine. auto: rank-by-rank where method auto has λ = 0 and als does not soon converge from random factors (small problems), or f64 is asked for and fewer than 5 entries are observed for each degree of freedom (large ones); else random.',
  },
  starts: {
    kind: 'integer',
    minimum: 1,
    word: 'auto',
    placeholder: 'N|auto',
    default: 1,
    sentence:
      'Fit from N random starts, the first that of the seed, and keep the lowest objective; starts that will not come down to the best optimum known are given up. auto: until the optima seen are likely to be all, 200 at the most.',
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
  holdout: {
    kind: 'number',
    minimum: 0,
    exclusive: true,
    maximum: 0.99,
    placeholder: 'share',
    defaultText: 'none',
    sentence:
      'Hold out this share of the entries, at random from the seed, and report their error after each sweep; they are never fitted.',
  },
  validation: {
    kind: 'parts',
    forms: '{ data, weights }, data in any form of A and of its shape',
    parts: ['data', 'weights'],
    commandLine: false,
    defaultText: 'none',
    sentence: 'Held-out entries of your own in place of holdout.',
  },
  patience: {
    kind: 'integer',
    minimum: 1,
    placeholder: 'N',
    defaultText: 'none',
    sentence:
      'Early stopping: end after N sweeps in a row without a lower held-out error, and keep the factors of the lowest one, not the last.',
  },
  intervals: {
    kind: 'number',
    minimum: 0,
    exclusive: true,
    maximum: 0.9999,
    placeholder: 'q',
    defaultText: 'none',
    sentence:
      'Keep covariances of all rows and columns with the model, so that predictions have standard errors and intervals that cover the share q: k(k+1)/2 numbers a row and column.',
  },
  noise: {
    kind: 'choice',
    choices: ['auto', 'weights', 'residuals'],
    default: 'auto',
    sentence:
      'What intervals take the standard deviation of an error to be. weights: 1/W. residuals: s/W, s² the reduced χ². auto: weights where they are given as sigma, else residuals.',
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
    sentence:
      'auto: small problems, and short fits of others, run in the calling thread. never: always use the worker threads.',
  },
  certificate: {
    kind: 'choice',
    choices: ['full', 'first-order'],
    default: 'full',
    commandLine: false,
    sentence:
      'full: look at curvature too, and leave a saddle where one is proved, and at a bound of the global optimum. first-order: the gradient alone, for many fits whose certificates nobody reads.',
  },
  residency: {
    kind: 'choice',
    choices: ['auto', 'staged'],
    default: 'auto',
    commandLine: false,
    sentence:
      'auto: observations live in the WebAssembly memory where they fit. staged: always copied in block by block.',
  },
  onDisk: {
    kind: 'path',
    placeholder: 'folder',
    defaultText: 'none',
    sentence:
      'Keep the observations in files in this folder, on a disk with room for them, in place of memory: the same bits by every method but varpro, which makes a matrix of entries at hand and else takes products with it; a sweep takes little longer while the system has the files in its cache. The files have no names and are gone with the process. The global bound is left out.',
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
