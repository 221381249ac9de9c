/**
 * Alternating least squares by blocks of coordinates: rows are not solved but improved from where they are, each block of
 * their coordinates to its minimum beside the others (iALS++: S. Rendle, W. Krichene, L. Zhang & Y. Koren, arXiv 2110.14044
 * (2021)). A sweep costs O(nnz·k·b) in place of O(nnz·k² + (m + n)k³), and f never rises.
 *
 * A sweep is V, then U. U is not the exact solution for V before the fit's last half-sweep, so that gradients take passes of
 * their own, and what is extrapolated is both: from (U, V) as U's half-sweep finds them to as the next one does.
 */
import { blockScratchBytes } from '../kernels/blocks.js';
import { gradientProduct } from '../objective/relativeGradient.js';
import { otherSide, type PerSide, type Side, sides } from '../parallel/layout.js';
import { Anderson, type AndersonSpace, andersonSpace } from './anderson.js';
import {
  finishRows,
  type Method,
  type MethodRun,
  otherBuffer,
  type Point,
  type Position,
  type Proposal,
  type Run,
  startExactly,
} from './method.js';

/**
 * Columns of a block at the most. Wider blocks take fewer sweeps and dearer ones. To within 0.1 % of exact ALS, in processor
 * seconds: with a background 2.1, 1.4 and 2.5 for 16, 32 and 64 at k = 128; without 3.0, 2.1 and 2.2 there, at k = 256 more
 * than 13.8, 11.5 and 10.6 (9.3 and 6.2 to within 1 %).
 */
function blockWidth(rank: number, hasBackground: boolean): number {
  return rank >= 128 && !hasBackground ? widest : Math.min(32, Math.ceil(rank / 4) * 4);
}
const widest = 64;

/** The gradient takes as long as half a sweep: it is measured at the start of every so many. */
const sweepsPerGradient = 4;

/**
 * @param factorBytes those of U and V.
 * @param room bytes that acceleration may take.
 */
export function blockAls(
  rank: number,
  stride: number,
  acceleration: 'anderson' | 'none',
  factorBytes: PerSide<number>,
  room: number,
): Method {
  const space = acceleration === 'anderson' ? andersonSpace(factorBytes, room) : undefined;
  return {
    name: 'block-als',
    buffers: space?.depth ? { rows: 3, columns: 3 } : { rows: 2, columns: 2 },
    ...(space && { workspace: { bytes: space.bytes } }),
    // A background's blocks are narrower.
    scratch: (longest) => blockScratchBytes(stride, blockWidth(rank, false), longest),
    create: (run) => new BlockAlternation(run, blockWidth(rank, run.hasBackground), space),
    start: (run) => start(run, blockWidth(rank, run.hasBackground)),
  };
}

/**
 * U solved exactly from V: the first blocks of a row at 0 would explain its few entries alone, and the others be left with
 * nothing for many sweeps. A background keeps them from that, and makes an exact solution dear; U is then improved from what it is.
 */
async function start(run: Run, width: number): Promise<Point> {
  if (!run.hasBackground) return startExactly(run);
  const improve = (side: Side, own: number, other: number) =>
    run.phase({ phase: 'block', side, own, other, out: 1, width });
  const columns = run.startsFrom === 'rows' ? 1 : 0;
  if (columns === 1) await improve('columns', 0, 0);
  const { loss, penalty } = await improve('rows', 0, columns);
  return { rows: 1, columns, loss, objective: loss + penalty + run.penalty('columns', columns) };
}

class BlockAlternation implements MethodRun {
  readonly #run: Run;
  readonly #width: number;
  readonly #anderson: Anderson | undefined;
  #sweeps = 0;
  /** The last point, and the buffer of the U that its own was improved from. */
  #last: { readonly point: Point; readonly before: number } | undefined;

  constructor(run: Run, width: number, space: AndersonSpace | undefined) {
    this.#run = run;
    this.#width = width;
    this.#anderson = space?.depth ? new Anderson(run, space) : undefined;
  }

  async step(from: Point, precise: boolean): Promise<Proposal> {
    const isMeasured = ++this.#sweeps % sweepsPerGradient === 0;
    const relativeGradientNorm = isMeasured ? await relativeGradient(this.#run, from) : null;
    const columns = otherBuffer(from.columns);
    const { penalty } = await this.#improve('columns', from.columns, from.rows, columns, precise);
    if (precise) this.#anderson?.restart();
    const extrapolated = precise ? undefined : await this.#extrapolate(from, columns);
    if (extrapolated) return { ...extrapolated, relativeGradientNorm, isExtrapolated: true };
    const point = await this.#improveRows(from.rows, columns, otherBuffer(from.rows), penalty, precise);
    return { ...point, relativeGradientNorm, isExtrapolated: false };
  }

  /** U improved from an extrapolated one for the extrapolated V, or undefined where there is none or f would not fall. */
  async #extrapolate(from: Point, image: number): Promise<Point | undefined> {
    const last = this.#last;
    if (!this.#anderson || !last) return undefined;
    if (last.point.rows !== from.rows || last.point.columns !== from.columns) {
      this.#anderson.restart();
      return undefined;
    }
    const rows = otherBuffer(from.rows, last.before);
    const columns = otherBuffer(from.columns, image);
    const penalty = await this.#anderson.extrapolate(
      { rows: last.before, columns: from.columns },
      { rows: from.rows, columns: image },
      { rows, columns },
    );
    if (penalty === undefined) return undefined;
    const point = await this.#improveRows(rows, columns, last.before, penalty, false);
    if (point.objective < from.objective) return point;
    this.#anderson.restart();
    return undefined;
  }

  async #improveRows(
    own: number,
    columns: number,
    out: number,
    penaltyOfColumns: number,
    precise: boolean,
  ): Promise<Point> {
    const { loss, penalty } = await this.#improve('rows', own, columns, out, precise);
    const point = { rows: out, columns, loss, objective: loss + penalty + penaltyOfColumns };
    this.#last = { point, before: own };
    return point;
  }

  #improve(side: Side, own: number, other: number, out: number, precise: boolean) {
    const isLossUnwanted = side === 'columns';
    return this.#run.phase({ phase: 'block', side, own, other, out, width: this.#width, precise, isLossUnwanted });
  }

  finish(from: Point): Promise<Proposal> {
    return finishRows(this.#run, from);
  }
}

async function relativeGradient(run: Run, at: Position): Promise<number> {
  let product = 0;
  for (const side of sides)
    product += gradientProduct(
      await run.phase({ phase: 'gradient', side, own: at[side], other: at[otherSide(side)], out: null }),
    );
  return run.relative(product);
}
