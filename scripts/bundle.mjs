// @ts-check
/**
 * Makes few files of many, as to load some 300 modules takes a process 0.3 s and each of its workers 0.06: the package in one
 * file, the command in one for what each of its commands loads, and in one each the entries of threads, which are replaced where they
 * stand. Tests and benches that look inside import single modules of dist/src/: what is bundled does not take their place.
 */
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = Object.keys({ ...dependencies, ...peerDependencies }).map((name) => new RegExp(`^${name}(/|$)`));
const workers = ['rowTask', 'scoreTask', 'startTask', 'lines', 'session'];

/**
 * Of the command: what it begins with, whose first file awaits all that comes late and so is asked for nothing, and what two of its
 * commands share, in one file: forty small ones take longer to open than one to read.
 *
 * @type {import('rolldown').CodeSplittingGroup[]}
 */
const groups = [
  {
    name: 'program',
    tags: ['$initial'],
    test: (id) => !id.endsWith('/cli/main.js'),
    priority: 2,
  },
  { name: 'shared', minShareCount: 2, priority: 1 },
];

rmSync('dist/bundle', { recursive: true, force: true });
await Promise.all([
  bundle('dist/src/index.js', 'dist/bundle', false),
  bundle('dist/src/cli/main.js', 'dist/bundle/command', true),
  ...workers.map((name) => bundle(`dist/workers/${name}.js`, 'dist/workers', false)),
]);
// Nobody else knows which file is a command: npx links a checkout it has seen at this place without a look at it.
chmodSync('dist/bundle/command/main.js', 0o755);

/**
 * @param {string} input
 * @param {string} dir
 * @param {boolean} codeSplitting whether what is imported late stays in files of its own.
 */
async function bundle(input, dir, codeSplitting) {
  const made = await rolldown({
    input,
    platform: 'node',
    external: [/^node:/, ...packages],
    plugins: [ownAddress(dir)],
    // What the command loads late the package loads at once.
    checks: { ineffectiveDynamicImport: false },
  });
  await made.write({
    dir,
    codeSplitting: codeSplitting && { groups },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  });
}

/**
 * A module that asks for its own address is told where it stood: the files beside it still do.
 *
 * @param {string} dir
 */
function ownAddress(dir) {
  return {
    name: 'own-address',
    /** @type {(code: string, id: string) => string | undefined} */
    transform(code, id) {
      if (!code.includes('import.meta.url') || dirname(id) === resolve(dir)) return undefined;
      return code.replaceAll(
        'import.meta.url',
        `new URL('${relative(dir, id).replaceAll('\\', '/')}', import.meta.url).href`,
      );
    },
  };
}
