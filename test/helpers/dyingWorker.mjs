// @ts-check
/** Entry of workers that die: as workers/rowTask.ts, but for one block, whose first `times` meetings end the thread. */
import { existsSync, writeFileSync } from 'node:fs';
import { phases } from '../../dist/src/methods/phases.js';
import { createRowWorker } from '../../dist/src/parallel/rowWorker.js';

/** @type {{ how: 'exit' | 'throw' | 'memory', phase: string, side: string, blocks: number[], times: number, folder: string }} */
const { how, phase, side, blocks, times, folder } = JSON.parse(process.env.HADAMARD_TEST_DEATH ?? '');

/** @param {number} block */
function dieAt(block) {
  for (let death = 1; death <= times; death++) {
    const file = `${folder}/${block}-${death}`;
    if (existsSync(file)) continue;
    writeFileSync(file, '');
    if (how === 'throw') throw new Error('Shot in a test.');
    if (how === 'exit') process.exit(3);
    /** @type {unknown[]} */
    const hoard = [];
    for (;;) hoard.push(new Array(1e5).fill(hoard.length));
  }
}

export default createRowWorker(
  Object.fromEntries(
    Object.entries(phases).map(([name, original]) => [
      name,
      {
        name,
        run(workbench, call, block) {
          // The block's rows are written, its sums are not: the worst moment.
          const totals = original.run(workbench, call, block);
          if (name === phase && call.side === side && blocks.includes(block)) dieAt(block);
          return totals;
        },
      },
    ]),
  ),
);
