/**
 * Variable projection: U is eliminated exactly, row by row, and V moves by damped Newton steps on what is left,
 * f(V) = min_U f(U,V). G. H. Golub & V. Pereyra, SIAM J. Numer. Anal. 10 (1973); A. Ruhe & P. Å. Wedin, SIAM Review 22 (1980),
 * whose second algorithm is the Gauss–Newton matrix used here; damping after Levenberg and Marquardt, the gauge after
 * T. Okatani, T. Yoshida & K. Deguchi, ICCV 2011, and V made orthonormal after each step as in J. H. Hong & A. Fitzgibbon,
 * "Secrets of Matrix Factorization", ICCV 2015 (DRW2P), where nothing is penalised.
 *
 * Each matrix serves for as many further steps as it is worth: see secantSteps.ts.
 *
 * Far from an optimum Gauss–Newton's matrix, never indefinite, finds the better valleys; once steps bring little, the exact
 * Hessian, where it is positive definite, ends the crawl quadratically. The side with fewer rows is the one that stays.
 */
import { reducedScratchBytes } from '../kernels/reduced.js';
import { otherSide } from '../parallel/layout.js';
import { type Method, type MethodRun, type Point, type Proposal, type Run, spare } from './method.js';
import { eliminatedSide, reducedSpace } from './reducedPhases.js';
import { ReducedProblem, type ReducedProblemShape, smallFall } from './reducedProblem.js';
import { SecantSteps, secantVectors } from './secantSteps.js';

/** Both sides have three points; the side that stays the gradient, and work space of {@link SecantSteps}. */
const gradientBuffer = 3;
const workBuffer = 4;

/**
 * Damping in units of H's mean diagonal, and what a refused and a taken step multiply it by. Measured on dino-trimmed, seeds
 * 1–24, before secant steps: 1e-4, 10 and 1/10 took 136 sweeps (median) and 410 matrices and steps, these 54 and 187.
 */
const firstDamping = 1e-2;
const leastDamping = 1e-14;
const mostDamping = 1e16;
const raise = 4;
const lower = 0.1;

/** Of f in float64, relative. */
const rounding = 2e-15;

export function varpro(shape: ReducedProblemShape): Method {
  const staying = otherSide(eliminatedSide(shape.counts));
  const space = reducedSpace(shape);
  return {
    name: 'varpro',
    buffers: { rows: 3, columns: 3, [staying]: 5 },
    ownBytes: 8 * secantVectors * shape.counts[staying] * shape.stride,
    workspace: { bytes: space.bytes, isResident: true },
    scratch: () => reducedScratchBytes(shape.stride, space.staying, shape.counts[staying]),
    create: (run) => new VariableProjection(run, shape),
  };
}

class VariableProjection implements MethodRun {
  readonly #run: Run;
  readonly #problem: ReducedProblem;
  readonly #secant: SecantSteps;
  readonly #gauge: ReducedProblemShape['gauge'];
  #damping = firstDamping;
  #lastFall = 1;
  /** Sweeps until the exact Hessian is tried again, and for how many it rests after the next failure. */
  #rest = 0;
  #nextRest = 1;
  /** The point that a step of this has led to: of any other, such as the loop's last half-sweep, U is to be solved first. */
  #known: Point | undefined;
  /** The point whose rows are projected. */
  #projected: Point | undefined;
  /** Where no step lowers f, at any damping. */
  #stuck: Proposal | undefined;

  constructor(run: Run, shape: ReducedProblemShape) {
    this.#run = run;
    this.#problem = new ReducedProblem(run, shape);
    this.#secant = new SecantSteps(run, this.#problem, workBuffer);
    this.#gauge = shape.gauge;
  }

  /** `precise` has no part in this: all is f64, and a step is taken only where f falls. */
  async step(given: Point, _precise: boolean): Promise<Proposal> {
    if (given === this.#stuck) return this.#stuck;
    const from = given === this.#known ? given : await this.#problem.prepare(given);
    const relativeGradientNorm = await this.#problem.measureGradient(from, gradientBuffer);
    const to = (await this.#exactStep(from)) ?? (await this.#dampedStep(from)) ?? (await this.#alternate(from));
    if (to) {
      this.#lastFall = (from.objective - to.objective) / from.objective;
      const proposal = { ...to, relativeGradientNorm, isExtrapolated: false };
      this.#known = proposal;
      return proposal;
    }
    this.#stuck = { ...from, relativeGradientNorm, isExtrapolated: false };
    return this.#stuck;
  }

  finish(from: Point): Promise<Proposal> {
    return this.#problem.finish(from);
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
    const { staying } = this.#problem;
    const moved = await this.#problem.solve(staying, from);
    const to = await this.#problem.moveTo(from, moved[staying]);
    return to.objective < from.objective ? to : undefined;
  }

  /** The matrix at a point. What an exact one is made of serves Gauss–Newton's, which comes after it. */
  async #build(at: Point, isExact: boolean): Promise<void> {
    const { staying: side, eliminated } = this.#problem;
    const [own, other] = [at[side], at[eliminated]];
    const base = { out: null, isExact };
    if (isExact || this.#projected !== at)
      await this.#run.phase({ ...base, phase: 'project', side: eliminated, own: other, other: own });
    this.#projected = at;
    await this.#run.phase({ ...base, phase: 'reducedHessian', side, own, other });
  }

  async #tryStep(from: Point): Promise<Point | undefined> {
    const { staying: side, eliminated } = this.#problem;
    const out = spare(from[side]);
    const { loss } = await this.#run.phase({
      phase: 'reducedStep',
      side,
      own: from[side],
      other: from[eliminated],
      out,
      extra: gradientBuffer,
      step: this.#damping,
      gauge: this.#gauge,
    });
    if (Number.isNaN(loss)) return undefined;
    const first = await this.#problem.solveAt({ ...from, [side]: out }, spare(from[eliminated]));
    if (!isLower(first, from)) return undefined;
    const to = await this.#problem.settle(await this.#secant.follow(from, gradientBuffer, first));
    return isLower(to, from) ? to : undefined;
  }
}

/** Near the optimum f is flat to its last bits while the gradient still has digits to lose. */
const isLower = (to: Point, from: Point): boolean => to.objective < from.objective * (1 + rounding);
