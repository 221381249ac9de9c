/** `npm run prepare`, which npm also runs before each `npx hadamard` in a checkout, builds only what is out of date. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'hadamard-prepare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('builds where nothing is built, where a source is newer, and not else', () => {
  for (const path of ['scripts', 'src/kernels', 'workers', 'dist']) mkdirSync(join(folder, path), { recursive: true });
  cpSync(fileURLToPath(new URL('../../scripts/prepare.mjs', import.meta.url)), join(folder, 'scripts/prepare.mjs'));
  const build = "node -e \"fs.writeFileSync('dist/built', ''); fs.writeFileSync('built', '')\"";
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { build } }));
  writeFileSync(join(folder, 'src/index.ts'), '');
  const isBuilt = () => {
    rmSync(join(folder, 'built'), { force: true });
    execFileSync(process.execPath, [join(folder, 'scripts/prepare.mjs')], { stdio: 'pipe' });
    return existsSync(join(folder, 'built'));
  };
  expect(isBuilt()).toBe(true);
  expect(isBuilt()).toBe(false);
  const later = new Date(Date.now() + 5000);
  utimesSync(join(folder, 'src/index.ts'), later, later);
  expect(isBuilt()).toBe(true);
});

it('a build leaves the command executable', () => {
  expect(statSync(new URL('../../dist/bundle/command/main.js', import.meta.url)).mode & 0o111).toBe(0o111);
});
