/**
 * Alternating least squares by blocks of coordinates: rows are not solved but improved from where they are, each block of
 * their coordinates to its minimum beside the others (iALS++: S. Rendle, W. Krichene, L. Zhang & Y. Koren, arXiv 2110.14044
 * (2021)). A sweep costs O(nnz·k·b) in place of O(nnz·k² + (m + n)k³), and f never rises.
 *
 * A sweep is V, then U. U is not the exact solution for V before the fit's last half-sweep, so gradients take passes of their own.
 */
import { gradientProduct } from '../objective/relativeGradient.js';
import { type Side, otherSide } from '../parallel/layout.js';
import { finishRows, type Method, type MethodRun, type Point, type Position, type Proposal, type Run, spare, startExactly } from './method.js';

/** Columns of a block at the most. */
export function blockWidth(rank: number): number {
  return Number(process.env['BLOCK'] ?? Math.min(32, Math.ceil(rank / 4) * 4));
}

/** The gradient takes as long as half a sweep: it is measured at the start of every so many. */
const sweepsPerGradient = 4;

export function blockAls(rank: number): Method {
  const width = blockWidth(rank);
  return {
    name: 'block-als',
    buffers: { rows: 2, columns: 2 },
    ownBytes: () => 0,
    create: (run) => new BlockAlternation(run, width),
    begin: (run) => begin(run, width),
  };
}

/**
 * U solved exactly from V: the first blocks of a row at 0 would explain its few entries alone, and the others be left with
 * nothing for many sweeps. A background keeps them from that, and makes an exact solution dear; U is then improved from what it is.
 */
async function begin(run: Run, width: number): Promise<Point> {
  if (!run.hasBackground) return startExactly(run);
  let at: Position = { rows: 0, columns: 0 };
  if (run.startsFrom === 'rows') at = await improve(run, 'columns', at, width);
  return improve(run, 'rows', at, width);
}

/** The half-sweep by blocks: a side moved towards its solution for the other, into its spare buffer. */
async function improve(run: Run, side: Side, at: Position, width: number, precise = false, fixed?: number): Promise<Point & {readonly penalty: number}> {
  const out = spare(at[side]);
  const other = at[otherSide(side)];
  const isLossUnwanted = side === 'columns';
  const { loss, penalty } = await run.phase({ phase: 'block', side, own: at[side], other, out, width, precise, isLossUnwanted });
  const objective = loss + penalty + (fixed ?? (isLossUnwanted ? 0 : run.penalty('columns', other)));
  return { ...at, [side]: out, loss, penalty, objective };
}

class BlockAlternation implements MethodRun {
  readonly #run: Run;
  readonly #width: number;
  #sweeps = 0;

  constructor(run: Run, width: number) {
    this.#run = run;
    this.#width = width;
  }

  async step(from: Point, precise: boolean): Promise<Proposal> {
    const run = this.#run;
    const isMeasured = ++this.#sweeps % sweepsPerGradient === 0;
    const relativeGradientNorm = isMeasured ? await relativeGradient(run, from) : null;
    const columns = await improve(run, 'columns', from, this.#width, precise);
    const point = await improve(run, 'rows', columns, this.#width, precise, columns.penalty);
    return { ...point, relativeGradientNorm, isExtrapolated: false };
  }

  finish(from: Point): Promise<Proposal> {
    return finishRows(this.#run, from);
  }
}

async function relativeGradient(run: Run, at: Position): Promise<number> {
  let product = 0;
  for (const side of ['rows', 'columns'] as const)
    product += gradientProduct(
      await run.phase({ phase: 'gradient', side, own: at[side], other: at[otherSide(side)], out: null }),
    );
  return run.relative(product);
}
