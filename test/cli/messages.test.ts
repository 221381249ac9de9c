/** What the command line says of mistakes, and of what it has done. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleModel } from '../model/sample.js';
import { failureOf, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const put = (name: string, text: string) => writeFileSync(at(name), text);

const [rows, columns] = [[...'abcde'], ['Benzene', 'Toluene', 'Xylene', 'Styrene']];

beforeAll(async () => {
  await sampleModel({ labels: { rows, columns } }).save(at('model'));
  await sampleModel().save(at('plain'));
  await sampleModel({ labels: { rows: ['apple', ...'bcde'], columns } }).save(at('fruit'));
  const cells = rows.flatMap((row, i) =>
    columns.map((column, j) => `${row},${column},${1 + ((3 * i + j * j) % 5)},0.5`),
  );
  put('A.csv', ['sample,species,value,sigma', ...cells].join('\n'));
  put('ratings.csv', ['user,item,rating', ...cells.map((line) => line.replace(/,0\.5$/, ''))].join('\n'));
  put('table.csv', `hour,${columns.join()}\na,1,,2,3\nb,2,1,,1\n`);
});

describe('a mistake', () => {
  const fit = () => ['fit', at('A.csv'), '--weights-are', 'sigma', '--rank', '1'];
  const tune = () => ['tune', at('ratings.csv'), '--ranks', '1', '--lambdas', '1', '--folds', '2'];

  const evaluate = () => ['evaluate', at('ratings.csv'), '--rank', '1'];
  const vectors = () => ['export', at('model'), '--out', at('vectors')];
  const foldIn = () => ['fold-in', at('model'), at('ratings.csv'), '--out', at('U.csv')];

  test.each<[what: string, args: () => string[], option: string, said: string]>([
    ['a bad species', () => [...fit(), '--bad', 'Benzen'], 'bad', 'Did you mean Benzene? Correct the name.'],
    ['a total', () => [...fit(), '--weak', 'Toluene', '--total', 'all'], 'total', 'There is no column "all".'],
    ['patience with nothing to watch', () => [...fit(), '--patience', '3'], 'patience', 'Add --holdout 0.1.'],
    ['a metric', () => [...tune(), '--metric', 'rmes'], 'metric', 'Did you mean rmse? Name one of these.'],
    [
      'a metric at k',
      () => [...evaluate(), '--metrics', 'ndgc@5'],
      'metrics',
      'Did you mean ndcg@5? Name some of these',
    ],
    ['a metric without its k', () => [...evaluate(), '--metrics', 'recal'], 'metrics', 'Did you mean recall@10? Name'],
    [
      'a k that is none',
      () => [...evaluate(), '--metrics', 'ndcg@0'],
      'metrics',
      'k of at least 1. Name some of these',
    ],
    ['a split', () => [...evaluate(), '--split', 'kfold'], 'split', 'Did you mean k-fold? Give such a value'],
    ['a split of tune', () => [...tune(), '--split', 'block'], 'split', 'Did you mean blocks? Give such a value'],
    ['gains', () => [...evaluate(), '--gains', 'values'], 'gains', 'Did you mean value? Give such a value'],
    ['what is left', () => [...evaluate(), '--leave', 'lst'], 'leave', 'Did you mean last? Give such a value'],
    ['a format of vectors', () => [...vectors(), '--format', 'safetensor'], 'format', 'Did you mean safetensors? Give'],
    [
      'a side',
      () => [...vectors(), '--format', 'npy', '--side', 'row'],
      'side',
      'Did you mean rows? Give one of these.',
    ],
    [
      'a side of data',
      () => [...foldIn(), '--side', 'column'],
      'side',
      'Did you mean columns? Give --side one of these.',
    ],
    ['a format of data', () => [...fit(), '--format', 'parket'], 'format', 'Did you mean parquet? Give one of these'],
    [
      'a measure',
      () => ['similar', at('model'), '--column', 'Toluene', '--measure', 'cosin'],
      'measure',
      'Did you mean cosine? Give one of these',
    ],
    [
      'ranks',
      () => [...tune(), '--ranks', '2,x'],
      'ranks',
      '--ranks is "2,x", and "x" is no number. ranks are integers from 1, with commas.',
    ],
    ['a column', () => ['similar', at('model'), '--column', 'toluene'], 'column', 'Did you mean Toluene?'],
    ['a row', () => ['recommend', at('fruit'), '--row', 'aple'], 'row', 'Did you mean apple?'],
    [
      'a name where a file of names is taken',
      () => ['update', at('model'), '--remove', at('a'), '--out', at('next')],
      'remove',
      '--remove takes a file that names rows, one a line.',
    ],
  ])('%s', async (_, args, option, said) => {
    const ended = await cli(...args(), '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ position: { option }, message: expect.stringContaining(said) });
  });

  test('a shell', async () => {
    const { code, stderr } = await cli('completion', 'zhs');
    expect({ code, told: stderr.split('\n') }).toEqual({
      code: 2,
      told: [
        'error  shell is "zhs".  [invalid-option]',
        'rule   shell is one of bash, zsh, fish.',
        'try    Did you mean zsh? Give one of these.',
        '',
      ],
    });
  });
});

describe('convert', () => {
  test('says which rows and columns a list of entries leaves out', async () => {
    put('sparse.mtx', '%%MatrixMarket matrix coordinate real general\n4 5 3\n1 1 1\n1 2 0\n3 1 2\n');
    const lost = '2 rows and 3 columns without entries are not in';
    const { stderr } = await cli('convert', at('sparse.mtx'), at('sparse.csv'));
    expect(stderr).toBe(
      `${lost} ${at('sparse.csv')}; .mtx and .npz keep the shape.\n${at('sparse.csv')}: 3 entries of 4 × 5 written.\n`,
    );
    for (const kept of ['sparse.npz', 'sparse.npy'])
      expect((await cli('convert', at('sparse.mtx'), at(kept))).stderr).not.toContain('without');
  });

  test('keeps the corner of a table, through every format', async () => {
    for (const [from, to] of [
      ['table.csv', 'table.parquet'],
      ['table.parquet', 'table.arrow'],
      ['table.arrow', 'again.csv'],
    ] as const)
      expect((await cli('convert', at(from), at(to), '--table', '--quiet')).stderr).toBe('');
    expect(readFileSync(at('again.csv'), 'utf8')).toBe(readFileSync(at('table.csv'), 'utf8'));
  });
});

describe('evaluate', () => {
  const evaluate = (...more: string[]) =>
    cli('evaluate', at('ratings.csv'), '--rank', '1', '--lambda', '1', '--folds', '2', '--quiet', ...more);

  test('warns of lists that hold every candidate', async () => {
    const ranked = ['--split', 'leave-one-out', '--metrics', 'hr@1,hr@3', '--negatives'];
    expect((await evaluate(...ranked, '2')).stderr).toBe(
      'hr@3: a test entry is ranked among 3 columns, so every list holds it and this measures little. Ask for more --negatives, 99 for example.\n',
    );
    expect((await evaluate(...ranked, '3')).stderr).toBe('');
    expect((await evaluate('--metrics', 'rmse,ndcg@4')).stderr).toContain('ndcg@4: a test entry is ranked among 4');
  });

  test('does not scold for an end that was asked for', async () => {
    const told = async (...more: string[]) =>
      (await cli('evaluate', at('ratings.csv'), '--rank', '2', '--folds', '2', ...more)).stderr;
    const end = ['--lambda', '0.01', '--tolerance', '1e-30'];
    expect(await told(...end)).toContain('2 of 2 fits did not converge');
    expect(await told(...end, '--max-sweeps', '2')).not.toContain('did not converge');
  });
});

test('explain gives values as they are in the file, in f32 too, and says from where it counts', async () => {
  put(
    'rated.mtx',
    '%%MatrixMarket matrix coordinate real general\n3 3 7\n1 1 5\n1 2 3.3\n2 1 4.1\n2 3 2\n3 1 1\n3 2 2\n3 3 5\n',
  );
  const made = await cli('fit', at('rated.mtx'), '--rank', '1', '--lambda', '0.5', '--biases', '--out', at('f32'));
  expect(made.code).toBe(0);
  const explain = ['explain', at('f32'), at('rated.mtx'), '--row', '0', '--column', '2'];
  const { contributions } = JSON.parse((await cli(...explain, '--json')).stdout);
  expect(contributions.map(({ value }: { value: number }) => value).sort()).toEqual([3.3, 5]);
  expect((await cli(...explain)).stdout).toContain('observation (from 0)');
  const labelled = ['explain', at('model'), at('ratings.csv'), '--row', 'a', '--column', 'Xylene'];
  expect((await cli(...labelled)).stdout).toMatch(/observation +value/);
});

test('inspect says of what the observed entries are, after an update', async () => {
  expect((await cli('inspect', at('model'))).stdout).toMatch(/observed \([\d.]+ %\)/);
  put('gone.txt', 'a\n');
  await cli('update', at('model'), '--remove', at('gone.txt'), '--out', at('updated'));
  const { stdout } = await cli('inspect', at('updated'));
  expect(stdout).toContain('4 × 4');
  expect(stdout).toContain('observed (of the fit before the updates)');
});

test('a file that was written is named, but for --quiet', async () => {
  for (const [args, said] of [
    [['recommend', at('model'), '--all', '--out', at('top.csv')], 'top.csv: recommendations for 5 rows written.\n'],
    [['fold-in', at('model'), at('ratings.csv'), '--out', at('U.csv')], 'U.csv: factors of 5 rows written.\n'],
    [['report', at('plain'), '--out', at('page.html')], /page\.html: a page of [\d.]+ kB written\.\n/],
    [['convert', at('ratings.csv'), at('ratings.parquet')], 'ratings.parquet: 20 entries of 5 × 4 written.\n'],
  ] as const) {
    const { stderr } = await cli(...args);
    if (typeof said === 'string') expect(stderr).toContain(said);
    else expect(stderr).toMatch(said);
    expect(await cli(...args, '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  }
});
