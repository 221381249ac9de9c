// @ts-check
/**
 * Profiles the command line on the shipped sample, or on the arguments given after the tool's name:
 *
 *     npm run build && npm run profile:flame -- fit other.csv --table …
 *
 * doctor, bubbleprof  what the event loop and the asynchronous calls do; HTML in profiles/
 * flame               the main thread only, so the fit is run inline (--threads 1); HTML in profiles/
 * cpu                 one .cpuprofile a thread in profiles/, with WebAssembly frames, for the browser's developer tools
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const sample = 'samples/epa-baton-rouge';
const [tool, ...given] = process.argv.slice(2);
const command =
  given.length > 0
    ? given
    : [
        ...['fit', `${sample}/concentrations.csv`, '--table', '--rank', '4'],
        ...['--weights', `${sample}/uncertainties.csv`, '--weights-are', 'sigma', '--out', 'profiles/model'],
        ...(tool === 'flame' ? ['--threads', '1'] : []),
      ];
const program = ['--import', './scripts/profile-threads.mjs', 'dist/src/cli/main.js', ...command];

mkdirSync('profiles', { recursive: true });
const clinic = createRequire(import.meta.url).resolve('clinic/bin.js');
const args =
  tool === 'cpu'
    ? ['--cpu-prof', '--cpu-prof-dir=profiles', ...program]
    : [clinic, tool, '--open=false', '--dest', 'profiles', '--', process.execPath, ...program];
const run = spawnSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1' },
});
process.exitCode = run.status ?? 1;
