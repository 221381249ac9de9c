/**
 * Spectral gradient descent on U and V together: each worker computes its rows of ∂f/∂U = 2(W∘W∘(UVᵀ−A))V, then the same
 * for V with the transposed matrix; the coordinator adds up the loss and chooses the step.
 *
 * Step lengths after J. Barzilai & J. M. Borwein, IMA J. Numer. Anal. 8 (1988), their two forms in turn (Y.-H. Dai &
 * R. Fletcher, Numer. Math. 100 (2005)), safeguarded by Armijo's condition, so that f never rises.
 */
import { gradientProduct } from '../objective/relativeGradient.js';
import { sides } from '../parallel/layout.js';
import { noTotals, type Totals } from '../parallel/phase.js';
import { finishRows, type Method, type MethodRun, type Point, type Proposal, type Run } from './method.js';
import { productsOf } from './vectorPhases.js';

/** Buffers 0 and 1 of each side are points, 2 and 3 the gradients at them. */
const gradientAt = (point: number) => point + 2;

const sufficientDecrease = 1e-4;
const mostBacktracks = 60;

export const gradient: Method = {
  name: 'gradient',
  buffers: { rows: 4, columns: 4 },
  create: (run) => new SpectralGradient(run),
};

interface Slope {
  readonly squared: number;
  readonly relative: number;
}

class SpectralGradient implements MethodRun {
  readonly #run: Run;
  #step = 0;
  #isOdd = true;
  /** Of the last row gradient that was measured. */
  #ofRows: Totals = noTotals;
  /** The slope at the point whose gradients the buffers hold. */
  #known: { readonly point: Point; readonly slope: Slope } | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** `precise` has no part in this: steps are shortened until f falls, in whatever precision, or the loop refuses them. */
  async step(from: Point, _precise: boolean): Promise<Proposal> {
    const slope = await this.#slopeAt(from);
    // f ≥ 0, so the step to the zero of the tangent is a generous first guess (Polyak's).
    if (this.#step === 0) this.#step = slope.squared > 0 ? from.objective / slope.squared : 1;
    const to = { rows: 1 - from.rows, columns: 1 - from.columns };
    let point: Point = from;
    for (let backtracks = 0; backtracks < mostBacktracks; backtracks++) {
      point = await this.#move(from, to, this.#step);
      if (point.objective <= from.objective - sufficientDecrease * this.#step * slope.squared) break;
      this.#step *= interpolate(from.objective, point.objective, this.#step * slope.squared);
    }
    await this.#lengthen(from, point, slope);
    return { ...point, relativeGradientNorm: slope.relative, isExtrapolated: false };
  }

  finish(from: Point): Promise<Proposal> {
    return finishRows(this.#run, from);
  }

  /** Both gradients at a point, into their buffers. */
  async #slopeAt(point: Point): Promise<Slope> {
    if (this.#known?.point !== point) {
      await this.#gradientOf('rows', point);
      const slope = await this.#completeSlope(point);
      this.#known = { point, slope };
    }
    return this.#known.slope;
  }

  async #gradientOf(side: 'rows' | 'columns', point: { rows: number; columns: number }): Promise<Totals> {
    const own = point[side];
    const other = side === 'rows' ? point.columns : point.rows;
    const totals = await this.#run.phase({ phase: 'gradient', side, own, other, out: gradientAt(own) });
    if (side === 'rows') this.#ofRows = totals;
    return totals;
  }

  /** The slope at a point whose row gradient is known already. */
  async #completeSlope(point: { rows: number; columns: number }): Promise<Slope> {
    const ofRows = this.#ofRows;
    const ofColumns = await this.#gradientOf('columns', point);
    const squared = [ofRows, ofColumns].reduce(
      (sum, { gradientSquared, biasGradientSquared }) => sum + gradientSquared + biasGradientSquared,
      0,
    );
    return { squared, relative: this.#run.relative(gradientProduct(ofRows) + gradientProduct(ofColumns)) };
  }

  /** to = from − step·gradient, and the objective there. */
  async #move(from: Point, to: { rows: number; columns: number }, step: number): Promise<Point> {
    let penalty = 0;
    for (const side of ['rows', 'columns'] as const) {
      const other = side === 'rows' ? from.columns : from.rows;
      const extra = gradientAt(from[side]);
      const moved = await this.#run.phase({ phase: 'move', side, own: from[side], other, out: to[side], extra, step });
      penalty += moved.penalty;
    }
    const { loss } = await this.#gradientOf('rows', to);
    return { ...to, loss, objective: loss + penalty };
  }

  /** The next step from how the gradient changed over this one: s = −αg, y = g′ − g; ss/sy and sy/yy in turn. */
  async #lengthen(from: Point, point: Point, before: Slope): Promise<void> {
    const after = await this.#completeSlope(point);
    this.#known = { point, slope: after };
    let product = 0;
    for (const side of sides) {
      const pair = [gradientAt(from[side]), gradientAt(point[side])] as const;
      const call = { phase: 'products', side, own: null, other: 0, out: null, terms: [pair] };
      product += productsOf(await this.#run.phase(call), 1)[0] as number;
    }
    const sy = this.#step * (before.squared - product);
    const ss = this.#step * this.#step * before.squared;
    const yy = after.squared - 2 * product + before.squared;
    this.#isOdd = !this.#isOdd;
    if (sy > 0 && yy > 0) this.#step = this.#isOdd ? ss / sy : sy / yy;
    else this.#step *= 4;
  }
}

/** The factor to shorten a step by: the minimum of the parabola through f, its slope and the value found, within [0.1, 0.5]. */
function interpolate(before: number, found: number, stepTimesSlope: number): number {
  const best = stepTimesSlope / (2 * (found - before + stepTimesSlope));
  return Number.isFinite(best) ? Math.min(0.5, Math.max(0.1, best)) : 0.1;
}
