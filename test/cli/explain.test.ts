/** A prediction taken apart by `hadamard explain`. */
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { at, cli, isSeen, items, users } from './ratings.js';
import { failureOf } from './run.js';

describe('explain', () => {
  test('prints parts that add up to the prediction, the largest first', async () => {
    const ended = await cli(
      'explain',
      'model',
      'ratings.csv',
      '--row',
      users[7] as string,
      '--column',
      'item 3',
      '--json',
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { base, contributions, background, constraints, prediction } = JSON.parse(ended.stdout);
    const sum = contributions.reduce(
      (total: number, { contribution }: { contribution: number }) => total + contribution,
      base + background + constraints,
    );
    expectClose([sum], [prediction], 1e-10);
    const model = await loadModel(at('model'));
    expectClose(
      [prediction],
      [model.predict(model.rowIndex(users[7] as string) as number, model.columnIndex('item 3') as number)],
      1e-10,
    );
    expect(contributions).toHaveLength(items.filter((_, j) => isSeen(7, j)).length);
    expect(contributions[0].label).toMatch(/^item /);
  });

  test('as a table, cut at --top', async () => {
    const { code, stdout } = await cli(
      'explain',
      'model',
      'ratings.csv',
      '--row',
      users[7] as string,
      '--column',
      'item 3',
      '--top',
      '2',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('observation');
    expect(stdout).toMatch(/\d+ more/);
    expect(stdout.split('\n').filter((line) => line.includes('item'))).toHaveLength(3);
  });

  test.each<[string, string[]]>([
    ['row', ['--row', 'nobody', '--column', 'item 3']],
    ['column', ['--row', users[7] as string, '--column', 'nothing']],
  ])('refuses a %s that is not there', async (option, args) => {
    const ended = await cli('explain', 'model', 'ratings.csv', ...args, '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'not-found', position: { option } });
  });
});
