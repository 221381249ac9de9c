/**
 * Alternating least squares: with U fixed every row of V is a small weighted ridge problem of its own, and the other way
 * round. Weights and masks: K. R. Gabriel & S. Zamir, Technometrics 21 (1979); λ scaled by the count: Y. Zhou et al., AAIM 2008.
 *
 * A sweep is V from U, then U from V, so that U is the exact solution for V (where rows take steps, nearly, and exact at the end of the
 * fit): folding a training row in returns its factor. Each being a function of the other, the sweep is a fixed-point iteration on
 * either alone, and is extrapolated as one.
 */
import { gradientProduct } from '../objective/relativeGradient.js';
import type { PerSide, Side } from '../parallel/layout.js';
import type { Totals } from '../parallel/phase.js';
import { Anderson, andersonSpace } from './anderson.js';
import {
  finishRows,
  type Method,
  type MethodRun,
  otherBuffer,
  type Point,
  type Proposal,
  type Run,
  solveSide,
  stepsToSettle,
} from './method.js';

/**
 * @param factorBytes those of U and V.
 * @param room bytes that acceleration may take.
 */
export function als(
  acceleration: 'anderson' | 'none',
  factorBytes: PerSide<number>,
  hasBackground: boolean,
  room: number,
): Method {
  const side = iterated(factorBytes, hasBackground);
  const space = acceleration === 'anderson' ? andersonSpace({ [side]: factorBytes[side] }, room) : undefined;
  // Accepted and proposed; of what is extrapolated the extrapolated one too.
  const buffers = { rows: 2, columns: 2 };
  if (space?.depth) buffers[side] = 3;
  return {
    name: 'als',
    buffers,
    ...(space && { workspace: { bytes: space.bytes } }),
    create: (run) => {
      const anderson = space?.depth ? new Anderson(run, space) : undefined;
      return side === 'rows' ? new IterationOnRows(run, anderson) : new IterationOnColumns(run, anderson);
    },
  };
}

/**
 * Beside a background the gradient of a side takes a rotation of each of its rows, and so the smaller one's is measured and extrapolated. A
 * refused extrapolation of U costs a whole sweep, of V a half, and it takes more sweeps where λ is next to nothing (of 36 fits of 40×160
 * matrices with λ = 0.05 205 for 155; beside a background as many).
 */
function iterated({ rows, columns }: PerSide<number>, hasBackground: boolean): Side {
  return hasBackground && 2 * rows <= columns ? 'rows' : 'columns';
}

/** Of f in float64, relative. */
const rounding = 2e-15;

abstract class AlternatingLeastSquares implements MethodRun {
  protected readonly run: Run;
  protected readonly anderson: Anderson | undefined;
  /** The last point, whose U was solved as exactly as in {@link finish}. */
  #settled: Point | undefined;

  constructor(run: Run, anderson: Anderson | undefined) {
    this.run = run;
    this.anderson = anderson;
  }

  async step(from: Point, precise: boolean, isLast: boolean): Promise<Proposal> {
    const innerSteps = isLast && !this.run.isExact ? stepsToSettle : undefined;
    if (precise) this.anderson?.restart();
    const proposal = await this.sweep(from, precise, innerSteps);
    if (innerSteps !== undefined) this.#settled = proposal;
    return proposal;
  }

  /** @param innerSteps that U's rows may take. */
  protected abstract sweep(from: Point, precise: boolean, innerSteps: number | undefined): Promise<Proposal>;

  /** V from the U in buffer `other`; its gradient is measured at `own`, if any. */
  protected solveColumns(
    from: Point,
    call: { readonly own: number | null; readonly other: number; readonly out: number; readonly precise: boolean },
  ): Promise<Totals> {
    const { own, other, out, precise } = call;
    const start = from.columns;
    return this.run.phase({ phase: 'solve', side: 'columns', own, start, other, out, precise, isLossUnwanted: true });
  }

  /** Near the optimum f is flat to its last bits while the gradient still has digits to lose. */
  protected hasFallen(from: Point, to: Point): boolean {
    const isDouble = this.run.buffer('rows', to.rows) instanceof Float64Array;
    return to.objective < from.objective + (isDouble ? rounding * from.objective : 0);
  }

  /** Where a row's loss is replaced by tangent quadratics, or rows take steps, a sweep takes a few; the last half-sweep all that it takes. */
  async finish(from: Point): Promise<Proposal> {
    return this.run.isExact || from === this.#settled
      ? { ...from, relativeGradientNorm: null, isExtrapolated: false }
      : finishRows(this.run, from);
  }
}

/** From V to V, and to what is extrapolated of it; U follows. */
class IterationOnColumns extends AlternatingLeastSquares {
  protected async sweep(from: Point, precise: boolean, innerSteps: number | undefined): Promise<Proposal> {
    const { run } = this;
    const image = otherBuffer(from.columns);
    const solved = await this.solveColumns(from, { own: from.columns, other: from.rows, out: image, precise });
    // ∂f/∂U is zero at `from` but for rounding, or for what conjugate gradients left of it: this is the whole gradient, or nearly.
    const relativeGradientNorm = run.relative(gradientProduct(solved));
    const rows = 1 - from.rows;
    const extrapolated = precise ? undefined : await this.#extrapolate(from, image, rows, innerSteps);
    if (extrapolated) return { ...extrapolated, relativeGradientNorm, isExtrapolated: true };
    const at = { rows, columns: image };
    const point = await solveSide(run, 'rows', at, rows, { precise, start: from.rows, innerSteps }, solved.penalty);
    return { ...point, relativeGradientNorm, isExtrapolated: false };
  }

  /** The extrapolated point with its exact U, or undefined when there is none or the objective would not fall. */
  async #extrapolate(
    from: Point,
    image: number,
    rows: number,
    innerSteps: number | undefined,
  ): Promise<Point | undefined> {
    const target = otherBuffer(from.columns, image);
    const penalty = await this.anderson?.extrapolate(
      { columns: from.columns },
      { columns: image },
      { columns: target },
    );
    if (penalty === undefined) return undefined;
    const call = { start: from.rows, innerSteps };
    const point = await solveSide(this.run, 'rows', { rows, columns: target }, rows, call, penalty);
    if (this.hasFallen(from, point)) return point;
    this.anderson?.restart();
    return undefined;
  }
}

/** From U, or what is extrapolated of it, to U; V comes between. */
class IterationOnRows extends AlternatingLeastSquares {
  /** The last point, and the buffer of the U that its V was solved from. */
  #last: { readonly point: Point; readonly before: number } | undefined;

  protected async sweep(from: Point, precise: boolean, innerSteps: number | undefined): Promise<Proposal> {
    const target = precise ? undefined : await this.#extrapolate(from);
    if (target !== undefined) {
      const proposal = await this.#image(from, target, precise, innerSteps);
      if (this.hasFallen(from, proposal)) return proposal;
      this.anderson?.restart();
    }
    return this.#image(from, from.rows, precise, innerSteps);
  }

  /** The buffer of an extrapolated U, where there is one. */
  async #extrapolate(from: Point): Promise<number | undefined> {
    const last = this.#last;
    if (last?.point !== from) return undefined;
    const target = otherBuffer(from.rows, last.before);
    const penalty = await this.anderson?.extrapolate({ rows: last.before }, { rows: from.rows }, { rows: target });
    return penalty === undefined ? undefined : target;
  }

  /** V from the U in buffer `before`, and U from that. */
  async #image(from: Point, before: number, precise: boolean, innerSteps: number | undefined): Promise<Proposal> {
    const { run } = this;
    const columns = 1 - from.columns;
    const rows = otherBuffer(from.rows, before);
    const { penalty } = await this.solveColumns(from, { own: null, other: before, out: columns, precise });
    const solved = await run.phase({
      phase: 'solve',
      side: 'rows',
      own: before,
      other: columns,
      out: rows,
      precise,
      innerSteps,
    });
    const proposal = {
      rows,
      columns,
      loss: solved.loss,
      objective: solved.loss + solved.penalty + penalty,
      // Where V is exact for the U before, ∂f/∂V is zero there but for rounding, or nearly.
      relativeGradientNorm: run.relative(gradientProduct(solved)),
      isExtrapolated: before !== from.rows,
    };
    this.#last = { point: proposal, before };
    return proposal;
  }
}
