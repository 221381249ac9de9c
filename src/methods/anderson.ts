/**
 * Anderson acceleration of a fixed-point iteration x → g(x): the next point is the combination of the last few g(x_i)
 * whose residuals g(x_i) − x_i cancel best. D. G. Anderson, J. ACM 12 (1965); H. F. Walker & P. Ni, SIAM J. Numer. Anal.
 * 49 (2011), eqs. (2.1)–(2.3), in the form with differences; for alternating least squares see H. De Sterck, Numer.
 * Linear Algebra Appl. 20 (2013).
 *
 * Vectors are factors: they stand in the method's own part of the shared memory, workers bring them up to date and combine them
 * block by block (historyPhases.ts), and the coordinator's part is inner products, which do not grow with the problem.
 */
import { alignUp, type PerSide, type Side, sides } from '../parallel/layout.js';
import type { HistoryCall } from '../parallel/phase.js';
import type { Run } from './method.js';
import { addProducts } from './vectorPhases.js';

/** Differences kept: more cost memory (two vectors each) and win little on ALS. Long vectors get fewer for their memory's sake. */
const depthOf = (vectorBytes: number) => (vectorBytes <= 4 * 2 ** 20 ? 5 : 3);

/** Extrapolating from fewer differences slows the first few sweeps, where the iteration is far from linear. */
const leastHistory = 3;

export interface AndersonSpace {
  /** Differences kept; 0: there is no acceleration. */
  readonly depth: number;
  /** Where a side's vectors begin, in bytes from the start of the method's work space; absent where they are not extrapolated. */
  readonly at: Partial<PerSide<number>>;
  readonly bytes: number;
}

/**
 * @param vectorBytes the factors that are extrapolated.
 * @param room bytes that the vectors may take.
 */
export function andersonSpace(vectorBytes: Partial<PerSide<number>>, room: number): AndersonSpace {
  const depth = depthOf((vectorBytes.rows ?? 0) + (vectorBytes.columns ?? 0));
  const at: Partial<Record<Side, number>> = {};
  let bytes = 0;
  for (const side of sides) {
    if (vectorBytes[side] === undefined) continue;
    at[side] = bytes;
    bytes += historyVectors(depth) * alignUp(vectorBytes[side]);
  }
  return bytes <= room ? { depth, at, bytes } : { depth: 0, at, bytes: 0 };
}

/** Two residuals, and a step of the residual and an image for each slot: one more than there are differences. */
const historyVectors = (depth: number) => 2 + 2 * (depth + 1);

const none: readonly number[] = [];

/** A buffer of each side that is extrapolated. */
type Buffers = Partial<PerSide<number>>;

export class Anderson {
  readonly #run: Run;
  readonly #space: AndersonSpace;
  readonly #sides: readonly Side[];
  /** Slots that hold an image, the oldest first; all but the first hold the step of the residual that led there. */
  #slots: number[] = [];
  /** Which of the two residuals is the last. */
  #residual = 0;
  /** Δr_i·Δr_j of the steps held, its lower half: only the newest row is new. */
  #products: number[][] = [];
  /** Δr_i·r, r the last residual. */
  #slopes: number[] = [];

  constructor(run: Run, space: AndersonSpace) {
    this.#run = run;
    this.#space = space;
    this.#sides = sides.filter((side) => space.at[side] !== undefined);
  }

  /** Forgets the history: after a rejected extrapolation the old differences mislead. */
  restart(): void {
    this.#slots = [];
    this.#products = [];
    this.#slopes = [];
  }

  /**
   * Takes x and g = g(x), and writes the extrapolated point to `out`, within its bounds.
   *
   * @returns the penalty of its V, or undefined while there is too little history to extrapolate from; `out` is then untouched.
   */
  async extrapolate(x: Buffers, g: Buffers, out: Buffers): Promise<number | undefined> {
    await this.#append(x, g);
    const coefficients = this.#coefficients();
    if (!coefficients) return undefined;
    let penalty = 0;
    for (const side of this.#sides) {
      const history = this.#history(side, this.#slots, coefficients);
      const call = { phase: 'extrapolate', side, own: null, other: 0, out: out[side] as number, history };
      penalty = (await this.#run.phase(call)).penalty;
    }
    return penalty;
  }

  #history(side: Side, slots: readonly number[], coefficients: readonly number[]): HistoryCall {
    const { depth, at } = this.#space;
    return { at: at[side] as number, size: depth + 1, residual: this.#residual, slots, coefficients };
  }

  async #append(x: Buffers, g: Buffers): Promise<void> {
    const { depth } = this.#space;
    const isFull = this.#slots.length === depth + 1;
    const oldest = isFull ? (this.#slots.shift() as number) : undefined;
    if (isFull) {
      this.#products.shift();
      for (const row of this.#products) row.shift();
      this.#slopes.shift();
    }
    // The first image held has no step that counts any more.
    const slots = [...this.#slots, oldest ?? this.#slots.length];
    this.#residual = 1 - this.#residual;
    const sums = new Array<number>(slots.length).fill(0);
    for (const side of this.#sides) {
      const [own, extra] = [x[side] as number, g[side] as number];
      const history = this.#history(side, slots, none);
      const totals = await this.#run.phase({ phase: 'advance', side, own, other: 0, out: null, extra, history });
      addProducts(totals, sums);
    }
    this.#slots = slots;
    if (slots.length === 1) return;
    // Those of the newest step with the steps held, itself the last, and with the residual it led to.
    const slope = sums.pop() as number;
    for (let i = 0; i < this.#slopes.length; i++) this.#slopes[i] = (this.#slopes[i] as number) + (sums[i] as number);
    this.#products.push(sums);
    this.#slopes.push(slope);
  }

  /**
   * What each image but the newest counts: γ minimises ‖r − ΔR·γ‖, from normal equations with a small ridge (a near-singular history
   * must not send γ to infinity), and g − ΔG·γ = g + Σ (γ_i − γ_{i−1})(g_i − g).
   */
  #coefficients(): number[] | undefined {
    const count = this.#products.length;
    if (count < leastHistory) return undefined;
    const G = this.#products.map((row) => row.slice());
    const ridge = 1e-12 * Math.max(...G.map((row, i) => row[i] as number));
    G.forEach((row, i) => {
      row[i] = (row[i] as number) + ridge;
    });
    const gamma = solveSymmetric(G, this.#slopes.slice());
    return gamma?.map((value, i) => value - (gamma[i - 1] ?? 0));
  }
}

/** Cholesky of a small positive definite system whose lower half L holds, both overwritten; undefined when it is not one. */
function solveSymmetric(L: readonly number[][], x: number[]): number[] | undefined {
  const size = x.length;
  for (let j = 0; j < size; j++) {
    const Lj = L[j] as number[];
    for (let i = 0; i < j; i++) {
      const Li = L[i] as number[];
      let sum = Lj[i] as number;
      for (let k = 0; k < i; k++) sum -= (Lj[k] as number) * (Li[k] as number);
      Lj[i] = sum / (Li[i] as number);
    }
    let pivot = Lj[j] as number;
    for (let k = 0; k < j; k++) pivot -= (Lj[k] as number) * (Lj[k] as number);
    if (!(pivot > 0)) return undefined;
    Lj[j] = Math.sqrt(pivot);
    let sum = x[j] as number;
    for (let k = 0; k < j; k++) sum -= (Lj[k] as number) * (x[k] as number);
    x[j] = sum / (Lj[j] as number);
  }
  for (let j = size - 1; j >= 0; j--) {
    let sum = x[j] as number;
    for (let k = j + 1; k < size; k++) sum -= ((L[k] as number[])[j] as number) * (x[k] as number);
    x[j] = sum / ((L[j] as number[])[j] as number);
  }
  return x;
}
