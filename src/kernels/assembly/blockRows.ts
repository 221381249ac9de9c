/**
 * Rows improved from their present values, a block of coordinates at a time, each block to its minimum beside the values that
 * the others have by then: block Gauss–Seidel, as in iALS++ (S. Rendle, W. Krichene, L. Zhang & Y. Koren, arXiv 2110.14044
 * (2021)). A row of n entries costs O(n·k·b + k·b²) in place of O(n·k² + k³), and its objective never rises.
 *
 * For squares with a ridge, biases, a background, L1, bounds and held entries; S is how numbers are stored, T how they are
 * computed with. Residuals are kept in f64, so that a step's rounding is relative to the step.
 */
import { BlockSpace, openBlocks, openLists } from "./blockSpace";
import { boxSolve } from "./boxSolve";
import { choleskySolve } from "./cholesky";
import { bound, penaltyFactor, takeOwn } from "./composedSpace";
import { downdate, gram } from "./gram";
import { RowJob } from "./job";
import { madd, sumLanes } from "./lanes";
import { panelBytes } from "./normalEquations";
import { ones, someColumns } from "./panel";
import { dotWide, weightOf } from "./residual";
import { backgroundAt, ownBias, penaltyAt, widen } from "./rowValue";
import { productOfRow } from "./slope";
import { solveRow } from "./solveRows";
import { openSpace, panelRows } from "./space";
import { offsetOf } from "./tangent";
import { Terms } from "./terms";

/**
 * What is added to a block's diagonal, relative to its largest entry: τ‖δ‖² keeps a block with fewer entries than columns
 * from having no solution. A step then lowers f still, and where none would, none is made.
 */
// @ts-ignore: decorator
@inline
function proximal<T>(): f64 {
  return sizeof<T>() == 4 ? 4e-6 : 1e-11;
}

export function blockRows<S, T>(job: RowJob, terms: Terms, width: i32, first: i32, last: i32): void {
  const isPlain = terms.gram == 0 && terms.held == 0 && terms.l1 == 0 && terms.columnMultiples == 0;
  const hasBounds = terms.lower != -Infinity || terms.upper != Infinity;
  const most = isPlain && !hasBounds ? width + (width >> 2) : -1;
  for (let row = first; row < last; row++) {
    const pointer = job.pointers + (<usize>row << 2);
    if (<i32>(load<u32>(pointer, 4) - load<u32>(pointer)) <= most && solveShort<S, T>(job, row)) continue;
    improveRow<S, T>(job, terms, openBlocks(job, <usize>width), row);
  }
}

/** A row of few entries costs no more to be solved exactly, among its observations. */
function solveShort<S, T>(job: RowJob, row: i32): bool {
  const own = job.own;
  // Its gradient is not wanted.
  job.own = 0;
  solveRow<S, T>(job, openSpace<T>(job), row);
  job.own = own;
  return load<u8>(job.status + row) == 0;
}

function improveRow<S, T>(job: RowJob, terms: Terms, block: BlockSpace, row: i32): void {
  const work = block.work;
  const stride = work.size;
  const x = work.space.x;
  const out = job.out + <usize>row * stride * sizeof<S>();
  store<u8>(job.status + row, 0);
  takeOwn<S>(job, work, row);
  const isConstrained = bound(job, terms, work, row);
  const constant = list<S, T>(job, terms, block, row);
  if (block.count == 0 && terms.gram == 0 && !isConstrained) {
    memory.fill(out, 0, stride * sizeof<S>());
    return;
  }
  // Blocks of about the same size.
  const blocks = (stride + block.width - 1) / block.width;
  const each = ((stride + blocks - 1) / blocks + 3) & ~3;
  for (let from: usize = 0; from < work.n; from += each) {
    const size = min(each, stride - from);
    accumulate<S, T>(job, terms, block, row, from, size);
    const isSolved = isConstrained ? solveBox<T>(block, from, size) : solveFree<T>(block, from, size);
    if (!isSolved) {
      // In f64 the block stays as it is; in f32 the row is begun again in f64.
      store<u8>(job.status + row, 1);
      if (sizeof<T>() == 4) return;
      continue;
    }
    move<S, T>(block, from, size);
    if (job.isLossWanted || from + each < work.n) follow<S, T>(job, block, from, size);
  }
  for (let c: usize = 0; c < stride; c++) store<S>(out + c * sizeof<S>(), <S>load<f64>(x + (c << 3)));
  if (job.isLossWanted) {
    job.loss += block.unit * (listedLoss(block) + constant);
    if (terms.gram) job.loss += load<f64>(terms.ownWeights + (<usize>row << 3)) * backgroundAt(terms, work, x);
  }
  job.penalty += penaltyAt(job, terms, work, x, row);
}

/** Fills the lists at x of the row. @returns what the row's listed part is beside Σ ω·e² − 2κ·e. */
function list<S, T>(job: RowJob, terms: Terms, block: BlockSpace, row: i32): f64 {
  const work = block.work;
  const start = <usize>load<u32>(job.pointers + (<usize>row << 2));
  const end = <usize>load<u32>(job.pointers + (<usize>row << 2), 4);
  const bytes = work.size * sizeof<S>();
  openLists(block, end - start);
  block.unit = 1;
  if (terms.gram == 0 && job.weights) {
    let largest: f64 = 0;
    for (let t = start; t < end; t++) largest = max(largest, weightOf<S>(job, t));
    block.unit = largest * largest;
  }
  const inverse = 1 / block.unit;
  const r: f64 = terms.gram ? load<f64>(terms.ownWeights + (<usize>row << 3)) : 0;
  const wide = widen(job, work, work.space.x);
  const offset = job.mean + ownBias(job, work.space.x);
  let front: usize = 0, back = end - start;
  let constant: f64 = 0;
  for (let t = start; t < end; t++) {
    const j = <usize>load<u32>(job.indices + (t << 2));
    const v = job.other + j * bytes;
    const a = <f64>load<S>(job.values + t * sizeof<S>());
    const w = weightOf<S>(job, t);
    let omega = inverse * (w * w);
    let pull: f64 = 0;
    if (terms.gram) {
      const rc = r * load<f64>(terms.otherWeights + (j << 3));
      const gap = a - terms.value;
      omega -= rc;
      pull = rc * gap;
      constant -= pull * gap;
    }
    const slot = omega >= 0 ? front++ : --back;
    store<u32>(block.addresses + (slot << 2), <u32>v);
    store<f64>(block.residuals + (slot << 3), dotWide<S>(wide, v, job.stride) + offset - a);
    store<f64>(block.curvatures + (slot << 3), omega);
    store<f64>(block.pulls + (slot << 3), pull);
    store<T>(block.scales + slot * sizeof<T>(), <T>sqrt(abs(omega)));
  }
  block.positive = front;
  return constant;
}

/** G and b = −½∂f/∂x of the columns of a block, over f's unit. */
function accumulate<S, T>(job: RowJob, terms: Terms, block: BlockSpace, row: i32, from: usize, size: usize): void {
  const work = block.work, panel = block.panel;
  memory.fill(panel.G, 0, size * size * sizeof<T>());
  memory.fill(panel.b, 0, size * sizeof<T>());
  if (terms.gram) takeBackground<T>(terms, block, load<f64>(terms.ownWeights + (<usize>row << 3)), from, size);
  const isScaled = job.weights != 0 || terms.gram != 0;
  const most = max<usize>(8, min(panelRows, panelBytes / (size * sizeof<T>())));
  const rank = <usize>job.rank;
  const hasBias = job.hasBias != 0 && from <= rank && rank < from + size;
  const biasSum = panel.b + (rank - from) * sizeof<T>();
  for (let t: usize = 0; t < block.count; ) {
    const isAdded = t < block.positive;
    const count = min(most, (isAdded ? block.positive : block.count) - t);
    panel.addresses = block.addresses + (t << 2);
    panel.scales = block.scales + t * sizeof<T>();
    for (let i: usize = 0; i < count; i++) {
      const o = (t + i) << 3;
      const right = load<f64>(block.pulls + o) - load<f64>(block.curvatures + o) * load<f64>(block.residuals + o);
      store<T>(panel.rights + i * sizeof<T>(), <T>right);
    }
    const before = hasBias ? load<T>(biasSum) : <T>0;
    if (isScaled) someColumns<S, T>(true, panel, from, size, count, panel.P);
    else someColumns<S, T>(false, panel, from, size, count, panel.P);
    // The other side's bias has come along: in its place belongs the own bias's column of ones.
    if (hasBias) store<T>(biasSum, before + ones<T>(panel, size, count, panel.P + (rank - from) * sizeof<T>(), job.ownBiasFree));
    if (isAdded) gram<T>(panel.G, panel.P, <i32>count, size);
    else downdate<T>(panel.G, panel.P, <i32>count, size);
    t += count;
  }
  const inverse = 1 / block.unit;
  let biggest: f64 = 0;
  for (let c: usize = 0; c < size; c++) {
    const diagonal = panel.G + c * (size + 1) * sizeof<T>();
    if (from + c >= work.n) {
      store<T>(diagonal, 1);
      store<T>(panel.b + c * sizeof<T>(), 0);
      continue;
    }
    const penalty = inverse * penaltyFactor(job, terms, row, from + c);
    const b = panel.b + c * sizeof<T>();
    store<T>(b, <T>(<f64>load<T>(b) - penalty * load<f64>(work.space.x + ((from + c) << 3))));
    const entry = <f64>load<T>(diagonal) + penalty;
    biggest = max(biggest, entry);
    store<T>(diagonal, <T>entry);
  }
  const tau = <T>(biggest > 0 ? proximal<T>() * biggest : 1);
  for (let c: usize = 0; c < min(size, work.n - from); c++) {
    const diagonal = panel.G + c * (size + 1) * sizeof<T>();
    store<T>(diagonal, load<T>(diagonal) + tau);
  }
}

/** The background's part of G and b at x, weight r. */
function takeBackground<T>(terms: Terms, block: BlockSpace, r: f64, from: usize, size: usize): void {
  const work = block.work, panel = block.panel;
  const stride = work.size;
  for (let c: usize = 0; c < size; c++) {
    const row = terms.gram + (from + c) * (stride << 3);
    const product = productOfRow(row, work.space.x, stride);
    store<T>(panel.b + c * sizeof<T>(), <T>(r * (load<f64>(terms.gramSum + ((from + c) << 3)) - product)));
    for (let e = c; e < size; e++)
      store<T>(panel.G + (c * size + e) * sizeof<T>(), <T>(r * load<f64>(row + ((from + e) << 3))));
  }
}

/** step = G⁻¹b; false where a pivot vanishes. */
function solveFree<T>(block: BlockSpace, from: usize, size: usize): bool {
  const panel = block.panel;
  if (!choleskySolve<T>(panel.G, size, min(size, block.work.n - from), 0, panel.b)) return false;
  for (let c: usize = 0; c < size; c++) store<f64>(block.step + (c << 3), <f64>load<T>(panel.b + c * sizeof<T>()));
  return true;
}

/** The step to the minimum under bounds and L1. */
function solveBox<T>(block: BlockSpace, from: usize, size: usize): bool {
  const work = block.work, panel = block.panel, box = block.box;
  const n = min(size, work.n - from);
  const at = from << 3;
  const inverse = 1 / block.unit;
  box.size = size;
  box.n = n;
  memory.copy(box.x, work.space.x + at, n << 3);
  memory.copy(box.lower, work.lower + at, n << 3);
  memory.copy(box.upper, work.upper + at, n << 3);
  for (let c: usize = 0; c < n; c++) {
    store<f64>(box.mu + (c << 3), inverse * load<f64>(work.mu + at + (c << 3)));
    for (let e = c; e < n; e++) {
      const entry = <f64>load<T>(panel.G + (c * size + e) * sizeof<T>());
      store<f64>(box.G + ((c * size + e) << 3), entry);
      store<f64>(box.G + ((e * size + c) << 3), entry);
    }
  }
  // In terms of x itself: b + Gx.
  for (let c: usize = 0; c < n; c++) {
    let sum = <f64>load<T>(panel.b + c * sizeof<T>());
    for (let e: usize = 0; e < n; e++) sum += load<f64>(box.G + ((c * size + e) << 3)) * load<f64>(box.x + (e << 3));
    store<f64>(box.b + (c << 3), sum);
  }
  boxSolve(box);
  for (let c: usize = 0; c < size; c++)
    store<f64>(block.step + (c << 3), c < n ? load<f64>(box.x + (c << 3)) - load<f64>(work.space.x + at + (c << 3)) : 0);
  return true;
}

/** x ← x + step, as it will be stored; the step becomes what was really made. */
function move<S, T>(block: BlockSpace, from: usize, size: usize): void {
  const x = block.work.space.x + (from << 3);
  for (let c: usize = 0; c < size; c++) {
    const o = c << 3;
    const before = load<f64>(x + o);
    const after = <f64><S>(before + load<f64>(block.step + o));
    store<f64>(x + o, after);
    store<f64>(block.step + o, after - before);
    store<T>(block.stepOfT + c * sizeof<T>(), <T>(after - before));
  }
}

/** Brings the residuals up to date after a step. */
function follow<S, T>(job: RowJob, block: BlockSpace, from: usize, size: usize): void {
  const rank = <usize>job.rank;
  const hasBias = job.hasBias != 0 && from <= rank && rank < from + size;
  let bias: f64 = 0;
  if (hasBias) {
    // The other side's bias stands where a 1 belongs.
    bias = load<f64>(block.step + ((rank - from) << 3));
    store<f64>(block.step + ((rank - from) << 3), 0);
    store<T>(block.stepOfT + (rank - from) * sizeof<T>(), 0);
  }
  const skip = from * sizeof<S>();
  let residual = block.residuals, address = block.addresses;
  const end = address + (block.count << 2);
  if (sizeof<S>() == 4 && sizeof<T>() == 4) {
    const bytes = size << 2;
    for (; address + 16 <= end; address += 16, residual += 32) {
      const v0 = <usize>load<u32>(address) + skip, v1 = <usize>load<u32>(address, 4) + skip;
      const v2 = <usize>load<u32>(address, 8) + skip, v3 = <usize>load<u32>(address, 12) + skip;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (let o: usize = 0; o < bytes; o += 16) {
        const step = v128.load(block.stepOfT + o);
        s0 = madd<f32>(step, v128.load(v0 + o), s0);
        s1 = madd<f32>(step, v128.load(v1 + o), s1);
        s2 = madd<f32>(step, v128.load(v2 + o), s2);
        s3 = madd<f32>(step, v128.load(v3 + o), s3);
      }
      store<f64>(residual, load<f64>(residual) + <f64>sumLanes<f32>(s0) + bias);
      store<f64>(residual, load<f64>(residual, 8) + <f64>sumLanes<f32>(s1) + bias, 8);
      store<f64>(residual, load<f64>(residual, 16) + <f64>sumLanes<f32>(s2) + bias, 16);
      store<f64>(residual, load<f64>(residual, 24) + <f64>sumLanes<f32>(s3) + bias, 24);
    }
  }
  for (; address != end; address += 4, residual += 8)
    store<f64>(residual, load<f64>(residual) + dotWide<S>(block.step, <usize>load<u32>(address) + skip, <i32>size) + bias);
}

/** Σ ω·e² − 2κ·e */
function listedLoss(block: BlockSpace): f64 {
  let sum: f64 = 0;
  for (let o: usize = 0; o < block.count << 3; o += 8) {
    const e = load<f64>(block.residuals + o);
    sum += (load<f64>(block.curvatures + o) * e - 2 * load<f64>(block.pulls + o)) * e;
  }
  return sum;
}
