/**
 * Scores a tile of rows against all columns in f32 and lists, of each row, the columns that may be among its `top` best.
 *
 * A row keeps its best `top` scores in a heap. A score below the least of them by more than the row's margin, twice the
 * bound of what f32 may be wrong by, cannot belong to the best; all others are listed, and scored again in float64 by the caller.
 * Columns stand in panels of 8 (entry t of all 8, then entry t + 1), rows in quads likewise, so that a tile of 4×8 scores
 * stays in registers.
 */
import { madd } from "./lanes";

/** Field order is the contract with ../score.ts. */
@unmanaged
export class ScoreJob {
  /** Latent columns, the bias's own included. */
  size: i32;
  /** Rows of the tile in quads; rows beyond the last are zero and listed nowhere. */
  quads: i32;
  rows: i32;
  columns: i32;
  factors: usize;
  panels: usize;
  top: i32;
  /** Columns that a row can list. */
  capacity: i32;
  /** f64 a row. */
  margins: usize;
  /** u32 a row and one more: where the row's excluded positions begin. */
  pointers: usize;
  /** u32, rising within a row. */
  excluded: usize;
  /** A {@link RowState} a row, `stateBytes` apart, its heap (f32) and its list (u32 and f32) behind it. */
  states: usize;
  stateBytes: i32;
  scratch: usize;
}

@unmanaged
class RowState {
  /** Scores below it are out. */
  threshold: f32;
  listed: i32;
  /** Where to look on in the excluded positions, and where they end. */
  cursor: usize;
  end: usize;
  held: i32;
  /** 1: too many columns are too near to each other, and the list is not whole. */
  isOverfull: i32;
}

const panelColumns = 8;
/** Panels that stay in the first-level cache while the tile's rows pass over them. */
const cachedBytes = 16384;

export function scoreRows(job: ScoreJob): void {
  begin(job);
  const panelBytes = job.size * panelColumns * 4;
  const panels = (job.columns + panelColumns - 1) / panelColumns;
  const group = max(1, cachedBytes / panelBytes);
  for (let first = 0; first < panels; first += group) {
    const count = min(group, panels - first);
    for (let quad = 0; quad < job.quads; quad++) scoreQuad(job, quad, first, count);
  }
}

function begin(job: ScoreJob): void {
  for (let row = 0; row < job.quads * 4; row++) {
    const state = changetype<RowState>(job.states + <usize>(row * job.stateBytes));
    state.threshold = row < job.rows ? -f32.MAX_VALUE : f32.MAX_VALUE;
    state.listed = 0;
    state.held = 0;
    state.isOverfull = 0;
    if (row >= job.rows) continue;
    state.cursor = job.excluded + (<usize>load<u32>(job.pointers + (<usize>row << 2)) << 2);
    state.end = job.excluded + (<usize>load<u32>(job.pointers + (<usize>row << 2), 4) << 2);
  }
}

/** Four rows against `count` panels. */
function scoreQuad(job: ScoreJob, quad: i32, first: i32, count: i32): void {
  const size = job.size;
  const rows = job.factors + <usize>(quad * size * 16);
  const bytes = <usize>job.stateBytes;
  const s0 = job.states + <usize>quad * 4 * bytes, s1 = s0 + bytes, s2 = s1 + bytes, s3 = s2 + bytes;
  let v = job.panels + <usize>first * <usize>(size * panelColumns * 4);
  for (let panel = first, end = first + count; panel < end; panel++) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let u = rows, last = rows + <usize>(size * 16); u != last; u += 16) {
      const x = v128.load(v), y = v128.load(v, 16);
      let s = v128.load32_splat(u);
      a0 = madd<f32>(s, x, a0); a1 = madd<f32>(s, y, a1);
      s = v128.load32_splat(u, 4);
      b0 = madd<f32>(s, x, b0); b1 = madd<f32>(s, y, b1);
      s = v128.load32_splat(u, 8);
      c0 = madd<f32>(s, x, c0); c1 = madd<f32>(s, y, c1);
      s = v128.load32_splat(u, 12);
      d0 = madd<f32>(s, x, d0); d1 = madd<f32>(s, y, d1);
      v += 32;
    }
    offer(job, s0, panel, a0, a1);
    offer(job, s1, panel, b0, b1);
    offer(job, s2, panel, c0, c1);
    offer(job, s3, panel, d0, d1);
  }
}

/** Lists those of a panel's eight scores that are within the row's margin of its best. */
// @ts-ignore: decorator
@inline
function offer(job: ScoreJob, state: usize, panel: i32, x: v128, y: v128): void {
  const threshold = v128.load32_splat(state);
  const within = v128.or(f32x4.ge(x, threshold), f32x4.ge(y, threshold));
  if (v128.any_true(within)) listPanel(job, changetype<RowState>(state), panel, x, y);
}

function listPanel(job: ScoreJob, state: RowState, panel: i32, x: v128, y: v128): void {
  v128.store(job.scratch, x);
  v128.store(job.scratch, y, 16);
  const first = panel * panelColumns;
  const threshold = f32x4.splat(state.threshold);
  let lanes = i32x4.bitmask(f32x4.ge(x, threshold)) | (i32x4.bitmask(f32x4.ge(y, threshold)) << 4);
  // The last panel is filled up with columns that there are not.
  if (first + panelColumns > job.columns) lanes &= (1 << (job.columns - first)) - 1;
  for (; lanes != 0; lanes &= lanes - 1) {
    const lane = ctz(lanes);
    const score = load<f32>(job.scratch + (<usize>lane << 2));
    if (score >= state.threshold && !isExcluded(state, first + lane)) list(job, state, first + lane, score);
  }
}

/** Positions come in rising order, so the cursor only moves on. */
// @ts-ignore: decorator
@inline
function isExcluded(state: RowState, position: i32): bool {
  while (state.cursor < state.end && load<i32>(state.cursor) < position) state.cursor += 4;
  return state.cursor < state.end && load<i32>(state.cursor) == position;
}

function list(job: ScoreJob, state: RowState, position: i32, score: f32): void {
  const heap = changetype<usize>(state) + offsetof<RowState>();
  if (state.held < job.top) push(heap, state.held++, score);
  else if (score > load<f32>(heap)) replaceLeast(heap, job.top, score);
  if (state.held == job.top) {
    const row = <usize>((changetype<usize>(state) - job.states) / <usize>job.stateBytes);
    const least = <f64>load<f32>(heap);
    // The last part makes up for the rounding to f32.
    const threshold = <f32>(least - load<f64>(job.margins + (row << 3)) - 1.2e-7 * abs(least));
    state.threshold = max(threshold, state.threshold);
  }
  const entries = heap + (<usize>job.top << 2);
  if (state.listed == job.capacity && !hasRoomAgain(job, state, entries)) {
    state.isOverfull = 1;
    state.threshold = f32.MAX_VALUE;
    return;
  }
  const entry = entries + (<usize>state.listed << 3);
  store<i32>(entry, position);
  store<f32>(entry, score, 4);
  state.listed++;
}

/** Drops what has fallen below the threshold. @returns whether a quarter of the list is free now. */
function hasRoomAgain(job: ScoreJob, state: RowState, entries: usize): bool {
  let kept = 0;
  for (let i = 0; i < state.listed; i++) {
    const entry = entries + (<usize>i << 3);
    if (load<f32>(entry, 4) < state.threshold) continue;
    store<u64>(entries + (<usize>kept << 3), load<u64>(entry));
    kept++;
  }
  state.listed = kept;
  return kept <= (job.capacity >> 2) * 3;
}

/** Into a heap of `count` scores, the least on top. */
function push(heap: usize, count: i32, score: f32): void {
  let at = count;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<f32>(heap + (<usize>parent << 2));
    if (above <= score) break;
    store<f32>(heap + (<usize>at << 2), above);
    at = parent;
  }
  store<f32>(heap + (<usize>at << 2), score);
}

function replaceLeast(heap: usize, count: i32, score: f32): void {
  let at = 0;
  for (let child = 1; child < count; child = 2 * at + 1) {
    let below = load<f32>(heap + (<usize>child << 2));
    const beside = child + 1 < count ? load<f32>(heap + (<usize>child << 2), 4) : below;
    if (beside < below) {
      below = beside;
      child++;
    }
    if (below >= score) break;
    store<f32>(heap + (<usize>at << 2), below);
    at = child;
  }
  store<f32>(heap + (<usize>at << 2), score);
}
