/** `npm run profile` without its building of kernels with names: every thread is profiled, and the table says where it was. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { summarize } from '../../scripts/profile-summary.mjs';
import { main, noise, npy, temporaryFolder } from '../cli/run.js';

const folder = temporaryFolder();
afterAll(folder.remove);

test('every thread of a fit leaves a profile, and the work was done in WebAssembly', () => {
  writeFileSync(join(folder.path, 'A.npy'), npy(noise(600 * 400, 5), 600, 400));
  const threads = fileURLToPath(new URL('../../scripts/profile-threads.mjs', import.meta.url));
  const fit = ['fit', 'A.npy', '--rank', '16', '--threads', '2', '--max-sweeps', '20', '--quiet'];
  const profiled = ['--cpu-prof', '--cpu-prof-interval=500', '--cpu-prof-dir=cpu', '--import', threads];
  execFileSync(process.execPath, [...profiled, main, ...fit], { cwd: folder.path });
  const files = readdirSync(join(folder.path, 'cpu'));
  expect(files).toHaveLength(3);
  const tables = summarize(join(folder.path, 'cpu')).split('\nCPU').slice(1);
  expect(tables).toHaveLength(3);
  // On a busy machine one worker may have done it all.
  expect(tables.filter((table) => table.includes('[wasm]')).length).toBeGreaterThan(0);
});

test('shares are of the time that samples stand for', () => {
  const path = join(folder.path, 'one');
  const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });
  const nodes = [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('sum', 'file:///home/me/hadamard/dist/src/x.js', 41) },
    { id: 3, callFrame: frame('gram/rows', 'wasm://wasm/0a1b') },
    { id: 4, callFrame: frame('', 'node:internal/fs', 2) },
  ];
  mkdirSync(path);
  const profile = { nodes, samples: [1, 2, 3, 2, 4], timeDeltas: [7, 100, 200, 600, 50] };
  writeFileSync(join(path, 'a.cpuprofile'), JSON.stringify(profile));
  expect(summarize(path).trimEnd().split('\n').slice(1)).toEqual([
    'a.cpuprofile',
    '  63.2 %    0.00 s  gram/rows  [wasm]',
    '  26.3 %    0.00 s  sum  dist/src/x.js:42',
    '  10.5 %    0.00 s  (idle)',
    '   0.0 %    0.00 s  (anonymous)  internal/fs:3',
  ]);
});
