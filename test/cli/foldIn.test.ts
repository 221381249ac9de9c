/** New rows and columns of a model by `hadamard fold-in`, and what an entry listed twice means to it, update and explain. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../dist/src/index.js';
import { expectClose } from '../helpers/compare.js';
import { all, at, cli, entriesOf, folder, header, isSeen, put, quoted, ratingOf, read, users } from './ratings.js';
import { failureOf } from './run.js';

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
