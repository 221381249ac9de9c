// @ts-check
/** Entry of workers that die: as workers/startTask.ts, but the first `times` starts that are begun end their thread. */
import { writeFileSync } from 'node:fs';
import { runStartHere } from '../../../dist/src/factorize/oneStart.js';

/** @type {{ times: number, folder: string }} */
const { times, folder } = JSON.parse(process.env.HADAMARD_TEST_DEATH ?? '');

/** @param {import('../../../dist/src/factorize/oneStart.js').StartTask} task */
export default async function run(task) {
  const answer = await runStartHere(task);
  for (let death = 1; death <= times; death++) {
    try {
      writeFileSync(`${folder}/${death}`, '', { flag: 'wx' });
    } catch {
      continue;
    }
    // All of its work is done and nothing of it told: the worst moment.
    process.exit(3);
  }
  return answer;
}
