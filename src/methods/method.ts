/** What a method is: where it starts, one step, and the row-separable phases its steps are made of. */
import { otherSide, type Side } from '../parallel/layout.js';
import type { PhaseCall, Totals } from '../parallel/phase.js';

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
  /** The side whose start is given, the other being solved from it; `drawn`: neither is, and V is drawn. */
  readonly startsFrom: Side | 'drawn';
  /** What entries are on average beyond the fixed mean, and the root mean square of what they are beyond that. */
  readonly level: number;
  readonly spread: number;
  phase(call: PhaseCall): Promise<Totals>;
  /** A factor-sized buffer as numbers, for the coordinator's own vector work. */
  buffer(side: 'rows' | 'columns', index: number): Float32Array | Float64Array;
  /** Per-row penalties λ_i and the bias's, f64. */
  penalty(side: 'rows' | 'columns', index: number): number;
  /** Whether a row's solution is exact: not where its loss is replaced by tangent quadratics, nor where it takes steps. */
  readonly isExact: boolean;
  /** Whether every row of the other side counts in a row’s problem, not those of its entries alone. */
  readonly hasBackground: boolean;
  /** Makes Σ‖∂f/∂X‖·‖X‖ relative: divided by 2‖W∘(A − mean)‖². */
  relative(product: number): number;
}

export interface Method {
  readonly name: string;
  /** How many factor-sized buffers it needs on each side; buffer 0 holds the start. */
  readonly buffers: { readonly rows: number; readonly columns: number };
  /** Bytes of the coordinator's own memory. */
  readonly ownBytes?: number;
  /** Bytes of shared memory beside factors; whether it takes resident observations alone. */
  readonly workspace?: { readonly bytes: number; readonly isResident?: true };
  /** Its blocks are cut through rows: entries on disk are kept in the order of these as well. */
  readonly hasGrid?: true;
  /** Bytes of scratch that a task needs at the least, where the longest row or column has so many entries. */
  scratch?(longest: number): number;
  /** Its first point, where that is not U solved exactly from V. */
  start?(run: Run): Promise<Point>;
  create(run: Run): MethodRun;
}

/** The first buffer that does not hold a point. */
export const spare = (index: number): number => (index === 0 ? 1 : 0);

/** The first of three buffers that is none of these. */
export function otherBuffer(a: number, b?: number): number {
  return [0, 1, 2].find((index) => index !== a && index !== b) as number;
}

/** What a half-sweep may be told beside its buffers. */
type SolveCall = Pick<PhaseCall, 'start' | 'innerSteps' | 'precise'>;

/**
 * The half-sweep: a side solved exactly for the other one, into buffer `out`.
 *
 * @param fixed the penalty of the other side, where it is known.
 */
export async function solveSide(
  run: Run,
  side: Side,
  at: Position,
  out: number,
  call: SolveCall = {},
  fixed?: number,
): Promise<Point> {
  const other = otherSide(side);
  const { start, innerSteps, precise } = call;
  // Field by field, here and in als: to spread an object costs a small fit as much as to solve ten rows.
  const solve = { phase: 'solve', side, own: null, other: at[other], out, start, innerSteps, precise };
  const { loss, penalty } = await run.phase(solve);
  const objective = loss + penalty + (fixed ?? run.penalty(other, at[other]));
  const isRows = side === 'rows';
  return { rows: isRows ? out : at.rows, columns: isRows ? at.columns : out, loss, objective };
}

/** The exact half-sweep on U that a fit ends with, from a point where U is another. */
export async function finishRows(run: Run, from: Point): Promise<Proposal> {
  const point = await solveSide(run, 'rows', from, spare(from.rows), { start: from.rows, innerSteps: stepsToSettle });
  return { ...point, relativeGradientNorm: null, isExtrapolated: false };
}

/** The first point of a fit by a method. */
export function startOf(method: Method, run: Run): Promise<Point> {
  return method.start?.(run) ?? startExactly(run);
}

/** The first point of most methods: U solved from V in buffer 0, and V before that where only U was given. */
export async function startExactly(run: Run): Promise<Point> {
  // Buffer 1 holds the start as well, for solutions that begin at one.
  const solve = { phase: 'solve', own: null, other: 0, out: 0, start: 1 };
  if (run.startsFrom === 'rows') await run.phase({ ...solve, side: 'columns', isLossUnwanted: true });
  return solveSide(run, 'rows', { rows: 0, columns: 0 }, 0, { start: 1 });
}

/**
 * Tangent quadratics for a row at the most where its solution is to be exact: it stops when one moves it by less than 1e-13,
 * or by no more than rounding does. The last half-sweep takes as many, and so does folding in, so that both come to the same row.
 */
export const stepsToSettle = 20000;

/** A method at work on one fit. It writes to buffers that do not hold the accepted position and never decides to stop. */
export interface MethodRun {
  /**
   * Proposes the next point.
   *
   * @param precise asks for f64 arithmetic on f32 storage and the plainest step.
   * @param isLast no other step may follow: it may as well end as {@link finish} does.
   */
  step(from: Point, precise: boolean, isLast: boolean): Promise<Proposal>;
  /** The exact half-sweep on U that every fit ends with, where steps do not end with it already. */
  finish?(from: Point): Promise<Proposal>;
}
