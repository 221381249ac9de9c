import { execFile, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../dist/src/cli/program.js';
import { main, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const scriptOf = async (shell: string) => {
  const { code, stdout, stderr } = await run(['completion', shell], folder.path);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const names = createProgram().commands.map((command) => command.name());

describe.skipIf(!has('bash'))('bash', () => {
  const complete = async (...words: string[]) => {
    const script = `source <("$0" "$1" completion bash); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hadamard; echo "\${COMPREPLY[*]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script, process.execPath, main, 'hadamard', ...words], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    return stdout.trim();
  };

  test.each([
    [['fi'], 'fit'],
    [['fit', '--lambda-'], '--lambda-rows --lambda-columns --lambda-scale'],
    [['fit', '--preset', 'p'], 'pca pmf'],
    [['fit', '--weights-are', 's'], 'sqrt-weight sigma'],
    [['fit', '--loss', ''], 'quadratic huber:1.345 l1 poisson logistic'],
    [['tune', '--loss', 'hu'], 'huber:1.345'],
    [['fit', '--biases', '=', 'b'], 'both'],
    // Files, by -o default.
    [['fit', ''], ''],
    [['fit', '--weights', '--'], ''],
    [['completion', ''], 'bash zsh fish'],
    [['completion', '--c'], '--config'],
    [['help', 'dem'], 'demo'],
  ])('completes %j to %j', async (words, answer) => {
    expect(await complete(...words)).toBe(answer);
  });

  test('knows every command', async () => {
    expect((await complete('')).split(' ')).toEqual([...names, 'help', '--help', '--version']);
  });
});

/** Options that stand beside a command's name in the script of fish, or after it in that of zsh. */
const optionsIn = (script: string, command: string, pattern: RegExp) =>
  new Set(
    script
      .split('\n')
      .flatMap((line) => (line.includes(command) ? [...line.matchAll(pattern)] : []))
      .map(([, name]) => name),
  );

test('the script of fish has every command and option, and is sound', async () => {
  const script = await scriptOf('fish');
  for (const command of createProgram().commands) {
    expect(script).toContain(`__fish_use_subcommand -f -a ${command.name()} `);
    const listed = optionsIn(script, `seen_subcommand_from ${command.name()}'`, / -l ([\w-]+)/g);
    for (const { long } of command.options) expect(listed, `${command.name()} ${long}`).toContain(long?.slice(2));
  }
  if (!has('fish')) return;
  writeFileSync(join(folder.path, 'hadamard.fish'), script);
  const ask = 'function hadamard; end; source hadamard.fish; complete -C "hadamard fit --dtype "';
  const { stdout, stderr } = spawnSync('fish', ['-c', ask], { cwd: folder.path, encoding: 'utf8' });
  expect({ stderr, values: stdout.match(/^\w+/gm) }).toEqual({ stderr: '', values: ['f32', 'f64'] });
});

test('the script of zsh has every command and option, and is sound', async () => {
  const script = await scriptOf('zsh');
  for (const command of createProgram().commands) {
    const part = script.slice(script.indexOf(`\n    ${command.name()}) _arguments`));
    for (const { long } of command.options) expect(part, command.name()).toContain(`'${long}[`);
  }
  // A colon would end the list.
  expect(script).toMatch(/'--loss\[.*\]:value:\(quadratic huber\\:1\.345 l1 poisson logistic\)'/);
  if (!has('zsh')) return;
  writeFileSync(join(folder.path, '_hadamard'), script);
  const ask = 'autoload -Uz compinit; compinit -u -d dump; source ./_hadamard; echo $_comps[hadamard]';
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', ask], { cwd: folder.path, encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '_hadamard\n', stderr: '' });
  expect(existsSync(join(folder.path, 'dump'))).toBe(true);
});

test('another shell is refused, with what may be meant', async () => {
  const ended = await run(['completion', 'bsh'], folder.path);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toMatch(/invalid-option.*Did you mean bash\?/s);
});
