/** `--on-disk`: the same model, a folder that is named where it will not do, and nothing left however the command ends. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openSession } from '../../dist/src/index.js';
import { failureOf, noise, npy, run, start, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);

beforeAll(() => {
  mkdirSync(at('disk'));
  writeFileSync(at('noise.npy'), npy(noise(2000 * 200, 5), 2000, 200));
  const lines = Array.from({ length: 3000 }, (_, t) => `u${(t * 7) % 300},i${t % 97},${((t * 13) % 50) / 10}`);
  writeFileSync(at('A.csv'), `${[...new Set(lines)].join('\n')}\n`);
});
afterAll(folder.remove);
afterEach(() => {
  expect(readdirSync(at('disk'))).toEqual([]);
});

const small = ['fit', 'A.csv', '--rank', '3', '--lambda', '0.1', '--duplicates', 'last', '--max-sweeps', '20'];

test('the same model, with a line on where the observations were', async () => {
  const plain = await cli(...small, '--json');
  const onDisk = await cli(...small, '--on-disk', 'disk', '--out', 'model', '--json');
  expect(onDisk.code).toBe(plain.code);
  expect(JSON.parse(onDisk.stdout).digest).toBe(JSON.parse(plain.stdout).digest);
  const written = JSON.parse(readFileSync(at('model/model.json'), 'utf8'));
  expect(written.fit.onDisk).toBe(true);
  // Where it was is of that run alone.
  expect(JSON.stringify(written)).not.toContain('"disk"');
  expect((await cli(...small, '--on-disk', 'disk', '--verbose')).stdout).toMatch(/read from disk\s+block\s+by\s+block/);
});

test('with test entries and a report, for which A is needed again', async () => {
  writeFileSync(at('test.csv'), 'u1,i2,1\nnobody,i3,2\n');
  const more = ['--test', 'test.csv', '--report', 'page.html', '--json'];
  const plain = await cli(...small, ...more);
  const onDisk = await cli(...small, ...more, '--on-disk', 'disk');
  const { digest, rmse } = JSON.parse(onDisk.stdout);
  expect({ digest, rmse }).toEqual({ digest: JSON.parse(plain.stdout).digest, rmse: JSON.parse(plain.stdout).rmse });
  expect(rmse.coldEntries).toBe(1);
  expect(readFileSync(at('page.html'), 'utf8')).toContain('read from disk block by block');
});

test('a folder that is not there is named', async () => {
  const ended = await cli(...small, '--on-disk', 'nowhere', '--json');
  expect(ended.code).toBe(2);
  expect(failureOf(ended)).toMatchObject({ code: 'not-found', message: expect.stringContaining('no folder nowhere') });
});

const long = ['fit', 'noise.npy', '--rank', '32', '--tolerance', '0', '--dtype', 'f64', '--acceleration', 'none'];
const endless = [...long, '--max-sweeps', '1000000', '--threads', '2', '--on-disk', 'disk', '--json'];

test('Ctrl-C leaves the model so far, and no file', async () => {
  const running = start([...endless, '--out', 'cancelled'], folder.path);
  await running.shown(/sweep \d+\//);
  // Open, and without a name.
  expect(readdirSync(at('disk'))).toEqual([]);
  running.process.kill('SIGINT');
  const ended = await running.ended;
  expect(ended.code).toBe(130);
  expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'cancelled' });
});

test('a process that is killed leaves no file', async () => {
  const running = start(endless, folder.path);
  await running.shown(/sweep \d+\//);
  running.process.kill('SIGKILL');
  await running.ended;
});

test('a session fits on disk, fit after fit', async () => {
  await using session = openSession({ threads: 2 });
  const N = 20000;
  const index = (f: (t: number) => number) => Uint32Array.from({ length: N }, (_, t) => f(t));
  const A = {
    rows: index((t) => t % 500),
    columns: index((t) => Math.floor(t / 500)),
    values: Float64Array.from({ length: N }, (_, t) => Math.sin(t)),
    shape: [500, 40] as const,
  };
  const options = { rank: 4, lambda: 0.1, maxSweeps: 5, inline: 'never' } as const;
  const { fit } = await session.factorize(A, options);
  for (let i = 0; i < 2; i++) {
    const onDisk = await session.factorize(A, { ...options, onDisk: at('disk') });
    expect(onDisk.fit).toMatchObject({ digest: fit.digest, onDisk: true });
  }
  await expect(session.factorize(A, { ...options, onDisk: at('nowhere') })).rejects.toMatchObject({
    code: 'not-found',
  });
});
