import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleModel } from '../model/sample.js';
import { failureOf, main, run, temporaryFolder } from './run.js';

const execFileAsync = promisify(execFile);
const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const cli = (...args: string[]) => run(args, folder.path);

const rows = ['ann', 'line\nbreak', 'say "hi", bob', ' space ', 'λ'];
const columns = ['x', 'y,z', '"', 'w'];
const model = sampleModel({ biases: 'both', labels: { rows, columns } });
const plain = sampleModel({ biases: 'both' });
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

beforeAll(async () => {
  await model.save(at('model'));
  await plain.save(at('plain'));
});
afterAll(folder.remove);

describe('predict', () => {
  test('answers each pair in the order of the file, hostile labels included', async () => {
    const pairs = rows.flatMap((row) => columns.map((column) => [row, column] as const)).reverse();
    const text = `${pairs.map(([row, column]) => `${quoted(row)},${quoted(column)}`).join('\r\n')}\r\n`;
    writeFileSync(at('pairs.csv'), text);
    writeFileSync(at('pairs.csv.gz'), gzipSync(text));
    const ended = await cli('predict', 'model', 'pairs.csv');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { parse } = await import('csv-parse/sync');
    const [header, ...lines] = parse(ended.stdout) as string[][];
    expect(header).toEqual(['row', 'column', 'prediction']);
    expect(lines.map(([row, column]) => [row, column])).toEqual(pairs);
    lines.forEach(([row, column, prediction]) => {
      expect(Number(prediction)).toBe(model.predict(rows.indexOf(row as string), columns.indexOf(column as string)));
    });
    expect((await cli('predict', 'model', 'pairs.csv.gz')).stdout).toBe(ended.stdout);
    expect(await cli('predict', 'model', 'pairs.csv', '--out', 'predictions.csv')).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(readFileSync(at('predictions.csv'), 'utf8')).toBe(ended.stdout);
  });

  test('takes a header, by itself or by --columns', async () => {
    writeFileSync(at('headed.csv'), 'time,user,item\n9,ann,x\n8,λ,w\n');
    const ended = await cli('predict', 'model', 'headed.csv', '--columns', 'user,item');
    expect(ended.stdout.split('\n')[2]).toBe(`λ,w,${model.predict(4, 3)}`);
    writeFileSync(at('headed.tsv'), 'user\titem\tignored\nann\tx\t1\n');
    const noted = await cli('predict', 'model', 'headed.tsv');
    expect(noted.stdout).toBe(`row,column,prediction\nann,x,${model.predict(0, 0)}\n`);
    expect(noted.stderr).toContain('header');
    expect(failureOf(await cli('predict', 'model', 'headed.csv', '--columns', 'user,film', '--json'))).toMatchObject({
      code: 'malformed-file',
      position: { file: 'headed.csv', line: 1 },
    });
  });

  test('gives strangers the mean and the other bias', async () => {
    writeFileSync(at('cold.csv'), 'ann,x\nann,new\nnew,x\nnew,new\n');
    const { stdout, stderr } = await cli('predict', 'model', 'cold.csv');
    const { mean, rows: rowBias, columns: columnBias } = model.biases;
    expect(
      stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[2])),
    ).toEqual([model.predict(0, 0), mean + (rowBias?.[0] as number), mean + (columnBias?.[0] as number), mean]);
    expect(stderr).toContain('3 of 4 pairs');
  });

  test('says that strangers are predicted as 0 by a model without biases', async () => {
    await sampleModel({ labels: { rows, columns } }).save(at('unbiased'));
    writeFileSync(at('cold.csv'), 'ann,x\nann,new\n');
    const { stdout, stderr } = await cli('predict', 'unbiased', 'cold.csv');
    expect(stdout).toContain('ann,new,0\n');
    expect(stderr).toContain('1 of 2 pairs');
    expect(stderr).toContain('no biases, so 0 is given');
  });

  test('reads a pipe', async () => {
    writeFileSync(at('piped.csv'), `ann,x\n"ann",w\n${'ann,x\n'.repeat(40000)}`);
    const expected = (await cli('predict', 'model', 'piped.csv')).stdout;
    expect(expected.split('\n')).toHaveLength(40004);
    const script = 'cat piped.csv | "$0" "$1" predict model /dev/stdin; "$0" "$1" predict model <(cat piped.csv)';
    const piped = execFileSync('bash', ['-c', script, process.execPath, main], {
      cwd: folder.path,
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(piped === expected + expected).toBe(true);
  });

  test('takes columns by number, with a header or without', async () => {
    for (const header of ['', 'time,user,item\n']) {
      writeFileSync(at('numbered.csv'), `${header}9,ann,x\n8,λ,w\n`);
      const { stdout } = await cli('predict', 'model', 'numbered.csv', '--columns', '2,3');
      expect(stdout).toBe(`row,column,prediction\nann,x,${model.predict(0, 0)}\nλ,w,${model.predict(4, 3)}\n`);
    }
  });

  test('prints a JSON object a line with --json', async () => {
    writeFileSync(at('two.csv'), 'ann,x\nλ,w\n');
    const { stdout } = await cli('predict', 'model', 'two.csv', '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { row: 'ann', column: 'x', prediction: model.predict(0, 0) },
      { row: 'λ', column: 'w', prediction: model.predict(4, 3) },
    ]);
  });

  test('refuses what is no text', async () => {
    writeFileSync(at('pairs.npy'), 'x');
    writeFileSync(at('binary.csv'), Buffer.from([0, 1, 44, 2, 10]));
    for (const file of ['pairs.npy', 'binary.csv'])
      expect(failureOf(await cli('predict', 'model', file, '--json')).code).toBe('unsupported-format');
  });

  test('counts from 0 without labels, and from 1 in Matrix Market files', async () => {
    writeFileSync(at('numbers.csv'), '0,3\n4,0\n');
    writeFileSync(at('pairs.mtx'), '%%MatrixMarket matrix coordinate pattern general\n5 4 2\n1 4\n5 1\n');
    const lines = (rowNames: string[]) =>
      `row,column,prediction\n${rowNames[0]},${plain.predict(0, 3)}\n${rowNames[1]},${plain.predict(4, 0)}\n`;
    expect((await cli('predict', 'plain', 'numbers.csv')).stdout).toBe(lines(['0,3', '4,0']));
    expect((await cli('predict', 'plain', 'pairs.mtx')).stdout).toBe(lines(['1,4', '5,1']));
  });

  test('refuses a line with a missing field, and leaves the output file alone', async () => {
    writeFileSync(at('short.csv'), 'ann,x\nann\n');
    writeFileSync(at('older.csv'), 'older');
    const ended = await cli('predict', 'model', 'short.csv', '--out', 'older.csv', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended)).toMatchObject({ code: 'malformed-file', position: { file: 'short.csv', line: 2 } });
    expect(readFileSync(at('older.csv'), 'utf8')).toBe('older');
  });

  test('fails with a typed error where the output cannot be written', async () => {
    writeFileSync(at('one.csv'), 'ann,x\n');
    const ended = await cli('predict', 'model', 'one.csv', '--out', 'no-such-folder/p.csv', '--json');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(ended).code).toBe('output-failed');
    expect(existsSync(at('no-such-folder'))).toBe(false);
  });

  test.skipIf(process.platform === 'win32')('keeps links and pipes, and writes through them', async () => {
    writeFileSync(at('pair.csv'), 'ann,x\n');
    const expected = (await cli('predict', 'model', 'pair.csv')).stdout;
    writeFileSync(at('kept.csv'), 'older');
    chmodSync(at('kept.csv'), 0o640);
    symlinkSync('kept.csv', at('link.csv'));
    symlinkSync('new.csv', at('dangling.csv'));
    for (const [link, target] of [
      ['link.csv', 'kept.csv'],
      ['dangling.csv', 'new.csv'],
    ] as const) {
      expect((await cli('predict', 'model', 'pair.csv', '--out', link)).code).toBe(0);
      expect(lstatSync(at(link)).isSymbolicLink()).toBe(true);
      expect(readFileSync(at(target), 'utf8')).toBe(expected);
    }
    expect(statSync(at('kept.csv')).mode & 0o777).toBe(0o640);
    execFileSync('mkfifo', [at('fifo')]);
    const reader = execFileAsync('cat', [at('fifo')]);
    expect((await cli('predict', 'model', 'pair.csv', '--out', 'fifo')).code).toBe(0);
    expect((await reader).stdout).toBe(expected);
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true);
    expect(readdirSync(folder.path).filter((name) => name.includes('.new-'))).toEqual([]);
  });

  test('refuses an output without a name, and a folder', async () => {
    writeFileSync(at('pair.csv'), 'ann,x\n');
    for (const [out, code] of [
      ['', 'invalid-option'],
      ['model', 'output-failed'],
    ] as const)
      expect(failureOf(await cli('predict', 'model', 'pair.csv', '--out', out, '--json'))).toMatchObject({
        code,
        position: { option: 'out' },
      });
  });

  test('takes a first line that begins with # for what it is', async () => {
    const labels = { rows: ['#1', '#2', 'c', 'd', 'e'], columns };
    await sampleModel({ labels }).save(at('hashed'));
    writeFileSync(at('hashed.csv'), '# pairs, by me\n#2,x\n#1,w\n');
    const { stdout, stderr } = await cli('predict', 'hashed', 'hashed.csv');
    expect(stdout.split('\n').map((line) => line.split(',')[0])).toEqual(['row', '#2', '#1', '']);
    expect(stderr).toBe('hashed.csv: line 1 begins with # or %: taken as a comment.\n');
  });

  test('into a reader that has seen enough is no error', async () => {
    writeFileSync(at('many.csv'), 'ann,x\n'.repeat(50000));
    const child = spawn(
      'bash',
      ['-c', 'set -o pipefail; "$0" "$1" predict model many.csv | head -n 1', process.execPath, main],
      {
        cwd: folder.path,
      },
    );
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('recommend', () => {
  test('prints a small table, or one line of JSON', async () => {
    const best = model.recommend(0, { top: 2 });
    const table = await cli('recommend', 'model', '--row', 'ann', '--top', '2');
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout.split('\n')).toHaveLength(4);
    const json = await cli('recommend', 'model', '--row', 'ann', '--top', '2', '--json');
    expect(JSON.parse(json.stdout)).toEqual({ schema: 1, row: 'ann', recommendations: best });
    const numbered = await cli('recommend', 'plain', '--row', '0', '--json');
    expect(JSON.parse(numbered.stdout).recommendations).toEqual(plain.recommend(0));
  });

  test('says from where it counts, and of which row nothing is known', async () => {
    expect((await cli('recommend', 'plain', '--row', '0')).stdout).toContain('column (from 0)');
    expect((await cli('recommend', 'model', '--row', 'ann')).stdout).not.toContain('from 0');
    writeFileSync(at('cold.mtx'), '%%MatrixMarket matrix coordinate real general\n3 2 3\n1 1 1\n1 2 2\n3 1 3\n');
    await cli('fit', 'cold.mtx', '--rank', '1', '--lambda', '0.1', '--out', 'cold');
    const { stderr } = await cli('recommend', 'cold', '--row', '1');
    expect(stderr).toContain('Row 1 had no observation');
    expect((await cli('recommend', 'cold', '--row', '0', '--top', '2')).stderr).toBe('');
  });

  test('leaves out what a file lists for the row', async () => {
    writeFileSync(at('seen.csv'), `ann,x,0\nann,${quoted('y,z')},5\nλ,w,1\nann,unknown,1\n`);
    const { stdout } = await cli('recommend', 'model', '--row', 'ann', '--exclude', 'seen.csv', '--json');
    const listed = (JSON.parse(stdout).recommendations as { label: string }[]).map(({ label }) => label);
    expect(listed.sort()).toEqual(['"', 'w']);
  });

  test('leaves out what rows and columns of a file list, whatever else it has', async () => {
    writeFileSync(at('timed.csv'), 'ann,x,0,978300760\nann,w,5,978300761\n');
    writeFileSync(at('timed-headed.csv'), 'user,time,item,score\nann,1,x,0\nann,2,w,3\n');
    writeFileSync(at('dated.csv'), 'user,item,rating,date\nann,x,4,2024-03-01\nann,w,,soon\n');
    writeFileSync(at('pairs.csv'), 'ann,x\nann,w\n');
    writeFileSync(at('pairs.jsonl'), '{"user":"ann","item":"x"}\n{"user":"ann","item":"w"}\n');
    for (const args of [
      ['timed.csv'],
      ['timed-headed.csv', '--columns', 'user,item,score'],
      ['timed-headed.csv', '--columns', 'user,item'],
      ['dated.csv'],
      ['pairs.csv'],
      ['pairs.jsonl', '--columns', 'user,item'],
    ]) {
      const { stdout } = await cli('recommend', 'model', '--row', 'ann', '--json', '--exclude', ...args);
      const listed = (JSON.parse(stdout).recommendations as { label: string }[]).map(({ label }) => label);
      expect(listed.sort()).toEqual(['"', 'y,z']);
    }
  });

  test('leaves out the cells of a dense table that have a value', async () => {
    writeFileSync(at('dense.csv'), `,x,w,unknown\nann,1,,3\nλ,1,1,\n`);
    const { stdout } = await cli('recommend', 'model', '--row', 'ann', '--json', '--exclude', 'dense.csv', '--table');
    const listed = (JSON.parse(stdout).recommendations as { label: string }[]).map(({ label }) => label);
    expect(listed.sort()).toEqual(['"', 'w', 'y,z']);
  });

  test('refuses a row or a number that is none', async () => {
    expect(failureOf(await cli('recommend', 'model', '--row', 'nobody', '--json'))).toMatchObject({
      code: 'not-found',
      position: { option: 'row' },
    });
    expect(failureOf(await cli('recommend', 'plain', '--row', '5', '--json')).code).toBe('not-found');
    expect(failureOf(await cli('recommend', 'model', '--row', 'ann', '--top', 'x', '--json'))).toMatchObject({
      code: 'invalid-option',
      position: { option: 'top' },
    });
  });
});

test('a damaged model is refused', async () => {
  await model.save(at('damaged'));
  const bytes = readFileSync(at('damaged/U.npy'));
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] as number) ^ 1;
  writeFileSync(at('damaged/U.npy'), bytes);
  writeFileSync(at('one.csv'), 'ann,x\n');
  const ended = await cli('predict', 'damaged', 'one.csv', '--json');
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(failureOf(ended).code).toBe('malformed-model');
});
