/** The body of a piscina worker: runs blocks of one phase until none is left. */
import { openWorkbench, runNextBlock } from './blocks.js';
import type { PhaseTable, Task, TaskReport } from './phase.js';

export function createRowWorker(phases: PhaseTable): (task: Task) => TaskReport {
  return ({ fit, call, slot }) => {
    const started = performance.now();
    const workbench = openWorkbench(fit, slot);
    while (runNextBlock(workbench, phases, call));
    return { busy: (performance.now() - started) / 1000 };
  };
}
