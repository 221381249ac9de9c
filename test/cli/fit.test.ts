import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/model/load.js';
import { asProcess, failureOf, noise, npy, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const program = (...args: string[]) => asProcess(args, folder.path);
const write = (name: string, lines: string[]) => writeFileSync(at(name), `${lines.join('\n')}\n`);

/** 12 users × 9 items, two thirds observed; value and σ of entry (i, j). */
const entries = Array.from({ length: 12 * 9 }, (_, t) => [Math.floor(t / 9), t % 9] as const).filter(
  ([i, j]) => (i + 2 * j) % 3 !== 0,
);
const value = (i: number, j: number) => Math.round(1000 * ((i + 1) * (j + 2) * 0.1 + Math.sin(i * 7 + j * 3))) / 1000;
const sigma = (i: number, j: number) => 0.5 + ((i * 5 + j * 11) % 7) / 4;
const lineOf = ([i, j]: readonly [number, number], ...numbers: number[]) =>
  [`u${i}`, `item ${j}`, ...numbers].join(',');

beforeAll(() => {
  write(
    'A.csv',
    entries.map((e) => lineOf(e, value(...e))),
  );
  write(
    'A4.csv',
    entries.map((e) => lineOf(e, value(...e), sigma(...e))),
  );
  write(
    'S.csv',
    entries.map((e) => lineOf(e, sigma(...e))),
  );
  write(
    'S-other-order.csv',
    [...entries].reverse().map((e) => lineOf(e, sigma(...e))),
  );
  write('test.csv', ['u0,item 0,1.5', 'u3,item 0,2', 'stranger,item 0,3', 'u1,nothing,4', 'stranger,nothing,5']);
  const items = Array.from({ length: 9 }, (_, j) => `item ${j}`).join(',');
  const listed = new Set(entries.map(String));
  const table = (cell: (i: number, j: number) => number) => [
    `user,${items}`,
    ...Array.from({ length: 12 }, (_, i) =>
      [`u${i}`, ...Array.from({ length: 9 }, (_, j) => (listed.has(`${i},${j}`) ? cell(i, j) : ''))].join(','),
    ),
  ];
  write('table.csv', table(value));
  write('sigma-table.csv', table(sigma));
  writeFileSync(at('noise.npy'), npy(noise(600 * 400, 5), 600, 400));
});
afterAll(folder.remove);

describe('fit --json', () => {
  test('prints one line with the documented keys, and nothing on stderr with --quiet', async () => {
    const ended = await program(
      'fit',
      'A4.csv',
      '--rank',
      '2',
      '--weights-are',
      'sigma',
      '--test',
      'test.csv',
      '--lambda',
      '0.1',
      '--json',
      '--quiet',
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout.split('\n')).toHaveLength(2);
    const result = JSON.parse(ended.stdout);
    expect(Object.keys(result)).toEqual(
      'schema status reason objective loss regularization sweeps method certificate seconds rmse rows columns observed rank threads inline blocks dtype arithmetic seed options utilization memoryBytes digest notes'.split(
        ' ',
      ),
    );
    expect(Object.keys(result.seconds)).toEqual(['read', 'prepare', 'start', 'fit', 'certify', 'write']);
    expect(Object.keys(result.rmse).sort()).toEqual(['coldEntries', 'test', 'train', 'trainWeighted']);
    expect(Object.keys(result.memoryBytes)).toEqual(['planned', 'peakRss']);
    expect(Object.keys(result.method)).toEqual(['name', 'reason']);
    expect(result).toMatchObject({
      schema: 1,
      status: 'converged',
      reason: 'gradient',
      rows: 12,
      columns: 9,
      observed: entries.length,
      rank: 2,
    });
    expect(result.certificate).toMatchObject({ monotone: true });
    expect(result.options).toMatchObject({ rank: 2, lambda: 0.1, lambdaScale: 'row', biases: 'none' });
    expect(result.rmse.coldEntries).toBe(3);
    expect(result.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('without --quiet keeps progress and notes on stderr', async () => {
    const quick = await cli('fit', 'A.csv', '--rank', '2', '--json');
    expect(quick.stderr).toBe('Nothing was saved: --out <dir> keeps the model.\n');
    const endless = ['--tolerance', '0', '--dtype', 'f64', '--max-sweeps', '1000000', '--time-limit', '1.5'];
    const { stdout, stderr } = await cli('fit', 'noise.npy', '--rank', '16', ...endless, '--json');
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toMatch(/^sweep \d+\/1000000 {2}objective \S+ .*obs\/s/m);
    expect(stderr).toContain('--out');
    expect(stderr).not.toContain('\u001b');
  });

  test('--verbose says what was chosen and why', async () => {
    const plain = await cli('fit', 'A.csv', '--rank', '2', '--lambda', '1');
    const verbose = await cli('fit', 'A.csv', '--rank', '2', '--lambda', '1', '--verbose');
    expect(plain.stdout).not.toContain('a ridge keeps');
    expect(verbose.stdout).toMatch(/^ {2}method +als: a ridge keeps its sweeps well conditioned$/m);
    expect(verbose.stdout).toMatch(/^ {2}layout +\d+ blocks? of rows, \d+ of columns; observations/m);
  });
});

describe('weights', () => {
  const digestWith = async (...args: string[]) => {
    const ended = await cli('fit', ...args, '--rank', '2', '--json', '--quiet');
    expect(ended.stderr).toBe('');
    return JSON.parse(ended.stdout).digest as string;
  };

  test('are matched by label: a fourth column, a file, another order and a table give the same bits', async () => {
    const digest = await digestWith('A4.csv', '--weights-are', 'sigma');
    expect(await digestWith('A.csv', '--weights', 'S.csv', '--weights-are', 'sigma')).toBe(digest);
    expect(await digestWith('A.csv', '--weights', 'S-other-order.csv', '--weights-are', 'sigma')).toBe(digest);
    expect(await digestWith('A.csv')).not.toBe(digest);
    const dense = await digestWith('table.csv', '--table', '--weights', 'sigma-table.csv', '--weights-are', 'sigma');
    expect(await digestWith('table.csv', '--table')).not.toBe(dense);
  });

  test('may be given as W, W² or 1/W', async () => {
    for (const [file, number, kinds] of [
      ['W.csv', (e: readonly [number, number]) => 2 ** ((e[0] + e[1]) % 3), ['sqrt-weight', 'sqrt']],
      ['W2.csv', (e: readonly [number, number]) => 4 ** ((e[0] + e[1]) % 3), ['weight']],
      ['W-1.csv', (e: readonly [number, number]) => 0.5 ** ((e[0] + e[1]) % 3), ['sigma']],
    ] as const) {
      write(
        file,
        entries.map((e) => lineOf(e, number(e))),
      );
      for (const kind of kinds)
        expect(await digestWith('A.csv', '--weights', file, '--weights-are', kind)).toBe(
          await digestWith('A.csv', '--weights', 'W.csv', '--weights-are', 'sqrt-weight'),
        );
    }
  });

  test('that are negative are refused with their place', async () => {
    write(
      'bad.csv',
      entries.map((e, t) => lineOf(e, t === 5 ? -1 : 1)),
    );
    const ended = await cli(
      'fit',
      'A.csv',
      '--rank',
      '2',
      '--weights',
      'bad.csv',
      '--weights-are',
      'weight',
      '--json',
      '--out',
      'never',
    );
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe('invalid-weight');
    expect(failureOf(ended).message).toContain(`is "u${entries[5]?.[0]}"`);
    expect(existsSync(at('never'))).toBe(false);
  });

  test('of another shape are refused', async () => {
    writeFileSync(at('small.npy'), npy(noise(6, 1), 2, 3));
    const ended = await cli(
      'fit',
      'noise.npy',
      '--rank',
      '2',
      '--weights',
      'small.npy',
      '--weights-are',
      'weight',
      '--json',
    );
    expect(failureOf(ended)).toMatchObject({ code: 'shape-mismatch', position: { file: 'small.npy' } });
  });
});

test('columns may be chosen by name, and a headerless fourth column is refused with the remedy', async () => {
  write('headed.csv', ['time,user,score,item', ...entries.map((e) => `9,u${e[0]},${value(...e)},item ${e[1]}`)]);
  const options = ['--rank', '2', '--max-sweeps', '5', '--json'];
  const byName = await cli('fit', 'headed.csv', '--columns', 'user,item,score', ...options);
  const byPosition = await cli('fit', 'A.csv', ...options);
  expect(JSON.parse(byName.stdout).digest).toBe(JSON.parse(byPosition.stdout).digest);
  expect(byName.stderr).toContain('ignored "time"');
  const ended = await cli('fit', 'A4.csv', ...options);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(failureOf(ended)).toMatchObject({ code: 'ambiguous-weights', position: { file: 'A4.csv', line: 1 } });
});

describe('--out', () => {
  test('saves what Python reads: .npy factors whose digest is the printed one, and labels', async () => {
    const ended = await cli(
      'fit',
      'A.csv',
      '--rank',
      '2',
      '--biases',
      '--lambda',
      '0.1',
      '--out',
      'm1',
      '--json',
      '--quiet',
    );
    expect(readdirSync(at('m1')).sort()).toEqual([
      'U.npy',
      'V.npy',
      'column_bias.npy',
      'columns.jsonl',
      'model.json',
      'row_bias.npy',
      'rows.jsonl',
    ]);
    const model = await loadModel(at('m1'));
    const result = JSON.parse(ended.stdout);
    expect(result.options.biases).toBe('both');
    expect(model.fit.digest).toBe(result.digest);
    expect(model.labels.rows).toHaveLength(12);
    expect(model.labels.columns?.[0]).toBe('item 1');
  });

  test('replaces an older model, and leaves it alone when anything goes wrong', async () => {
    await cli('fit', 'A.csv', '--rank', '2', '--out', 'm2', '--quiet');
    const bytes = () => readdirSync(at('m2')).map((name) => readFileSync(join(at('m2'), name)).toString('base64'));
    const before = bytes();
    write('infinite.csv', ['a,b,1', 'a,c,Infinity']);
    for (const args of [
      ['infinite.csv', '--rank', '2'],
      ['A.csv', '--rank', '0'],
      ['A.csv', '--rank', '2', '--test', 'nowhere.csv'],
    ]) {
      expect(await program('fit', ...args, '--out', 'm2', '--json')).toMatchObject({ code: 2, stdout: '' });
      expect(bytes()).toEqual(before);
    }
    expect((await cli('fit', 'A.csv', '--rank', '3', '--max-sweeps', '50', '--out', 'm2', '--quiet')).code).toBe(0);
    expect((await loadModel(at('m2'))).rank).toBe(3);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('left out saves nothing, and one line says how', async () => {
    const { stderr, stdout } = await cli('fit', 'A.csv', '--rank', '2');
    expect(stderr.match(/--out/g)).toHaveLength(1);
    expect(stdout).toMatch(/objective .*certificate/s);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('the exit code', () => {
  test.each([
    [0, ['--max-sweeps', '1']],
    [0, ['--max-sweeps', '1000000', '--time-limit', '0.2']],
    [3, ['--tolerance', '0', '--dtype', 'f32']],
  ])('is %i with %j', async (code, args) => {
    const ended = await program(
      'fit',
      code === 0 ? 'noise.npy' : 'A.csv',
      '--rank',
      '4',
      '--tolerance',
      '0',
      ...args,
      '--out',
      `exit-${code}`,
      '--json',
      '--quiet',
    );
    expect(ended.code).toBe(code);
    expect(JSON.parse(ended.stdout).status).toBe(code === 0 ? 'budget' : 'stalled');
    await loadModel(at(`exit-${code}`));
  });
});
