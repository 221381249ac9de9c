import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The package as a user gets it: packed, installed into an empty folder, used from there. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hadamard-pack-'));
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root, stdio: 'pipe' });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) as string;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the installed package', () => {
  it('runs the demo and leaves a model', () => {
    const shown = run(join(folder, 'node_modules', '.bin', 'hadamard'), 'demo');
    expect(shown).toContain('hadamard-demo');
    expect(readdirSync(join(folder, 'hadamard-demo'))).toEqual(
      expect.arrayContaining(['U.npy', 'V.npy', 'model.json', 'rows.jsonl', 'columns.jsonl']),
    );
  });

  it('fits from several starts in workers, and writes a page', () => {
    writeFileSync(
      join(folder, 'many.csv'),
      Array.from({ length: 900 }, (_, t) => `${t % 30},${Math.floor(t / 30)},${Math.sin(t)}`).join('\n'),
    );
    const asked = ['--rank', '2', '--lambda', '0.1', '--starts', '4', '--threads', '2', '--report', 'page.html'];
    const hadamard = join(folder, 'node_modules', '.bin', 'hadamard');
    expect(run(hadamard, 'fit', 'many.csv', ...asked, '--out', 'many')).toContain('starts');
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('</html>');
  });

  it('runs the library example of the README', () => {
    const example = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] as string;
    writeFileSync(join(folder, 'example.mjs'), example);
    const lines = run('node', 'example.mjs').trim().split('\n');
    expect(lines.at(-1)).toBe('true');
    expect(lines.at(-3)).toMatch(/^converged \d/);
  });

  it('runs the session example of the README', () => {
    const examples = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)];
    writeFileSync(join(folder, 'session.mjs'), examples[1]?.[1] as string);
    expect(run('node', 'session.mjs')).toMatch(/^converged \S+\n$/);
  });

  it('is required as well as imported, worker threads included', () => {
    const script = `
      const { factorize } = require('hadamard');
      const values = Float64Array.from({ length: 600 }, (_, t) => Math.cos(t));
      const A = { rows: Uint32Array.from(values, (_, t) => t % 30), columns: Uint32Array.from(values, (_, t) => Math.floor(t / 30)), values, shape: [30, 20] };
      factorize(A, { rank: 2, lambda: 0.1, inline: 'never', threads: 2 }).then((model) => console.log(model.fit.status));`;
    expect(run('node', '-e', script).trim()).toBe('converged');
  });
});
