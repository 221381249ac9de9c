/** What the piscina workers do; rows.cts is the file that piscina loads. */
import { phases } from '../src/methods/phases.js';
import type { Task, TaskReport } from '../src/parallel/phase.js';
import { createRowWorker } from '../src/parallel/rowWorker.js';

export const runTask: (task: Task) => TaskReport = createRowWorker(phases);
