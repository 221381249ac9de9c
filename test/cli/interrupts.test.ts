/** Fits that are ended from outside: Ctrl-C and kill leave a whole model, the new one or the older. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, createWriteStream, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { failureOf, noise, npy, run, start, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);

beforeAll(() => {
  writeFileSync(at('small.npy'), npy(noise(12 * 9, 5), 12, 9));
  writeFileSync(at('noise.npy'), npy(noise(600 * 400, 5), 600, 400));
});
afterAll(folder.remove);

describe('Ctrl-C', () => {
  const long = [
    'fit',
    'noise.npy',
    '--rank',
    '32',
    '--tolerance',
    '0',
    '--dtype',
    'f64',
    '--acceleration',
    'none',
    '--max-sweeps',
    '1000000',
  ];

  test('once writes the model so far, status cancelled', async () => {
    const running = start([...long, '--out', 'cancelled', '--json'], folder.path);
    await running.shown(/sweep \d+\//);
    running.process.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'cancelled', reason: 'signal' });
    expect((await loadModel(at('cancelled'))).fit.status).toBe('cancelled');
  });

  test('twice ends at once and leaves the older model', async () => {
    cpSync(at('cancelled'), at('twice'), { recursive: true });
    const before = readFileSync(join(at('twice'), 'model.json'), 'utf8');
    const running = start([...long, '--threads', '2', '--out', 'twice', '--json'], folder.path);
    await running.shown(/sweep \d+\//);
    running.process.kill('SIGSTOP');
    running.process.kill('SIGINT');
    running.process.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 130));
    running.process.kill('SIGINT');
    const ended = await running.ended;
    // null: the signal met a process that was ending already, and ended it; a shell calls that 130 too.
    expect([130, null]).toContain(ended.code);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
    const after = readFileSync(join(at('twice'), 'model.json'), 'utf8');
    // The first Ctrl-C may have been enough: then the model is the cancelled one, whole.
    if (after !== before) expect((await loadModel(at('twice'))).fit.status).toBe('cancelled');
    else expect(ended.stdout).toBe('');
  });

  test('before the first sweep is done leaves the older model', async () => {
    cpSync(at('cancelled'), at('early'), { recursive: true });
    const before = readFileSync(join(at('early'), 'model.json'), 'utf8');
    const slow = ['fit', 'noise.npy', '--rank', '300', '--dtype', 'f64', '--threads', '1', '--tolerance', '0'];
    const running = start([...slow, '--out', 'early', '--json'], folder.path);
    // Long enough for a busy machine to have begun.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    running.process.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    // Where the machine was quick, a sweep is a model.
    if (ended.stdout !== '') return expect(JSON.parse(ended.stdout).sweeps).toBeGreaterThan(0);
    expect(failureOf(ended).message).toContain('no file was written');
    expect(readFileSync(join(at('early'), 'model.json'), 'utf8')).toBe(before);
  });

  test('while reading ends at once with nothing written', async () => {
    execFileSync('mkfifo', [at('endless.csv')]);
    const running = start(['fit', 'endless.csv', '--rank', '2', '--out', 'reading', '--json'], folder.path);
    const writer = createWriteStream(at('endless.csv'));
    writer.on('error', () => undefined);
    let lines = 0;
    const feed = setInterval(() => writer.write(`u${lines},i${lines++},1\n`), 10);
    // A named pipe opens for writing when its reader has opened it.
    await once(writer, 'open');
    running.process.kill('SIGINT');
    const ended = await running.ended;
    clearInterval(feed);
    writer.destroy();
    expect(ended).toMatchObject({ code: 130, stdout: '' });
    expect(failureOf(ended).code).toBe('cancelled');
    expect(existsSync(at('reading'))).toBe(false);
  });
});

test('kill -9 leaves the older model and no part of a new one', async () => {
  await run(['fit', 'small.npy', '--rank', '2', '--out', 'killed', '--quiet'], folder.path);
  const before = readFileSync(join(at('killed'), 'model.json'), 'utf8');
  const running = start(
    ['fit', 'noise.npy', '--rank', '16', '--tolerance', '0', '--max-sweeps', '100000', '--out', 'killed'],
    folder.path,
  );
  await running.shown(/sweep \d+\//);
  running.process.kill('SIGKILL');
  await running.ended;
  expect(readFileSync(join(at('killed'), 'model.json'), 'utf8')).toBe(before);
  expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
});
