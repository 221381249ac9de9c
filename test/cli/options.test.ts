import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfError, exitCodes } from '../../dist/src/cli/exitCodes.js';
import { tableOptions } from '../../dist/src/cli/flags.js';
import { createProgram } from '../../dist/src/cli/program.js';
import { HadamardError } from '../../dist/src/errors.js';
import { flagOf, optionTable } from '../../dist/src/options.js';
import { version } from '../../dist/src/version.js';
import { failureOf, main, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const cli = (...args: string[]) => run(args, folder.path);

describe('help', () => {
  test('names every option of the table, teaches by examples and lists the exit codes', async () => {
    const { code, stdout, stderr } = await cli('fit', '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const [name, spec] of Object.entries(optionTable))
      expect(stdout.includes(`${flagOf(name)} `), name).toBe(!('commandLine' in spec));
    for (const text of ['Examples:', 'Exit codes:', ...Object.keys(exitCodes)]) expect(stdout).toContain(text);
    for (const command of [[], ...createProgram().commands.map((command) => [command.name()])]) {
      const help = await cli(...command, '--help');
      expect(help).toMatchObject({ code: 0, stderr: '' });
      for (const line of help.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test('of a command may be asked for by hadamard help', async () => {
    expect(await cli('help', 'fit')).toEqual(await cli('fit', '--help'));
    expect((await cli('recommend', '--help')).stdout.match(/10/g)).toHaveLength(1);
  });

  test('goes to stderr with exit code 2 when there is no command', async () => {
    const { code, stdout, stderr } = await cli();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('hadamard demo');
  });

  test('and version come at once: nothing of the engine is loaded', async () => {
    // Loader hooks that say what is loaded.
    const hooks = `export const load = (url, context, next) => (process._rawDebug(url), next(url, context));`;
    const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hooks)}');`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      '--import',
      `data:text/javascript,${encodeURIComponent(register)}`,
      main,
      '--version',
    ]);
    expect(stdout).toBe(`${version}\n`);
    expect(stderr).toContain('/commander/');
    expect(stderr).not.toMatch(/piscina|csv-parse/);
    const own = stderr.match(/file:.*\/dist\/.*/g)?.map((url) => statSync(fileURLToPath(url)).size) ?? [];
    expect(own.length).toBeGreaterThan(0);
    expect(own.reduce((a, b) => a + b)).toBeLessThan(200_000);
  });
});

describe('a bad command line', () => {
  const wrong: Record<string, string> = { integer: '2.5', number: 'x', choice: 'nothing', form: 'huber', path: '' };

  test.each(Object.entries(optionTable).filter(([, spec]) => !('commandLine' in spec) && !('bare' in spec)))(
    'is refused by the rule of %s',
    async (name, spec) => {
      const ended = await cli(
        'fit',
        'no-such-file.csv',
        '--rank',
        '2',
        flagOf(name),
        wrong[spec.kind] as string,
        '--json',
      );
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended)).toMatchObject({ code: 'invalid-option', position: { option: name } });
      expect(Object.keys(failureOf(ended))).toEqual(['code', 'message', 'position']);
    },
  );

  test('is told in words without --json: what, where, the rule and the remedy', async () => {
    const { code, stdout, stderr } = await cli('fit', 'A.csv', '--rank', '0');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/rank is 0.*\[invalid-option\]\nwhere .*option --rank\nrule .*at least 1.*\ntry .*--rank/s);
  });

  test('is answered in flags', async () => {
    writeFileSync(join(folder.path, 'twice.csv'), 'user,item,rating\na,x,1\n\nb,x,2\na,x,3\n');
    const ended = await cli('fit', 'twice.csv', '--rank', '1', '--json');
    expect(failureOf(ended)).toEqual({
      code: 'duplicate-entry',
      message: expect.stringMatching(/in line 2 and again in line 5\. .*--duplicates keep/),
      position: { file: 'twice.csv', line: 5, first: 2, row: 0, column: 0 },
    });
    rmSync(join(folder.path, 'twice.csv'));
    expect((await cli('fit', 'A.csv')).stderr).toContain('--rank is required.');
    expect((await cli('fit', 'A.csv', '--rank', '1', '--max-sweeps', '0')).stderr).toContain('--max-sweeps is 0.');
  });

  test('tells the lines of a large file too, whose entries the fit has given up by then', async () => {
    const lines = Array.from({ length: 120_000 }, (_, t) => `u${t % 3001},i${Math.floor(t / 3001)},${t % 5}.5\n`);
    lines[100_000] = lines[77] as string;
    writeFileSync(join(folder.path, 'large.csv'), lines.join(''));
    const ended = await cli('fit', 'large.csv', '--rank', '1', '--json');
    expect(failureOf(ended)).toMatchObject({
      code: 'duplicate-entry',
      message: expect.stringMatching(/in line 78 and again in line 100001\. /),
      position: { file: 'large.csv', line: 100_001, first: 78, row: 77, column: 0 },
    });
    rmSync(join(folder.path, 'large.csv'));
  });

  test('tells lines of what cannot be read twice, and does not wait for more of it', async () => {
    const path = join(folder.path, 'pipe.csv');
    execFileSync('mkfifo', [path]);
    const written = writeFile(path, 'a,x,1\nb,y,2\na,x,3\n');
    const ended = await cli('fit', 'pipe.csv', '--rank', '1', '--json');
    await written;
    expect(failureOf(ended)).toMatchObject({ position: { file: 'pipe.csv', line: 3, first: 1 } });
    rmSync(path);
    // A file is read again, without what came of stdin.
    writeFileSync(join(folder.path, 'twice.csv'), 'a,x,1\nb,y,2\na,x,3\n');
    const tested = spawnSync(process.execPath, [main, 'fit', 'twice.csv', '--test', '-', '--rank', '1', '--json'], {
      cwd: folder.path,
      input: 'a,x,1\n',
      encoding: 'utf8',
    });
    expect(failureOf({ ...tested, code: 0 })).toMatchObject({ position: { file: 'twice.csv', line: 3, first: 1 } });
    rmSync(join(folder.path, 'twice.csv'));
  });

  test('may give sizes in units', () => {
    const limit = (text: string) => {
      const option = tableOptions('Computation:').find(({ long }) => long === '--memory-limit');
      return option?.parseArg?.(text, undefined);
    };
    expect(['100', '2GB', '1.5GiB', '64kb', '1TiB', '2XB'].map(limit)).toEqual([
      100,
      2e9,
      1.5 * 2 ** 30,
      64000,
      2 ** 40,
      '2XB',
    ]);
  });

  test.each([
    [['fit', 'A.csv', '--rnak', '3'], 'Did you mean --rank?'],
    [['fti', 'A.csv'], 'Did you mean fit?'],
    [['fit', 'A.csv', '--rank', '3', '--preset', 'pfm'], 'Did you mean pmf?'],
    [['fit', 'A.csv', '--rank', '3', '--loss', 'possion'], 'Did you mean poisson?'],
    [['fit', 'A.csv', '--rank', '3', '--lambda-scale', 'counts'], 'Did you mean count?'],
    [['fit', 'A.csv', '--rank', '3', '--weights-are', 'simga'], 'Did you mean sigma?'],
    [['fit', 'A.csv', 'B.csv', '--rank', '3'], 'Too many arguments'],
    [['fit', '--rank', '3'], "Missing required argument 'A'"],
    [['recommend', 'model'], '--row'],
  ])('%j is answered with %s', async (args, answer) => {
    const ended = await cli(...args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(answer);
  });

  test('that leaves the meaning of weights open is refused with the remedy', async () => {
    const ended = await cli('fit', 'A.csv', '--rank', '3', '--weights', 'W.csv', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({
      code: 'ambiguous-weights',
      position: { option: 'weightsAre', file: 'W.csv' },
    });
    expect(failureOf(ended).message).toContain('--weights-are sigma');
    const unclear = await cli(
      'fit',
      'A.csv',
      '--rank',
      '3',
      '--weights',
      'W.csv',
      '--weights-are',
      'variance',
      '--json',
    );
    expect(failureOf(unclear)).toMatchObject({ code: 'invalid-option', position: { option: 'weightsAre' } });
  });

  test('of an unreadable path is refused', async () => {
    for (const args of [
      ['fit', 'nowhere.csv', '--rank', '2', '--json'],
      ['predict', 'nowhere', 'pairs.csv', '--json'],
      ['recommend', 'nowhere', '--row', '1', '--json'],
    ]) {
      const ended = await cli(...args);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended).code).toBe('not-found');
    }
  });

  test('with an output folder of something else is refused before anything is read', async () => {
    mkdirSync(join(folder.path, 'mine'));
    writeFileSync(join(folder.path, 'mine', 'notes.txt'), 'mine');
    const ended = await cli('fit', 'nowhere.csv', '--rank', '2', '--out', 'mine', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'output-refused', position: { option: 'out', file: 'mine' } });
    expect(readdirSync(join(folder.path, 'mine'))).toEqual(['notes.txt']);
    expect(readdirSync(folder.path)).toEqual(['mine']);
  });

  test('with an output folder that cannot be made is refused before anything is read', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    const ended = await cli('fit', 'nowhere.csv', '--rank', '2', '--out', 'file/model', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'output-failed', position: { option: 'out', file: 'file/model' } });
  });
});

describe('exit codes', () => {
  test('say how the fit ended', () => {
    const given = (...flags: string[]) => new Set(flags);
    expect(exitCodeOf({ status: 'converged', reason: 'gradient' }, given())).toBe(0);
    expect(exitCodeOf({ status: 'stalled', reason: 'objective' }, given('maxSweeps'))).toBe(3);
    expect(exitCodeOf({ status: 'budget', reason: 'sweeps' }, given())).toBe(3);
    expect(exitCodeOf({ status: 'budget', reason: 'sweeps' }, given('timeLimit'))).toBe(3);
    expect(exitCodeOf({ status: 'budget', reason: 'sweeps' }, given('maxSweeps'))).toBe(0);
    expect(exitCodeOf({ status: 'budget', reason: 'time' }, given('timeLimit'))).toBe(0);
    expect(exitCodeOf({ status: 'cancelled', reason: 'signal' }, given('maxSweeps'))).toBe(130);
  });

  test('say whose fault an error is', () => {
    expect(exitCodeOfError(new HadamardError({ code: 'malformed-file', what: '', rule: '', remedy: '' }))).toBe(2);
    expect(exitCodeOfError(new HadamardError({ code: 'output-failed', what: '', rule: '', remedy: '' }))).toBe(2);
    expect(exitCodeOfError(new HadamardError({ code: 'worker-died', what: '', rule: '', remedy: '' }))).toBe(1);
    expect(exitCodeOfError(new TypeError('a slip'))).toBe(1);
    expect(exitCodeOfError(new DOMException('', 'AbortError'))).toBe(130);
  });
});
