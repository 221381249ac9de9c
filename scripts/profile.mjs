// @ts-check
/**
 * Profiles the command line on the shipped sample, or on the arguments that are given; docs/profiling.md says what to look for.
 *
 *     npm run profile -- fit other.csv --rank 10          what every thread spends its time on: a table, and one .cpuprofile
 *                                                         a thread in profiles/cpu/, with the kernels by name
 *     npm run profile:flame -- fit other.csv --rank 10    flame graph of the main thread, so the fit is run with one
 *     npm run profile:doctor, npm run profile:bubbleprof  event loop and asynchronous calls of the main thread
 *
 * The three of clinic write HTML to profiles/.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { summarize } from './profile-summary.mjs';

const sample = 'samples/epa-baton-rouge';
const [tool, ...given] = process.argv.slice(2);
const command = given.length > 0 ? given : ['fit', `${sample}/concentrations.csv`, '--table', '--rank', '4'];
if (given.length === 0) command.push('--weights', `${sample}/uncertainties.csv`, '--weights-are', 'sigma');
if (tool === 'flame' && command[0] === 'fit') command.push('--threads', '1');

buildWithNames();
const program = ['--import', './scripts/profile-threads.mjs', 'profiles/dist/src/cli/main.js', ...command];
if (tool === 'cpu') {
  rmSync('profiles/cpu', { recursive: true, force: true });
  run(['--cpu-prof', '--cpu-prof-interval=500', '--cpu-prof-dir=profiles/cpu', ...program]);
  process.stderr.write(summarize('profiles/cpu'));
} else {
  const clinic = createRequire(import.meta.url).resolve('clinic/bin.js');
  run([clinic, String(tool), '--open=false', '--dest', 'profiles', '--', process.execPath, ...program]);
}

/**
 * A copy of dist/ whose kernels have the names of their functions. They are optimised as those that ship, and give the
 * same bits.
 */
function buildWithNames() {
  mkdirSync('profiles', { recursive: true });
  cpSync('package.json', 'profiles/package.json');
  cpSync('dist', 'profiles/dist', { recursive: true, filter: (path) => !path.endsWith('.wasm') });
  for (const target of ['strict', 'relaxed']) {
    const named = `profiles/dist/src/kernels/${target}.wasm`;
    const changed = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changed(named) > changed(`dist/src/kernels/${target}.wasm`)) continue;
    const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
    const config = ['--config', 'src/kernels/assembly/asconfig.json', '--target', target];
    run([asc, ...config, '--debug', '--outFile', named]);
  }
}

/** @param {readonly string[]} args */
function run(args) {
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1' },
  });
  // A fit may end with 3 and has been profiled all the same.
  process.exitCode ||= status ?? 1;
}
