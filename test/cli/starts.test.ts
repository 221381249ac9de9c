/** `--starts` on the command line: JSON, summary, inspect, the page, progress and Ctrl-C. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodeOf } from '../../dist/src/cli/exitCodes.js';
import { loadModel } from '../../dist/src/model/load.js';
import { failureOf, run, start, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const fit = ['fit', 'A.csv', '--rank', '2', '--lambda', '0.01', '--dtype', 'f64', '--threads', '2'];

beforeAll(() => {
  const value = (i: number, j: number) => ((i + 1) * (j + 2) * 0.1 + Math.sin(i * 7 + j * 3)).toFixed(3);
  const entries = Array.from({ length: 12 * 9 }, (_, t) => [Math.floor(t / 9), t % 9] as const);
  const lines = entries.filter(([i, j]) => (i + 2 * j) % 3 !== 0).map(([i, j]) => `u${i},item ${j},${value(i, j)}`);
  writeFileSync(at('A.csv'), `${lines.join('\n')}\n`);
});
afterAll(folder.remove);

test('fit says what the starts found: in JSON, in words, in the model and on its page', async () => {
  const ended = await cli(...fit, '--starts', '10', '--json', '--out', 'model', '--report', 'page.html');
  expect(ended.code).toBe(0);
  const { starts, objective, options, schema } = JSON.parse(ended.stdout);
  expect(schema).toBe(1);
  expect(options.starts).toBe(10);
  expect(starts).toMatchObject({ count: 10, stopped: 'count', secondsToBest: expect.any(Number) });
  expect(starts.converged + starts.abandoned).toBeLessThanOrEqual(10);
  expect(starts.best.objective).toBe(objective);
  expect(starts.optima).toHaveLength(starts.distinct);
  expect(starts.optima[0]).toEqual({ objective, rmse: expect.any(Number), hits: starts.best.hits });
  expect((await loadModel(at('model'))).starts).toEqual(starts);
  const { stdout } = await cli('inspect', 'model');
  expect(stdout).toMatch(/starts\s+10 starts: \d+ converged, to \d+ optim/);
  expect(JSON.parse((await cli('inspect', 'model', '--json')).stdout).fit.starts).toEqual(starts);
  const page = readFileSync(at('page.html'), 'utf8');
  expect(page).toContain(`<code>--seed ${starts.seed}</code>`);
  expect(page).toContain('10 starts:');
});

test('--starts auto, and the seed that the model names, give the same model', async () => {
  const auto = await cli(...fit, '--starts', 'auto', '--out', 'auto');
  expect(auto.code).toBe(0);
  expect(auto.stdout).toMatch(/starts\s+\d+ starts: /);
  const { fit: found } = await loadModel(at('auto'));
  expect(found.starts?.stopped).toBe('agreement');
  expect(found.options.starts).toBe('auto');
  await cli(...fit, '--seed', String(found.starts?.seed), '--out', 'again');
  expect((await loadModel(at('again'))).fit.digest).toBe(found.digest);
});

test('anything but a number or auto is refused', async () => {
  const ended = await cli(...fit, '--starts', 'many', '--json');
  expect(ended.code).toBe(2);
  expect(failureOf(ended)).toMatchObject({ code: 'invalid-option', position: { option: 'starts' } });
  expect(failureOf(ended).message).toContain('an integer at least 1, or auto');
});

test('Ctrl-C keeps the best so far', async () => {
  const running = start([...fit, '--starts', '1000000', '--json', '--out', 'cut'], folder.path);
  await running.shown(/\d+ of 1000000 starts done {2}best \d/);
  running.process.kill('SIGINT');
  const { code, stdout } = await running.ended;
  expect(code).toBe(130);
  const { starts, digest } = JSON.parse(stdout);
  expect(starts.stopped).toBe('signal');
  expect((await loadModel(at('cut'))).fit.digest).toBe(digest);
});

test('a search that was cancelled has exit code 130, whatever its best start has reached', () => {
  const starts = { stopped: 'signal' } as never;
  expect(exitCodeOf({ status: 'converged', reason: 'gradient', starts }, new Set())).toBe(130);
});
