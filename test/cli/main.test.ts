/** Streams that nobody reads or that are full, and what files must not do to a terminal. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failureOf, main, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);

/** What a script of bash prints; $0 is node and $1 the command line. */
const bash = async (script: string) =>
  (
    await promisify(execFile)('bash', ['-c', script, process.execPath, main], { cwd: folder.path, encoding: 'utf8' })
  ).stdout.trim();

beforeAll(() => {
  const lines = Array.from({ length: 60 }, (_, t) => `u${t % 10},i${t % 6},${(t % 10) * (t % 6)}`);
  writeFileSync(at('A.csv'), `# note\n${[...new Set(lines)].join('\n')}\n`);
});
afterAll(folder.remove);

describe.skipIf(process.platform === 'win32')('a stream', () => {
  const fit = '"$0" "$1" fit A.csv --rank 1 --lambda 0.1 --out';

  test.each([
    ['closed-both', '2>&1 | true', 0],
    ['closed-stderr', '2> >(true)', 0],
    ['closed-stdout', '--json | true', 0],
  ])('that nobody reads loses no fit: %s', async (model, redirection, code) => {
    // What reads has ended by the time anything is written.
    const status = await bash(`${fit} ${model} ${redirection}; echo "\${PIPESTATUS[0]}"`);
    expect(status.split('\n').at(-1)).toBe(String(code));
    expect(existsSync(at(`${model}/model.json`))).toBe(true);
  });

  test('that is full at the end is a typed error, and the model is there', async () => {
    // A limit on the size of files stands for a full disk.
    const script = (model: string, flags: string) =>
      `ulimit -f 100; ${fit} ${model} ${flags} >> ${model}.txt 2> ${model}.err; echo $?`;
    for (const name of ['full.txt', 'full-text.txt']) writeFileSync(at(name), Buffer.alloc(100 * 1024));
    expect(await bash(script('full', '--json --quiet'))).toBe('2');
    expect(JSON.parse(readFileSync(at('full.err'), 'utf8'))).toMatchObject({ code: 'output-failed', position: {} });
    expect(existsSync(at('full/model.json'))).toBe(true);
    expect(await bash(script('full-text', ''))).toBe('2');
    expect(readFileSync(at('full-text.err'), 'utf8')).toMatch(
      /^error {2}stdout cannot be written: .*\[output-failed\]$/m,
    );
  });
});

test('no escape of a file reaches the terminal', async () => {
  const red = '\u001b[31m\u009b2J';
  writeFileSync(at('escape.csv'), `# comment\na,${red},1\nb,y,${red}\n`);
  writeFileSync(at('header.csv'), `u,i,r,${red}\na,x,1,2\n`);
  for (const flags of [[], ['--json']]) {
    const ended = await cli('fit', 'escape.csv', '--rank', '1', ...flags);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('\\u001b[31m\\u009b2J');
    const noted = await cli('fit', 'header.csv', '--rank', '1', '--lambda', '0.1', ...flags);
    expect(noted.stderr).toContain('ignored "\\u001b[31m\\u009b2J"');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(ended.stderr + noted.stderr).not.toMatch(/[\u001b\u009b]/);
  }
  expect(failureOf(await cli('fit', 'escape.csv', '--rank', '1', '--json')).message).toContain(red);
});

test('--out without a name, or of a link to nothing, is refused before anything is read', async () => {
  const ended = await cli('fit', 'nowhere.csv', '--rank', '1', '--out', '', '--json');
  expect(failureOf(ended)).toMatchObject({ code: 'invalid-option', position: { option: 'out' } });
});
