// @ts-check
/** What .cpuprofile files say, as a table. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const framesShown = 8;

/**
 * The functions that each thread was in itself, by their share of its time; a file a thread.
 *
 * @param {string} folder
 */
export function summarize(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return files.map((name) => `\n${name}\n${tableOf(JSON.parse(readFileSync(join(folder, name), 'utf8')))}`).join('');
}

/**
 * @param {{
 *   nodes: { id: number, callFrame: { functionName: string, url: string, lineNumber: number } }[],
 *   samples: number[],
 *   timeDeltas: number[],
 * }} profile
 */
function tableOf({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  /** @type {Map<string, number>} */
  const own = new Map();
  let total = 0;
  samples.forEach((id, t) => {
    // A sample stands for the time until the next.
    const microseconds = timeDeltas[t + 1] ?? 0;
    const name = names.get(id) ?? '';
    own.set(name, (own.get(name) ?? 0) + microseconds);
    total += microseconds;
  });
  const lines = [...own]
    .sort(([, a], [, b]) => b - a)
    .slice(0, framesShown)
    .map(([name, microseconds]) => {
      const share = `${((100 * microseconds) / total).toFixed(1)} %`;
      return `${share.padStart(8)} ${(microseconds / 1e6).toFixed(2).padStart(7)} s  ${name}\n`;
    });
  return lines.join('');
}

/** @param {{ functionName: string, url: string, lineNumber: number }} frame */
function nameOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  if (url.startsWith('wasm:')) return `${name}  [wasm]`;
  if (url === '') return name;
  return `${name}  ${url.replace(/^.*\/(?=(dist|node_modules)\/)|^node:/, '')}:${lineNumber + 1}`;
}
