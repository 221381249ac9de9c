/** Rows of a model added, replaced and removed by `hadamard update`. */
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { at, cli, entriesOf, header, items, put, quoted, users } from './ratings.js';
import { failureOf, noise, npy } from './run.js';

describe('update', () => {
  test('replaces, adds and removes by label', async () => {
    put('today.csv', [header, ...entriesOf([4]), 'ann,item 1,5', 'ann,item 2,3', 'ann,unheard,1'].join('\n'));
    put('gone.txt', `${users[1]}\r\n\r\n${users[2]}\n`);
    const ended = await cli('update', 'model', 'today.csv', '--remove', 'gone.txt', '--out', 'model2', '--json');
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('unheard');
    expect(JSON.parse(ended.stdout)).toMatchObject({
      side: 'rows',
      added: 1,
      replaced: 1,
      removed: 2,
      rows: 24,
      columns: 15,
    });
    const [old, next] = [await loadModel(at('model')), await loadModel(at('model2'))];
    expect(next.labels.rows).toEqual([
      ...(old.labels.rows ?? []).filter((name) => name !== users[1] && name !== users[2]),
      'ann',
    ]);
    const [a, b] = [old.rowIndex(users[4] as string) as number, next.rowIndex(users[4] as string) as number];
    expectClose([next.predict(b, 6)], [old.predict(a, 6)], 1e-10);
    expect(next.fit.updates).toHaveLength(1);
    const told = await cli('update', 'model', 'today.csv', '--out', 'model2');
    expect(told.stdout).toMatch(/1 added, 1 replaced, 0 removed/);
    expect(told.stdout).toMatch(/drift {2}/);
  });

  test('in place, from a .jsonl of labels, without rows', async () => {
    await cli('update', 'model', '--remove', 'gone.txt', '--out', 'model3');
    put('more.jsonl', `${JSON.stringify(users[5])}\n`);
    expect((await cli('update', 'model3', '--remove', 'more.jsonl', '--out', 'model3', '--quiet')).stdout).toBe('');
    expect((await loadModel(at('model3'))).shape).toEqual([22, 15]);
  });

  test('with --refresh ends as a fit does', async () => {
    const ended = await cli(
      'update',
      'model',
      'ratings.csv',
      '--refresh',
      '20',
      '--out',
      'model4',
      '--json',
      '--quiet',
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'converged', rows: 25 });
    expect((await loadModel(at('model4'))).labels.rows).toEqual((await loadModel(at('model'))).labels.rows);
  });

  test('of a model without labels adds the rows of an .npy', async () => {
    writeFileSync(at('A.npy'), npy(noise(40, 1), 8, 5));
    writeFileSync(at('B.npy'), npy(noise(10, 2), 2, 5));
    await cli('fit', 'A.npy', '--rank', '1', '--out', 'plain', '--quiet');
    expect((await cli('update', 'plain', 'B.npy', '--out', 'plain2')).code).toBe(0);
    expect((await loadModel(at('plain2'))).shape).toEqual([10, 5]);
  });

  test.each<[string, string[], string]>([
    ['nothing to do', ['model'], 'invalid-option'],
    ['a label that is not there', ['model', '--remove', 'strange.txt'], 'not-found'],
    ['a file that is not there', ['model', '--remove', 'nothing.txt'], 'not-found'],
    ['a refresh of part of the rows', ['model', 'today.csv', '--refresh', '2'], 'incompatible-options'],
    ['a refresh that is no number', ['model', 'today.csv', '--refresh', 'x'], 'invalid-option'],
    ['a refresh of half a sweep', ['model', 'today.csv', '--refresh', '0.5'], 'invalid-option'],
    ['a file without names', ['model', 'B.npy'], 'shape-mismatch'],
  ])('refuses %s and writes no model', async (_name, args, code) => {
    put('strange.txt', 'nobody\n');
    const ended = await cli('update', ...args, '--out', 'never', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe(code);
    expect(existsSync(at('never'))).toBe(false);
  });
});

test('where no column is known, update and fold-in say how new ones are given; explain has no such flag', async () => {
  put('new-items.csv', `${header}\n${quoted(users[3] as string)},brand new,4\n`);
  const remedyOf = async (...args: string[]) => failureOf(await cli(...args, '--json')).message;
  const update = ['update', 'model', 'new-items.csv', '--out', 'with-items'];
  expect(await remedyOf(...update)).toContain('New columns are given with --side columns.');
  expect(await remedyOf('fold-in', 'model', 'new-items.csv')).toContain('--side columns');
  expect(
    await remedyOf('explain', 'model', 'new-items.csv', '--row', users[3] as string, '--column', items[0] as string),
  ).not.toContain('--side');
  expect(await cli(...update, '--side', 'columns')).toMatchObject({ code: 0 });
});
