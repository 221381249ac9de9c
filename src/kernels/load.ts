/** Compiles and instantiates the WebAssembly kernels, and writes down what they are asked to do. */

import { readFileSync } from 'node:fs';
import { HadamardError } from '../errors.js';
import { fieldWriter } from './fields.js';

/** `reproducible`: strict SIMD, the same bits everywhere. `fast`: relaxed multiply-add, the same bits on one machine and Node. */
export type Arithmetic = 'reproducible' | 'fast';
export type Dtype = 'f32' | 'f64';

export interface CompiledKernels {
  readonly module: WebAssembly.Module;
  /** What was really compiled: `fast` falls back where the engine has no relaxed SIMD. */
  readonly arithmetic: Arithmetic;
}

/** Rows first … last−1 of the job at an address. */
type RowKernel = (job: number, first: number, last: number) => void;

/** The same with the terms of a composed objective at a second address. */
type ComposedKernel = (job: number, terms: number, first: number, last: number) => void;

/** And with the columns of a block at the most. */
type BlockKernel = (job: number, terms: number, width: number, first: number, last: number) => void;

/** Entries in the order of a grid from the `at`-th on. */
type PlaceKernel = (job: number, grid: number, first: number, last: number, at: number) => void;

/** r ← g − x, its change since `before` to `step`, and a copy of g. */
type Advance = (x: number, g: number, before: number, r: number, step: number, copy: number, count: number) => void;

/** `out` ← base + Σ coefficient·(vector − base) over terms that writeTerms has written; base 0: there is none. */
type Combine = (terms: number, size: number, base: number, out: number, count: number) => void;

/** Named for the storage type, `32in64` for f32 storage computed in f64. */
export interface RowKernels {
  /** Exact weighted ridge least squares of every row. */
  readonly solveRows32: RowKernel;
  readonly solveRows64: RowKernel;
  readonly solveRows32in64: RowKernel;
  /** Gradient, loss and penalty at `own`. */
  readonly gradientRows32: RowKernel;
  readonly gradientRows64: RowKernel;
  /** Loss and penalty at `own`. */
  readonly lossRows32: RowKernel;
  readonly lossRows64: RowKernel;
}

export interface Kernels extends RowKernels {
  /** exp and log in float64, the same bits everywhere. */
  readonly exp64: (x: number) => number;
  readonly log64: (x: number) => number;
  /** Composed objectives: each row to its own optimality; loss, penalty and projected gradient at `own`; loss and penalty. */
  readonly composedSolve32: ComposedKernel;
  readonly composedSolve64: ComposedKernel;
  /** Squares, a background and a ridge alone, in f32; a row whose pivots vanish says so in its status. */
  readonly squaresSolve32: ComposedKernel;
  /** Weighted squares and a ridge in f32, by steps where rows are long; as solveRows32 otherwise. */
  readonly preconditionedRows32: ComposedKernel;
  /** `to` ← Mᵀ times `count` rows at `from`, f32; see assembly/rotateRows.ts for how M stands. */
  readonly rotateRows32: (to: number, from: number, M: number, stride: number, count: number) => void;
  readonly composedMeasure32: ComposedKernel;
  readonly composedMeasure64: ComposedKernel;
  readonly composedLoss32: ComposedKernel;
  readonly composedLoss64: ComposedKernel;
  /** The sums over rows of the other side that a background needs, to `out`. */
  readonly backgroundRows32: (job: number, terms: number, first: number, last: number, out: number) => void;
  readonly backgroundRows64: (job: number, terms: number, first: number, last: number, out: number) => void;
  /** Rows improved by blocks of columns: see assembly/blockRows.ts. */
  readonly blockRows32: BlockKernel;
  readonly blockRows64: BlockKernel;
  readonly blockRows32in64: BlockKernel;
  /** Variable projection: see assembly/reduced.ts. */
  readonly projectRows64: ComposedKernel;
  readonly reducedRows64: ComposedKernel;
  /** Products without the matrix: see assembly/hessianRows.ts. */
  readonly hessianRows64: ComposedKernel;
  readonly factorRows64: ComposedKernel;
  readonly preconditionRows64: ComposedKernel;
  /** b ← G⁻¹b, G overwritten, upper half, `size` a multiple of 4; false where G is not positive definite. */
  readonly factorAndSolve64: (G: number, size: number, b: number) => number;
  /** b ← G⁻¹b for a G that factorAndSolve64 has overwritten. */
  readonly solveFactored64: (U: number, size: number, b: number) => void;
  /** Vectors of `count` numbers, a multiple of 4: see assembly/vectors.ts. */
  readonly advance32: Advance;
  readonly advance64: Advance;
  readonly dot32: (a: number, b: number, count: number) => number;
  readonly dot64: (a: number, b: number, count: number) => number;
  readonly combine32: Combine;
  readonly combine64: Combine;
  /** The grid of stochastic gradient steps, and entries in its order: see assembly/sgdGrid.ts. */
  readonly gridRows32: ComposedKernel;
  readonly gridRows64: ComposedKernel;
  readonly placeRows32: PlaceKernel;
  readonly placeRows64: PlaceKernel;
  /** Stochastic gradient steps over a block of entries, both sides moved: see assembly/sgdRows.ts. */
  readonly sgdRows32: ComposedKernel;
  readonly sgdRows64: ComposedKernel;
  /** Loss and penalty at `own`, predictions in the precision of storage. */
  readonly sgdLossRows32: RowKernel;
  readonly sgdLossRows64: RowKernel;
  /** Vectors turned by two, and `count` rows reflected: see assembly/turns.ts. */
  readonly turnPair64: (a: number, b: number, count: number, cosine: number, sine: number) => void;
  readonly reflectRows64: (
    rows: number,
    bytes: number,
    count: number,
    v: number,
    size: number,
    first: number,
    half: number,
  ) => void;
  /** The p×p matrix at A reduced: see assembly/tridiagonal.ts. */
  readonly tridiagonalize64: (A: number, p: number, diagonal: number, beside: number, v: number, w: number) => void;
  /** G += MᵀM, its upper half, of `rows` rows of `size` columns, a multiple of 4. */
  readonly gramOf64: (G: number, M: number, rows: number, size: number) => void;
  /** Lists the columns that may be among the best of each row: see score.ts. */
  readonly scoreRows32: (job: number) => void;
  /** Lines of text: see lines.ts. */
  readonly parseText: (job: number) => number;
  readonly moveLabelsTo: (job: number, table: number, slots: number, mask: number) => void;
  /** Entries sorted into rows, 0 where they are not what was expected: see sort.ts. */
  readonly bandEntries32: (job: number) => number;
  readonly bandEntries64: (job: number) => number;
  readonly bandRows32: (job: number) => number;
  readonly bandRows64: (job: number) => number;
  readonly sortBand32: (job: number, first: number, last: number, passes: number, width: number) => number;
  readonly sortBand64: (job: number, first: number, last: number, passes: number, width: number) => number;
}

const files = { reproducible: 'strict.wasm', fast: 'relaxed.wasm' } as const;
const compiled = new Map<string, CompiledKernels>();

/**
 * At once: it takes a millisecond, and to wait for a file or a compiler of another thread one's turn in the event loop, which comes
 * late while workers start.
 *
 * @param wasmUrl the folder of the two .wasm files, ending in a slash; default beside this file.
 * @throws HadamardError `invalid-option` where they are not there.
 */
export function compileKernels(arithmetic: Arithmetic, wasmUrl: string = import.meta.url): CompiledKernels {
  const key = `${arithmetic} ${wasmUrl}`;
  const kernels = compiled.get(key) ?? compile(arithmetic, wasmUrl);
  compiled.set(key, kernels);
  return kernels;
}

function compile(arithmetic: Arithmetic, wasmUrl: string): CompiledKernels {
  try {
    const bytes = readFileSync(new URL(files[arithmetic], wasmUrl));
    if (arithmetic === 'reproducible' || WebAssembly.validate(bytes))
      return { module: new WebAssembly.Module(bytes), arithmetic };
  } catch (cause) {
    throw noKernels(wasmUrl, cause);
  }
  return compileKernels('reproducible', wasmUrl);
}

function noKernels(wasmUrl: string, cause: unknown): HadamardError {
  return new HadamardError(
    {
      code: 'invalid-option',
      what: `The kernels cannot be loaded from ${wasmUrl}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      position: { option: 'wasmUrl' },
      rule: 'wasmUrl is the file: URL of the folder of strict.wasm and relaxed.wasm, with a slash at its end.',
      remedy: 'Where the application is bundled, mark hadamard as external or give wasmUrl.',
    },
    { cause },
  );
}

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const env = {
    memory,
    abort: () => {
      throw new Error('A kernel aborted.');
    },
  };
  return new WebAssembly.Instance(module, { env }).exports as unknown as Kernels;
}

/** Addresses (0: absent), counts and strides of a {@link RowKernel} call; rows are absolute numbers. */
export interface JobFields {
  readonly rank: number;
  /** Elements from one factor row to the next, a multiple of 4; slot `rank` is the bias. */
  readonly stride: number;
  readonly hasBias: number;
  readonly ownBiasFree: number;
  readonly out: number;
  readonly own: number;
  readonly other: number;
  /** u32 entry numbers, read at pointers + 4·row. */
  readonly pointers: number;
  readonly indices: number;
  readonly values: number;
  readonly weights: number;
  readonly penalties: number;
  readonly biasPenalties: number;
  readonly scratch: number;
  readonly status: number;
  /** 0: a solve leaves the loss out, which takes a pass of its own over the row. */
  readonly isLossWanted: number;
  readonly mean: number;
}

const struct = fieldWriter(
  [
    'rank',
    'stride',
    'hasBias',
    'ownBiasFree',
    'out',
    'own',
    'other',
    'pointers',
    'indices',
    'values',
    'weights',
    'penalties',
    'biasPenalties',
    'scratch',
    'status',
    'isLossWanted',
  ],
  ['mean'],
);
const totalsOffset = struct.bytes;

/** Writes a job with its sums at zero. */
export function writeJob(view: DataView, address: number, fields: JobFields): void {
  struct.write(view, address, fields);
  for (let i = 0; i < totalNames.length; i++) view.setFloat64(address + totalsOffset + 8 * i, 0, true);
}

export interface JobTotals {
  /** Σ W²r² of the new rows (solve) or of `own`. */
  readonly loss: number;
  /** Σ λ_i‖x_i‖² and the biases' part, of the same. */
  readonly penalty: number;
  /** Σ ‖∂f/∂x_i‖² at `own`, of the latent part. */
  readonly gradientSquared: number;
  /** Σ ‖x_i‖² of `own`. */
  readonly ownSquared: number;
  /** The same of the biases. */
  readonly biasGradientSquared: number;
  readonly biasSquared: number;
  /** Of entries of positive weight at `own`, by gradients alone: Σr², ΣW²r² and how many they are. */
  readonly squares: number;
  readonly weightedSquares: number;
  readonly observed: number;
}

/** In the order in which they are stored. */
export const totalNames = [
  'loss',
  'penalty',
  'gradientSquared',
  'ownSquared',
  'biasGradientSquared',
  'biasSquared',
  'squares',
  'weightedSquares',
  'observed',
] as const satisfies readonly (keyof JobTotals)[];

/** Anew each time, to be added to. */
export const zeroTotals = (): { -readonly [Name in keyof JobTotals]: number } => ({
  loss: 0,
  penalty: 0,
  gradientSquared: 0,
  ownSquared: 0,
  biasGradientSquared: 0,
  biasSquared: 0,
  squares: 0,
  weightedSquares: 0,
  observed: 0,
});

/** The sums that the kernels have added up for a job. */
export function readTotals(view: DataView, address: number): JobTotals {
  const read = (i: number) => view.getFloat64(address + totalsOffset + 8 * i, true);
  return {
    loss: read(0),
    penalty: read(1),
    gradientSquared: read(2),
    ownSquared: read(3),
    biasGradientSquared: read(4),
    biasSquared: read(5),
    squares: read(6),
    weightedSquares: read(7),
    observed: read(8),
  };
}

/** Scratch of one task, enough for every kernel in f64 and rows of any length. See assembly/space.ts. */
export function scratchBytes(stride: number): number {
  const panel = Math.max(64, stride);
  return 64 + 8 * (stride * stride + panel * stride + 3 * panel + 3 * stride) + 4 * panel;
}
