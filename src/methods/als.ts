/**
 * Alternating least squares: with U fixed every row of V is a small weighted ridge problem of its own, and the other way
 * round. Weights and masks: K. R. Gabriel & S. Zamir, Technometrics 21 (1979); λ scaled by the count: Y. Zhou et al., AAIM 2008.
 *
 * A sweep is V from U, then U from V, so that U is the exact solution for V (where rows take steps, nearly, and exact at the end of the
 * fit): folding a training row in returns its factor. U being a function of V, the sweep is a fixed-point iteration on V alone and is
 * extrapolated as one.
 */
import { gradientProduct } from '../objective/relativeGradient.js';
import { Anderson, type AndersonSpace, andersonSpace } from './anderson.js';
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
 * @param columnBytes those of V.
 * @param room bytes that acceleration may take.
 */
export function als(acceleration: 'anderson' | 'none', columnBytes: number, room: number): Method {
  const space = acceleration === 'anderson' ? andersonSpace({ columns: columnBytes }, room) : undefined;
  return {
    name: 'als',
    // Rows: accepted and proposed. Columns: accepted, its image under a sweep, and the extrapolated point.
    buffers: { rows: 2, columns: space?.depth ? 3 : 2 },
    ...(space && { workspace: { bytes: space.bytes } }),
    create: (run) => new AlternatingLeastSquares(run, space),
  };
}

/** Of f in float64, relative. */
const rounding = 2e-15;

class AlternatingLeastSquares implements MethodRun {
  readonly #run: Run;
  readonly #anderson: Anderson | undefined;
  /** The last point, whose U was solved as exactly as in {@link finish}. */
  #settled: Point | undefined;

  constructor(run: Run, space: AndersonSpace | undefined) {
    this.#run = run;
    this.#anderson = space?.depth ? new Anderson(run, space) : undefined;
  }

  async step(from: Point, precise: boolean, isLast: boolean): Promise<Proposal> {
    const run = this.#run;
    const innerSteps = isLast && !run.isExact ? stepsToSettle : undefined;
    const image = otherBuffer(from.columns);
    const solved = await run.phase({
      phase: 'solve',
      side: 'columns',
      own: from.columns,
      other: from.rows,
      out: image,
      precise,
      isLossUnwanted: true,
    });
    // ∂f/∂U is zero at `from` but for rounding, or for what conjugate gradients left of it: this is the whole gradient, or nearly.
    const relativeGradientNorm = run.relative(gradientProduct(solved));
    const rows = 1 - from.rows;
    if (precise) this.#anderson?.restart();
    else {
      const extrapolated = await this.#extrapolate(from, image, rows, innerSteps);
      if (extrapolated) return this.#proposed(extrapolated, relativeGradientNorm, true, innerSteps);
    }
    const at = { rows, columns: image };
    const point = await solveSide(run, 'rows', at, rows, { precise, start: from.rows, innerSteps }, solved.penalty);
    return this.#proposed(point, relativeGradientNorm, false, innerSteps);
  }

  #proposed(
    { rows, columns, objective, loss }: Point,
    relativeGradientNorm: number,
    isExtrapolated: boolean,
    innerSteps: number | undefined,
  ): Proposal {
    const proposal = { rows, columns, objective, loss, relativeGradientNorm, isExtrapolated };
    if (innerSteps !== undefined) this.#settled = proposal;
    return proposal;
  }

  /** The extrapolated point with its exact U, or undefined when there is none or the objective would not fall. */
  async #extrapolate(
    from: Point,
    image: number,
    rows: number,
    innerSteps: number | undefined,
  ): Promise<Point | undefined> {
    const run = this.#run;
    const target = otherBuffer(from.columns, image);
    const penalty = await this.#anderson?.extrapolate(
      { columns: from.columns },
      { columns: image },
      { columns: target },
    );
    if (penalty === undefined) return undefined;
    const call = { start: from.rows, innerSteps };
    const point = await solveSide(run, 'rows', { rows, columns: target }, rows, call, penalty);
    // Near the optimum f is flat to its last bits while the gradient still has digits to lose.
    const flat = run.buffer('columns', target) instanceof Float64Array ? rounding * from.objective : 0;
    if (point.objective < from.objective + flat) return point;
    this.#anderson?.restart();
    return undefined;
  }

  /** Where a row's loss is replaced by tangent quadratics, or rows take steps, a sweep takes a few; the last half-sweep all that it takes. */
  async finish(from: Point): Promise<Proposal> {
    return this.#run.isExact || from === this.#settled
      ? { ...from, relativeGradientNorm: null, isExtrapolated: false }
      : finishRows(this.#run, from);
  }
}
