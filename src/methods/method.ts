/** What a method is: where it starts, one step, and the row-separable phases its steps are made of. */
import type { PhaseCall, PhaseTable, Totals } from '../parallel/phase.js';

/** The buffers that hold the accepted factors. */
export interface Position {
  readonly rows: number;
  readonly columns: number;
}

export interface Point extends Position {
  /** f = loss + regularization at this position. */
  readonly objective: number;
  readonly loss: number;
}

export interface Proposal extends Point {
  /** Relative gradient norm at the point the step started from, where the method measures it on its way. */
  readonly relativeGradientNorm: number | null;
  readonly isExtrapolated: boolean;
}

/** What the engine lends a method: a way to run phases, and the scale that makes gradients relative. */
export interface Run {
  phase(call: PhaseCall): Promise<Totals>;
  /** A factor-sized buffer as numbers, for the coordinator's own vector work. */
  buffer(side: 'rows' | 'columns', index: number): Float32Array | Float64Array;
  /** Per-row penalties λ_i and the bias's, f64. */
  penalty(side: 'rows' | 'columns', index: number): number;
  /** 2‖W∘(A − mean)‖². */
  readonly gradientScale: number;
  /** Whether a new objective may follow an old one: finite and not above it beyond the rounding of this dtype. */
  isAcceptable(objective: number, before: number): boolean;
}

export interface Method {
  readonly name: string;
  /** How many factor-sized buffers it needs on each side; buffer 0 holds the start. */
  readonly buffers: { readonly rows: number; readonly columns: number };
  /** Bytes of the coordinator's own memory. */
  ownBytes(columns: number, stride: number, elementBytes: number): number;
  readonly phases: PhaseTable;
  create(run: Run): MethodRun;
}

/** A method at work on one fit. It writes to buffers that do not hold the accepted position and never decides to stop. */
export interface MethodRun {
  /** The first point, from the start in buffer 0 of each side. */
  start(): Promise<Point>;
  /** Proposes the next point; `precise` asks for f64 arithmetic on f32 storage and the plainest step. */
  step(from: Point, precise: boolean): Promise<Proposal>;
  /** The exact half-sweep on U that every fit ends with, where steps do not end with it already. */
  finish?(from: Point): Promise<Proposal>;
}
