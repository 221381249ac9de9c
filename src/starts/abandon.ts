/**
 * When a start is given up: its objective, at the pace of its recent falls, would still end above the best optimum known. Only
 * counted sweeps and objectives go into it, never the clock.
 */

/** Sweeps of each of the two windows whose falls are compared. */
const windowSweeps = 10;
/** What is left to fall is taken for so many times what the pace of the falls predicts: valleys are followed by slopes. */
const optimism = 10;
/** Sweeps in a row that must predict the same. */
const patience = 10;
/** In widths of an optimum: what ends nearer to the best than this is run to its end. */
const margin = 100;

/** Watches the objectives of one start, against the best optimum of earlier rounds. */
export class Abandonment {
  readonly #bound: number;
  readonly #objectives: number[] = [];
  #hopeless = 0;

  /** @param width of the best optimum: see `widthOf`. */
  constructor(best: number, width: number) {
    this.#bound = best + margin * width;
  }

  /** Takes the objective after one more sweep; true where the start is to be given up. */
  isHopeless(objective: number): boolean {
    const seen = this.#objectives;
    seen.push(objective);
    if (seen.length > 2 * windowSweeps + 1) seen.shift();
    const limit = predictedLimit(seen);
    const isAbove = limit !== undefined && limit > this.#bound;
    this.#hopeless = isAbove ? this.#hopeless + 1 : 0;
    return this.#hopeless >= patience;
  }
}

/**
 * Where objectives that fall by a constant factor from window to window end: f − q/(1 − q)·(last fall), q = last fall over
 * the one before, taken `optimism` times. Undefined while there are too few, and where falls do not shrink.
 */
function predictedLimit(objectives: readonly number[]): number | undefined {
  if (objectives.length < 2 * windowSweeps + 1) return undefined;
  const [first, middle, last] = [0, windowSweeps, 2 * windowSweeps].map((i) => objectives[i] as number) as [
    number,
    number,
    number,
  ];
  const before = first - middle;
  const fall = middle - last;
  if (!(fall < before)) return undefined;
  return last - (optimism * fall * fall) / (before - fall);
}
