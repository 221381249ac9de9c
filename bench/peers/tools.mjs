/** The tools of the races: whether each is there, and a fit by it in a process of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factorsOf } from './judge.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Threads of BLAS are pinned as the READMEs of implicit and irspack ask: their own threads do the work. */
const environment = { ...process.env, OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1', OMP_NUM_THREADS: '2' };

/** What each minimises of implicit feedback, and whether it takes ratings. */
export const peers = {
  libmf: { kinds: ['explicit'] },
  'npm libmf': { kinds: ['explicit'] },
  'cmfrec-cg': { kinds: ['explicit', 'implicit'], objective: 'cmfrec' },
  'cmfrec-cholesky': { kinds: ['explicit', 'implicit'], objective: 'cmfrec' },
  'implicit-cg': { kinds: ['implicit'], objective: 'implicit' },
  'implicit-cholesky': { kinds: ['implicit'], objective: 'implicit' },
  'irspack-cg': { kinds: ['implicit'], objective: 'irspack' },
  'irspack-cholesky': { kinds: ['implicit'], objective: 'irspack' },
  'irspack-ialspp': { kinds: ['implicit'], objective: 'irspack' },
};

/** Installs what can be had into `work`, and says why the rest is absent. */
export function install(work, libmf) {
  const absent = {};
  mkdirSync(work, { recursive: true });
  const python = join(work, 'venv/bin/python');
  const attempt = (names, steps) => {
    try {
      for (const [command, ...more] of steps) execFileSync(command, more, { stdio: 'pipe', cwd: work });
    } catch (error) {
      for (const name of names)
        absent[name] = String(error.stderr ?? error.message)
          .trim()
          .split('\n')
          .at(-1);
    }
  };
  const pythonNames = Object.keys(peers).filter((name) => !name.includes('libmf'));
  const isReady = spawnSync(python, ['-c', 'import implicit, cmfrec, irspack, pandas']).status === 0;
  if (!isReady)
    attempt(pythonNames, [
      ['python3', '-m', 'venv', 'venv'],
      [python, '-m', 'pip', 'install', '--quiet', '-r', here('requirements.txt')],
    ]);
  if (!existsSync(join(work, 'node_modules/libmf')))
    attempt(['npm libmf'], [['npm', 'install', '--prefix', work, '--no-save', '--no-audit', '--no-fund', 'libmf@0.2']]);
  if (!libmf) absent.libmf = 'give --libmf <path of mf-train>, built with -O3 -march=native -DUSEAVX';
  const library = libmf && join(dirname(libmf), 'libmf.so.2');
  const hasLibrary = library !== undefined && existsSync(library);
  if (libmf && !hasLibrary) console.log(`without ${library} (make lib) LIBMF is timed by its epochs alone`);
  return { absent, python, libmf, ...(hasLibrary && { library }) };
}

/** Points {step, seconds, cpuSeconds, value} of a fit; `value` is what `evaluate` makes of the factors, where it is given. */
export function fit(tool, job, { python, work, libmf }, evaluate, part) {
  if (tool === 'libmf' && !job.library) return fitLibmf(job, libmf, part);
  const out = evaluate && join(work, 'factors');
  const [command, script] =
    tool === 'hadamard'
      ? [process.execPath, here('hadamard.mjs')]
      : tool === 'npm libmf'
        ? [process.execPath, here('npmLibmf.mjs')]
        : [python, here('peers.py')];
  const said = execFileSync(command, [script, JSON.stringify({ ...job, tool, packages: work, out })], {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  });
  const points = said
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  return points.map((point) => ({ ...point, ...(out && { value: evaluate(factorsOf(`${out}.${point.step}`)) }) }));
}

/**
 * mf-train says no times: an epoch is the difference of whole runs by their length, so that reading and preparing are left
 * out, in its favour. Held-out errors are those it prints beside `part`.
 */
function fitLibmf({ folder, k, lambda, threads, steps }, libmf, part) {
  const flags = (epochs) => ['-k', k, '-l2', lambda, '-s', threads, '-t', epochs].map(String);
  const [few, many] = [1, steps.at(-1) + 1];
  // The file comes from the system's cache for the first run as for the last.
  readFileSync(join(folder, 'train.txt'));
  const first = wholeProcess([libmf, ...flags(few), '--quiet', join(folder, 'train.txt'), '/dev/null']);
  const last = wholeProcess([libmf, ...flags(many), '--quiet', join(folder, 'train.txt'), '/dev/null']);
  const each = (key) => (last[key] - first[key]) / (many - few);
  const values = part ? heldOut(libmf, [...flags(steps.at(-1)), '-p', join(folder, `${part}.txt`)], folder) : [];
  return steps.map((step) => ({
    step,
    seconds: step * each('seconds'),
    cpuSeconds: step * each('cpuSeconds'),
    ...(part && { value: values[step - 1] }),
  }));
}

/** va_rmse, the third number of each line of mf-train. */
function heldOut(libmf, flags, folder) {
  const said = execFileSync(libmf, [...flags, join(folder, 'train.txt'), '/dev/null'], { encoding: 'utf8' });
  return said
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((numbers) => numbers.length >= 4 && numbers.every(Number.isFinite))
    .map((numbers) => numbers[2]);
}

/** Wall and processor seconds of a command from its start to its end. */
export function wholeProcess(command) {
  const began = performance.now();
  const { stderr, status } = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', ...command], {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${command[0]}: ${stderr}`);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds, cpuSeconds: user + system };
}
