/** The body of a piscina worker: stands by, and runs blocks of each phase until none is left. */
import { isHadamardError } from '../errors.js';
import { openWorkbench, runNextBlock } from './blocks.js';
import { callsAt } from './board.js';
import type { BlockContext, FitContext, PhaseTable, Task, TaskReport } from './phase.js';

export function createRowWorker<Context extends BlockContext = FitContext>(
  phases: PhaseTable<Context>,
): (task: Task<Context>) => TaskReport {
  return ({ context, board, slot }) => {
    const workbench = openWorkbench(context, slot);
    try {
      for (const call of callsAt(board, slot)) while (runNextBlock(workbench, phases, call));
      return {};
    } catch (error) {
      // Its class and code would be lost on the way.
      if (isHadamardError(error)) return { failure: error.toJSON() };
      throw error;
    }
  };
}
