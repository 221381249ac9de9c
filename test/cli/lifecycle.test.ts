/** A model in use on the command line: fold-in, update, impute, explain and a warm start. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { type Ended, failureOf, noise, npy, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const cli = (...args: string[]): Promise<Ended> => run(args, folder.path);
const at = (name: string) => join(folder.path, name);
const put = (name: string, text: string) => writeFileSync(at(name), text);
const read = (name: string) => readFileSync(at(name), 'utf8');

const users = Array.from({ length: 25 }, (_, i) => `user "${i}", x`);
const items = Array.from({ length: 15 }, (_, j) => `item ${j}`);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const draws = noise(25 * 15, 3);
/** The rating of user i for item j: rank 1, biases and noise. */
const ratingOf = (i: number, j: number) =>
  3 + (i % 5) / 3 + (j % 4) / 5 + ((i % 7) - 3) * ((j % 3) - 1) * 0.3 + (draws[i * 15 + j] as number) / 5;
const isSeen = (i: number, j: number) => (i * 7 + j * 3) % 4 !== 0;
const lineOf = (i: number, j: number) => `${quoted(users[i] as string)},${items[j]},${ratingOf(i, j).toFixed(3)}`;
const entriesOf = (rows: readonly number[]) =>
  rows.flatMap((i) => items.flatMap((_, j) => (isSeen(i, j) ? [lineOf(i, j)] : [])));
const header = 'user,item,rating';
const all = users.map((_, i) => i);

beforeAll(async () => {
  put('ratings.csv', [header, ...entriesOf(all)].join('\n'));
  const fitted = await cli(
    'fit',
    'ratings.csv',
    '--rank',
    '2',
    '--biases',
    '--lambda',
    '0.05',
    '--dtype',
    'f64',
    '--out',
    'model',
    '--quiet',
  );
  expect(fitted).toMatchObject({ code: 0, stderr: '' });
});

describe('fold-in', () => {
  test('gives training rows their factors, by label, as CSV', async () => {
    put('some.csv', [header, ...entriesOf([7, 3])].join('\n'));
    const { code, stdout, stderr } = await cli('fold-in', 'model', 'some.csv');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toBe('row,u1,u2,bias');
    const model = await loadModel(at('model'));
    [7, 3].forEach((i, line) => {
      const name = quoted(users[i] as string);
      expect(lines[line]?.startsWith(`${name},`)).toBe(true);
      const numbers = (lines[line] as string)
        .slice(name.length + 1)
        .split(',')
        .map(Number);
      const row = model.rowIndex(users[i] as string) as number;
      expectClose(numbers, [model.U.get(row, 0), model.U.get(row, 1), model.biases.rows?.[row] as number], 1e-10);
    });
  });

  test('of columns finds the rows of the model, writes .npy and .tsv, and says what it left out', async () => {
    const lines = all
      .filter((i) => isSeen(i, 4))
      .map((i) => `${quoted(users[i] as string)},fresh,${ratingOf(i, 4).toFixed(3)}`);
    put('items.csv', [header, ...lines, 'stranger,fresh,4'].join('\n'));
    const ended = await cli('fold-in', 'model', 'items.csv', '--side', 'columns', '--out', 'V.npy', '--json');
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ schema: 1, side: 'columns', count: 1, observed: lines.length });
    expect(ended.stderr).toContain('1 of');
    expect(ended.stderr).toContain('stranger');
    const V = readFileSync(at('V.npy'));
    const numbers = new Float64Array(V.buffer.slice(V.byteOffset + 128, V.byteOffset + 144));
    const model = await loadModel(at('model'));
    const j = model.columnIndex('item 4') as number;
    expectClose(numbers, [model.V.get(j, 0), model.V.get(j, 1)], 1e-5);
    expect((await cli('fold-in', 'model', 'items.csv', '--side', 'columns', '--out', 'V.tsv')).code).toBe(0);
    expect(read('V.tsv')).toMatch(/^column\tv1\tv2\tbias\nfresh\t/);
  });

  test('with --json prints a line a row', async () => {
    put('some.csv', [header, ...entriesOf([7, 3])].join('\n'));
    const { stdout } = await cli('fold-in', 'model', 'some.csv', '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ row }) => row)).toEqual([users[7], users[3]]);
    expect(lines[0].factor).toHaveLength(2);
    expect(lines[0].gradientNorm).toBeLessThan(1e-10);
  });

  test.each<[string, string[], string]>([
    ['another ending', ['some.csv', '--out', 'factors'], 'invalid-option'],
    ['a side that there is not', ['some.csv', '--side', 'up'], 'invalid-option'],
    ['items in the place of users', ['turned.csv'], 'not-found'],
    ['a model that is not there', ['some.csv'], 'not-found'],
    ['weights that do not say what they are', ['some.csv', '--weights', 'some.csv'], 'ambiguous-weights'],
  ])('refuses %s and leaves nothing', async (name, args, code) => {
    put('some.csv', [header, ...entriesOf([7])].join('\n'));
    put('turned.csv', 'item,user,rating\nitem 1,nobody,3\n');
    const before = readdirSync(folder.path);
    const ended = await cli('fold-in', name === 'a model that is not there' ? 'none' : 'model', ...args, '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe(code);
    expect(readdirSync(folder.path)).toEqual(before);
  });
});

describe('--duplicates', () => {
  const twice = 'ann,item 1,5';
  const columnsOf = (text: string) => text.trimEnd().split('\n').at(-1)?.split(',').slice(1).map(Number);

  test('says of new rows what an entry listed twice means', async () => {
    put('twice.csv', [header, 'ann,item 1,2', 'ann,item 2,4', twice].join('\n'));
    put('once.csv', [header, twice, 'ann,item 2,4'].join('\n'));
    const once = await cli('fold-in', 'model', 'once.csv');
    const last = await cli('fold-in', 'model', 'twice.csv', '--duplicates', 'last');
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expectClose(columnsOf(last.stdout) as number[], columnsOf(once.stdout) as number[], 1e-10);
    const kept = await cli('update', 'model', 'twice.csv', '--duplicates', 'keep', '--out', 'model5', '--json');
    expect(JSON.parse(kept.stdout)).toMatchObject({ added: 1, observed: 3 });
    const args = ['--row', 'ann', '--column', 'item 3', '--json'];
    const explained = await cli('explain', 'model', 'twice.csv', ...args, '--duplicates', 'last');
    expect(
      JSON.parse(explained.stdout)
        .contributions.map(({ value }: { value: number }) => value)
        .sort(),
    ).toEqual([4, 5]);
  });

  test.each([
    ['fold-in', []],
    ['update', ['--out', 'never']],
    ['explain', ['--row', 'ann', '--column', 'item 3']],
  ])('of %s is as in the fit, and named by the refusal', async (command, more) => {
    const refused = await cli(command, 'model', 'twice.csv', ...more);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--duplicates');
    const odd = await cli(command, 'model', 'twice.csv', ...more, '--duplicates', 'x', '--json');
    expect(failureOf(odd)).toMatchObject({ code: 'invalid-option', position: { option: 'duplicates' } });
  });
});

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

describe('impute', () => {
  /** As people write: other digits than a number prints as, quotes, a comma in a label. */
  const cell = (i: number, j: number) =>
    isSeen(i, j)
      ? j % 2
        ? ratingOf(i, j).toExponential(4)
        : `${ratingOf(i, j).toFixed(2)}0`
      : ['', 'NA', 'NaN'][j % 3];
  const table = [
    ['station', ...items].join(','),
    ...all.map((i) => [quoted(users[i] as string), ...items.map((_, j) => cell(i, j))].join(',')),
  ];
  const cells = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)].map(([, field]) => field as string));

  test('copies observed cells letter by letter and fills the others, with bounds beside', async () => {
    put('table.csv', `${table.join('\n')}\n`);
    const ended = await cli(
      'impute',
      'table.csv',
      '--rank',
      '2',
      '--biases',
      '--lambda',
      '0.05',
      '--intervals',
      '0.9',
      '--out',
      'completed.csv',
      '--json',
      '--quiet',
    );
    expect(ended).toMatchObject({ code: 0 });
    const told = JSON.parse(ended.stdout);
    expect(told.files).toEqual(['completed.csv', 'completed.lower.csv', 'completed.upper.csv']);
    const [before, after, low, high] = [read('table.csv'), ...(told.files as string[]).map(read)].map((text) =>
      cells(text as string),
    ) as [string[][], string[][], string[][], string[][]];
    let filled = 0;
    before.forEach((row, i) => {
      row.forEach((text, j) => {
        const isMissing = i > 0 && j > 0 && !isSeen(i - 1, j - 1);
        if (!isMissing) expect(after[i]?.[j]).toBe(text);
        if (i === 0 || j === 0) return;
        const [lower, value, upper] = [low[i]?.[j], after[i]?.[j], high[i]?.[j]];
        if (isMissing) {
          filled++;
          expect(Number(lower)).toBeLessThan(Number(value));
          expect(Number(value)).toBeLessThan(Number(upper));
        } else expect([lower, upper]).toEqual(['', '']);
      });
    });
    expect(told.missing).toBe(filled);
  });

  test('with a model matches columns by label, leaves those it does not know, and predicts what the model does', async () => {
    const some = [7, 3];
    const lines = [
      ['x', 'item 3', 'unheard', 'item 0'].join(','),
      ...some.map((i) => [quoted(users[i] as string), cell(i, 3), '', cell(i, 0)].join(',')),
    ];
    put('part.csv', lines.join('\n'));
    const ended = await cli('impute', 'part.csv', '--model', 'model', '--out', 'part.out.csv');
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('unheard');
    const rows = cells(read('part.out.csv'));
    some.forEach((i, line) => {
      expect(rows[line + 1]?.[2]).toBe('');
      [3, 0].forEach((j, place) => {
        const text = rows[line + 1]?.[place === 0 ? 1 : 3] as string;
        expect(isSeen(i, j) ? text === cell(i, j) : Number.isFinite(Number(text)) && text !== '').toBe(true);
      });
    });
  });

  test('reads and writes .npy, and keeps observed bits', async () => {
    const values = Float64Array.from(noise(60, 5), (x, t) => (t % 7 === 3 ? Number.NaN : x));
    writeFileSync(at('holes.npy'), npy(values, 12, 5));
    const ended = await cli('impute', 'holes.npy', '--rank', '1', '--out', 'whole.npy', '--quiet');
    expect(ended).toMatchObject({ code: 0 });
    const bytes = readFileSync(at('whole.npy'));
    const whole = new Float64Array(
      bytes.buffer.slice(bytes.byteOffset + bytes.length - 480, bytes.byteOffset + bytes.length),
    );
    values.forEach((value, t) => {
      if (Number.isNaN(value)) expect(Number.isFinite(whole[t])).toBe(true);
      else expect(whole[t]).toBe(value);
    });
  });

  test.each<[string, string[], string]>([
    ['neither rank nor model', ['table.csv', '--out', 'never.csv'], 'invalid-option'],
    ['another kind of file', ['table.csv', '--rank', '2', '--out', 'never.npy'], 'invalid-option'],
    ['what is no table', ['A.mtx', '--rank', '2', '--out', 'never.csv'], 'unsupported-format'],
    [
      'intervals of more than all',
      ['table.csv', '--rank', '2', '--intervals', '2', '--out', 'never.csv'],
      'invalid-option',
    ],
    [
      'intervals that nothing is left for',
      ['table.csv', '--rank', '14', '--intervals', '0.9', '--out', 'never.csv'],
      'incompatible-options',
    ],
  ])('refuses %s and writes nothing', async (_name, args, code) => {
    put('table.csv', `${table.join('\n')}\n`);
    const ended = await cli('impute', ...args, '--json', '--quiet');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe(code);
    expect(readdirSync(folder.path).filter((name) => name.includes('never'))).toEqual([]);
  });
});

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

describe('fit --warm-start', () => {
  test('begins where the model ends, by label', async () => {
    put('shuffled.csv', [header, ...entriesOf([...all].reverse())].join('\n'));
    const same = [
      '--rank',
      '2',
      '--biases',
      '--lambda',
      '0.05',
      '--dtype',
      'f64',
      '--tolerance',
      '1e-7',
      '--json',
      '--quiet',
    ];
    const warm = JSON.parse((await cli('fit', 'shuffled.csv', '--warm-start', 'model', ...same)).stdout);
    expect(warm).toMatchObject({ status: 'converged', sweeps: 1 });
  });

  test('says what begins at random', async () => {
    put(
      'grown.csv',
      [header, ...entriesOf(all), 'ann,item 1,5', 'ann,new item,3', `${quoted(users[0] as string)},new item,2`].join(
        '\n',
      ),
    );
    const { code, stderr } = await cli('fit', 'grown.csv', '--rank', '3', '--lambda', '0.05', '--warm-start', 'model');
    expect(code).toBe(0);
    expect(stderr).toContain('25 of 26 rows and 15 of 16 columns begin where model ends, the others at random.');
  });

  test.each<[string, string[], string]>([
    ['data without names', ['A.npy'], 'shape-mismatch'],
    ['data of other names', ['other.csv'], 'not-found'],
  ])('refuses %s', async (_name, args, code) => {
    put('other.csv', 'a,b,c\n1,2,3\n');
    const ended = await cli('fit', ...args, '--rank', '1', '--warm-start', 'model', '--json', '--quiet');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code });
  });
});
