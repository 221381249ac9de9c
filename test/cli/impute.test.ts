/** Empty cells filled by `hadamard impute`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { all, at, cli, folder, isSeen, items, put, quoted, ratingOf, read, users } from './ratings.js';
import { failureOf, noise, npy } from './run.js';

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
    expect(told).toMatchObject({ status: 'converged', method: { name: 'als' }, uncertainty: { kind: 'full' } });
    expect(told.certificate.relativeGradientNorm).toBeLessThan(1e-5);
  });

  test('says how sure it is of what it filled in', async () => {
    put('table.csv', `${table.join('\n')}\n`);
    const options = ['--rank', '2', '--biases', '--lambda', '0.05', '--starts', '3', '--intervals', '0.9'];
    const { stdout } = await cli('impute', 'table.csv', ...options, '--out', 'completed.csv');
    for (const line of [/^ {2}certificate +converged/m, /^ {2}starts +3 starts/m, /^ {2}uncertainty +reduced χ²/m])
      expect(stdout).toMatch(line);
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
