/** What a row that is improved block by block works with: its own values, one block's problem, and lists over its entries. */
import { BoxProblem } from "./boxSolve";
import { ComposedSpace, openComposed } from "./composedSpace";
import { RowJob } from "./job";
import { panelRows, Space } from "./space";

/** Lists have an element for each entry of the row, those that add to a Gram matrix first. */
@unmanaged
export class BlockSpace {
  /** The row: x, bounds and μ of all its unknowns. */
  work: ComposedSpace;
  /** The block's Gram matrix, right-hand side and panel, of T; addresses and scales are those of the lists, from some entry on. */
  panel: Space;
  /** The block under bounds or L1, f64. */
  box: BoxProblem;
  /** Columns of a block at the most, a multiple of 4. */
  width: usize;
  /** How far the block moves, of f64 and of T. */
  step: usize;
  stepOfT: usize;
  /** u32: where the entry's factor is. */
  addresses: usize;
  /** f64: prediction − value. */
  residuals: usize;
  /** f64: ω and κ of the entry's part ω·e² − 2κ·e of the row's objective in terms of that residual. */
  curvatures: usize;
  pulls: usize;
  /** T: √|ω| */
  scales: usize;
  /** Entries, and how many of these have ω ≥ 0. */
  count: usize;
  positive: usize;
  /** What ω, κ, λ and μ are divided by, so that f32 neither overflows nor underflows. */
  unit: f64;
}

/** See blockScratchBytes in the folder above. */
export function openBlocks(job: RowJob, width: usize): BlockSpace {
  const work = openComposed(job);
  const block = changetype<BlockSpace>(work.free + (work.size << 3));
  const vector = width << 3, matrix = width * vector;
  const panel = changetype<Space>(changetype<usize>(block) + 128);
  const box = changetype<BoxProblem>(changetype<usize>(panel) + 64);
  block.work = work;
  block.panel = panel;
  block.box = box;
  block.width = width;
  panel.G = changetype<usize>(box) + 128;
  panel.P = panel.G + matrix;
  panel.b = panel.P + panelRows * vector;
  panel.rights = panel.b + vector;
  box.G = panel.rights + (panelRows << 3);
  box.H = box.G + matrix;
  box.b = box.H + matrix;
  box.x = box.b + vector;
  box.lower = box.x + vector;
  box.upper = box.lower + vector;
  box.mu = box.upper + vector;
  box.residual = box.mu + vector;
  box.d = box.residual + vector;
  box.free = box.d + vector;
  block.step = box.free + vector;
  block.stepOfT = block.step + vector;
  block.residuals = block.stepOfT + vector;
  return block;
}

/** Sets the lists apart for a row of `count` entries. */
export function openLists(block: BlockSpace, count: usize): void {
  const list = count << 3;
  block.count = count;
  block.curvatures = block.residuals + list;
  block.pulls = block.curvatures + list;
  block.scales = block.pulls + list;
  block.addresses = block.scales + list;
}
