/** Every example of README.md and docs/ is run: those of a page in order in a folder of its own, pages beside each other. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { main, temporaryFolder } from '../cli/run.js';
import { type Block, blocksOf } from './blocks.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Any Python with NumPy: this one, or the system's. */
const python = [process.env.HADAMARD_PYTHON, 'python3'].find(
  (name) => name !== undefined && spawnSync(name, ['-c', 'import numpy']).status === 0,
);

const helps = new Map<string, string>();
/** @param command a name, or '' for all. */
function helpOf(command: string): string {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const args = [main, ...(command === '' ? [] : [command]), '--help'];
  const help = spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout;
  helps.set(command, help);
  return help;
}

/** What of `needs` this hadamard does not have. */
function missing(needs: readonly string[]): string[] {
  return needs.filter((need) => {
    const [command = '', flag] = need.split(' ');
    if (!new RegExp(`^  ${command}\\b`, 'm').test(helpOf(''))) return true;
    return flag !== undefined && !helpOf(command).includes(`${flag} `);
  });
}

/** Why a block is not run here. */
function reasonToSkip({ language, needs }: Block): string | undefined {
  const without = missing(needs);
  if (without.length > 0) return `there is no ${without.join(', ')} yet`;
  if (language === 'python' && python === undefined) return 'there is no Python with NumPy';
  return undefined;
}

/** What readers of the README have: files of these names. */
function filesOfReadme(folder: string): void {
  const users = ['alice', 'bob', 'carol', ...Array.from({ length: 11 }, (_, i) => `user${i}`)];
  const listed = users
    .flatMap((user, i) => Array.from({ length: 24 }, (_, j) => [user, `item${j}`, i, j] as const))
    .filter(([, , i, j]) => (i * 7 + j * 5 + i * j) % 3 !== 0);
  const lines = (head: string, value: (i: number, j: number) => number) =>
    `${[head, ...listed.map(([user, item, i, j]) => `${user},${item},${value(i, j)}`)].join('\n')}\n`;
  writeFileSync(
    join(folder, 'ratings.csv'),
    lines('user,item,rating', (i, j) => 1 + ((i * j + 3 * i + j) % 5)),
  );
  writeFileSync(
    join(folder, 'plays.csv'),
    lines('user,item,count', (i, j) => 1 + ((i * 3 + j * j) % 9)),
  );
  writeFileSync(join(folder, 'pairs.csv'), 'user,item\nalice,item0\nbob,item3\n');
  for (const name of ['concentrations.csv', 'uncertainties.csv'])
    symlinkSync(join(root, 'samples/epa-baton-rouge', name), join(folder, name));
}

/** Commands by their names, packages by theirs, and the shipped sample. */
function furnish(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  const modules = join(folder, 'node_modules');
  mkdirSync(bin);
  mkdirSync(modules);
  const script = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  script('hadamard', `exec '${process.execPath}' '${main}' "$@"`);
  script('npx', '[ "$1" = hadamard ] || exit 127; exec "$@"');
  symlinkSync(root, join(modules, 'hadamard'));
  for (const name of ['ndarray', 'fastify']) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  symlinkSync(join(root, 'samples'), join(folder, 'samples'));
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
}

const spaced = (line: string) => line.trim().replace(/\s+/g, ' ');

/** Runs a block and looks for what its page says is printed, whatever the spaces. */
async function runBlock(
  { language, text, line, printed }: Block,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const name = join(folder, `line-${line}.${{ sh: 'sh', js: 'mjs', python: 'py' }[language]}`);
  writeFileSync(name, text);
  const program = { sh: 'bash', js: process.execPath, python: python as string }[language];
  const args = language === 'sh' ? ['-euo', 'pipefail', name] : [name];
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: folder, env }).catch((error) => {
    throw new Error(`exit ${error.code}\n${error.stdout}\n${error.stderr}\nof\n${text}`);
  });
  const lines = `${stdout}\n${stderr}`.split('\n').map(spaced);
  expect(lines).toEqual(expect.arrayContaining(printed.map(spaced)));
}

const withExamples = pages
  .map((page) => [page, blocksOf(readFileSync(join(root, page), 'utf8'))] as const)
  .filter(([, blocks]) => blocks.length > 0);

describe.skipIf(process.platform === 'win32').concurrent.each(withExamples)('%s', (page, blocks) => {
  const folder = temporaryFolder();
  const env = furnish(folder.path);
  if (page === 'README.md') filesOfReadme(folder.path);
  afterAll(folder.remove);

  for (const block of blocks) {
    const reason = reasonToSkip(block);
    const title = `line ${block.line}, ${block.language}${reason ? ` (not run: ${reason})` : ''}`;
    test.skipIf(reason !== undefined).sequential(title, { timeout: 180_000 }, () => runBlock(block, folder.path, env));
  }
});

test.each(pages)('%s links to files that are there', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link as string);
  for (const link of links) expect(existsSync(join(root, dirname(page), link)), link).toBe(true);
});

test('what an example needs is looked for by name', () => {
  expect(missing(['fit', 'fit --rank', 'levitate', 'fit --levitate'])).toEqual(['levitate', 'fit --levitate']);
  expect(
    blocksOf(
      '<!-- needs: a, b --c -->\n```sh\nx\n```\n\n```text\ny\nz\n```\n\n    f = g\n\n    npx hadamard demo\n\nend',
    ),
  ).toEqual([
    { language: 'sh', text: 'x\n', line: 3, needs: ['a', 'b --c'], printed: ['y', 'z'] },
    { language: 'sh', text: 'npx hadamard demo\n', line: 13, needs: [], printed: [] },
  ]);
});

test('an example that fails is seen', async () => {
  const folder = temporaryFolder();
  try {
    const env = furnish(folder.path);
    const block = { language: 'sh', line: 1, needs: [], printed: [] } as const;
    const fails = { ...block, text: 'npx hadamard fit nowhere.csv --rank 2\n' };
    await expect(runBlock(fails, folder.path, env)).rejects.toThrow('not-found');
    const prints = { ...block, text: 'echo 1  2\n' };
    await runBlock({ ...prints, printed: ['  1 2'] }, folder.path, env);
    await expect(runBlock({ ...prints, printed: ['1 3'] }, folder.path, env)).rejects.toThrow();
  } finally {
    folder.remove();
  }
});
