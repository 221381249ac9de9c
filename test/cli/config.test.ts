import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConfig } from '../../dist/src/cli/config.js';
import { createProgram } from '../../dist/src/cli/program.js';
import { runRecord } from '../../dist/src/cli/runRecord.js';
import { sealed } from '../../dist/src/model/integrity.js';
import { failure } from '../formats/files.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);
const within = (cwd: string, ...args: string[]) => run(args, at(cwd));
const cli = (...args: string[]) => within('.', ...args);
const config = (content: unknown, name = 'config.json') =>
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content));
const digestOf = (model: string) => JSON.parse(readFileSync(at(model, 'model.json'), 'utf8')).fit.digest as string;
/** In this process. */
const failureOfConfig = (name: string) =>
  failure(withConfig(createProgram(), createProgram(), ['fit', '--config', name]));
const runOf = (model: string) => JSON.parse(readFileSync(at(model, 'model.json'), 'utf8')).run;

beforeAll(() => {
  mkdirSync(at('data'));
  mkdirSync(at('elsewhere'));
  const entries = Array.from({ length: 70 }, (_, t) => [t % 10, Math.floor(t / 10)] as const).filter(
    ([i, j]) => (i + 2 * j) % 5 !== 0,
  );
  const lines = entries.map(([i, j]) => `u${i},i${j},${(i + 1) * (j + 2) + ((i * 7 + j * 3) % 5)}`);
  writeFileSync(at('data', 'A.csv'), `user,item,rating\n${lines.join('\n')}\n`);
  const weights = entries.map(([i, j]) => `u${i},i${j},${1 + ((i + j) % 3)}`);
  writeFileSync(at('data', 'W.csv'), `user,item,weight\n${weights.join('\n')}\n`);
});
afterAll(folder.remove);

const flags = ['--rank', '2', '--lambda', '0.5', '--biases', '--seed', '7', '--threads', '2', '--max-sweeps', '40'];
const weighted = ['--weights', 'data/W.csv', '--weights-are', 'weight'];

describe('the model of a fit', () => {
  test('holds what was given, and runs again to the same bits from any folder', async () => {
    const first = await cli('fit', 'data/A.csv', ...flags, ...weighted, '--out', 'model', '--json', '--quiet');
    expect(first).toMatchObject({ stderr: '' });
    expect(runOf('model')).toEqual({
      command: 'fit',
      inputs: ['data/A.csv'],
      options: {
        rank: 2,
        lambda: 0.5,
        biases: 'both',
        seed: 7,
        threads: 2,
        maxSweeps: 40,
        weights: 'data/W.csv',
        weightsAre: 'weight',
      },
      directory: '..',
    });
    const again = await within('elsewhere', 'fit', '--config', '../model/model.json', '--out', 'again', '--quiet');
    expect(again).toMatchObject({ code: first.code, stderr: '' });
    expect(digestOf('elsewhere/again')).toBe(digestOf('model'));
    // And what it wrote runs again too, from a third folder.
    const third = await within('data', 'fit', '--config', '../elsewhere/again', '--out', '../third', '--quiet');
    expect(third).toMatchObject({ code: first.code, stderr: '' });
    expect(digestOf('third')).toBe(digestOf('model'));
    expect(runOf('third')).toMatchObject({ inputs: ['A.csv'], options: { weights: 'W.csv' }, directory: '../data' });
  });

  test('runs again where its project was moved to', async () => {
    await cli('fit', 'data/A.csv', ...flags, '--out', 'data/model', '--quiet');
    cpSync(at('data'), at('moved', 'data'), { recursive: true });
    rmSync(at('data', 'model'), { recursive: true });
    const again = await within('elsewhere', 'fit', '--config', '../moved/data/model', '--out', 'moved', '--quiet');
    expect(again.stderr).toBe('');
    expect(digestOf('elsewhere/moved')).toBe(digestOf('moved/data/model'));
  });

  test('may be run with other flags and on other data', async () => {
    await cli('fit', 'data/A.csv', ...flags, '--out', 'base', '--quiet');
    await cli('fit', '--config', 'base', '--seed', '8', '--biases', 'rows', '--out', 'other', '--quiet');
    expect(runOf('other').options).toEqual({ ...runOf('base').options, seed: 8, biases: 'rows' });
    await cli('fit', 'data/W.csv', '--config=base', '--out', 'other', '--quiet');
    expect(runOf('other')).toMatchObject({ inputs: ['data/W.csv'], options: runOf('base').options });
  });

  test('is run by the command that made it alone, and only where it says how it was made', async () => {
    await cli('fit', 'data/A.csv', ...flags, '--out', 'made', '--quiet');
    const wrong = failureOf(await cli('predict', '--config', 'made', '--json'));
    expect(wrong).toMatchObject({ code: 'invalid-option', position: { option: 'config', file: 'made' } });
    expect(wrong.message).toContain('hadamard fit --config made');
    const path = at('made', 'model.json');
    const text = readFileSync(path, 'utf8');
    const { run: _, checksum: __, ...description } = JSON.parse(text);
    for (const broken of [undefined, 5, { command: 'fit' }, { command: 'fit', inputs: [5], options: {} }]) {
      writeFileSync(path, sealed({ ...description, run: broken }));
      const error = await failureOfConfig(at('made'));
      expect(error).toMatchObject({ code: 'malformed-model', what: `${at('made')} does not say how it was made.` });
    }
    // What is not what was saved, or of a version to come, is not run again either.
    writeFileSync(path, text.replace('"lambda": 0.5', '"lambda": 0.7'));
    const changed = await failureOfConfig(at('made'));
    expect(changed).toMatchObject({ code: 'malformed-model', position: { file: path } });
    expect(changed.what).toContain('checksum');
    writeFileSync(path, sealed({ ...description, version: 99 }));
    expect((await failureOfConfig(path)).what).toContain('version 99');
  });

  test('does not say where to write: a record that was edited and sealed anew is refused', async () => {
    await cli('fit', 'data/A.csv', ...flags, '--out', 'edited', '--quiet');
    const path = at('edited', 'model.json');
    const { run, checksum: _, ...description } = JSON.parse(readFileSync(path, 'utf8'));
    const give = (option: string, value: unknown) =>
      writeFileSync(path, sealed({ ...description, run: { ...run, options: { ...run.options, [option]: value } } }));
    for (const option of ['out', 'report', 'watch', 'quiet', 'verbose', 'json', 'config']) {
      give(option, true);
      const error = await failureOfConfig(at('edited'));
      expect(error).toMatchObject({ code: 'malformed-model', position: { option, file: at('edited') } });
    }
    writeFileSync(at('victim.html'), 'mine');
    give('report', 'victim.html');
    const ended = await cli('fit', '--config', 'edited', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'malformed-model', position: { option: 'report' } });
    expect(readFileSync(at('victim.html'), 'utf8')).toBe('mine');
  });
});

describe('a config', () => {
  test('gives flags and inputs, with paths from its own folder, and the command line comes before it', async () => {
    await cli('fit', 'data/A.csv', ...flags, ...weighted, '--out', 'by-flags', '--quiet');
    const content = {
      inputs: ['A.csv'],
      rank: 2,
      lambda: 0.5,
      biases: true,
      seed: 6,
      threads: 2,
      maxSweeps: 40,
      weights: 'W.csv',
      weightsAre: 'weight',
      canonical: false,
      quiet: true,
      out: '../by-config',
    };
    config(content, 'data/config.json');
    const ended = await within('elsewhere', 'fit', '--config', '../data/config.json', '--seed', '7');
    expect(ended).toMatchObject({ stdout: '', stderr: '' });
    expect(digestOf('by-config')).toBe(digestOf('by-flags'));
  });

  test('has no flags among its inputs', async () => {
    config({ inputs: ['--out=stray', 'data/A.csv'], rank: 2, lambda: 1 }, 'stray.json');
    expect((await cli('fit', '--config', 'stray.json')).code).toBe(2);
    expect(existsSync(at('stray'))).toBe(false);
  });

  test('serves every command, and says --json for errors too', async () => {
    await cli('fit', 'data/A.csv', ...flags, '--out', 'used', '--quiet');
    config({ inputs: ['used'], row: 'u1', top: 2, json: true });
    const { stdout } = await cli('recommend', '--config', 'config.json');
    expect(JSON.parse(stdout).recommendations).toHaveLength(2);
    const other = await cli('recommend', '--config', 'config.json', '--row', 'u2', '--top', '1');
    expect(JSON.parse(other.stdout)).toMatchObject({ row: 'u2', recommendations: [{}] });
    config({ inputs: ['nowhere'], row: 'u1', json: true });
    expect(failureOf(await cli('recommend', '--config', 'config.json')).code).toBe('not-found');
  });

  test('has words among its arguments that are no paths', async () => {
    config({ inputs: ['bash'] }, 'data/shell.json');
    const ended = await cli('completion', '--config', 'data/shell.json');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended).toEqual(await cli('completion', 'bash'));
  });

  test.each([
    [{ rnak: 3 }, 'rnak', 'Did you mean rank?'],
    [{ 'max-sweeps': 3 }, 'max-sweeps', 'Did you mean maxSweeps?'],
    [{ config: 'other.json' }, 'config', 'does not take'],
    [{ inputs: 'A.csv' }, 'inputs', 'array of paths'],
    [{ rank: [2] }, 'rank', 'rank is an integer'],
    [{ rank: true }, 'rank', 'rank is an integer'],
    [{ rank: null }, 'rank', 'rank is an integer'],
    [{ rank: '3' }, 'rank', 'rank is an integer at least 1'],
    [{ lambda: '0.5' }, 'lambda', 'lambda is a finite number at least 0'],
    [{ rank: 2, dtype: 64 }, 'dtype', 'dtype is one of f32, f64'],
    [{ canonical: 'yes' }, 'canonical', 'canonical is true or false'],
    [{ weights: { file: 'W.csv' } }, 'weights', '--weights <file>'],
  ])('%j is refused, and %s is named', async (content, option, words) => {
    config(content);
    const argv = ['fit', 'A.csv', '--config', at('config.json')];
    const refused = await failure(withConfig(createProgram(), createProgram(), argv));
    expect(refused).toMatchObject({ code: 'invalid-option', position: { option, file: at('config.json') } });
    expect(refused.message).toContain(words);
    expect(refused.message).toContain('Correct the ');
  });

  test.each([
    ['rank', 2.5, '2.5'],
    ['preset', 'pfm', 'pfm'],
    ['loss', 'hubre:1', 'hubre:1'],
    ['backgroundWeight', 'x', 'x'],
  ])('with %s %j is refused as the flag is', async (name, value, text) => {
    config({ rank: 2, [name]: value });
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const byConfig = await cli('fit', 'data/A.csv', '--config', 'config.json', '--json');
    const byFlag = await cli('fit', 'data/A.csv', '--rank', '2', flag, text, '--json');
    expect(byConfig).toEqual(byFlag);
    expect(failureOf(byFlag)).toMatchObject({ code: 'invalid-option', position: { option: name } });
  });

  test('that is no JSON object, or is not there, is refused', async () => {
    for (const [content, code] of [
      ['{"rank": 3', 'malformed-file'],
      ['[1]', 'malformed-file'],
      ['null', 'malformed-file'],
      ['3', 'malformed-file'],
    ] as const) {
      config(content);
      const failure = failureOf(await cli('fit', '--config', 'config.json', '--json'));
      expect(failure).toMatchObject({ code, position: { option: 'config', file: 'config.json' } });
    }
    expect(failureOf(await cli('fit', '--config', 'nowhere.json', '--json')).code).toBe('not-found');
    const folderless = await failureOfConfig(at('data'));
    expect(folderless).toMatchObject({ code: 'not-found', what: `The folder ${at('data')} holds no model.json.` });
  });

  test.each([
    ['biases', 'both'],
    ['watch', '0'],
  ])('says %s: true for the bare flag', async (name, meant) => {
    config({ rank: 2, [name]: true });
    const program = createProgram();
    await withConfig(program, createProgram(), ['fit', 'A.csv', '--config', at('config.json')]);
    expect(program.commands.find((command) => command.name() === 'fit')?.opts()[name]).toBe(meant);
  });

  test('does nothing that is not its own: a key like __proto__ is unknown', async () => {
    config('{"__proto__": {"rank": 2}, "rank": 2}');
    expect(failureOf(await cli('fit', 'data/A.csv', '--config', 'config.json', '--json'))).toMatchObject({
      code: 'invalid-option',
      position: { option: '__proto__' },
    });
  });
});

test('a record holds no password', () => {
  const { inputs, options } = runRecord(
    'fit',
    ['postgres://me:pa55@host/base'],
    { sql: "attach 'dbname=x password=pa55' as p; create secret (secret 'pa55')", rank: 3, out: 'o', report: 'r.html' },
    undefined,
  );
  expect(JSON.stringify({ inputs, options })).not.toContain('pa55');
  expect(inputs).toEqual(['postgres://me:***@host/base']);
  expect(Object.keys(options)).toEqual(['sql', 'rank']);
});
