/** Formats on the command line: stdin, queries, several files, convert, and predict in any of them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formats } from '../../dist/src/formats/formatOf.js';
import { readNpy } from '../../dist/src/formats/npy.js';
import { readTable } from '../../dist/src/formats/readTable.js';
import { writeTable } from '../../dist/src/formats/writeTable.js';
import { entriesOf } from '../formats/files.js';
import { sampleModel } from '../model/sample.js';
import { failureOf, main, run, temporaryFolder } from './run.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);
const digestOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).digest as string;

const ratings: [string, string, number][] = [];
for (let u = 0; u < 12; u++)
  for (let i = 0; i < 9; i++) if ((u * 5 + i * 3) % 4 > 0) ratings.push([`u "${u}"`, `i,${i}`, ((u * i) % 5) + 0.5]);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csv = `user,item,rating\n${ratings.map(([u, i, r]) => `${quoted(u)},${quoted(i)},${r}`).join('\n')}\n`;
const fit = (...args: string[]) => cli('fit', ...args, '--rank', '2', '--lambda', '0.1', '--json', '--quiet');

beforeAll(() => writeFileSync(at('ratings.csv'), csv));

describe('fit', () => {
  let digest: string;
  beforeAll(async () => {
    digest = digestOf(await fit('ratings.csv'));
    for (const name of ['parquet', 'arrow', 'jsonl.gz', 'tsv'])
      expect(await cli('convert', 'ratings.csv', `ratings.${name}`, '--quiet')).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(['parquet', 'arrow', 'jsonl.gz', 'tsv'])(
    'gives the same model of the same entries in .%s',
    async (name) => {
      expect(digestOf(await fit(`ratings.${name}`))).toBe(digest);
      expect(digestOf(await fit(`ratings.${name}`, '--columns', 'user,item,rating'))).toBe(digest);
    },
  );

  test('reads stdin, packed or not, and what --format says', () => {
    const piped = (input: Buffer, ...args: string[]) =>
      digestOf({
        stdout: execFileSync(
          process.execPath,
          [main, 'fit', '-', '--rank', '2', '--lambda', '0.1', '--json', '--quiet', ...args],
          { input, cwd: folder.path, encoding: 'utf8' },
        ),
      });
    const tsv = readFileSync(at('ratings.jsonl.gz'));
    expect(piped(tsv, '--format', 'jsonl')).toBe(digest);
    expect(piped(readFileSync(at('ratings.parquet')), '--format', 'parquet')).toBe(digest);
    expect(piped(readFileSync(at('ratings.arrow')), '--format', 'arrow')).toBe(digest);
    const plain = Buffer.from('a,x,1\na,y,2\nb,x,3\nb,y,4\n');
    expect(piped(gzipSync(plain))).toBe(piped(plain));
  });

  test('reads several files as one and names the file of an entry listed twice', async () => {
    const lines = csv.trimEnd().split('\n');
    writeFileSync(at('part-1.csv'), `${lines.slice(0, 20).join('\n')}\n`);
    writeFileSync(at('part-2.csv'), `${[lines[0], ...lines.slice(20)].join('\n')}\n`);
    expect(digestOf(await fit('part-*.csv'))).toBe(digest);
    writeFileSync(at('part-3.csv'), `${lines.slice(0, 2).join('\n')}\n`);
    const ended = await fit('part-?.csv');
    expect(failureOf(ended)).toMatchObject({
      code: 'duplicate-entry',
      message: expect.stringContaining('line 2 of part-1.csv and again in line 2'),
      position: { file: 'part-3.csv', line: 2, first: 2 },
    });
  });

  test.each([
    [['--format', 'xls', 'ratings.csv'], 'invalid-option', 'format'],
    [[], 'invalid-option', undefined],
    [['ratings.csv', '--sql', 'select 1'], 'invalid-option', 'sql'],
  ] as const)('refuses %j', async (args, code, option) => {
    const failure = failureOf(await fit(...args));
    expect([failure.code, failure.position.option]).toEqual([code, option]);
  });

  test('the help lists the formats that there are', async () => {
    const { stdout } = await cli('fit', '--help');
    const [, listed = ''] = /--format <([^>]*)>/.exec(stdout) ?? [];
    expect(listed.split('|').sort()).toEqual([...formats].sort());
  });
});

describe('convert', () => {
  test('keeps labels beside what holds none, and says so', async () => {
    const ended = await cli('convert', 'ratings.csv', 'out.npz');
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    expect(ended.stderr).toContain('out.npz.rows.jsonl');
    const [rows, columns] = ['rows', 'columns'].map((side) =>
      readFileSync(at(`out.npz.${side}.jsonl`), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as string),
    ) as [string[], string[]];
    const table = await readTable(at('out.npz'));
    const entries = entriesOf({ ...table, labels: { rows, columns } });
    expect(entries.sort()).toEqual([...ratings].sort());
  });

  test('goes through stdin and stdout', () => {
    const text = 'row,column,value\na,x,1\n"b, c",x,-2.5\n';
    const out = execFileSync(process.execPath, [main, 'convert', '-', '-'], { input: text, encoding: 'utf8' });
    expect(out).toBe(text);
  });

  test('keeps a dense table, and a weight where four columns are named', async () => {
    writeFileSync(at('table.csv'), 'id,x,y\na,1,\nb,,4\n');
    await cli('convert', 'table.csv', 'table.feather', '--table');
    await cli('convert', 'table.feather', 'again.csv', '--table');
    expect(readFileSync(at('again.csv'), 'utf8')).toBe('id,x,y\na,1,\nb,,4\n');
    writeFileSync(at('weighted.csv'), 'w,u,i,r\n0.5,a,x,1\n');
    await cli('convert', 'weighted.csv', 'weighted.jsonl', '--columns', 'u,i,r,w');
    expect(readFileSync(at('weighted.jsonl'), 'utf8')).toBe('{"u":"a","i":"x","r":1,"weight":0.5}\n');
  });

  test.each([
    [['ratings.csv', 'out.xls'], 'unsupported-format'],
    [['nowhere.csv', 'never.parquet'], 'not-found'],
    [['ratings.csv', 'nowhere/out.parquet'], 'output-failed'],
    [['ratings.csv', '..\0/escaped.csv'.replace('\0', ''), '--columns', 'user,film,rating'], 'malformed-file'],
  ])('refuses %j and leaves nothing', async (args, code) => {
    const before = readdirSync(folder.path).sort();
    const ended = await cli('convert', ...args, '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe(code);
    expect(readdirSync(folder.path).sort()).toEqual(before);
  });
});

describe('predict', () => {
  const rows = ['ann', 'line\nbreak', 'say "hi", bob', '9007199254740993', 'λ'];
  const columns = ['x', 'y,z', '"', 'w'];
  const model = sampleModel({ biases: 'both', labels: { rows, columns } });
  const plain = sampleModel({ biases: 'both' });
  const wanted = rows.flatMap((row, i) => columns.map((column, j) => [row, column, model.predict(i, j)] as const));

  beforeAll(async () => {
    await model.save(at('model'));
    await plain.save(at('plain'));
    const matrix = {
      rows: Uint32Array.from(wanted, ([row]) => rows.indexOf(row)),
      columns: Uint32Array.from(wanted, ([, column]) => columns.indexOf(column)),
      values: new Float64Array(wanted.length),
      shape: [5, 4] as const,
    };
    for (const ending of ['csv', 'parquet', 'arrow', 'jsonl'])
      await writeTable(at(`pairs.${ending}`), { matrix, labels: { rows, columns }, notes: [] });
    await writeTable(at('pairs.npz'), { matrix, notes: [] });
  });

  test.each(['csv', 'parquet', 'arrow', 'jsonl'])('reads and writes .%s', async (ending) => {
    const ended = await cli('predict', 'model', `pairs.${ending}`, '--columns', 'row,column', '--out', `out.${ending}`);
    expect(ended).toEqual({ code: 0, stdout: '', stderr: `out.${ending}: 20 predictions written.\n` });
    const table = await readTable(at(`out.${ending}`), { columns: ['row', 'column', 'prediction'] });
    expect(entriesOf(table)).toEqual(wanted);
  });

  test('reads the first two columns, names in swapped order, stdin and .npz', async () => {
    const direct = await cli('predict', 'model', 'pairs.parquet');
    expect(direct).toMatchObject({ code: 0, stderr: '' });
    const piped = execFileSync(process.execPath, [main, 'predict', 'model', '-', '--format', 'jsonl'], {
      input: readFileSync(at('pairs.jsonl')),
      cwd: folder.path,
      encoding: 'utf8',
    });
    expect(piped).toBe(direct.stdout);
    const places = await cli('predict', 'plain', 'pairs.npz', '--json');
    expect(JSON.parse(places.stdout.split('\n')[4] as string)).toEqual({
      row: '1',
      column: '0',
      prediction: plain.predict(1, 0),
    });
    const swapped = await cli('predict', 'model', 'pairs.arrow', '--columns', '2,1');
    expect(swapped.stderr).toContain('20 of 20 pairs');
  });

  test('writes the values alone as .npy', async () => {
    expect(await cli('predict', 'model', 'pairs.parquet', '--out', 'out.npy')).toMatchObject({ code: 0 });
    expect([...(await readNpy(at('out.npy'))).data]).toEqual(wanted.map(([, , value]) => value));
  });

  test('of more pairs than are held at a time, with the count of strangers over all', async () => {
    writeFileSync(at('many.jsonl'), '["ann","x"]\n'.repeat(70_000) + '["ann","new"]\n'.repeat(70_000));
    const ended = await cli('predict', 'model', 'many.jsonl', '--out', 'many.parquet');
    expect(ended.stderr).toContain('70000 of 140000 pairs');
    const { matrix } = await readTable(at('many.parquet'));
    expect((matrix as unknown as { values: Float64Array }).values.length).toBe(140_000);
  });

  test.each([
    ['a null label', '{"u":"ann","i":null}\n', 'malformed-file', { line: 1 }],
    ['one column', '["ann"]\n', 'malformed-file', {}],
  ])('refuses %s and writes nothing', async (_, text, code, position) => {
    writeFileSync(at('bad.jsonl'), text);
    const ended = await cli('predict', 'model', 'bad.jsonl', '--out', 'never.parquet', '--json');
    expect(failureOf(ended)).toMatchObject({ code, position: { file: 'bad.jsonl', ...position } });
    expect(existsSync(at('never.parquet'))).toBe(false);
  });

  test.each(['out.mtx', 'out.npz', 'out.parquet.gz'])('refuses --out %s', async (out) => {
    expect(failureOf(await cli('predict', 'model', 'pairs.csv', '--out', out, '--json')).code).toBe(
      'unsupported-format',
    );
  });
});
