/**
 * Anderson acceleration of a fixed-point iteration x → g(x): the next point is the combination of the last few g(x_i)
 * whose residuals g(x_i) − x_i cancel best. D. G. Anderson, J. ACM 12 (1965); H. F. Walker & P. Ni, SIAM J. Numer. Anal.
 * 49 (2011), eqs. (2.1)–(2.3), in the form with differences; for alternating least squares see H. De Sterck, Numer.
 * Linear Algebra Appl. 20 (2013).
 */

type Vector = Float32Array | Float64Array;

/** Differences kept: more cost memory (two vectors each) and win little on ALS. Long vectors get fewer for their memory's sake. */
export function andersonDepth(vectorBytes: number): number {
  return vectorBytes <= 4 * 2 ** 20 ? 5 : 3;
}

/** Extrapolating from fewer differences slows the first few sweeps, where the iteration is far from linear. */
const leastHistory = 3;

/** A point of an iteration: vectors that are extrapolated by the same coefficients. */
type Parts = readonly Vector[];

export class Anderson {
  readonly #depth: number;
  /** Δr = r_i − r_{i−1} and Δg = g_i − g_{i−1}, the oldest first. */
  readonly #residualSteps: Parts[] = [];
  readonly #valueSteps: Parts[] = [];
  /** Δr_i·Δr_j, its lower half: only the newest row is new. */
  readonly #products: number[][] = [];
  /** The last r and g. */
  #last: { readonly residual: Parts; readonly value: Parts } | undefined;

  constructor(vectorBytes: number) {
    this.#depth = andersonDepth(vectorBytes);
  }

  /** Forgets the history: after a rejected extrapolation the old differences mislead. */
  restart(): void {
    this.#residualSteps.length = 0;
    this.#valueSteps.length = 0;
    this.#products.length = 0;
    this.#last = undefined;
  }

  /**
   * Takes x and g = g(x), and writes the extrapolated point to `out`.
   *
   * @returns false while there is too little history to extrapolate from; `out` is then untouched.
   */
  extrapolate(x: Parts, g: Parts, out: Parts): boolean {
    if (this.#last) this.#append(x, g, this.#last);
    else this.#last = { residual: g.map((part, p) => difference(part, x[p] as Vector)), value: copyOf(g) };
    const coefficients = this.#coefficients(this.#last.residual);
    if (!coefficients) return false;
    for (let p = 0; p < out.length; p++) {
      const part = out[p] as Vector;
      part.set(g[p] as Vector);
      for (let k = 0; k < coefficients.length; k++)
        subtract(coefficients[k] as number, this.#valueSteps[k]?.[p] as Vector, part);
    }
    return true;
  }

  /** Adds the differences to the last r and g, in vectors recycled from the oldest, and makes these the last. */
  #append(x: Parts, g: Parts, { residual, value }: { residual: Parts; value: Parts }): void {
    const isFull = this.#residualSteps.length === this.#depth;
    const residualStep = (isFull && this.#residualSteps.shift()) || copyOf(residual);
    const valueStep = (isFull && this.#valueSteps.shift()) || copyOf(value);
    for (let p = 0; p < g.length; p++)
      advance(
        x[p] as Vector,
        g[p] as Vector,
        [residual[p] as Vector, value[p] as Vector],
        [residualStep[p] as Vector, valueStep[p] as Vector],
      );
    this.#residualSteps.push(residualStep);
    this.#valueSteps.push(valueStep);
    if (isFull) {
      this.#products.shift();
      for (const row of this.#products) row.shift();
    }
    this.#products.push(this.#residualSteps.map((step) => product(residualStep, step)));
  }

  /** γ minimising ‖r − ΔR·γ‖, from normal equations with a small ridge: a near-singular history must not send γ to infinity. */
  #coefficients(residual: Parts): Float64Array | undefined {
    const steps = this.#residualSteps;
    if (steps.length < leastHistory) return undefined;
    const G = this.#products.map((row) => Float64Array.from(row));
    const rhs = Float64Array.from(steps, (a) => product(a, residual));
    const ridge = 1e-12 * Math.max(...G.map((row, i) => row[i] as number));
    G.forEach((row, i) => {
      row[i] = (row[i] as number) + ridge;
    });
    return solveSymmetric(G, rhs);
  }
}

function copyOf(parts: Parts): Parts {
  return parts.map((part) => part.slice());
}

function difference(a: Vector, b: Vector): Vector {
  const c = a.slice();
  subtract(1, b, c);
  return c;
}

function product(a: Parts, b: Parts): number {
  let sum = 0;
  for (let p = 0; p < a.length; p++) sum += dot(a[p] as Vector, b[p] as Vector);
  return sum;
}

/** y −= cx */
function subtract(c: number, x: Vector, y: Vector): void {
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) - c * (x[i] as number);
}

/** Brings r = g − x and g in `last` up to date, what they change by to `steps`. */
function advance(
  x: Vector,
  g: Vector,
  [r, v]: readonly [residual: Vector, value: Vector],
  [dr, dv]: readonly [residual: Vector, value: Vector],
): void {
  for (let i = 0; i < g.length; i++) {
    const gi = g[i] as number;
    const ri = gi - (x[i] as number);
    dr[i] = ri - (r[i] as number);
    r[i] = ri;
    dv[i] = gi - (v[i] as number);
    v[i] = gi;
  }
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

/** Cholesky of a small positive definite system whose lower half L holds, both overwritten; undefined when it is not one. */
function solveSymmetric(L: readonly Float64Array[], x: Float64Array): Float64Array | undefined {
  const size = x.length;
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
