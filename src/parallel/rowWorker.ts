/** The body of a piscina worker: runs blocks of one phase until none is left. */
import { isHadamardError } from '../errors.js';
import { openWorkbench, runNextBlock } from './blocks.js';
import type { BlockContext, FitContext, PhaseTable, Task, TaskReport } from './phase.js';

export function createRowWorker<Context extends BlockContext = FitContext>(
  phases: PhaseTable<Context>,
): (task: Task<Context>) => TaskReport {
  return ({ fit, call, slot }) => {
    const started = performance.now();
    const workbench = openWorkbench(fit, slot);
    const busy = () => (performance.now() - started) / 1000;
    try {
      while (runNextBlock(workbench, phases, call));
      return { busy: busy() };
    } catch (error) {
      // Its class and code would be lost on the way.
      if (isHadamardError(error)) return { busy: busy(), failure: error.toJSON() };
      throw error;
    }
  };
}
