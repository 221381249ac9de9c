/** What recommending for many rows needs in every thread. */
import type { Factors } from '../model/objective.js';
import type { BlockContext } from '../parallel/phase.js';

/** Blocks are of {@link rows}; a context is for one batch of them. */
export interface ScoreContext extends BlockContext {
  readonly factors: Factors;
  /** Rows of the model, those of all batches. */
  readonly rows: Uint32Array;
  /** The columns that may be recommended, rising; a column's place here is its position. */
  readonly columns: Uint32Array;
  readonly seen: Seen | undefined;
  readonly top: number;
  /** Absent where f32 cannot tell the columns apart: then all are scored in float64. */
  readonly kernel: ScoreKernel | undefined;
  readonly found: Found;
}

/** Positions not to be recommended, by row of the model: those of row i from pointers[i] on, rising. */
export interface Seen {
  readonly pointers: Float64Array;
  readonly positions: Uint32Array;
}

/** The f32 factors that the kernel reads: U·rowScale beside biasPart where columns have a bias, and V in panels. */
export interface ScoreKernel {
  /** Latent columns, the bias's own included. */
  readonly size: number;
  readonly rowScale: number;
  /** What stands in place of the 1 that column biases are multiplied by; 0 where there are none. */
  readonly biasPart: number;
  /** Scaled scores are predictions, less mean and row bias, times this. */
  readonly scoreScale: number;
  /** The largest norm of a column's f32 vector. */
  readonly columnNorm: number;
  readonly panels: number;
  /** Columns that a row can list. */
  readonly capacity: number;
  /** Offsets in a task's scratch. */
  readonly scratch: ScoreScratch;
}

export interface ScoreScratch {
  readonly lanes: number;
  readonly factors: number;
  readonly margins: number;
  readonly pointers: number;
  readonly excluded: number;
  readonly states: number;
  readonly bytes: number;
}

/** A batch's answers, `top` places a row from the batch's first row on. */
export interface Found {
  readonly first: number;
  readonly counts: Uint32Array;
  readonly columns: Uint32Array;
  readonly predictions: Float64Array;
}

/** Rows that are scored together. */
export const blockRows = 64;
