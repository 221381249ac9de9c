/** The best columns of a block of rows: listed by the f32 kernel, ordered by their float64 predictions. */
import { quadRows, scoreStateBytes, visitListed, writeScoreJob } from '../kernels/score.js';
import { Best } from '../model/best.js';
import { predictEntry } from '../model/objective.js';
import { noTotals, type Phase, type PhaseTable, type Workbench } from '../parallel/phase.js';
import type { ScoreContext, ScoreKernel, Seen } from './scoreContext.js';
import { marginOf } from './scoreKernel.js';

const scorePhase: Phase<ScoreContext> = {
  name: 'score',
  run(workbench, _call, block) {
    const { fit, view } = workbench;
    const { top, columns, factors, found, kernel } = fit;
    const first = fit.blocks.rows[block] as number;
    const rows = fit.rows.subarray(first, fit.blocks.rows[block + 1]);
    const states = kernel && listCandidates(workbench, kernel, rows);
    const best = new Best(top);
    rows.forEach((row, r) => {
      const offer = (position: number) => {
        const column = columns[position] as number;
        best.offer(column, predictEntry(factors, row, column));
      };
      if (!(states && visitListed(view, states.address + r * states.bytes, top, offer)))
        visitUnseen(fit.seen, row, columns.length, offer);
      let place = (first - found.first + r) * top;
      const start = place;
      best.take((column, prediction) => {
        found.columns[place] = column;
        found.predictions[place++] = prediction;
      });
      found.counts[first - found.first + r] = place - start;
    });
    return noTotals;
  },
};

/** The one table of the threads that workers/scores.cts starts. */
export const scorePhases: PhaseTable<ScoreContext> = { score: scorePhase };

function listCandidates(
  { fit, kernels, view, scratch }: Workbench<ScoreContext>,
  kernel: ScoreKernel,
  rows: Uint32Array,
) {
  const { buffer } = fit.memory;
  const { size, capacity } = kernel;
  const at = (part: keyof ScoreKernel['scratch']) => scratch + kernel.scratch[part];
  const quads = Math.ceil(rows.length / quadRows);
  const vectors = new Float32Array(buffer, at('factors'), quads * quadRows * size);
  const margins = new Float64Array(buffer, at('margins'), rows.length);
  writeRows(fit, kernel, rows, vectors, margins);
  stageSeen(fit, rows, at('pointers'), at('excluded'));
  const bytes = scoreStateBytes(fit.top, capacity);
  writeScoreJob(view, scratch, {
    size,
    quads,
    rows: rows.length,
    columns: fit.columns.length,
    factors: at('factors'),
    panels: kernel.panels,
    top: fit.top,
    capacity,
    margins: at('margins'),
    pointers: at('pointers'),
    excluded: at('excluded'),
    states: at('states'),
    stateBytes: bytes,
    scratch: at('lanes'),
  });
  kernels.scoreRows32(scratch);
  return { address: at('states'), bytes };
}

/** The rows' scaled vectors in quads, and their margins. */
function writeRows(
  { factors: { U, biases } }: ScoreContext,
  kernel: ScoreKernel,
  rows: Uint32Array,
  vectors: Float32Array,
  margins: Float64Array,
): void {
  const rank = U.shape[1] as number;
  vectors.fill(0);
  rows.forEach((row, r) => {
    const start = Math.floor(r / quadRows) * quadRows * kernel.size + (r % quadRows);
    let squares = 0;
    for (let c = 0; c < kernel.size; c++) {
      const place = start + c * quadRows;
      vectors[place] = c < rank ? (U.data[row * rank + c] as number) * kernel.rowScale : kernel.biasPart;
      squares += (vectors[place] as number) ** 2;
    }
    margins[r] = marginOf(kernel, Math.sqrt(squares), Math.abs(biases.mean) + Math.abs(biases.rows?.[row] ?? 0));
  });
}

/** Copies the rows' seen positions to where the kernel reads them. */
function stageSeen({ memory, seen }: ScoreContext, rows: Uint32Array, pointersAt: number, excludedAt: number): void {
  const pointers = new Uint32Array(memory.buffer, pointersAt, rows.length + 1);
  let length = 0;
  pointers[0] = 0;
  rows.forEach((row, r) => {
    if (seen) {
      const positions = seen.positions.subarray(seen.pointers[row], seen.pointers[row + 1]);
      new Uint32Array(memory.buffer, excludedAt + 4 * length, positions.length).set(positions);
      length += positions.length;
    }
    pointers[r + 1] = length;
  });
}

function visitUnseen(seen: Seen | undefined, row: number, count: number, visit: (position: number) => void): void {
  let cursor = seen?.pointers[row] ?? 0;
  const end = seen?.pointers[row + 1] ?? 0;
  for (let position = 0; position < count; position++) {
    while (cursor < end && (seen?.positions[cursor] as number) < position) cursor++;
    if (cursor < end && seen?.positions[cursor] === position) continue;
    visit(position);
  }
}
