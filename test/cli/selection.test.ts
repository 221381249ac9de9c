/** evaluate, tune and fit --holdout as processes of their own. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tuneFile } from '../../dist/src/cli/tune.js';
import { loadModel } from '../../dist/src/model/load.js';
import { failureOf, noise, run, start, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const cli = (...args: string[]) => run(args, folder.path);

beforeAll(() => {
  const errors = noise(40 * 25, 3);
  const lines = Array.from({ length: 40 * 25 }, (_, t) => [Math.floor(t / 25), t % 25] as const)
    .filter(([i, j]) => (i * 7 + j * 3) % 4 !== 0)
    .map(([i, j], t) => {
      const value = 3 + Math.sin(i) * Math.cos(j) + (errors[t] as number);
      return `u${i},"item, ${j}",${value},2024-01-${String(1 + (t % 28)).padStart(2, '0')}`;
    });
  writeFileSync(join(folder.path, 'r.csv'), `user,item,rating,day\n${lines.join('\n')}\n`);
});

describe('evaluate', () => {
  test('prints a line of JSON, or a table with the mean and its standard error', async () => {
    const args = [
      'evaluate',
      'r.csv',
      '--rank',
      '1',
      '--lambda',
      '1',
      '--biases',
      '--folds',
      '3',
      '--metrics',
      'rmse,mae,ndcg@5',
    ];
    const ended = await cli(...args, '--json', '--quiet');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout.split('\n')).toHaveLength(2);
    const result = JSON.parse(ended.stdout);
    expect(Object.keys(result)).toEqual(['schema', 'split', 'folds', 'metrics', 'baseline', 'seconds', 'options']);
    expect(result).toMatchObject({
      schema: 1,
      split: 'k-fold',
      options: { rank: 1, lambda: 1, biases: 'both', folds: 3 },
    });
    expect(result.folds).toHaveLength(3);
    expect(Object.keys(result.folds[0].metrics)).toEqual(['rmse', 'mae', 'ndcg@5']);
    const told = await cli(...args);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/fold +trained +tested +sweeps +rmse +mae +ndcg@5/);
    expect(told.stdout).toContain('k-fold, mean ± standard error of 3 folds');
    expect(told.stdout).toContain(`± ${result.metrics.rmse.standardError.toPrecision(2)}`);
    expect(told.stdout).toContain(`± ${result.baseline.rmse.standardError.toPrecision(2)} by the training mean`);
    expect(told.stdout).toMatch(/ndcg@5 .* by popularity/);
  });

  test('splits by a column of dates', async () => {
    const args = ['evaluate', 'r.csv', '--rank', '1', '--lambda', '1', '--time', 'day', '--holdout', '0.2', '--json'];
    const ended = await cli(...args);
    expect(ended.stderr).not.toContain('ignored');
    const result = JSON.parse(ended.stdout);
    expect(result.split).toBe('time');
    // The days are alike, and the last ones are tested as a whole.
    const { tested, trained } = result.folds[0];
    expect(tested).toBeLessThanOrEqual(0.2 * (tested + trained));
    expect(tested).toBeGreaterThan(0.15 * (tested + trained));
    const named = await cli(...args, '--split', 'leave-one-out', '--leave', 'last', '--columns', '1,2,3');
    expect(named.code).toBe(0);
    expect(JSON.parse(named.stdout).folds[0].tested).toBe(40);
  });

  test.each([
    [['--metrics', 'rsme'], 'invalid-option', 'metrics'],
    [['--folds', '100000'], 'invalid-option', 'folds'],
    [['--folds', 'x'], 'invalid-option', 'folds'],
    [['--holdout', '1'], 'invalid-option', 'holdout'],
    [['--split', 'half'], 'invalid-option', 'split'],
    [['--split', 'time'], 'invalid-option', 'time'],
    [['--negatives', '0'], 'invalid-option', 'negatives'],
    [['--time', 'hour'], 'malformed-file', undefined],
    [['--time', 'item'], 'malformed-file', undefined],
    [['--patience', '3'], 'invalid-option', 'patience'],
  ])('%j is refused', async (more, code, option) => {
    const ended = await cli('evaluate', 'r.csv', '--rank', '1', '--json', ...more);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    const failure = failureOf(ended);
    expect(failure.code).toBe(code);
    if (option) expect(failure.position.option).toBe(option);
  });
});

describe('tune', () => {
  const args = ['tune', 'r.csv', '--biases', '--ranks', '1,2', '--lambdas', '8,4,2,1', '--folds', '3'];

  test('recommends a rank and λ with its reason, and goes on from a state file', async () => {
    const told = await cli(...args);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/rank +λ +rmse +± +sweeps/);
    expect(told.stdout).toMatch(/recommended +Rank 1 with λ = \d/);
    // What follows `next` is a whole command, which a shell runs as it stands.
    const next = /\n {2}next\n([\s\S]+)$/.exec(told.stdout)?.[1] as string;
    expect(next).toMatch(
      /^ {2}hadamard fit r\.csv \\\n +--rank 1 \\\n +--lambda \d+ \\\n +--biases both \\\n +--out model\n$/,
    );
    const words = next.replaceAll('\\\n', ' ').trim().split(/\s+/);
    expect(await cli(...words.slice(1))).toMatchObject({ code: 0 });
    const running = start([...args, '--state', 'tune.json', '--json', '--quiet'], folder.path);
    // Ended as soon as there is something to go on from, if it is not already done.
    while (!existsSync(join(folder.path, 'tune.json')) && running.process.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    running.process.kill('SIGINT');
    expect([0, 130]).toContain((await running.ended).code);
    const again = await cli(...args, '--state', 'tune.json', '--json', '--quiet');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    const whole = JSON.parse((await cli(...args, '--json')).stdout);
    const result = JSON.parse(again.stdout);
    expect({ ...result, seconds: 0 }).toEqual({ ...whole, seconds: 0 });
    expect(Object.keys(result).sort()).toEqual(
      'best cells fits folds lambdas metric options ranks reason recommended schema seconds split'.split(' '),
    );
    const other = await cli(...args, '--seed', '3', '--state', 'tune.json', '--json');
    expect(failureOf(other)).toMatchObject({ code: 'incompatible-options', position: { option: 'state' } });
    expect(JSON.parse(readFileSync(join(folder.path, 'tune.json'), 'utf8')).format).toBe('hadamard tune');
  });

  test('says where to go on from only when something was found', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const state = join(folder.path, 'interrupted.json');
    const found = () => (existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).results.length : 0);
    const interrupted = async (isTime: () => boolean) => {
      written.mockClear();
      const search = tuneFile(join(folder.path, 'r.csv'), { ranks: '1,2,4,8', state }).catch((error) => error.name);
      while (!isTime()) await new Promise((resolve) => setTimeout(resolve, 1));
      process.emit('SIGINT');
      expect(await search).toBe('AbortError');
      return written.mock.calls.join('');
    };
    try {
      // While the file is read.
      expect(await interrupted(() => true)).not.toContain('What was found');
      expect(found()).toBe(0);
      expect(await interrupted(() => found() > 1)).toContain(`What was found is in ${state}: the same command`);
    } finally {
      written.mockRestore();
    }
  });

  test.each([
    [['--ranks', '1,x'], 'ranks'],
    [['--ranks', '0'], 'ranks'],
    [['--lambdas', '-1'], 'lambdas'],
    [['--split', 'rows'], 'split'],
    [['--rank', '3'], 'rank'],
  ])('%j is refused', async (more, option) => {
    const ended = await cli(...args, '--json', ...more);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'invalid-option', position: { option } });
  });
});

describe('fit --holdout', () => {
  test('reports the error of what was held out; with --patience the best factors are saved, exit code 0', async () => {
    const args = ['fit', 'r.csv', '--rank', '8', '--lambda', '0.01', '--biases', '--holdout', '0.2'];
    const early = await cli(...args, '--patience', '3', '--out', 'early', '--json');
    expect(early.code).toBe(0);
    const result = JSON.parse(early.stdout);
    expect(result).toMatchObject({ status: 'validated', reason: 'validation', options: { holdout: 0.2, patience: 3 } });
    expect(result.validation).toMatchObject({ entries: Math.round(0.2 * 750), sweep: result.sweeps - 3 });
    const { fit } = await loadModel(join(folder.path, 'early'));
    expect(fit.validation).toEqual(result.validation);
    expect(fit.validation?.loss).toBe(Math.min(...fit.trace.flatMap(({ validation }) => validation?.loss ?? [])));
    const told = await cli(...args, '--patience', '3');
    expect(told.stdout).toMatch(/on 150 held-out entries, least after sweep \d+ of \d+/);
    expect(told.stdout).toContain('stopped by the held-out entries');
  });

  test.each([
    [['--holdout', '1'], 'holdout'],
    [['--holdout', '0.1', '--patience', '0'], 'patience'],
    [['--patience', '2'], 'patience'],
  ])('%j is refused', async (more, option) => {
    const ended = await cli('fit', 'r.csv', '--rank', '1', '--json', ...more);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'invalid-option', position: { option } });
  });
});
