/**
 * f(V) = min_U f(U,V): the side with more rows is eliminated, solved exactly for the side that stays. What the methods on it
 * share: their points, the gradient, and the freedom to choose a basis where nothing is penalised.
 */
import { gradientProduct } from '../objective/relativeGradient.js';
import { otherSide, type Side } from '../parallel/layout.js';
import type { Gauge } from '../parallel/phase.js';
import { finishRows, type Point, type Proposal, type Run, solveSide, spare } from './method.js';
import { orthonormalize } from './reducedGauge.js';
import { eliminatedSide, type ReducedShape } from './reducedPhases.js';

export interface ReducedProblemShape extends ReducedShape {
  readonly stride: number;
  readonly gauge: Gauge;
}

/** The exact Hessian in place of Gauss–Newton's where the last step brought less than this, relative. */
export const smallFall = 1e-3;

export class ReducedProblem {
  readonly staying: Side;
  readonly eliminated: Side;
  readonly #run: Run;
  readonly #shape: ReducedProblemShape;

  constructor(run: Run, shape: ReducedProblemShape) {
    this.#run = run;
    this.#shape = shape;
    this.eliminated = eliminatedSide(shape.counts);
    this.staying = otherSide(this.eliminated);
  }

  /** The point whose side that stays is in buffer `index`: its basis chosen, the other side solved from it. */
  moveTo(from: Point, index: number): Promise<Point> {
    this.#retract(index);
    return this.solve(this.eliminated, { ...from, [this.staying]: index });
  }

  /** The other side solved into buffer `out`, the basis left as it is. */
  solveAt(at: Point, out: number): Promise<Point> {
    return solveSide(this.#run, this.eliminated, at, out);
  }

  /** The same point once its basis is chosen; its buffers are overwritten. */
  settle(point: Point): Promise<Point> | Point {
    if (this.#shape.gauge === 'none') return point;
    this.#retract(point[this.staying]);
    return this.solveAt(point, point[this.eliminated]);
  }

  /** {@link moveTo} for a point that no step led to, whose own factors stay as they are. */
  prepare(given: Point): Promise<Point> {
    const out = spare(given[this.staying]);
    this.#run.buffer(this.staying, out).set(this.#run.buffer(this.staying, given[this.staying]));
    return this.moveTo(given, out);
  }

  /** A side solved exactly for the other one, into the first of its buffers that is not that of the point. */
  solve(side: Side, from: Point): Promise<Point> {
    return solveSide(this.#run, side, from, spare(from[side]));
  }

  /** ∂f/∂V to a buffer; ∂f/∂U is 0 at a point whose U is solved. @returns the relative gradient norm. */
  async measureGradient(point: Point, out: number): Promise<number> {
    const call = {
      phase: 'gradient',
      side: this.staying,
      own: point[this.staying],
      other: point[this.eliminated],
      out,
    };
    return this.#run.relative(gradientProduct(await this.#run.phase(call)));
  }

  /** The exact half-sweep on U: the eliminated side is solved already. */
  async finish(from: Point): Promise<Proposal> {
    return this.eliminated === 'rows'
      ? { ...from, relativeGradientNorm: null, isExtrapolated: false }
      : finishRows(this.#run, from);
  }

  /** f does not change along V → VB where nothing is penalised: orthonormal columns keep the problem well conditioned. */
  #retract(index: number): void {
    const { gauge, stride, rank, counts } = this.#shape;
    if (gauge === 'none') return;
    orthonormalize(this.#run.buffer(this.staying, index), counts[this.staying], stride, rank);
  }
}
