/**
 * More steps from one matrix. A damped Newton step on the reduced problem has cost a matrix and its factorization; the factor
 * serves on, corrected by what the gradient's changes tell of the curvature that it misses: L-BFGS (J. Nocedal, Math. Comp. 35,
 * 1980; the two loops of J. Nocedal & S. J. Wright, Numerical Optimization, 2006, algorithm 7.4) that begins with the inverse of
 * the damped matrix in place of a multiple of I. Such a step costs two triangular solves and a pass over the entries.
 *
 * V stays as it comes, in the coordinates of the matrix: its basis is chosen once these steps are over.
 */
import { addScaled, dot, norm } from '../kernels/vectors.js';
import { otherBuffer, type Point, type Run } from './method.js';
import type { ReducedProblem } from './reducedProblem.js';

/** The most of them with one matrix, each of which is remembered, */
const most = 20;
/** and the share of what the first step brought below which another matrix is made. */
const leastShare = 0.05;
/** A step is taken where f falls by this share of its slope. */
const sufficientDecrease = 1e-4;
/** s·y of a pair that is remembered, as a share of ‖s‖‖y‖. */
const leastCurvature = 1e-10;

/** Vectors of the coordinator, each as long as the factor that stays. */
export const secantVectors = 2 * most + 8;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

interface Slope {
  readonly place: Float64Array;
  readonly gradient: Float64Array;
}

export class SecantSteps {
  readonly #run: Run;
  readonly #problem: ReducedProblem;
  readonly #work: number;

  /** @param work a buffer of the side that stays. */
  constructor(run: Run, problem: ReducedProblem, work: number) {
    this.#run = run;
    this.#problem = problem;
    this.#work = work;
  }

  /** @param gradient the buffer of the gradient at `from`, where the matrix was made; `first` is where its own step led to. */
  async follow(from: Point, gradient: number, first: Point): Promise<Point> {
    const { staying } = this.#problem;
    const pairs: Pair[] = [];
    let before: Slope = { place: this.#copy(from[staying]), gradient: this.#copy(gradient) };
    let to = first;
    for (let steps = 0; steps < most; steps++) {
      const slope = await this.#measure(to);
      remember(pairs, before, slope);
      const next = await this.#search(from, to, slope, await this.#direct(pairs, to, slope));
      if (!next) break;
      const isWorth = to.objective - next.objective >= leastShare * (from.objective - first.objective);
      before = slope;
      to = next;
      if (!isWorth) break;
    }
    return to;
  }

  #copy(index: number): Float64Array {
    return Float64Array.from(this.#run.buffer(this.#problem.staying, index));
  }

  async #measure(at: Point): Promise<Slope> {
    await this.#problem.measureGradient(at, this.#work);
    return { place: this.#copy(at[this.#problem.staying]), gradient: this.#copy(this.#work) };
  }

  /** −Hg by the two loops, the factored matrix between them. */
  async #direct(pairs: readonly Pair[], at: Point, { gradient }: Slope): Promise<Float64Array> {
    const { staying: side, eliminated } = this.#problem;
    const q = gradient.slice();
    const alpha = pairs.map(() => 0);
    for (let i = pairs.length - 1; i >= 0; i--) {
      const { step, change, product } = pairs[i] as Pair;
      alpha[i] = dot(step, q) / product;
      addScaled(q, -(alpha[i] as number), change);
    }
    this.#run.buffer(side, this.#work).set(q);
    const work = this.#work;
    const other = at[eliminated];
    await this.#run.phase({ phase: 'reducedStep', side, own: null, other, extra: work, out: work, isFactored: true });
    const direction = this.#copy(this.#work);
    pairs.forEach(({ step, change, product }, i) => {
      addScaled(direction, -(dot(change, direction) / product + (alpha[i] as number)), step);
    });
    return direction;
  }

  /** The whole step, or one to the minimum of the parabola it shows. */
  async #search(from: Point, at: Point, slope: Slope, direction: Float64Array): Promise<Point | undefined> {
    const { staying, eliminated } = this.#problem;
    const along = dot(slope.gradient, direction);
    if (!(along < 0)) return undefined;
    const index = otherBuffer(from[staying], at[staying]);
    let length = 1;
    for (let trial = 0; trial < 2; trial++) {
      const place = slope.place.slice();
      addScaled(place, length, direction);
      this.#run.buffer(staying, index).set(place);
      const to = await this.#problem.solveAt(
        { ...at, [staying]: index },
        otherBuffer(from[eliminated], at[eliminated]),
      );
      const rise = to.objective - at.objective - length * along;
      if (rise <= (sufficientDecrease - 1) * length * along) return to;
      length *= Math.min(Math.max((-length * along) / (2 * rise), 0.05), 0.5);
    }
    return undefined;
  }
}

/** Adds the pair of a step, where it shows curvature. */
function remember(pairs: Pair[], before: Slope, after: Slope): void {
  const step = after.place.slice();
  addScaled(step, -1, before.place);
  const change = after.gradient.slice();
  addScaled(change, -1, before.gradient);
  const product = dot(step, change);
  if (product > leastCurvature * norm(step) * norm(change)) pairs.push({ step, change, product });
}
