/**
 * A lower bound of f over all factors of rank k, with and without penalties, from parts of A that are fully observed.
 *
 * On a block of rows I and columns J where every entry is observed with W_ij² = r_i·c_j, the loss is ‖B − X̃‖_F² with
 * B = R^½AC^½ and X̃ = R^½XC^½ of the same rank as X (C. Eckart & G. Young, Psychometrika 1, 1936), so that it is at least the sum
 * of the squares of B's singular values behind the first k. Blocks that share no entry add up, and penalties, bounds and
 * held entries only raise f. Biases of rows and of columns are each one more column of rank.
 *
 * Where one block is all of A and there are no biases, its ridge counts too: with λ² = min d_i/r_i · min e_j/c_j the penalties are at
 * least 2λ‖X̃‖_*, and the minimum of ‖B − X̃‖_F² + 2λ‖X̃‖_* over rank k is ‖B‖_F² − Σ_{i≤k} (s_i − λ)₊² (von Neumann's trace
 * inequality: the singular vectors are those of B). It is met where d/r and e/c are the same for all rows and columns.
 */
import type { Orientation } from '../data/countingSort.js';
import { fullGram } from '../kernels/fullGram.js';
import { largestEigenvalues, tridiagonalize } from '../kernels/symmetric.js';
import { addScaled, dot } from '../kernels/vectors.js';
import type { BoundProblem } from './relaxationBound.js';
import { denseLimit, eigenvalueMargin, transposed } from './spectralNorm.js';

export interface BlockBound {
  /** At least 0; met by the best U and V where `isExact`. */
  readonly bound: number;
  readonly blocks: number;
  /** Share of the observed entries that are in a block. */
  readonly covered: number;
  /** The bound is the minimum itself. */
  readonly isExact: boolean;
}

/** Rows that have the same columns. */
interface Block {
  readonly rows: readonly number[];
  /** Where the first entry of each of its rows stands, and how many there are. */
  readonly start: (row: number) => number;
  readonly width: number;
}

/** A − mean and W² of every entry, in rows; the indices of a row rise. */
interface Entries {
  readonly pointers: ArrayLike<number>;
  readonly indices: ArrayLike<number>;
  readonly values: Float64Array;
  readonly squares: Float64Array;
}

const unit = 2 ** -53;
/** How far W² may be from r_i·c_j: the rounding of weights in f32. The bound is lowered by what it is. */
const leastLikeness = 1 - 1e-6;

/** Multiplications that {@link blockBound} takes, counted. */
export function blockCost({ byRow, byColumn }: BoundProblem): number {
  let cost = 0;
  for (const { pointers } of [byRow, byColumn]) {
    const others = (pointers === byRow.pointers ? byColumn : byRow).pointers.length - 1;
    for (let i = 0; i + 1 < pointers.length; i++) {
      const length = (pointers[i + 1] as number) - (pointers[i] as number);
      cost += length * Math.min(length, denseLimit, pointers.length - 1);
    }
    cost += Math.min(denseLimit, others, pointers.length - 1) ** 3;
  }
  return cost;
}

/** The better of the blocks of rows with the same columns and of columns with the same rows; undefined where all are of rank k. */
export function blockBound(problem: BoundProblem): BlockBound | undefined {
  const byRow = entriesOf(problem);
  if (hasDuplicates(byRow)) return undefined;
  const rows = boundOf(byRow, problem);
  // With all entries in one block the columns have nothing to add.
  if (rows && rows.blocks === 1 && rows.covered === 1) return rows;
  const columns = boundOf(turned(byRow, problem), problem);
  const best = (columns?.bound ?? 0) > (rows?.bound ?? 0) ? columns : rows;
  return best && best.bound > 0 ? best : undefined;
}

/**
 * Whether there may be blocks of a rank above k, by their patterns alone: enough rows, or columns, with the same entries. Patterns
 * that look alike in some of their places are taken for alike.
 */
export function hasLikeRows({ byRow, byColumn, rank, biasPenalties }: BoundProblem): boolean {
  const least = rank + biasesOf(biasPenalties);
  return hasGroup(byRow, least) || hasGroup(byColumn, least);
}

/** Places of a pattern that are looked at, evenly spread. */
const places = 8;
const mixed = (hash: number, index: number) => Math.imul(hash ^ index, 0x01000193) ^ (hash >>> 15);

/** More than `least` rows of more than `least` entries that look alike. */
function hasGroup({ pointers, indices }: Pick<Orientation, 'pointers' | 'indices'>, least: number): boolean {
  const groups = new Map<number, number>();
  for (let i = 0; i + 1 < pointers.length; i++) {
    const start = pointers[i] as number;
    const length = (pointers[i + 1] as number) - start;
    if (length <= least) continue;
    let hash = length;
    for (let p = 0; p < places; p++)
      hash = mixed(hash, indices[start + Math.floor((p * (length - 1)) / (places - 1))] as number);
    const count = (groups.get(hash) ?? 0) + 1;
    if (count > least) return true;
    groups.set(hash, count);
  }
  return false;
}

const biasesOf = ({ rows, columns }: BoundProblem['biasPenalties']) =>
  [rows, columns].filter((each) => each !== undefined).length;

function boundOf(entries: Entries, { rank, penalties, biasPenalties, byRow, byColumn, module }: BoundProblem) {
  const biases = biasesOf(biasPenalties);
  const blocks = blocksOf(entries).filter(
    ({ rows, width }) => Math.min(rows.length, width) <= denseLimit && Math.min(rows.length, width) > rank + biases,
  );
  const observed = entries.values.length;
  const [first] = blocks;
  const isWhole =
    first !== undefined &&
    first.rows.length * first.width === observed &&
    first.rows.length === byRow.pointers.length - 1 &&
    first.width === byColumn.pointers.length - 1;
  let bound = 0;
  let covered = 0;
  let counted = 0;
  let isExact = false;
  for (const block of blocks) {
    const scaled = scaledBlock(entries, block);
    if (!scaled) continue;
    const ridge = isWhole && biases === 0 ? ridgeOf(scaled, penalties) : { lambda: 0, isExact: isWhole };
    const least = leastOf(scaled, rank + biases, ridge.lambda, module);
    if (least <= 0) continue;
    bound += least;
    counted++;
    covered += (block.rows.length * block.width) / observed;
    isExact = isWhole && biases === 0 && ridge.isExact;
  }
  return counted === 0 ? undefined : { bound, blocks: counted, covered, isExact };
}

/** B, row-major, with r and c, and ρ ≤ W²/(r·c) for all its entries. */
interface Scaled {
  readonly B: Float64Array;
  readonly height: number;
  readonly width: number;
  readonly r: Float64Array;
  readonly c: Float64Array;
  readonly likeness: number;
}

/** Undefined where the weights are no product. */
function scaledBlock({ values, squares }: Entries, { rows, start, width }: Block): Scaled | undefined {
  const height = rows.length;
  const top = start(rows[0] as number);
  const c = Float64Array.from({ length: width }, (_, j) => squares[top + j] as number);
  const r = new Float64Array(height);
  const B = new Float64Array(height * width);
  let likeness = 1;
  for (let i = 0; i < height; i++) {
    const at = start(rows[i] as number);
    // So that the first column agrees, and likeness is what rounding left in the others.
    const ri = (squares[at] as number) / (c[0] as number);
    r[i] = ri;
    for (let j = 0; j < width; j++) {
      const product = ri * (c[j] as number);
      const ratio = (squares[at + j] as number) / product;
      if (!(ratio >= leastLikeness && ratio <= 2 - leastLikeness)) return undefined;
      if (ratio < likeness) likeness = ratio;
      B[i * width + j] = (values[at + j] as number) * Math.sqrt(product);
    }
  }
  return { B, height, width, r, c, likeness };
}

/** λ of the ridge in the scaled block, and whether it is that of every row and column. The block is the whole matrix by rows. */
function ridgeOf({ r, c, likeness }: Scaled, penalties: BoundProblem['penalties']) {
  const ratios = (over: ArrayLike<number>, under: Float64Array) => {
    const all = under.map((value, i) => (over[i] as number) / value);
    return { least: Math.min(...range(all)), isSame: isSame(range(all)) };
  };
  const d = ratios(penalties.rows, r);
  const e = ratios(penalties.columns, c);
  return {
    lambda: Math.sqrt(d.least * e.least) * (1 - 8 * unit),
    isExact: d.isSame && e.isSame && likeness > 1 - 1e-12,
  };
}

function range(values: Float64Array): [number, number] {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

const isSame = ([least, most]: readonly [number, number]) => most - least <= 1e-12 * most;

/** Written out at a time for its Gram matrix. */
const panelNumbers = 2 ** 20;

/** ρ(‖B‖² − Σ_{i≤k}(s_i − λ)₊²), lowered by what rounding may have added. */
function leastOf(
  { B, height, width, likeness }: Scaled,
  k: number,
  lambda: number,
  module: WebAssembly.Module | undefined,
): number {
  const p = Math.min(height, width);
  const at = height >= width ? (t: number, i: number) => t * width + i : (t: number, i: number) => i * width + t;
  const terms = Math.max(height, width);
  const gram = new Float64Array(p * p);
  const panel = Math.max(1, Math.floor(panelNumbers / p));
  for (let first = 0; first < terms; first += panel) {
    const rows = Math.min(panel, terms - first);
    const write = (to: Float64Array, rowLength: number) => {
      for (let t = 0; t < rows; t++) for (let i = 0; i < p; i++) to[t * rowLength + i] = B[at(first + t, i)] as number;
    };
    addScaled(gram, 1, fullGram(rows, p, write, module));
  }
  const squares = dot(B, B);
  const off = eigenvalueMargin(gram, p) + (terms + 8) * unit * squares;
  let explained = 0;
  for (const theta of largestEigenvalues(tridiagonalize(gram, p, module), k)) {
    const s = Math.max(0, Math.sqrt(Math.max(0, theta + off)) - lambda);
    explained += s * s;
  }
  const least = squares * (1 - (terms * p + 8) * unit) - explained;
  // B itself is rounded: √f moves by no more than its change.
  const root = Math.sqrt(Math.max(0, least)) - 4 * unit * Math.sqrt(squares);
  return likeness * Math.max(0, root) ** 2 * (1 - 8 * unit);
}

/** Rows grouped by their columns, in the order of their first rows; single rows are of rank 1. */
function blocksOf({ pointers, indices }: Entries): Block[] {
  const start = (row: number) => pointers[row] as number;
  const groups = new Map<number, number[][]>();
  const found: number[][] = [];
  for (let row = 0; row + 1 < pointers.length; row++) {
    const [first, end] = [start(row), start(row + 1)];
    let hash = end - first;
    for (let t = first; t < end; t++) hash = mixed(hash, indices[t] as number);
    const alike = groups.get(hash) ?? [];
    if (alike.length === 0) groups.set(hash, alike);
    const group = alike.find((rows) => isAlike(rows[0] as number, row));
    if (group) group.push(row);
    else {
      const fresh = [row];
      alike.push(fresh);
      found.push(fresh);
    }
  }
  return found.map((rows) => ({ rows, start, width: start((rows[0] as number) + 1) - start(rows[0] as number) }));

  function isAlike(a: number, b: number): boolean {
    const length = start(a + 1) - start(a);
    if (start(b + 1) - start(b) !== length) return false;
    for (let t = 0; t < length; t++) if (indices[start(a) + t] !== indices[start(b) + t]) return false;
    return true;
  }
}

function entriesOf({ byRow, mean }: BoundProblem): Entries {
  const { pointers, indices, weights } = byRow;
  const observed = pointers.at(-1) as number;
  const values = new Float64Array(observed);
  const squares = new Float64Array(observed).fill(1);
  for (let t = 0; t < observed; t++) {
    values[t] = (byRow.values[t] as number) - mean;
    if (weights) squares[t] = (weights[t] as number) ** 2;
  }
  return { pointers, indices, values, squares };
}

function turned({ pointers, indices, values, squares }: Entries, { byColumn }: BoundProblem): Entries {
  const columns = byColumn.pointers.length - 1;
  const ofValues = transposed({ pointers, indices, values, columns });
  const ofSquares = transposed({ pointers, indices, values: squares, columns });
  return { ...ofValues, squares: ofSquares.values };
}

/** The indices of each row rise. */
export function hasDuplicates({ pointers, indices }: Pick<Entries, 'pointers' | 'indices'>): boolean {
  for (let i = 0; i + 1 < pointers.length; i++)
    for (let t = (pointers[i] as number) + 1; t < (pointers[i + 1] as number); t++)
      if (indices[t] === indices[t - 1]) return true;
  return false;
}
