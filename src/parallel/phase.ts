/** What a task is: the messages between the coordinator and its workers, and the code a block's work is written in. */
import type { EntryFile } from '../data/entryFile.js';
import type { StoredOrientation } from '../data/storedRows.js';
import type { ErrorRecord } from '../errors.js';
import { type Dtype, type JobTotals, type Kernels, zeroTotals } from '../kernels/load.js';
import type { Layout, PerSide, Side, SideAddresses } from './layout.js';

/** What a crew needs to know of work over blocks of rows. Shared buffers and the compiled module cross threads by reference. */
export interface BlockContext {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly layout: Pick<Layout, 'scratch' | 'scratchStride'> & {
    readonly sides: PerSide<Pick<SideAddresses, 'done' | 'results'>>;
  };
  /** Block b holds rows blocks[side][b] … blocks[side][b+1]−1. */
  readonly blocks: PerSide<Uint32Array>;
}

/** The facts of a fit that every task needs. */
export interface FitContext extends BlockContext {
  readonly layout: Layout;
  readonly dtype: Dtype;
  readonly rank: number;
  readonly stride: number;
  readonly hasBias: boolean;
  /** Whether the side's own bias is fitted. */
  readonly isBiasFitted: PerSide<boolean>;
  readonly mean: number;
  /** ΣW²r/ΣW² of listed entries, r their distance from the mean, and the root mean square of what r is beyond that. */
  readonly level: number;
  readonly spread: number;
  /** What the objective has beyond weighted squares and a ridge; undefined where that is all. */
  readonly terms: FitTerms | undefined;
  readonly observations: PerSide<StoredOrientation>;
  /** Where they are in files: a third one for the entries in the order of a grid's blocks, if the method has one. */
  readonly grid?: EntryFile | undefined;
  /** Entries that there is room for: what is listed, entries listed twice counted twice. */
  readonly capacity: number;
}

/** Rows of a side's factor. */
export function countOf({ blocks }: Pick<BlockContext, 'blocks'>, side: Side): number {
  const boundaries = blocks[side];
  return boundaries[boundaries.length - 1] as number;
}

export function countsOf(fit: Pick<BlockContext, 'blocks'>): PerSide<number> {
  return { rows: countOf(fit, 'rows'), columns: countOf(fit, 'columns') };
}

/** Unknowns of a row: its factor, and its bias behind. */
export function unknownsOf({ rank, isBiasFitted }: Pick<FitContext, 'rank' | 'isBiasFitted'>, side: Side): number {
  return rank + (isBiasFitted[side] ? 1 : 0);
}

/** A composed objective as the kernels take it; its lists stand at the layout's addresses. */
export interface FitTerms {
  /** The loss's number and parameter. */
  readonly loss: number;
  readonly lossParameter: number;
  readonly bounds: PerSide<readonly [number, number]>;
  /** Row problems need the sums over all rows of the other side: for a background, or where `isFull`. */
  readonly hasGram: boolean;
  /** Every entry is listed with weight r_i·c_j: one Gram matrix serves all rows. */
  readonly isFull: boolean;
  /** Squares, a background and a ridge are all that it has. */
  readonly isSquares: boolean;
  /** f32 neither overflows nor loses small weights beside large ones. */
  readonly fitsSingle: boolean;
  /** The background's value, in the units that A is stored in. */
  readonly value: number;
}

/** One parallel-for over the blocks of a side. Buffers are named by number; null means that there is none. */
export interface PhaseCall {
  readonly phase: string;
  readonly side: Side;
  /** The buffer of this side that the phase reads. */
  readonly own: number | null;
  /** The buffer of the other side, held fixed. */
  readonly other: number;
  /** The buffer of this side that the phase writes. */
  readonly out: number | null;
  /** What else a phase takes: `precise` asks for f64 arithmetic on f32 storage, `step` is a step length, `extra` another buffer. */
  readonly precise?: boolean | undefined;
  /** Where a row's solution by steps starts from, where `own` is not wanted. */
  readonly start?: number | undefined;
  /** Tangent quadratics solved for a row, at the most; given, rows are solved to rounding. */
  readonly innerSteps?: number | undefined;
  readonly step?: number;
  /** Columns of a block of coordinates, at the most. */
  readonly width?: number;
  /** Leave the loss out of the sums: it takes a pass of its own. */
  readonly isLossUnwanted?: boolean;
  readonly extra?: number;
  /** Where results go that no buffer holds, in bytes. */
  readonly address?: number;
  /** Another buffer of the other side. */
  readonly otherExtra?: number;
  /** Buffers and their coefficients, or pairs of buffers. */
  readonly terms?: readonly (readonly [buffer: number, coefficient: number])[];
  /** Less what the other side answers. */
  readonly isReduced?: boolean;
  /** The exact Hessian in place of Gauss–Newton's. */
  readonly isExact?: boolean;
  /** With the matrix that the last call has factored. */
  readonly isFactored?: boolean;
  /** What leaves f as it is, where V stays. */
  readonly gauge?: Gauge;
  /** Sizes of stochastic gradient steps. */
  readonly descent?: DescentCall;
  /** Vectors that an acceleration keeps. */
  readonly history?: HistoryCall;
}

/** Two residuals, then steps of it, then images, as many of these as there are slots. */
export interface HistoryCall {
  /** Where the side's vectors begin, in bytes from the start of the method's work space. */
  readonly at: number;
  /** Slots. */
  readonly size: number;
  /** Which of the two residuals is the last. */
  readonly residual: number;
  /** Those in use, the oldest first, and what the images of all but the newest count. */
  readonly slots: readonly number[];
  readonly coefficients: readonly number[];
}

/** What a sub-epoch is told; gradients are in units of 1/`scale`. */
export interface DescentCall {
  /** Of an epoch's sub-epochs, which. */
  readonly round: number;
  /** Copies of the rates: read and written. */
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly step: number;
  /** The first column's share of a step. */
  readonly lead: number;
  readonly biasStep: number;
  /** Squared gradients that a row, and its bias, begin with. */
  readonly squares: number;
  readonly biasSquares: number;
}

/** `latent`: V → VB, where neither factor is penalised; `all`: V → V + 1tᵀ too, where the biases of U are not either. */
export type Gauge = 'none' | 'latent' | 'all';

/** Float64 sums over rows, each over fixed blocks in a fixed order. */
export type Totals = JobTotals;

export const noTotals: Totals = zeroTotals();

/** What a block's code works with in its own thread. */
export interface Workbench<Context extends BlockContext = FitContext> {
  readonly fit: Context;
  readonly kernels: Kernels;
  /** Which of the tasks of a phase this is, and the address of its scratch. */
  readonly slot: number;
  readonly scratch: number;
  /** The whole memory: a view made anew for each block costs a small fit a tenth of its time. */
  readonly view: DataView;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
}

/** A named piece of row-separable work; `run` does one block and returns its sums. */
export interface Phase<Context extends BlockContext = FitContext> {
  readonly name: string;
  readonly run: (workbench: Workbench<Context>, call: PhaseCall, block: number) => Totals;
}

export type PhaseTable<Context extends BlockContext = FitContext> = Readonly<Record<string, Phase<Context>>>;

/** A worker's part in a piece of work, for as long as that lasts. */
export interface Task<Context extends BlockContext = FitContext> {
  readonly context: Context;
  /** Where it is told of phases: see board.ts. */
  readonly board: SharedArrayBuffer;
  /** Which scratch to use. */
  readonly slot: number;
}

export interface TaskReport {
  /** What a block was refused with, such as a file that cannot be read: to do it again would not help. */
  readonly failure?: ErrorRecord;
}
