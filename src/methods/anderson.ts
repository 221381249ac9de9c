/**
 * Anderson acceleration of a fixed-point iteration x → g(x): the next point is the combination of the last few g(x_i)
 * whose residuals g(x_i) − x_i cancel best. D. G. Anderson, J. ACM 12 (1965); H. F. Walker & P. Ni, SIAM J. Numer. Anal.
 * 49 (2011), eqs. (2.1)–(2.3), in the form with differences; for alternating least squares see H. De Sterck, Numer.
 * Linear Algebra Appl. 20 (2013).
 */

type Vector = Float32Array | Float64Array;

/** Differences kept. More cost memory (two vectors each) and win little on ALS. */
export const andersonDepth = 5;
/** Extrapolating from fewer differences slows the first few sweeps, where the iteration is far from linear. */
const leastHistory = 3;

export class Anderson {
  /** Δr = r_i − r_{i−1} and Δg = g_i − g_{i−1}, the oldest first. */
  readonly #residualSteps: Vector[] = [];
  readonly #valueSteps: Vector[] = [];
  #residual: Vector | undefined;
  #value: Vector | undefined;

  /** Forgets the history: after a rejected extrapolation the old differences mislead. */
  restart(): void {
    this.#residualSteps.length = 0;
    this.#valueSteps.length = 0;
    this.#residual = undefined;
    this.#value = undefined;
  }

  /**
   * Takes x and g = g(x), and writes the extrapolated point to `out`.
   *
   * @returns false while there is no history to extrapolate from; `out` is then untouched.
   */
  extrapolate(x: Vector, g: Vector, out: Vector): boolean {
    const residual = g.slice();
    for (let i = 0; i < residual.length; i++) residual[i] = (g[i] as number) - (x[i] as number);
    if (this.#residual && this.#value) {
      const recycled = this.#residualSteps.length === andersonDepth;
      this.#residualSteps.push(subtract(residual, this.#residual, recycled ? this.#residualSteps.shift() : undefined));
      this.#valueSteps.push(subtract(g, this.#value, recycled ? this.#valueSteps.shift() : undefined));
    }
    this.#residual = residual;
    if (this.#value) this.#value.set(g);
    else this.#value = g.slice();
    const coefficients = this.#coefficients(residual);
    if (!coefficients) return false;
    out.set(g);
    this.#valueSteps.forEach((step, k) => {
      const c = coefficients[k] as number;
      for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) - c * (step[i] as number);
    });
    return true;
  }

  /** γ minimising ‖r − ΔR·γ‖, from normal equations with a small ridge: a near-singular history must not send γ to infinity. */
  #coefficients(residual: Vector): Float64Array | undefined {
    const steps = this.#residualSteps;
    if (steps.length < leastHistory) return undefined;
    const size = steps.length;
    const G = steps.map((a) => steps.map((b) => dot(a, b)));
    const rhs = Float64Array.from(steps, (a) => dot(a, residual));
    const ridge = 1e-12 * Math.max(...G.map((row, i) => row[i] as number));
    G.forEach((row, i) => {
      row[i] = (row[i] as number) + ridge;
    });
    return solveSymmetric(G, rhs, size);
  }
}

function subtract(a: Vector, b: Vector, into: Vector | undefined): Vector {
  const out = into ?? a.slice();
  for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) - (b[i] as number);
  return out;
}

/** Four sums side by side: one alone waits for each addition before it. */
export function dot(a: Vector, b: Vector): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
    s2 += (a[i + 2] as number) * (b[i + 2] as number);
    s3 += (a[i + 3] as number) * (b[i + 3] as number);
  }
  for (; i < a.length; i++) s0 += (a[i] as number) * (b[i] as number);
  return s0 + s1 + (s2 + s3);
}

/** Cholesky of a small positive definite system; undefined when it is not one. */
function solveSymmetric(G: number[][], rhs: Float64Array, size: number): Float64Array | undefined {
  const L = G.map((row) => Float64Array.from(row));
  const x = rhs.slice();
  for (let j = 0; j < size; j++) {
    const Lj = L[j] as Float64Array;
    for (let i = 0; i < j; i++) {
      const Li = L[i] as Float64Array;
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
    for (let k = j + 1; k < size; k++) sum -= ((L[k] as Float64Array)[j] as number) * (x[k] as number);
    x[j] = sum / ((L[j] as Float64Array)[j] as number);
  }
  return x;
}
