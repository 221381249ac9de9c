/**
 * Variable projection: U is eliminated exactly, row by row, and V moves by damped Newton steps on what is left,
 * f(V) = min_U f(U,V). G. H. Golub & V. Pereyra, SIAM J. Numer. Anal. 10 (1973); A. Ruhe & P. Å. Wedin, SIAM Review 22 (1980),
 * whose second algorithm is the Gauss–Newton matrix used here; damping after Levenberg and Marquardt, the gauge after
 * T. Okatani, T. Yoshida & K. Deguchi, ICCV 2011, and V made orthonormal after each step as in J. H. Hong & A. Fitzgibbon,
 * "Secrets of Matrix Factorization", ICCV 2015 (DRW2P), where nothing is penalised.
 *
 * Far from an optimum Gauss–Newton's matrix, never indefinite, finds the better valleys; once steps bring little, the exact
 * Hessian, where it is positive definite, ends the crawl quadratically. The side with fewer rows is the one that stays.
 */
import { reducedScratchBytes } from '../kernels/reduced.js';
import { gradientProduct } from '../objective/relativeGradient.js';
import type { Side } from '../parallel/layout.js';
import type { Gauge } from '../parallel/phase.js';
import { type Method, type MethodRun, type Point, type Proposal, type Run, stepsToSettle } from './method.js';
import { eliminatedSide, orthonormalize, otherSide, type ReducedShape, reducedSpace } from './reducedPhases.js';

/** Of the side that stays: two points and the gradient. */
const gradientBuffer = 2;

/**
 * Damping in units of H's mean diagonal, and what a refused and a taken step multiply it by. Measured on dino-trimmed, seeds
 * 1–24: 1e-4, 10 and 1/10 took 136 sweeps (median) and 410 matrices and steps, these 54 and 187.
 */
const firstDamping = 1e-2;
const leastDamping = 1e-14;
const mostDamping = 1e16;
const raise = 4;
const lower = 0.1;

/** Of f in float64, relative. */
const rounding = 2e-15;

/** The exact Hessian is tried where the last step brought less than this, relative. */
const smallFall = 1e-3;

export function varpro(shape: ReducedShape, gauge: Gauge, stride: number): Method {
  const staying = otherSide(eliminatedSide(shape.counts));
  const space = reducedSpace(shape);
  return {
    name: 'varpro',
    buffers: { rows: 2, columns: 2, [staying]: 3 },
    ownBytes: () => 0,
    workspace: {
      bytes: space.bytes,
      scratch: reducedScratchBytes(stride, space.staying, shape.counts[staying]),
      isResident: true,
    },
    create: (run) => new VariableProjection(run, staying, gauge, stride, shape.rank),
  };
}

class VariableProjection implements MethodRun {
  readonly #run: Run;
  readonly #staying: Side;
  readonly #eliminated: Side;
  readonly #gauge: Gauge;
  readonly #stride: number;
  readonly #rank: number;
  #damping = firstDamping;
  #lastFall = 1;
  /** Sweeps until the exact Hessian is tried again, and for how many it rests after the next failure. */
  #rest = 0;
  #nextRest = 1;
  #isPrepared = false;
  /** Where no step lowers f, at any damping. */
  #stuck: Proposal | undefined;

  constructor(run: Run, staying: Side, gauge: Gauge, stride: number, rank: number) {
    this.#run = run;
    this.#staying = staying;
    this.#eliminated = otherSide(staying);
    this.#gauge = gauge;
    this.#stride = stride;
    this.#rank = rank;
  }

  /** `precise` has no part in this: all is f64, and a step is taken only where f falls. */
  async step(given: Point, _precise: boolean): Promise<Proposal> {
    if (given === this.#stuck) return this.#stuck;
    const from = this.#isPrepared ? given : await this.#prepare(given);
    const relativeGradientNorm = await this.#measureGradient(from);
    const to = (await this.#exactStep(from)) ?? (await this.#dampedStep(from)) ?? (await this.#alternate(from));
    if (to) {
      this.#lastFall = (from.objective - to.objective) / from.objective;
      return { ...to, relativeGradientNorm, isExtrapolated: false };
    }
    this.#stuck = { ...from, relativeGradientNorm, isExtrapolated: false };
    return this.#stuck;
  }

  /** The exact half-sweep on U: the eliminated side is solved already. */
  async finish(from: Point): Promise<Proposal> {
    const point = this.#eliminated === 'rows' ? from : await this.#solve('rows', from, 1 - from.rows, stepsToSettle);
    return { ...point, relativeGradientNorm: null, isExtrapolated: false };
  }

  /** The first point: the start of the side that stays, orthonormal where nothing is penalised, the other solved from it. */
  async #prepare(from: Point): Promise<Point> {
    this.#isPrepared = true;
    const staying = from[this.#staying];
    this.#retract(staying);
    return this.#solve(this.#eliminated, from, 1 - from[this.#eliminated]);
  }

  /** ∂f/∂V into its buffer; ∂f/∂U is 0 at a point whose U is solved. */
  async #measureGradient(point: Point): Promise<number> {
    const side = this.#staying;
    const own = point[side];
    const other = point[this.#eliminated];
    const totals = await this.#run.phase({ phase: 'gradient', side, own, other, out: gradientBuffer });
    return this.#run.relative(gradientProduct(totals));
  }

  async #exactStep(from: Point): Promise<Point | undefined> {
    if (this.#lastFall >= smallFall) return undefined;
    if (this.#rest > 0) {
      this.#rest--;
      return undefined;
    }
    await this.#build(from, true);
    const to = await this.#tryStep(from);
    if (to) {
      this.#nextRest = 1;
      this.#damping = Math.max(this.#damping * lower, leastDamping);
      return to;
    }
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(2 * this.#nextRest, 16);
    return undefined;
  }

  /** Levenberg and Marquardt: more damping until f falls, less after. */
  async #dampedStep(from: Point): Promise<Point | undefined> {
    await this.#build(from, false);
    for (; this.#damping < mostDamping; this.#damping *= raise) {
      const to = await this.#tryStep(from);
      if (!to) continue;
      this.#damping = Math.max(this.#damping * lower, leastDamping);
      return to;
    }
    return undefined;
  }

  /**
   * A sweep of alternating least squares, where rows are so near to being undetermined that the quadratic model tells
   * nothing about f: it lowers f whatever the curvature.
   */
  async #alternate(from: Point): Promise<Point | undefined> {
    this.#damping = firstDamping;
    const moved = await this.#solve(this.#staying, from, 1 - from[this.#staying]);
    this.#retract(moved[this.#staying]);
    const to = await this.#solve(this.#eliminated, moved, 1 - from[this.#eliminated]);
    return to.objective < from.objective ? to : undefined;
  }

  async #build(from: Point, isExact: boolean): Promise<void> {
    const [staying, eliminated] = [from[this.#staying], from[this.#eliminated]];
    const base = { out: null, isExact };
    await this.#run.phase({ ...base, phase: 'project', side: this.#eliminated, own: eliminated, other: staying });
    await this.#run.phase({ ...base, phase: 'reducedHessian', side: this.#staying, own: staying, other: eliminated });
  }

  async #tryStep(from: Point): Promise<Point | undefined> {
    const side = this.#staying;
    const { loss } = await this.#run.phase({
      phase: 'reducedStep',
      side,
      own: from[side],
      other: from[this.#eliminated],
      out: 1 - from[side],
      extra: gradientBuffer,
      step: this.#damping,
      gauge: this.#gauge,
    });
    if (Number.isNaN(loss)) return undefined;
    const moved = { ...from, [side]: 1 - from[side] };
    this.#retract(moved[side]);
    const to = await this.#solve(this.#eliminated, moved, 1 - from[this.#eliminated]);
    // Near the optimum f is flat to its last bits while the gradient still has digits to lose.
    return to.objective < from.objective * (1 + rounding) ? to : undefined;
  }

  /** f does not change along V → VB where nothing is penalised: orthonormal columns keep the problem well conditioned. */
  #retract(index: number): void {
    if (this.#gauge === 'none') return;
    const factor = this.#run.buffer(this.#staying, index);
    orthonormalize(factor, factor.length / this.#stride, this.#stride, this.#rank);
  }

  /** A side solved exactly for the other one. */
  async #solve(side: Side, from: Point, out: number, innerSteps?: number): Promise<Point> {
    const other = otherSide(side);
    const { loss, penalty } = await this.#run.phase({
      phase: 'solve',
      side,
      own: null,
      other: from[other],
      out,
      ...(innerSteps !== undefined && { innerSteps }),
    });
    const point = { ...from, [side]: out };
    return { ...point, loss, objective: loss + penalty + this.#run.penalty(other, from[other]) };
  }
}
