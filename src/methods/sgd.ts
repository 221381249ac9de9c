/**
 * Stochastic gradient descent over a grid of blocks: an epoch visits every entry once, block by block, and both factors move
 * at each. The blocks of a sub-epoch share no row and no column, so they are a parallel-for (R. Gemulla, E. Nijkamp,
 * P. J. Haas & Y. Sismanis, KDD 2011), in an order that depends on the data alone.
 *
 * Steps are AdaGrad's with one rate a row (W.-S. Chin, Y. Zhuang, Y.-C. Juan & C.-J. Lin, PAKDD 2015), their sizes taken
 * from the data: A → cA, W → cW or λ with it leave the path as it was. What entries are on average is where U and V start, in a
 * column that moves by smaller steps: the others then see none of its gradients, which would shorten their steps. An epoch that would
 * raise f is taken again by half steps.
 */
import { sides } from '../parallel/layout.js';
import type { DescentCall } from '../parallel/phase.js';
import {
  finishRows,
  type Method,
  type MethodRun,
  type Point,
  type Position,
  type Proposal,
  type Run,
  startExactly,
} from './method.js';
import { copies, type GridShape, gridSize, gridSpace } from './sgdGrid.js';

/** A step of a row's entries whose gradients are as large as at the start, as a share of what entries are in the end. */
const relativeStep = 0.2;
/** Entries of that kind which a row is taken to have seen: what keeps the first steps small. */
const seenBefore = 2;
/** V starts so much smaller than its end: columns that the data does not ask for stay small, and U grows from 0. */
const startScale = 0.1;
/** Epochs that are taken again by half steps, at the most, in one step. */
const mostHalvings = 20;

export function sgd(shape: GridShape, elementBytes: number): Method {
  return {
    name: 'sgd',
    buffers: { rows: copies, columns: copies },
    workspace: { bytes: gridSpace(shape, elementBytes).bytes },
    hasGrid: true,
    start: (run) => (run.startsFrom === 'drawn' ? startSmall(run) : startExactly(run)),
    create: (run) => new StochasticDescent(run, shape),
  };
}

/** What entries are on average, as the first column of U and V; beside it U = 0 and a small V. */
async function startSmall(run: Run): Promise<Point> {
  const { level } = run;
  const spread = spreadOf(run);
  const drawn = Math.sqrt(level * level + spread * spread) || 1;
  const call = { phase: 'sgdStart', own: null, other: 0, out: 1, step: startScale * Math.sqrt(spread / drawn) };
  for (const side of sides) await run.phase({ ...call, side });
  return measured(run, { rows: 1, columns: 1 });
}

/** Of entries that are all the same, what they are: columns beside the first are not to start at 0, which none leaves. */
function spreadOf({ level, spread }: Run): number {
  return spread || Math.abs(level) || 1;
}

async function measured(run: Run, at: Position): Promise<Point> {
  const sums = await run.phase({ phase: 'sgdLoss', side: 'rows', own: at.rows, other: at.columns, out: null });
  return { ...at, loss: sums.loss, objective: sums.loss + sums.penalty + run.penalty('columns', at.columns) };
}

type Sizes = Pick<DescentCall, 'scale' | 'step' | 'lead' | 'biasStep' | 'squares' | 'biasSquares'>;

class StochasticDescent implements MethodRun {
  readonly #run: Run;
  readonly #shape: GridShape;
  #sizes: Sizes | undefined;
  /** The copy of the rates that belongs to the accepted point. */
  #rates = 0;
  #pace = 1;

  constructor(run: Run, shape: GridShape) {
    this.#run = run;
    this.#shape = shape;
  }

  async step(from: Point, precise: boolean): Promise<Proposal> {
    this.#sizes ??= await this.#open();
    if (precise) this.#pace /= 2;
    for (let halvings = 0; ; halvings++) {
      const { at, rates } = await this.#epoch(from, this.#sizes);
      const point = await measured(this.#run, at);
      const hasFallen = point.objective <= from.objective;
      if (hasFallen || halvings === mostHalvings) {
        if (hasFallen) this.#rates = rates;
        return { ...point, relativeGradientNorm: null, isExtrapolated: false };
      }
      this.#pace /= 2;
    }
  }

  finish(from: Point): Promise<Proposal> {
    return finishRows(this.#run, from);
  }

  /** Writes the grid and the rates to begin with. */
  async #open(): Promise<Sizes> {
    const run = this.#run;
    const rank = this.#shape.rank;
    const call = { own: null, other: 0, out: null };
    const sums = await run.phase({ ...call, phase: 'sgdGrid', side: 'rows' });
    await run.phase({ ...call, phase: 'sgdPlace', side: 'rows' });
    const spread = spreadOf(run);
    // What entries of U and V are in the end, squared, and z = W²r at their start.
    const squared = spread / Math.sqrt(rank);
    const z = sums.loss > 0 ? Math.sqrt(sums.loss / this.#shape.observed) : 1;
    const sizes = {
      scale: 1 / z,
      step: relativeStep * Math.sqrt(squared),
      // As long as the others' for gradients that are longer by as much as the first column is larger. A start that is given
      // may have the average elsewhere: its first column is then slow.
      lead: squared / (squared + Math.abs(run.level)),
      biasStep: relativeStep * spread,
      squares: seenBefore * squared,
      biasSquares: seenBefore,
    };
    const descent = { ...sizes, round: 0, from: 0, to: 0 };
    for (const side of sides) await run.phase({ ...call, phase: 'sgdRates', side, descent });
    this.#rates = 0;
    return sizes;
  }

  async #epoch(from: Point, sizes: Sizes): Promise<{ readonly at: Position; readonly rates: number }> {
    const rows = others(from.rows);
    const columns = others(from.columns);
    const rates = others(this.#rates);
    const step = sizes.step * this.#pace;
    const biasStep = sizes.biasStep * this.#pace;
    let at: Position = from;
    let read = this.#rates;
    const rounds = gridSize(this.#shape);
    for (let round = 0; round < rounds; round++) {
      const turn = round % 2;
      const to = { rows: rows[turn] as number, columns: columns[turn] as number };
      const written = rates[turn] as number;
      await this.#run.phase({
        phase: 'sgd',
        side: 'rows',
        own: at.rows,
        out: to.rows,
        otherExtra: at.columns,
        other: to.columns,
        descent: { ...sizes, step, biasStep, round, from: read, to: written },
      });
      at = to;
      read = written;
    }
    return { at, rates: read };
  }
}

/** The buffers that do not hold it. */
const others = (index: number): readonly number[] => [0, 1, 2].filter((each) => each !== index);
