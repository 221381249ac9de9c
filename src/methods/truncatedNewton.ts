/**
 * Truncated Newton on the reduced problem f(V) = min_U f(U,V), U eliminated exactly row by row: variable projection without a
 * matrix, and the finish that `polish` gives other methods. A product with the reduced Hessian is two passes over the entries,
 *
 *     S·dV = (H·(dU, dV))_V,   dU = −H_UU⁻¹ H_UV dV
 *
 * with the blocks of the Gauss–Newton matrix of the reduced problem as preconditioner. R. S. Dembo & T. Steihaug, Math. Prog. 26
 * (1983); N. Boumal & P.-A. Absil, "RTRMC", NIPS 2011; A. Ruhe & P. Å. Wedin, SIAM Review 22 (1980), whose second algorithm is
 * the Gauss–Newton matrix that is taken until steps bring little. The side with fewer rows is the one that stays.
 */
import { tangentScratchBytes } from '../kernels/hessian.js';
import { otherSide } from '../parallel/layout.js';
import { type Method, type MethodRun, type Point, type Proposal, type Run, spare } from './method.js';
import { factorSpace } from './newtonPhases.js';
import { eliminatedSide } from './reducedPhases.js';
import { ReducedProblem, type ReducedProblemShape, smallFall } from './reducedProblem.js';
import { type KrylovResult, type KrylovSpace, steihaug } from './steihaug.js';

/** Negative curvature is followed where the last step brought less than this, relative; Gauss–Newton's matrix serves before. */
const tinyFall = 1e-7;
/** The first radius in units of the step that the preconditioner alone would take. */
const firstRadius = 4;
const mostShrinks = 24;
const mostIterations = 500;
/** What f is not known better than, relative: where the model's fall is less, the gradient judges a step. */
const rounding = 1e-12;

/** @param base the buffers of the method whose fit is finished: its accepted points may be in any of them. */
export function truncatedNewton(shape: ReducedProblemShape, base: Method['buffers'] = { rows: 2, columns: 2 }): Method {
  const eliminated = eliminatedSide(shape.counts);
  const staying = otherSide(eliminated);
  return {
    name: 'varpro',
    buffers: { ...base, [eliminated]: base[eliminated] + 1, [staying]: base[staying] + 7 },
    workspace: { bytes: factorSpace(shape).bytes },
    scratch: () => tangentScratchBytes(shape.stride),
    create: (run) => new TruncatedNewton(run, shape, base),
  };
}

export class TruncatedNewton implements MethodRun {
  readonly #run: Run;
  readonly #problem: ReducedProblem;
  /** Buffers of the side that stays, and of the other the answer to a direction. */
  readonly #gradient: number;
  readonly #nextGradient: number;
  readonly #space: { readonly [vector in 'x' | 'r' | 'z' | 'p' | 'q']: number };
  readonly #answer: number;
  #radius: number | undefined;
  #lastFall = 1;
  /** The point proposed last: its eliminated side is solved. */
  #known: Point | undefined;
  /** Where no step lowers f. */
  #stuck: Proposal | undefined;

  constructor(run: Run, shape: ReducedProblemShape, base: Method['buffers']) {
    this.#run = run;
    this.#problem = new ReducedProblem(run, shape);
    const { staying, eliminated } = this.#problem;
    const first = base[staying];
    this.#gradient = first;
    this.#nextGradient = first + 1;
    this.#space = { x: first + 2, r: first + 3, z: first + 4, p: first + 5, q: first + 6 };
    this.#answer = base[eliminated];
  }

  /** `precise` has no part in this: all is f64, and a step is taken only where f falls or, within its rounding, its gradient. */
  async step(given: Point, _precise: boolean): Promise<Proposal> {
    if (given === this.#stuck) return this.#stuck;
    const from = given === this.#known ? given : await this.#problem.prepare(given);
    const relativeGradientNorm = await this.#problem.measureGradient(from, this.#gradient);
    await this.#factor(from);
    const to = relativeGradientNorm === 0 ? undefined : await this.#search(from, relativeGradientNorm);
    if (!to) {
      this.#stuck = { ...from, relativeGradientNorm, isExtrapolated: false };
      return this.#stuck;
    }
    this.#lastFall = (from.objective - to.objective) / from.objective;
    this.#known = { ...to, relativeGradientNorm, isExtrapolated: false } as Proposal;
    return this.#known as Proposal;
  }

  finish(from: Point): Promise<Proposal> {
    return this.#problem.finish(from);
  }

  /** The preconditioner: the eliminated rows' normal equations, and with these the reduced blocks of those that stay. */
  async #factor(at: Point): Promise<void> {
    const [own, other] = [at[this.#problem.staying], at[this.#problem.eliminated]];
    const base = { phase: 'factor', out: null };
    await this.#run.phase({ ...base, side: this.#problem.eliminated, own: other, other: own });
    await this.#run.phase({ ...base, side: this.#problem.staying, own, other, isReduced: true });
  }

  /** Steps within a trust region that shrinks until one is as good as its model said, or better than nothing. */
  async #search(from: Point, slope: number): Promise<Point | undefined> {
    const { x } = this.#space;
    const side = this.#problem.staying;
    // Quadratic convergence in the end, and no more work than the model is worth before.
    const tolerance = Math.min(0.1, Math.sqrt(slope));
    let isExact = this.#lastFall < smallFall;
    for (let shrinks = 0; shrinks < mostShrinks; shrinks++) {
      let found = await this.#minimiseModel(from, isExact, tolerance);
      if (isExact && found.isIndefinite && this.#lastFall > tinyFall) {
        isExact = false;
        found = await this.#minimiseModel(from, isExact, tolerance);
      }
      const out = spare(from[side]);
      const [start, step] = [this.#vector(from[side]), this.#vector(x)];
      this.#vector(out).set(start.map((value, i) => value + (step[i] as number)));
      const to = await this.#problem.moveTo(from, out);
      if (await this.#judge(from, to, slope, found)) return to;
    }
    return undefined;
  }

  /** The step of the quadratic model, to its buffer. */
  async #minimiseModel(at: Point, isExact: boolean, tolerance: number): Promise<KrylovResult> {
    const space = this.#krylov(at, isExact);
    space.r.set(this.#vector(this.#gradient).map((slope) => -slope));
    const radius = (residual: number) => {
      this.#radius ??= firstRadius * residual;
      return this.#radius;
    };
    return steihaug(space, radius, tolerance, mostIterations);
  }

  /** Whether a step is taken; sets the next radius. */
  async #judge(from: Point, to: Point, slope: number, found: KrylovResult): Promise<boolean> {
    const noise = rounding * from.objective;
    if (found.fall <= noise) {
      // f says nothing here: the gradient has to fall.
      const after =
        to.objective <= from.objective + noise ? await this.#problem.measureGradient(to, this.#nextGradient) : slope;
      if (after < slope) return true;
      this.#radius = found.length / 4;
      return false;
    }
    const ratio = (from.objective - to.objective) / found.fall;
    if (!(ratio > 0.25)) this.#radius = found.length / 4;
    else if (ratio > 0.75 && found.isAtBoundary) this.#radius = 3 * (this.#radius as number);
    return ratio > 1e-4;
  }

  #krylov(at: Point, isExact: boolean): KrylovSpace {
    const { x, r, z, p, q } = this.#space;
    const [own, other] = [at[this.#problem.staying], at[this.#problem.eliminated]];
    return {
      x: this.#vector(x),
      r: this.#vector(r),
      z: this.#vector(z),
      p: this.#vector(p),
      q: this.#vector(q),
      multiply: async () => {
        const follow = {
          side: this.#problem.eliminated,
          own: other,
          other: own,
          out: this.#answer,
          otherExtra: p,
          isExact,
        };
        await this.#run.phase({ ...follow, phase: 'follow' });
        const product = {
          side: this.#problem.staying,
          own,
          other,
          out: q,
          extra: p,
          otherExtra: this.#answer,
          isExact,
        };
        return (await this.#run.phase({ ...product, phase: 'hessian' })).loss;
      },
      precondition: async () =>
        (await this.#run.phase({ phase: 'precondition', side: this.#problem.staying, own: r, other, out: z })).loss,
    };
  }

  #vector(index: number): Float32Array | Float64Array {
    return this.#run.buffer(this.#problem.staying, index);
  }
}
