/** Entry of the piscina workers. */
import { phases } from '../src/methods/phases.js';
import type { Task, TaskReport } from '../src/parallel/phase.js';
import { createRowWorker } from '../src/parallel/rowWorker.js';

const runTask: (task: Task) => TaskReport = createRowWorker(phases);
export default runTask;
