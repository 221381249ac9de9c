/** What the workers of `recommendEach` do; scores.cts is the file that piscina loads. */
import type { Task, TaskReport } from '../src/parallel/phase.js';
import { createRowWorker } from '../src/parallel/rowWorker.js';
import type { ScoreContext } from '../src/recommend/scoreContext.js';
import { scorePhases } from '../src/recommend/scorePhase.js';

export const runTask: (task: Task<ScoreContext>) => TaskReport = createRowWorker(scorePhases);
