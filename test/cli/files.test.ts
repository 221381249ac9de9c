/** Files that belong together: by label, by position, or not at all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleModel } from '../model/sample.js';
import { failureOf, npy, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const write = (name: string, lines: readonly string[]) => writeFileSync(at(name), `${lines.join('\n')}\n`);
const fit = (...args: string[]) =>
  cli('fit', ...args, '--rank', '1', '--lambda', '0.1', '--max-sweeps', '5', '--json', '--quiet');
const resultOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout);

/** A full 4×3 matrix, listed last row first, so that labels 1, 2, … appear in another order than their positions. */
const entries = Array.from({ length: 12 }, (_, t) => [3 - Math.floor(t / 3), t % 3] as const);
const value = (i: number, j: number) => (i + 1) * (j + 2) + 0.25 * ((3 * i + j) % 4);
const sigma = (i: number, j: number) => 0.5 + ((i + 2 * j) % 3) / 4;

beforeAll(() => {
  const mtx = (cell: (i: number, j: number) => number) => [
    '%%MatrixMarket matrix coordinate real general',
    '4 3 12',
    ...entries.map(([i, j]) => `${i + 1} ${j + 1} ${cell(i, j)}`),
  ];
  const csv = (cell: (i: number, j: number) => number) => entries.map(([i, j]) => `${i + 1},${j + 1},${cell(i, j)}`);
  const table = (cell: (i: number, j: number) => number) => [
    'sample,a,b,c',
    ...[0, 1, 2, 3].map((i) => [`s${i}`, ...[0, 1, 2].map((j) => cell(i, j))].join(',')),
  ];
  write('A.mtx', mtx(value));
  write('S.mtx', mtx(sigma));
  write('A.csv', csv(value));
  write('S.csv', csv(sigma));
  write('A-table.csv', table(value));
  write('S-table.csv', table(sigma));
  writeFileSync(
    at('S.npy'),
    npy(
      Float64Array.from({ length: 12 }, (_, t) => sigma(Math.floor(t / 3), t % 3)),
      4,
      3,
    ),
  );
  write('headed.csv', ['user,item,score', ...csv(value)]);
  write('S-headed.csv', ['sd,item,user', ...entries.map(([i, j]) => `${sigma(i, j)},${j + 1},${i + 1}`)]);
  write('strangers.csv', ['x,y,1', '9,1,2']);
  write('half.csv', csv(sigma).slice(0, 6));
});
afterAll(folder.remove);

const sigmas = (file: string) => ['--weights', file, '--weights-are', 'sigma'];

describe('a file of names and a file of positions', () => {
  test.each([
    ['A.mtx', ...sigmas('S.csv')],
    ['A.csv', ...sigmas('S.mtx')],
    ['A.csv', ...sigmas('S.npy')],
    ['A.mtx', '--test', 'A.csv'],
    ['A.csv', '--test', 'A.mtx'],
  ])('are refused: %s %s %s', async (...args) => {
    const ended = await fit(...args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    const file = args[2];
    expect(failureOf(ended)).toMatchObject({ code: 'shape-mismatch', position: { file } });
    expect(failureOf(ended).message).toContain('Give both as .csv');
  });

  test('of a dense table are matched by position, and it is said', async () => {
    const told = 'has no labels: its rows and columns are those of';
    const { digest, notes } = resultOf(await fit('A-table.csv', '--table', ...sigmas('S-table.csv')));
    expect(String(notes)).not.toContain(told);
    for (const file of ['S.mtx', 'S.npy']) {
      const result = resultOf(await fit('A-table.csv', '--table', ...sigmas(file)));
      expect(result.digest).toBe(digest);
      expect(result.notes).toContain(`${file} ${told} A in the same order.`);
    }
    const other = await cli(
      'fit',
      'A.mtx',
      '--table',
      ...sigmas('S-table.csv'),
      '--test',
      'A-table.csv',
      '--rank',
      '1',
    );
    for (const file of ['S-table.csv', 'A-table.csv'])
      expect(other.stderr).toContain(`A ${told} ${file} in the same order.\n`);
  });
});

describe('weights', () => {
  test('of which none belongs to an entry of A are refused', async () => {
    const ended = await fit('A.csv', ...sigmas('strangers.csv'));
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'not-found', position: { file: 'strangers.csv' } });
  });

  test("are read by the names of A's columns where their header has them", async () => {
    const { digest } = resultOf(await fit('A.csv', ...sigmas('S.csv')));
    for (const columns of [[], ['--columns', 'user,item,score']])
      expect(resultOf(await fit('headed.csv', ...columns, ...sigmas('S-headed.csv'))).digest).toBe(digest);
  });

  test('that are given twice are refused by their labels', async () => {
    write('S-twice.csv', ['9,9,1', '4,2,1', '4,2,2']);
    const ended = await fit('A.csv', ...sigmas('S-twice.csv'));
    expect(failureOf(ended)).toMatchObject({ code: 'duplicate-entry', position: { option: 'weights' } });
    expect(failureOf(ended).message).toContain('Row 0 is "4". Column 1 is "2".');
  });

  test('that leave entries of A out say so, with --quiet too', async () => {
    const ended = await fit('A.csv', ...sigmas('half.csv'));
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('6 of 12 entries of A have no weight in half.csv: left out of the fit as unobserved.\n');
    expect(resultOf(ended).observed).toBe(6);
    expect((await fit('A.csv', ...sigmas('S.csv'))).stderr).toBe('');
  });
});

describe('--test', () => {
  test('of cold entries alone says so, with --quiet too', async () => {
    const ended = await fit('A.csv', '--test', 'strangers.csv');
    expect(ended.stderr).toContain('every test entry is cold');
    expect(resultOf(ended).rmse.coldEntries).toBe(2);
    const { stdout } = await cli('fit', 'A.csv', '--rank', '1', '--test', 'strangers.csv');
    expect(stdout).toMatch(/on 2 test entries, all of them cold: their row/);
  });

  test('without an entry of positive weight has no RMSE', async () => {
    write(
      'A4.csv',
      entries.map(([i, j]) => `${i + 1},${j + 1},${value(i, j)},1`),
    );
    write('weightless.csv', ['1,1,1,0']);
    const ended = await fit('A4.csv', '--weights-are', 'weight', '--test', 'weightless.csv');
    expect(resultOf(ended).rmse).not.toHaveProperty('test');
    const { stdout } = await cli(
      ...['fit', 'A4.csv', '--rank', '1', '--weights-are', 'weight', '--test', 'weightless.csv'],
    );
    expect(stdout).toContain('no test entry has a positive weight');
  });
});

test('notes stand in the JSON too; --bias-lambda without --biases has one of its own', async () => {
  expect(resultOf(await fit('A.csv', ...sigmas('half.csv'))).notes[0]).toContain('6 of 12 entries');
  expect((await cli('fit', 'A.csv', '--rank', '1', '--bias-lambda', '1')).stderr).toContain('--biases');
});

describe('recommend --exclude', () => {
  const labels = { rows: ['3', '1', '0', '2', '4'], columns: ['2', '3', '1', '0'] };
  const kept = async (model: string, file: string) => {
    const ended = await cli('recommend', model, '--row', '1', '--exclude', file, '--json');
    expect(ended.stderr).toBe('');
    return (resultOf(ended).recommendations as { column: number }[]).map(({ column }) => column).sort();
  };
  beforeAll(async () => {
    await sampleModel({ labels }).save(at('labelled'));
    await sampleModel().save(at('plain'));
    write('seen.csv', ['4,0,1', '1,2,1', '1,0,1']);
    write('seen.mtx', ['%%MatrixMarket matrix coordinate pattern general', '5 4 2', '2 1', '2 3']);
    write('other.mtx', ['%%MatrixMarket matrix coordinate pattern general', '2 3 1', '2 1']);
  });

  test('reads names as labels, or as indices from 0 where the model has none', async () => {
    expect(await kept('labelled', 'seen.csv')).toEqual([1, 2]);
    expect(await kept('plain', 'seen.csv')).toEqual([1, 3]);
  });

  test("reads positions where the file has the model's shape, and refuses another", async () => {
    expect(await kept('plain', 'seen.mtx')).toEqual([1, 3]);
    for (const model of ['plain', 'labelled'])
      expect(failureOf(await cli('recommend', model, '--row', '1', '--exclude', 'other.mtx', '--json'))).toMatchObject({
        code: 'shape-mismatch',
        position: { option: 'exclude', file: 'other.mtx' },
      });
  });
});
