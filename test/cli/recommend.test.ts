import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { recommend } from '../../dist/src/cli/recommend.js';
import { openArrow } from '../../dist/src/formats/arrow.js';
import { openParquet } from '../../dist/src/formats/parquet.js';
import { failure } from '../formats/files.js';
import { sampleModel } from '../model/sample.js';
import { randomModel } from '../recommend/models.js';
import { failureOf, run, start, temporaryFolder } from './run.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const cli = (...args: string[]) => run(args, folder.path);

const rows = ['ann', 'line\nbreak', 'say "hi", bob', ' space ', 'λ'];
const columns = ['x', 'y,z', '"', 'Toy Story'];
const model = sampleModel({ biases: 'both', labels: { rows, columns } });
const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const expected = (top: number) =>
  rows.flatMap((row, i) =>
    model
      .recommend(i, { top })
      .map(({ label, prediction }, rank) => [row, label, String(prediction), String(rank + 1)]),
  );

beforeAll(() => model.save(at('model')));
afterAll(folder.remove);

describe('recommend for many rows', () => {
  test('writes CSV that keeps every label, to stdout or to a file', async () => {
    const all = await cli('recommend', 'model', '--all', '--top', '3');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(parse(all.stdout)).toEqual([['row', 'column', 'prediction', 'rank'], ...expected(3)]);
    expect(await cli('recommend', 'model', '--all', '--top', '3', '--out', 'top.csv')).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(readFileSync(at('top.csv'), 'utf8')).toBe(all.stdout);
  });

  test('writes JSON lines, by the ending of the file or by --json', async () => {
    const { stdout } = await cli('recommend', 'model', '--all', '--top', '2', '--json');
    expect(jsonLines(stdout)).toEqual(
      rows.map((row, i) => ({ schema: 1, row, recommendations: model.recommend(i, { top: 2 }) })),
    );
    await cli('recommend', 'model', '--all', '--top', '2', '--out', 'top.jsonl');
    expect(readFileSync(at('top.jsonl'), 'utf8')).toBe(stdout);
  });

  test('writes .tsv, .parquet and .arrow by the ending, with names or with indices', async () => {
    await sampleModel().save(at('plain'));
    const header = ['row', 'column', 'prediction', 'rank'];
    const plain = sampleModel();
    const numbered = rows.flatMap((_, i) =>
      plain
        .recommend(i, { top: 3 })
        .map(({ column, prediction }, rank) => [i, column, prediction, rank + 1].map(String)),
    );
    for (const [directory, records] of [
      ['model', expected(3)],
      ['plain', numbered],
    ] as const) {
      for (const file of ['top.tsv', 'top.parquet', 'top.arrow'])
        expect(await cli('recommend', directory, '--all', '--top', '3', '--out', file)).toMatchObject({ code: 0 });
      expect(parse(readFileSync(at('top.tsv'), 'utf8'), { delimiter: '\t' })).toEqual([header, ...records]);
      for (const source of [await openParquet(at('top.parquet')), await openArrow(at('top.arrow'))]) {
        expect(source.names).toEqual(header);
        const read: string[][] = [];
        for await (const { length, columns: values } of source.batches([0, 1, 2, 3]))
          for (let t = 0; t < length; t++) read.push(values.map((column) => String(column[t])));
        await source.close();
        expect(read).toEqual(records);
      }
    }
    expect(await cli('recommend', 'model', '--row', 'ann', '--out', 'top')).toMatchObject({ code: 0 });
    expect(parse(readFileSync(at('top'), 'utf8'))[0]).toEqual(header);
  });

  test('takes rows by --row again and again, or from a file of any form', async () => {
    const several = await cli('recommend', 'model', '--row', 'λ', '--row', 'ann', '--top', '1', '--json');
    expect(jsonLines(several.stdout).map(({ row }) => row)).toEqual(['λ', 'ann']);
    const tables = await cli('recommend', 'model', '--row', 'λ', '--row', 'ann', '--top', '1');
    expect(tables.stdout).toMatch(/^λ\n.*prediction\n.*\n\nann\n/);
    writeFileSync(at('rows.jsonl'), `${JSON.stringify('line\nbreak')}\n"λ"\n`);
    writeFileSync(at('rows.csv'), 'user,age\n"line\nbreak",3\nλ,4\nnobody,5\n');
    writeFileSync(at('rows.txt'), 'λ\nsay "hi", bob\n');
    const named = async (file: string) => {
      const { stdout, stderr } = await cli('recommend', 'model', '--rows', file, '--top', '1', '--json');
      return [jsonLines(stdout).map(({ row }) => row), stderr];
    };
    expect(await named('rows.jsonl')).toEqual([['line\nbreak', 'λ'], '']);
    expect(await named('rows.csv')).toEqual([
      ['line\nbreak', 'λ'],
      'rows.csv: 1 of 3 names are no rows of the model: passed over.\n',
    ]);
    expect(await named('rows.txt')).toEqual([['λ', 'say "hi", bob'], '']);
  });

  test('filters columns, and says why there are fewer', async () => {
    writeFileSync(at('only.txt'), 'Toy Story\nx\n');
    writeFileSync(at('without.txt'), 'x\n');
    writeFileSync(at('seen.csv'), `λ,Toy Story,1\n`);
    const args = [
      'recommend',
      'model',
      '--all',
      '--only',
      'only.txt',
      '--without',
      'without.txt',
      '--exclude',
      'seen.csv',
    ];
    const { stdout, stderr } = await cli(...args, '--top', '1');
    expect(parse(stdout).slice(1)).toEqual(
      [0, 1, 2, 3].map((row) => [rows[row], 'Toy Story', String(model.predict(row, 3)), '1']),
    );
    expect(stderr).toContain('1 rows have fewer than 1 columns, the first of them λ: No column is left');
    const json = await cli(...args, '--json', '--top', '1');
    expect(jsonLines(json.stdout)[4]).toEqual({
      schema: 1,
      row: 'λ',
      recommendations: [],
      missing: 'No column is left: the model has 4 columns, 3 are left out by the filters, 1 is excluded for this row.',
    });
  });

  test('leaves out what it has written, in every format', async () => {
    const best = model.recommend(0, { top: 4 }).map(({ label }) => label);
    for (const file of ['best.csv', 'best.parquet', 'best.arrow']) {
      await recommend(at('model'), { row: ['ann'], top: '1', out: at(file), quiet: true });
      await recommend(at('model'), { row: ['ann'], out: at('rest.csv'), exclude: at(file), quiet: true });
      expect(parse(read('rest.csv')).map(([, column]) => column)).toEqual(['column', ...best.slice(1)]);
    }
  });

  test('says how much of --exclude is not of the model, and refuses what is not at all', async () => {
    const flags = { row: ['ann'], out: at('rest.csv') };
    const excluding = async (name: string, text: string) => {
      writeFileSync(at(name), text);
      const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      try {
        await recommend(at('model'), { ...flags, exclude: at(name), ...(name === 'table.csv' && { table: true }) });
        return written.mock.calls.map(([said]) => said).join('');
      } finally {
        written.mockRestore();
      }
    };
    expect(await excluding('some.csv', 'user,film\nann,x\nann,Z\nnobody,x\n')).toContain(
      'some.csv: 2 of 3 entries name a row or column that the model does not have; they leave nothing out.\n',
    );
    expect(parse(read('rest.csv')).map(([, column]) => column)).not.toContain('x');
    expect(await excluding('header.csv', 'user,film\n')).not.toContain('entries');
    for (const [name, text] of [
      ['none.csv', 'user,film\n0,0\n1,1\n'],
      ['table.csv', 'user,film\n0,1\n'],
    ] as const)
      expect(await failure(excluding(name, text))).toMatchObject({
        code: 'not-found',
        message: expect.stringContaining(`No entry of ${at(name)} names a row and a column of the model.`),
        position: { option: 'exclude', file: at(name) },
      });
  });

  test('refuses what cannot be meant', async () => {
    writeFileSync(at('strangers.txt'), 'nobody\n');
    const table: [string[], object][] = [
      [[], { code: 'invalid-option', position: { option: 'row' } }],
      [['--row', 'ann', '--all'], { code: 'invalid-option', position: { option: 'row' } }],
      [['--rows', 'strangers.txt'], { code: 'not-found', position: { option: 'rows', file: 'strangers.txt' } }],
      [['--rows', 'nowhere.txt'], { code: 'not-found' }],
      [['--all', '--only', 'strangers.txt'], { code: 'not-found', position: { option: 'only' } }],
      [['--all', '--threads', 'x'], { code: 'invalid-option', position: { option: 'threads' } }],
      [['--all', '--out', ''], { code: 'invalid-option', position: { option: 'out' } }],
      [['--all', '--out', 'top.npy'], { code: 'unsupported-format', position: { option: 'out', file: 'top.npy' } }],
      [['--all', '--out', 'top.mtx'], { code: 'unsupported-format' }],
      [['--all', '--out', 'top.parquet.gz'], { code: 'unsupported-format' }],
      [['--all', '--out', 'nowhere/top.csv'], { code: 'output-failed', position: { option: 'out' } }],
    ];
    for (const [args, failure] of table) {
      const ended = await cli('recommend', 'model', ...args, '--json');
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(failureOf(ended)).toMatchObject(failure);
    }
  });
});

test.skipIf(process.platform === 'win32')('Ctrl-C leaves the older file, and no other', async () => {
  await randomModel({ rows: 40_000, columns: 4000, rank: 32 }).save(at('large'));
  writeFileSync(at('older.csv'), 'older');
  const running = start(['recommend', 'large', '--all', '--out', 'older.csv'], folder.path);
  while (!readdirSync(folder.path).some((name) => name.startsWith('older.csv.new'))) {
    expect(running.process.exitCode).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  running.process.kill('SIGINT');
  expect(await running.ended).toMatchObject({ code: 130, stdout: '' });
  expect(readFileSync(at('older.csv'), 'utf8')).toBe('older');
  expect(readdirSync(folder.path).filter((name) => name.includes('.new-'))).toEqual([]);
  expect(existsSync(at('older.csv'))).toBe(true);
});
