// @ts-check
/** Runs commands beside each other, as many as there are. */
import { spawn } from 'node:child_process';

/**
 * What each prints comes when it ends, whole.
 *
 * @param {readonly string[]} commands of a shell
 * @returns {Promise<string[]>} those that failed.
 */
export async function together(commands) {
  const isWell = await Promise.all(commands.map(ends));
  return commands.filter((_, at) => !isWell[at]);
}

/**
 * @param {string} command
 * @returns {Promise<boolean>} whether its exit code is 0.
 */
function ends(command) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.once('close', (code) => {
      process.stdout.write(`> ${command}\n${said}`);
      resolve(code === 0);
    });
  });
}
