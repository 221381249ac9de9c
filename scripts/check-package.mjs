// @ts-check
/**
 * Packs the package as npm would publish it, without building again, and looks at the tarball: publint and
 * are-the-types-wrong for its entry points, a list of what must and must not be in it, and whether its declarations stand
 * strict TypeScript beside the types it depends on and no others.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const needed = [
  /^dist\/bundle\/index\.js$/,
  /^dist\/bundle\/command\/main\.js$/,
  /^dist\/src\/report\/page\/page\.js$/,
  /^dist\/workers\/rows\.cjs$/,
  /^dist\/workers\/scores\.cjs$/,
  /\.wasm$/,
  /^samples\/.+\.csv$/,
  /^LICENSE$/,
  /^README\.md$/,
];
const allowed = /^(package\.json|README\.md|LICENSE|(dist\/(bundle|src|workers)|samples)\/.+)$/;

const folder = mkdtempSync(join(tmpdir(), 'hadamard-pack-'));
try {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files, size }] = JSON.parse(packed);
  const paths = files.map((file) => file.path);
  const complaints = [
    ...needed.filter((one) => !paths.some((path) => one.test(path))).map((one) => `missing: ${one.source}`),
    ...paths.filter((path) => !allowed.test(path)).map((path) => `does not belong in the package: ${path}`),
  ];
  for (const complaint of complaints) console.error(complaint);
  console.log(`package: ${paths.length} files, ${Math.round(size / 1000)} kB packed`);

  const tarball = join(folder, filename);
  const passes = (tool, args) => spawnSync(join('node_modules', '.bin', tool), args, { stdio: 'inherit' }).status === 0;
  const installed = join(folder, 'node_modules');
  mkdirSync(join(installed, '@types'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder]);
  renameSync(join(folder, 'package'), join(installed, 'hadamard'));
  cpSync('node_modules/@types/ndarray', join(installed, '@types', 'ndarray'), { recursive: true });
  writeFileSync(join(folder, 'use.mts'), "import * as hadamard from 'hadamard';\n\nvoid hadamard;\n");
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.mts'] }));
  const sound = [
    passes('tsc', ['-p', folder]),
    passes('publint', [tarball, '--strict']),
    passes('attw', [tarball, '--profile', 'esm-only', '--no-emoji']),
  ];
  if (complaints.length > 0 || sound.includes(false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
