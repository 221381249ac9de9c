/**
 * When a start is given up: at the pace of its last sweeps it would take far more sweeps than anybody waits for to come down to
 * the best optimum known. Only counted sweeps and objectives go into it, never the clock.
 *
 * Starts rest on plateaus, near saddles, and fall again: of 100 starts by variable projection on the dinosaur sequence, all of
 * which end at the best optimum, one fell by 2e-5 of f in 20 sweeps while 9 % above it, which is 90,000 sweeps at that pace. So
 * what is given up is ten times slower than any of these.
 */

/** Sweeps that the pace is taken over. */
const window = 20;
/** Sweeps that are not waited for. */
const hopeless = 1e6;
/** In widths of an optimum: what is nearer to the best than this is run to its end. */
const margin = 100;

/** Watches the objectives of one start, against the best optimum of earlier rounds. */
export class Abandonment {
  readonly #bound: number;
  readonly #last: number[] = [];

  /** @param width of the best optimum: see `widthOf`. */
  constructor(best: number, width: number) {
    this.#bound = best + margin * width;
  }

  /** Takes the objective after one more sweep; true where the start is to be given up. */
  isHopeless(objective: number): boolean {
    this.#last.push(objective);
    if (this.#last.length <= window) return false;
    const fall = (this.#last.shift() as number) - objective;
    return objective - this.#bound > (fall / window) * hopeless;
  }
}
